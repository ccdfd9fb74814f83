"""What a checkup examines: a copy of the network, a sample of the rows, and the targets as the loss reads them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from chainrule import border, tasks
from chainrule.batches import check_pair
from chainrule.doctor.items import Answer
from chainrule.doctor.rates import Rates, read_rates
from chainrule.errors import ConfigurationError, DataError, DivergenceError, LabelError
from chainrule.layers import Softmax
from chainrule.layers.layer import Array
from chainrule.losses import BinaryCrossEntropy, CrossEntropy, Loss, Poisson, SquaredError
from chainrule.network import Network
from chainrule.optimizers import Optimizer
from chainrule.range_testing import range_test
from chainrule.training import Trainer

SAMPLE = 2000  # rows at most
TRIAL = 50  # steps of the given optimizer that are looked at


@dataclass
class Trial:
    """The first steps of the training that is planned."""

    network: Network  # after them
    ratios: dict[str, float]  # of each array of weights: mean of |change| / |weights| over the steps
    steps: int
    trouble: str = ""  # what ended it early


@dataclass
class Patient:
    """The network and its data, prepared. Items copy the network before they train it."""

    network: Network  # a copy, built, its preprocessing adapted
    loss: Loss
    optimizer: Optimizer
    batch_size: int
    seed: int
    all_x: Any  # checked, not cast; may be sparse or a source
    validation: tuple[Any, ...] | None
    x: Array = field(init=False)  # the sample: finite rows, dense, not cast
    y: Array = field(init=False)  # its targets, as the loss reads them
    all_y: Array = field(init=False)
    rows: Array = field(init=False)  # of the sample
    not_finite: int = 0  # rows left out
    first_not_finite: str = ""  # where the first of them is
    unreadable: str = ""  # why the targets cannot be read
    answers: dict[str, Answer] = field(default_factory=dict)  # so far, by the name of the item

    def __post_init__(self) -> None:
        self.rows = self._finite_rows()

    def _finite_rows(self) -> Array:
        """A sample of the rows that can be computed with, in order."""
        n, row_size = self.all_x.shape[0], math.prod(self.all_x.shape[1:])
        wanted = min(n, SAMPLE, max(100, border.CHUNK // row_size))
        if border.is_source(self.all_x):  # which checks what it reads; its order keeps to few blocks
            chosen = np.sort(self.all_x.order(self.rng(0))[:wanted])
            self.x = self.all_x.take(chosen, axis=0)
            return chosen
        chosen = self.rng(0).permutation(n)
        try:
            border.check_finite(self.all_x, "x", self.network.dtype)
        except DataError as error:
            self.first_not_finite = str(error)
            good = np.concatenate([self._finite(self.all_x[rows]) for rows in border.pieces(self.all_x)])
            self.not_finite = int((~good).sum())
            chosen = chosen[good[chosen]]
        chosen = np.sort(chosen[:wanted])
        x = self.all_x[chosen]
        self.x = x.toarray() if border.is_sparse(x) else x
        return chosen

    def _finite(self, rows: Any) -> Array:
        dense = rows.toarray() if border.is_sparse(rows) else rows
        with np.errstate(invalid="ignore"):
            return (np.abs(dense) <= np.finfo(self.network.dtype).max).reshape(len(dense), -1).all(axis=1)

    def read_targets(self, y: Any) -> None:
        """Targets as the loss wants them; what is wrong with them becomes evidence, except for their shape."""
        try:
            y = border.as_targets(y)
        except LabelError as error:
            self.unreadable = str(error)
            return
        border.check_rows(self.all_x, y)
        try:
            self.all_y = self.loss.check(y, (len(y), *self.network.out_shapes[-1]))
        except (LabelError, DataError) as error:
            self.unreadable = str(error)
            return
        self.y = self.all_y[self.rows]

    def rng(self, branch: int) -> np.random.Generator:
        """Chance of its own for each question."""
        return np.random.default_rng((self.seed, branch))

    @property
    def task(self) -> str:
        """What the outputs mean."""
        return self.network.output or self.loss.output

    @property
    def classes(self) -> Array | None:
        """One label for each row of all targets, if each row has one."""
        return None if self.unreadable else as_labels(self.task, self.all_y)

    def cast(self, x: Array) -> Array:
        """In the network's dtype."""
        return x.astype(self.network.dtype)

    @cached_property
    def entering(self) -> Array:
        """What the first layer that learns sees of the sample."""
        x = self.cast(self.x)
        for layer in self.network.layers[: self.network.first_learning]:
            x = layer(x)
        return x

    @cached_property
    def baseline(self) -> float:
        """The loss of the best constant answer: chance for classes, the mean for values."""
        return constant_loss(self, self.y)

    @cached_property
    def trial(self) -> Trial:
        """A few steps of the planned training on a copy."""
        trainer = self.trainer(self.optimizer.clone(), self.batch_size)
        network = trainer.network
        weights = [row for row in network.parameters if row.decays and row.trainable]
        sums, steps, trouble = dict.fromkeys((row.name for row in weights), 0.0), 0, ""
        before = network.params.copy()
        try:
            for _ in trainer.steps(self.x, self.y, epochs=TRIAL):
                steps += 1
                for row in weights:
                    old, new = before[row.slice], network.params[row.slice]
                    size = float(np.linalg.norm(old))
                    sums[row.name] += float(np.linalg.norm(new - old)) / size if size else math.inf
                before[...] = network.params
                if steps == TRIAL:
                    break
        except DivergenceError as error:
            trouble = str(error)
        return Trial(network, {name: total / max(1, steps) for name, total in sums.items()}, steps, trouble)

    @cached_property
    def rates(self) -> Rates:
        """What the planned training makes of learning rates from 1e-6 to 10."""
        return read_rates(range_test(self.trainer(self.optimizer.clone(), self.batch_size), self.x, self.y))

    @property
    def planned_rate(self) -> float:
        """The highest rate of the first training, whatever the schedule."""
        steps = self.optimizer.planned or 100
        return max(float(self.optimizer.schedule(step, steps)) for step in range(steps))

    def trainer(self, optimizer: Optimizer, batch_size: int) -> Trainer:
        """A trainer of a fresh copy."""
        return Trainer(self.network.copy(), self.loss, optimizer, batch_size=batch_size, seed=self.seed)

    def affordable_steps(self, rows: int, low: int, high: int) -> int:
        """How many training steps of so many rows take about half a second, from a count of multiply-adds."""
        positions = {
            str(i): math.prod(shape[:-1]) for i, shape in enumerate(self.network.out_shapes)
        }  # an image layer uses its weights at every place
        work = sum(positions[row.name.split(".")[0]] * math.prod(row.shape) for row in self.network.parameters)
        return int(np.clip(2e9 / (3 * rows * work + 4e4 * len(self.network.layers)), low, high))


