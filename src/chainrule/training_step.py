"""One step of training, in two halves: from a batch to gradients, and from gradients to new weights."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from chainrule import tasks, tracing
from chainrule.batches import AUGMENT, CHANCE, Batches, check_augmented, stream
from chainrule.errors import noting
from chainrule.layers.layer import Array

if TYPE_CHECKING:
    from chainrule.training import Trainer


def gradients(trainer: Trainer, data: Batches, rows: Array, total: float) -> tuple[float, float]:
    """Forward, loss, backward: fill the network's gradients; the loss, and how much the rows answered right count.

    Where a step has several parts their gradients are summed. Each part is divided by the total of the whole step, so
    the sum is the gradient that all rows at once would have given. A loss that is not finite ends the step at once.
    """
    network, loss, hits = trainer.network, 0.0, 0.0
    for i, (part, x, y, weights, chance) in enumerate(_parts(trainer, data, rows)):
        outputs, caches = network.forward(x, True, chance)
        its_loss, dy = trainer.loss.compute(outputs, y, weights, total)
        loss += its_loss
        if not math.isfinite(its_loss):
            break
        so_far = network.grads.copy() if i else None
        network.backward(dy, caches)
        network.update_state(caches)
        if so_far is not None:
            np.add(network.grads, so_far, out=network.grads)
        if tasks.classifies(network.output):
            hits += data.total(part[tasks.hits(network.output, outputs, y, network.squashed)])
    return loss, hits


def update(trainer: Trainer) -> tuple[float, float]:
    """Penalty, clipping, the optimizer's step, norms, average; the penalty and the learning rate."""
    network, penalty = trainer.network, 0.0
    params, grads = network.params, network.grads
    for each in trainer.penalty:
        penalty += sum(each.add(params[stretch], grads[stretch]) for stretch in network.decaying)
    if trainer.clip is not None:
        trainer.clip.apply([grads[stretch] for stretch in network.trainable])
    rate = trainer.optimizer.step(params, grads, network.trainable, network.decays)
    if trainer.max_norm is not None:
        weights = [row for row in network.parameters if row.decays and row.trainable]
        trainer.max_norm.shrink([getattr(row.layer, row.attribute) for row in weights])
    if trainer.average is not None:
        if trainer.averages is None:
            trainer.averages = params.copy()
        trainer.average.update(trainer.averages, params, trainer.step + 1)
    return penalty, rate


def first_not_finite(trainer: Trainer, data: Batches, rows: Array) -> str | None:
    """The layer that breaks the step, by a second look at it: one that errs only once is not found any more."""
    for _, x, _, _, chance in _parts(trainer, data, rows):
        where = tracing.first_not_finite(trainer.network, x, chance)
        if where is not None:
            return where
    return None


def _parts(
    trainer: Trainer, data: Batches, rows: Array
) -> Iterator[tuple[Array, Array, Array, Array | None, np.random.Generator | None]]:
    """Rows, x (augmented), y, weights and chance of each pass. Chance is of integers: a second look sees the same."""
    chance = stream(trainer.seed, CHANCE, trainer.step) if trainer.network.draws else None
    changes = stream(trainer.seed, AUGMENT, trainer.step) if trainer.augment else None
    for start in range(0, len(rows), trainer.batch_size):
        part = rows[start : start + trainer.batch_size]
        x, y, weights = data.take(part)
        for change in trainer.augment:
            with noting(f"augment={change!r}"):
                x = check_augmented(change, change(x, changes), x)
        yield part, x, y, weights, chance
