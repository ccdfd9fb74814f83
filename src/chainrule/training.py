"""The training loop, as an iterator: whoever walks it can look at every step, change things, stop, and go on.

    for step in trainer.steps(x, y, epochs=5):      # forward, loss, backward, update: then the step is yours
        ...

`fit` walks it to the end. Validation, history and callbacks run inside, so that every user has the same loop.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from chainrule import tasks
from chainrule.batches import Batches
from chainrule.configurable import Configurable, by_name, number
from chainrule.errors import ConfigurationError, DivergenceError
from chainrule.history import History, Step
from chainrule.layers import Sigmoid, Softmax
from chainrule.layers.layer import Array
from chainrule.losses import LOSSES, BinaryCrossEntropy, CrossEntropy, Loss
from chainrule.network import Network
from chainrule.optimizers import OPTIMIZERS, Optimizer


class Callback(Configurable):
    """Base of what wants to be told: override what you need. `trainer.stop()` ends training after the step in hand.

    >>> class Shout(Callback):
    ...     def on_epoch(self, trainer, row):
    ...         print(f"epoch {row['epoch']}!")
    """

    def on_start(self, trainer: Trainer, epochs: int) -> None:
        """Before the first step of a `steps` or `fit`."""

    def on_step(self, trainer: Trainer, step: Step) -> None:
        """After every step."""

    def on_epoch(self, trainer: Trainer, row: dict[str, Any]) -> None:
        """After every epoch; `row` is the history's newest, and may be added to."""

    def on_end(self, trainer: Trainer) -> None:
        """When the iteration ends, for whatever reason."""

    def state(self) -> dict[str, Any]:
        """What must survive a restart."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from where `state` was taken."""


