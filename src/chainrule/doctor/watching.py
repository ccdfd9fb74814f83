"""A training that goes wrong says so late, or never: Watch looks inside every few steps and says it once.

An alarm is raised when its sign has been there at several looks in a row, and called off when another, lower sign has
been away as long: what wavers around a limit is told once, not at every step.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.configurable import number
from chainrule.doctor.units import SQUASHING, examine_units, is_activation
from chainrule.errors import DivergenceError
from chainrule.history import Callback, Step
from chainrule.layers import Concatenate
from chainrule.layers.layer import Array, Layer
from chainrule.parameters import Parameter
from chainrule.terminal import say

if TYPE_CHECKING:
    from chainrule.training import Trainer

PROBE = 32  # rows to look for saturated units with
LOOKS = 3  # in a row that it takes to raise an alarm, or to call it off
EPOCHS = 3  # the same for overfitting
MEMORY = 0.05  # share of the newest loss in the running mean
RISEN, STEEP = 3, 100  # times the first loss, times the first gradient: out of hand
TINY = 0.05  # a first loss below this is taken for this: a network that was taught before begins there
VANISHED = 1e-3  # gradient of the first weights over that of the last
IDLE, ROWS = 1e-6, 300  # a unit whose gradient stays below this share of the largest for so many rows is dead
MOST, FLAT = 0.5, 0.8  # of a layer's units dead, of its values saturated
LEARNED = 1e-3  # share of the first loss below which all gradients are too small to be judged
STILL, EPOCHS_STILL, STEPS_STILL = 0.01, 5, 300  # a plateau: less than this share gained in so many epochs and steps
FALLS = 0.05  # the share that must be gained for it to be over
HIGH = 0.5  # share of the first loss below which standing still is no trouble
WORSE, BETTER = 1.1, 1.05  # times the best validation loss: rising, and back again


@dataclass(frozen=True)
class Finding:
    """One thing that was noticed.

    Attributes  name ("nan", "exploding", "vanishing", "dead units", "saturated units", "plateau" or "overfitting");
                epoch, step: finished by then; over: has it passed? evidence, in numbers; fix, a line of code
    """

    name: str
    epoch: int
    step: int
    over: bool
    evidence: str
    fix: str = ""

    def __str__(self) -> str:
        what = f"{self.name} is over" if self.over else self.name
        said = f"watch: {what} at epoch {self.epoch}, step {self.step:,}: {self.evidence}"
        return f"{said}\n       -> {self.fix}" if self.fix else said


class Watch(Callback):
    """Says when a training explodes, vanishes, dies, stands still or overfits, and when that is over.

    Arguments   every  steps between two looks at the gradients, at least 1 (default 25)
                x      rows to look for saturated units with, (N, ...), of which 32 are used; without it they are not
                       looked for (default None)
                show   print each finding (default True)
    Attributes  findings, a list of Finding
    Raises      ConfigurationError; ShapeError or DataError at the start of training for an x that does not fit
    Looks       at gradients as the optimizer saw them, after penalties and clipping. Dead units are told by the
                gradient of their bias, so only a layer with biases or shifts right before its activation is watched

    >>> from chainrule import MLP, SGD, Trainer, datasets
    >>> moons = datasets.moons()
    >>> watch = Watch(show=False)
    >>> trainer = Trainer(MLP([2, 16, 2]), "cross_entropy", SGD(1e-7), callbacks=[watch])
    >>> history = trainer.fit(*moons.train, epochs=40)
    >>> watch.findings[0].name
    'plateau'
    """

    def __init__(self, *, every: int = 25, x: Any = None, show: bool = True) -> None:
        self.every = number("Watch", "every", every, "[1, inf)", whole=True)
        self.x, self.show = x, show
        self.findings: list[Finding] = []
        self.raised: dict[str, bool] = {}
        self.signs: dict[str, int] = {}  # in a row, towards the other state
        self.first_loss: float | None = None
        self.first_norm = self.mean_loss = 0.0
        self.idle: dict[str, Array] = {}  # rows in a row for which each unit had no gradient
        self.lowest: dict[str, Any] | None = None  # where the training loss last fell by more than STILL
        self.best: dict[str, Any] | None = None  # the epoch with the lowest validation loss
        self._probe: Array | None = None
        self._biases: list[tuple[str, str]] = []  # parameter, title of the activation behind it

    def on_start(self, trainer: Trainer, epochs: int) -> None:
        """Find the biases that stand before activations."""
        network = trainer.network
        self._biases = [
            (row, behind.title()) for row, behind in _before_activations(network.layers, network.parameters)
        ]
        x = None if self.x is None else network.enter(self.x)
        saturates = any(isinstance(inner, SQUASHING) for layer in network.layers for inner in layer.walk())
        self._probe = x[:PROBE].astype(network.dtype) if x is not None and saturates else None

    def on_step(self, trainer: Trainer, step: Step) -> None:
        """Follow the loss; look at the gradients if it is time to."""
        if self.first_loss is None:
            self.first_loss = self.mean_loss = step.loss
            self.first_norm = math.sqrt(_square(trainer.network.grads))
        self.mean_loss += MEMORY * (step.loss - self.mean_loss)
        if trainer.step % self.every == 0:
            self._look(trainer, len(step.rows))

    def on_epoch(self, trainer: Trainer, row: dict[str, Any]) -> None:
        """Has the loss fallen; has that of the validation data risen?"""
        if self.first_loss is not None:
            self._look_for_plateau(trainer, row)
        if "validation_loss" in row:
            self._look_for_overfitting(trainer, row)

    def on_end(self, trainer: Trainer) -> None:
        """A loss that stopped being finite ends the loop; the trainer has put the last good weights back."""
        error = sys.exception()
        if isinstance(error, DivergenceError):
            rate = trainer.optimizer.rate / 10
            self._tell(trainer, "nan", False, str(error), f"trainer.optimizer.learning_rate = {rate:.0e}")

    # The signs --------------------------------------------------------------------------------------------------------

    def _look(self, trainer: Trainer, rows: int) -> None:
        network, rate = trainer.network, trainer.optimizer.rate
        squares = [_square(network.grads[row.slice]) for row in network.parameters]
        start, norm = max(TINY, abs(self.first_loss or 0.0)), math.sqrt(sum(squares))
        growth = max(self.mean_loss / start / RISEN, norm / max(self.first_norm, 1e-12) / STEEP)
        self._judge(
            trainer,
            "exploding",
            growth > 1,
            growth < 0.5,
            f"mean loss {self.mean_loss:.3g}, at first {self.first_loss:.3g}; gradient {norm:.2g}, at first "
            f"{self.first_norm:.2g}",
            f"trainer.optimizer.learning_rate = {rate / 10:.0e}  # or trainer.clip = cr.ClipNorm(1.0)",
        )
        if abs(self.mean_loss) < LEARNED * start or not norm:
            return
        self._look_for_dead_units(trainer, rows)
        weights = [
            (row.name, math.sqrt(square / math.prod(row.shape)))
            for row, square in zip(network.parameters, squares, strict=True)
            if row.decays and row.trainable
        ]
        if len(weights) > 1 and weights[-1][1] and not self.raised.get("dead units"):
            ratio = weights[0][1] / weights[-1][1]
            self._judge(
                trainer,
                "vanishing",
                ratio < VANISHED,
                ratio > 3 * VANISHED,
                f"the gradient of {weights[0][0]} is {ratio:.0e} of that of {weights[-1][0]}",
                'cr.MLP([...], "relu")  # or cr.BatchNorm() before each activation, or fewer layers',
            )
        if self._probe is not None:
            units = max(examine_units(network, self._probe), key=lambda row: row.saturated, default=None)
            if units is not None:
                self._judge(
                    trainer,
                    "saturated units",
                    units.saturated > FLAT,
                    units.saturated < FLAT - 0.2,
                    f"{units.saturated:.0%} of the values of {units.layer.title()} are at its flat ends",
                    f"trainer.optimizer.learning_rate = {rate / 10:.0e}  # and cr.Standardize() in front",
                )

    def _look_for_dead_units(self, trainer: Trainer, rows: int) -> None:
        enough, worst, where = min(ROWS, LOOKS * trainer.rows), 0.0, ""
        for name, title in self._biases:
            row = next(row for row in trainer.network.parameters if row.name == name)
            sizes = np.abs(trainer.network.grads[row.slice])
            idle = sizes <= IDLE * sizes.max()
            self.idle[name] = np.where(idle, self.idle.get(name, 0) + rows, 0)
            dead = int((self.idle[name] >= enough).sum())
            if dead / len(idle) > worst:
                worst, where = dead / len(idle), f"{dead} of {len(idle)} units of {title}"
        self._judge(
            trainer,
            "dead units",
            worst > MOST,
            worst < MOST - 0.1,
            f"{where or 'no unit'} had no gradient in {enough:,} rows",
            f"trainer.optimizer.learning_rate = {trainer.optimizer.rate / 10:.0e}  # and cr.LeakyReLU() for ReLU",
            1,  # it took many looks already
        )

    def _look_for_plateau(self, trainer: Trainer, row: dict[str, Any]) -> None:
        now = {"epoch": row["epoch"], "step": trainer.step, "loss": row["loss"]}
        enough = FALLS if self.raised.get("plateau") else STILL
        if self.lowest is None or row["loss"] < self.lowest["loss"] - enough * abs(self.lowest["loss"]):
            self.lowest = now
        since = self.lowest
        epochs, steps = row["epoch"] - since["epoch"], trainer.step - since["step"]
        high = row["loss"] > HIGH * abs(self.first_loss or 0.0)
        self._judge(
            trainer,
            "plateau",
            high and epochs >= EPOCHS_STILL and steps >= STEPS_STILL,
            epochs == 0,
            f"in {epochs} epochs the loss fell less than {STILL:.0%}: {row['loss']:.3g}, at first {self.first_loss:.3g}"
            if epochs
            else f"the loss has fallen to {row['loss']:.3g}",
            "print(cr.range_test(trainer, x, y).suggestion)",
            1,
        )

    def _look_for_overfitting(self, trainer: Trainer, row: dict[str, Any]) -> None:
        value, loss = row["validation_loss"], row["loss"]
        if self.best is None or value < self.best["value"]:
            self.best = {"epoch": row["epoch"], "value": value, "loss": loss}
        best, floor = self.best, 0.02 * abs(self.first_loss or 0.0)
        worse = value - best["value"]
        self._judge(
            trainer,
            "overfitting",
            worse > (WORSE - 1) * abs(best["value"]) + floor and loss < best["loss"],
            worse < (BETTER - 1) * abs(best["value"]) + floor,
            f"since epoch {best['epoch']} the validation loss went from {best['value']:.3g} to {value:.3g}, that of "
            f"training from {best['loss']:.3g} to {loss:.3g}",
            "trainer.callbacks.append(cr.callbacks.EarlyStopping())  # or dropout, penalty=cr.L2(1e-4), more data",
            EPOCHS,
        )

    # What is done about them ------------------------------------------------------------------------------------------

    def _judge(
        self, trainer: Trainer, name: str, ill: bool, well: bool, evidence: str, fix: str, looks: int = LOOKS
    ) -> None:
        """Count signs in a row of the state that is not the present one; change over when there are enough."""
        raised = self.raised.get(name, False)
        self.signs[name] = self.signs.get(name, 0) + 1 if (well if raised else ill) else 0
        if self.signs[name] >= looks:
            self.raised[name], self.signs[name] = not raised, 0
            self._tell(trainer, name, raised, evidence, "" if raised else fix)

    def _tell(self, trainer: Trainer, name: str, over: bool, evidence: str, fix: str) -> None:
        self.findings.append(Finding(name, trainer.epoch, trainer.step, over, evidence, fix))
        if self.show:
            say(str(self.findings[-1]))

    def state(self) -> dict[str, Any]:
        return {
            "findings": [asdict(finding) for finding in self.findings],
            "raised": dict(self.raised),
            "signs": dict(self.signs),
            "first_loss": self.first_loss,
            "first_norm": self.first_norm,
            "mean_loss": self.mean_loss,
            "idle": dict(self.idle),  # its arrays are replaced, never changed
            "lowest": self.lowest,
            "best": self.best,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.findings = [Finding(**finding) for finding in state["findings"]]
        self.raised, self.signs, self.idle = dict(state["raised"]), dict(state["signs"]), dict(state["idle"])
        self.first_loss, self.first_norm, self.mean_loss = state["first_loss"], state["first_norm"], state["mean_loss"]
        self.lowest, self.best = state["lowest"], state["best"]


def _square(gradient: Array) -> float:
    with np.errstate(over="ignore"):
        return float(gradient @ gradient)


def _before_activations(layers: Sequence[Layer], table: Sequence[Parameter]) -> Iterator[tuple[str, Layer]]:
    """The biases or shifts of layers right before an activation, inside other layers too."""
    for layer, behind in pairwise(layers):
        shifts = [row for row in table if row.layer is layer and not row.decays and len(row.shape) == 1]
        if shifts and is_activation(behind):
            yield shifts[-1].name, behind
    for layer in layers:
        for group in (
            [[branch] for branch in layer.children()] if isinstance(layer, Concatenate) else [layer.children()]
        ):
            yield from _before_activations(group, table)