def admit(
    network: Network,
    x: Any,
    y: Any,
    loss: Loss | None,
    optimizer: Optimizer,
    batch_size: int,
    seed: int,
    validation: tuple[Any, ...] | None,
) -> Patient:
    """Prepare a copy of the network and the data; errors of shape are raised as training would raise them."""
    loss = _loss_of(network) if loss is None else loss
    check_pair(network, loss)
    x = border.as_rows(x)
    copied = network.copy()
    if not copied.out_shapes:
        copied.build(x.shape[1:])
    if not copied.task_is_given:
        copied.output = loss.output
    patient = Patient(copied, loss, optimizer, batch_size, seed, copied.enter(x), validation)
    patient.read_targets(y)
    if len(patient.x):
        copied.adapt(patient.x)
    return patient


def as_labels(task: str, y: Array) -> Array | None:
    """One label for each row, if the targets are classes or a single yes or no."""
    if task == "softmax":
        return y if y.ndim == 1 else y.argmax(axis=1)
    if task == "sigmoid" and y.shape[1:] == (1,):
        return (y[:, 0] > 0.5).astype(np.int64)
    return None


def constant_loss(patient: Patient, y: Array) -> float:
    """The loss of answering the same for every row: chance for classes, the mean for values."""
    shape = (len(y), *patient.network.out_shapes[-1])
    squashed = patient.network.squashed
    if patient.loss.output in ("softmax", "sigmoid"):
        answer: Any = 1 / shape[-1] if squashed and patient.loss.output == "softmax" else 0.0
    else:
        answer = y.mean(axis=0)
        answer = np.log(np.maximum(answer, 1e-12)) if patient.loss.output == "exp" else answer
    outputs = np.broadcast_to(np.asarray(answer, patient.network.dtype), shape).copy()
    return patient.loss(outputs, y)[0]


def score(patient: Patient, network: Network, x: Array, y: Array) -> float:
    """How much was learned, from about 0 (or chance) to 1: the share right, every class counting the same, or the
    share of the baseline's loss that is gone."""
    outputs = network(x)
    if not tasks.classifies(patient.task):
        return 1 - patient.loss(outputs, y)[0] / max(constant_loss(patient, y), 1e-12)
    answers, labels = tasks.decide(patient.task, outputs, network.squashed), as_labels(patient.task, y)
    if labels is None:  # several yes or no
        return float(np.mean([_mean_recall(answers[:, k], y[:, k] > 0.5) for k in range(y.shape[1])]))
    return _mean_recall(answers, labels)


def _mean_recall(answers: Array, labels: Array) -> float:
    return float(np.mean([(answers[labels == label] == label).mean() for label in np.unique(labels)]))


def _loss_of(network: Network) -> Loss:
    made = network.layers[-1] if network.layers else None
    losses = {
        "softmax": CrossEntropy(from_probabilities=isinstance(made, Softmax)),
        "sigmoid": SquaredError() if network.squashed else BinaryCrossEntropy(),
        "exp": Poisson(),
        "identity": SquaredError(),
    }
    if network.output not in losses:
        raise ConfigurationError(
            "checkup: the network does not say what its outputs mean. Say the loss: checkup(network, x, y, "
            "loss=cr.CrossEntropy()), or MLP(..., output='softmax')."
        )
    return losses[network.output]