class Trainer:
    """Teaches a network from examples.

    Arguments   network     is changed in place
                loss        a Loss or its name
                optimizer   an Optimizer or its name (default "adam"); one for each trainer
                batch_size  rows a step (default 32)
                seed        of shuffling and dropout; the starting weights have the network's own (default 0)
                callbacks   told of every step and epoch (default none)
    Attributes  history; epoch (finished so far); step (taken so far); rows_done (of the epoch under way)
    Raises      ConfigurationError for parts that do not go together, such as softmax twice

    Network, loss, optimizer, batch_size and the optimizer's learning_rate may be assigned between steps. The position
    lives here, so a loop that was broken off goes on where it stopped: the next `steps` or `fit` first finishes the
    epoch under way, which counts as the first of its `epochs`.

    >>> from chainrule.mlp import MLP
    >>> from chainrule.optimizers import SGD
    >>> x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 0, 0, 1])            # AND
    >>> trainer = Trainer(MLP([2, 2]), "cross_entropy", SGD(0.5), batch_size=4)
    >>> history = trainer.fit(x, y, epochs=300)
    >>> trainer.network.predict(x)
    array([0, 0, 0, 1])
    """

    def __init__(
        self,
        network: Network,
        loss: Loss | str,
        optimizer: Optimizer | str = "adam",
        *,
        batch_size: int = 32,
        seed: int = 0,
        callbacks: Sequence[Callback] = (),
    ) -> None:
        self.network = network
        self.loss: Loss = by_name("loss", loss, LOSSES)
        self.optimizer: Optimizer = by_name("optimizer", optimizer, OPTIMIZERS)
        self.batch_size = number("Trainer", "batch_size", batch_size, "[1, inf)", whole=True)
        self.seed = number("Trainer", "seed", seed, "[0, inf)", whole=True)
        self.callbacks = list(callbacks)
        self.history = History()
        self.epoch = 0
        self.step = 0
        self.rows_done = 0
        self._sums = {"loss": 0.0, "hits": 0, "seconds": 0.0, "steps": 0}  # over the epoch under way
        self._walking = self._stopping = False

    def fit(self, x: Any, y: Any, epochs: int = 1, validation: tuple[Any, Any] | None = None) -> History:
        """Train for so many further epochs; the history of all training so far."""
        for _ in self.steps(x, y, epochs, validation):
            pass
        return self.history

    def steps(self, x: Any, y: Any, epochs: int = 1, validation: tuple[Any, Any] | None = None) -> Iterator[Step]:
        """The training loop as an iterator: one Step for every batch, after the weights have moved.

        Shapes      x (N, ...), y as the loss wants it; validation: a pair (x, y), measured after every epoch
        Raises      ShapeError, DataError, LabelError at once; DivergenceError at the step at which the loss stops being
                    finite, with the network back as it was at the end of the last good epoch
        """
        number("fit", "epochs", epochs, "[0, inf)", whole=True)
        self._check_parts()
        data = Batches(x, y, self.network, self.loss)
        held_out = None if validation is None else Batches(*validation, self.network, self.loss, name="validation x")
        self._check_batches(data)
        if self.step == 0 and not self._adapted():
            self.network.adapt(data.x)
        return self._walk(data, epochs, held_out)

    def stop(self) -> None:
        """End the iteration after the step in hand. The position is kept: training can go on later."""
        self._stopping = True

    def _walk(self, data: Batches, epochs: int, held_out: Batches | None) -> Iterator[Step]:
        if self._walking:
            raise ConfigurationError(
                "Trainer: another loop over steps() is still open. Finish or close that one first."
            )
        self._walking, self._stopping = True, False
        last_epoch = self.epoch + epochs
        good = self.state()
        try:
            for callback in self.callbacks:
                callback.on_start(self, epochs)
            if self.epoch < last_epoch:
                self.optimizer.plan(self._steps_left(len(data), last_epoch))
            while self.epoch < last_epoch and not self._stopping:
                order = data.order(self.seed, self.epoch)
                epoch = self.epoch
                while self.epoch == epoch and not self._stopping:
                    step = self._take_step(data, order, last_epoch, good)
                    for callback in self.callbacks:
                        callback.on_step(self, step)
                    if self.rows_done == len(data):
                        self._finish_epoch(held_out, good)
                        good = self.state()
                    yield step
        finally:
            self._walking = False
            for callback in self.callbacks:
                callback.on_end(self)

    def _take_step(self, data: Batches, order: Array, last_epoch: int, good: dict[str, Any]) -> Step:
        """Forward, loss, backward, update."""
        start = time.perf_counter()
        network, optimizer = self.network, self.optimizer
        if optimizer.planned is None:
            optimizer.plan(self._steps_left(len(data), last_epoch))
        rows = order[self.rows_done : self.rows_done + self.batch_size]
        x, y = data.take(rows)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # what goes wrong shows in the loss
            outputs, caches = network.forward(x, True, self._chance())
            loss, dy = self.loss.compute(outputs, y, None, len(rows))
            if not math.isfinite(loss):
                raise self._diverged(good, f"Loss became {loss:g}", self._first_not_finite(x))
            network.backward(dy, caches)
            network.update_state(caches)
            rate = optimizer.step(network.params, network.grads, network.trainable)
        self.step += 1
        self.rows_done += len(rows)
        sums = self._sums
        sums["loss"] += loss * len(rows)
        if tasks.classifies(network.output):
            sums["hits"] += int(np.count_nonzero(tasks.hits(network.output, outputs, y, network.squashed)))
        sums["steps"] += 1
        seconds = time.perf_counter() - start
        sums["seconds"] += seconds
        step = Step(self.epoch + 1, int(sums["steps"]), rows, loss, rate, seconds)
        self.history.add_step(step)
        return step

    def _finish_epoch(self, held_out: Batches | None, good: dict[str, Any]) -> None:
        """Close the epoch: a row of the history, validation, callbacks."""
        network, sums, n = self.network, self._sums, self.rows_done
        if not (np.isfinite(network.params).all() and np.isfinite(network.state).all()):
            raise self._diverged(good, "The weights are no longer finite", "the last update")
        row: dict[str, Any] = {"epoch": self.epoch + 1, "loss": sums["loss"] / n}
        if tasks.classifies(network.output):
            row["accuracy"] = sums["hits"] / n
        if held_out is not None:
            measured = network.evaluate(held_out.x, held_out.y, self.loss)
            row |= {f"validation_{name}": value for name, value in measured.items()}
        row["learning_rate"] = self.history.steps["learning_rate"][-1]
        row["seconds"] = sums["seconds"]
        self.epoch += 1
        self.rows_done = 0
        self._sums = dict.fromkeys(sums, 0)
        self.history.add_epoch(row)
        for callback in self.callbacks:
            callback.on_epoch(self, row)

    # Going back and going on ----------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Everything the next step depends on, copied: weights, optimizer, position. Integers instead of generators."""
        return {
            "params": self.network.params.copy(),
            "state": self.network.state.copy(),
            "optimizer": self.optimizer.state(),
            "epoch": self.epoch,
            "step": self.step,
            "rows_done": self.rows_done,
            "sums": dict(self._sums),
            "history": self.history.position(),
            "callbacks": [callback.state() for callback in self.callbacks],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back, or on, to where `state` was taken; the history is cut there. What follows is then the same again."""
        self.network.params[...] = state["params"]
        self.network.state[...] = state["state"]
        self.optimizer.restore(state["optimizer"])
        self.epoch, self.step, self.rows_done = state["epoch"], state["step"], state["rows_done"]
        self._sums = dict(state["sums"])
        self.history.truncate(state["history"])
        for callback, its_state in zip(self.callbacks, state["callbacks"], strict=True):
            callback.restore(its_state)

    # What can go wrong ----------------------------------------------------------------------------------------------

    def _check_parts(self) -> None:
        network, loss = self.network, self.loss
        last = network.layers[-1] if network.layers else None
        if isinstance(loss, CrossEntropy) and loss.from_probabilities != isinstance(last, Softmax):
            raise ConfigurationError(
                "the network ends in Softmax and CrossEntropy applies softmax again: drop the layer, or say "
                "CrossEntropy(from_probabilities=True)."
                if isinstance(last, Softmax)
                else "CrossEntropy(from_probabilities=True) needs a network that ends in Softmax(): add it."
            )
        if isinstance(loss, (CrossEntropy, BinaryCrossEntropy)) and isinstance(last, Sigmoid):
            raise ConfigurationError(
                f"the network ends in Sigmoid, but {loss!r} expects raw outputs (logits): drop the layer."
            )
        if network.output is None:
            network.output = loss.output
        elif loss.output != "identity" and network.output != loss.output:
            raise ConfigurationError(
                f"the network has output={network.output!r}, but {loss!r} teaches {loss.output!r}: change one of them."
            )

    def _check_batches(self, data: Batches) -> None:
        if self.rows_done >= len(data):
            raise ConfigurationError(
                f"epoch {self.epoch + 1} was broken off after {self.rows_done:,} rows, but the data has {len(data):,}: "
                "go on with the data it began with, or make a new Trainer."
            )
        last_batch = (len(data) - self.rows_done) % self.batch_size or self.batch_size
        if last_batch < max((inner.min_rows for layer in self.network.layers for inner in layer.walk()), default=1):
            raise ConfigurationError(
                f"the last batch of an epoch would have {last_batch} row, too few for BatchNorm: {len(data):,} rows in "
                f"batches of {self.batch_size}. Choose another batch_size, or leave out a row."
            )

    def _adapted(self) -> bool:
        seen = [row for row in self.network.states if row.attribute == "rows_seen"]
        return all(self.network.state[row.slice].any() for row in seen)

    def _steps_left(self, n: int, last_epoch: int) -> int:
        this_epoch = math.ceil((n - self.rows_done) / self.batch_size)
        return this_epoch + (last_epoch - self.epoch - 1) * math.ceil(n / self.batch_size)

    def _chance(self) -> np.random.Generator | None:
        """The generator of this step, made from integers, so that a step taken again draws the same."""
        return np.random.default_rng((self.seed, 1, self.step)) if self.network.draws else None

    def _first_not_finite(self, x: Array) -> str:
        rng = self._chance()
        for layer in self.network.layers:
            x, _ = layer.forward(x, True, rng)
            if not np.isfinite(x).all():
                return layer.title()
        return repr(self.loss)

    def _diverged(self, good: dict[str, Any], what: str, where: str) -> DivergenceError:
        error = DivergenceError(
            f"{what} at epoch {self.epoch + 1}, step {self._sums['steps'] + 1}, first in {where} "
            f"(learning_rate={self.optimizer.rate:g}). Lower it, scale the inputs, or clip gradients. "
            f"The network is back as it was after epoch {good['epoch']}."
        )
        self.restore(good)
        return error
