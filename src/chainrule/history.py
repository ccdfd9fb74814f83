"""What training tells: a Step after every step, a row of the History after every epoch, and Callbacks that listen."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from os import PathLike
from typing import TYPE_CHECKING, Any

from chainrule.configurable import Configurable
from chainrule.errors import ConfigurationError, unknown_name
from chainrule.layers.layer import Array

if TYPE_CHECKING:
    from chainrule.training import Trainer


@dataclass(slots=True)
class Step:
    """One step of training, as the iterator hands it out after the weights have moved."""

    epoch: int  # the epoch under way, from 1
    index: int  # the step within the epoch, from 1
    rows: Array = field(repr=False)  # which rows of x made the batch
    loss: float  # of this batch, before the weights moved, without the penalty
    learning_rate: float
    seconds: float  # that this step took
    penalty: float = 0.0  # of the weights, before they moved


class History:
    """The course of training. `history["loss"]` is a column, `history.rows[0]` the first epoch as a dictionary.

    Columns     epoch (from 1), loss (mean over the epoch's rows by their weights, while the network's moved), accuracy
                (the same way), penalty (mean over the steps, if there is one), validation_loss, validation_accuracy and
                validation_NAME of each metric (after the epoch), learning_rate (of the last step), seconds
    Steps       history.steps["loss"] and history.steps["learning_rate"], one number a step

    >>> history = History()
    >>> history.add_epoch({"epoch": 1, "loss": 0.5})
    >>> history["loss"], len(history)
    ([0.5], 1)
    """

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.steps: dict[str, list[float]] = {"loss": [], "learning_rate": []}

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def __getitem__(self, column: str) -> list[Any]:
        if self.rows and column not in self.columns:
            error = unknown_name("history column", column, self.columns)
            raise error if isinstance(column, str) else ConfigurationError(f"{error} Epochs: history.rows[{column!r}].")
        return [row.get(column) for row in self.rows]

    @property
    def columns(self) -> list[str]:
        """The names of all columns, in order of appearance."""
        return list(dict.fromkeys(name for row in self.rows for name in row))

    def add_step(self, step: Step) -> None:
        """Take note of a step."""
        self.steps["loss"].append(step.loss)
        self.steps["learning_rate"].append(step.learning_rate)

    def add_epoch(self, row: dict[str, Any]) -> None:
        """Take note of a finished epoch."""
        self.rows.append(row)

    def position(self) -> dict[str, int]:
        """How long the history is: all that a trainer's state needs of it."""
        return {"epochs": len(self.rows), "steps": len(self.steps["loss"])}

    def truncate(self, position: dict[str, int]) -> None:
        """Forget what came after the position."""
        del self.rows[position["epochs"] :]
        for column in self.steps.values():
            del column[position["steps"] :]

    def to_csv(self, path: str | PathLike[str]) -> None:
        """Write the epochs as a table with a header line."""
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=self.columns)
            writer.writeheader()
            writer.writerows(self.rows)

    def __repr__(self) -> str:
        numbers = (self.rows[-1] if self.rows else {}).items()
        last = ", ".join(f"{k}={v:.4g}" for k, v in numbers if isinstance(v, float)) or "nothing yet"
        return f"History({len(self)} epochs, {len(self.steps['loss'])} steps; last: {last})"


class Callback(Configurable):
    """Base of what wants to be told: override what you need. `trainer.stop()` ends training after the step in hand.

    >>> class Shout(Callback):
    ...     def on_epoch(self, trainer, row):
    ...         print(f"epoch {row['epoch']}!")
    """

    adds: tuple[str, ...] = ()  # the columns that its `on_epoch` adds to the row, for callbacks behind it

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        hooks = [name for name in vars(Callback) if name.startswith("on_")]
        for name in vars(cls):
            if name.startswith("on_") and name not in hooks:
                raise unknown_name(f"hook of {cls.__name__}", name, hooks)
        if cls.state is not Callback.state and cls.restore is Callback.restore:
            raise ConfigurationError(
                f"{cls.__name__} has state() but no restore(state): what it remembers would be lost in a restart. "
                "Define both."
            )

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
