"""A column of the history that is watched, and what counts as better: for callbacks that wait or keep the best."""

from __future__ import annotations

import itertools
import math
import re
from typing import TYPE_CHECKING, Any

from chainrule.configurable import number
from chainrule.errors import ConfigurationError, unknown_name
from chainrule.history import Callback

if TYPE_CHECKING:
    from chainrule.training import Trainer

MODES = ("auto", "min", "max")
LARGER_IS_BETTER = ("accuracy", "r2", "auc", "f1", "precision", "recall")  # if a word of the column begins so


def columns(trainer: Trainer, callback: Callback) -> list[str]:
    """The columns of a row as this callback will find it: the trainer's, and those that callbacks before it add."""
    before = itertools.takewhile(lambda other: other is not callback, trainer.callbacks)
    return [*trainer.columns, *(name for other in before for name in other.adds)]


class Monitor:
    """The best value so far of a column.

    Arguments   column     its name, for instance "validation_loss"
                mode       "min": smaller is better; "max": larger is; "auto": larger if a word of the name begins with
                           accuracy, r2, auc, f1, precision or recall and it is no loss or error, else smaller (default)
                min_delta  by how much a value must be better to count, in units of the column, at least 0 (default 0)
                owner      whose arguments they are, for messages
    Attributes  best, None before the first finite value: it belongs into the owner's state
    Raises      ConfigurationError for an unknown mode or a negative min_delta

    >>> monitor = Monitor("loss", min_delta=0.1)
    >>> [monitor.improves({"loss": loss}) for loss in (1.0, 0.95, 0.8, float("nan"), 0.9)]
    [True, False, True, False, False]
    >>> monitor.best
    0.8
    """

    def __init__(self, column: str, mode: str = "auto", min_delta: float = 0.0, *, owner: str = "Monitor") -> None:
        if mode not in MODES:
            raise unknown_name("mode", mode, MODES)
        self.column = column
        words = re.findall("[a-z0-9]+", str(column).lower())
        score = any(word.startswith(LARGER_IS_BETTER) for word in words) and not {"loss", "error"}.intersection(words)
        larger = mode == "max" or (mode == "auto" and score)
        self.sign = 1 if larger else -1
        self.min_delta = number(owner, "min_delta", min_delta, "[0, inf)")
        self.best: float | None = None

    def check(self, trainer: Trainer, callback: Callback) -> None:
        """Raise ConfigurationError if the rows that the callback will see have no such column: for its `on_start`."""
        known = columns(trainer, callback)
        if self.column not in known:
            error = unknown_name("monitor", self.column, known)
            if str(self.column).startswith("validation_") and "validation_loss" not in known:
                raise ConfigurationError(f"{error} There is no validation data: say fit(..., validation=(x, y)).")
            raise error

    def improves(self, row: dict[str, Any]) -> bool:
        """Is this row better than the best so far? Then it is the best from now on. NaN and infinity never are."""
        value = float(row[self.column])
        better = math.isfinite(value) and (self.best is None or self.sign * (value - self.best) > self.min_delta)
        if better:
            self.best = value
        return better
