"""Files that hold a line for every epoch as soon as it is over: what was written stays, whatever becomes of the run."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from chainrule.atomic_write import write_atomically
from chainrule.errors import ConfigurationError
from chainrule.history import Callback
from chainrule.monitoring import columns

if TYPE_CHECKING:
    from chainrule.training import Trainer


class Log(Callback):
    """Base of the logs: a subclass says how a row is written and how rows are read.

    When training starts, the file is brought to where the trainer stands: epochs that come later are cut, and what a
    crash has torn off the end is made good from the history. So no epoch is ever in it twice. A training that begins
    anew leaves the epochs of another one alone, unless it is told to overwrite them. The file's folder is made.
    """

    beginning: ClassVar[str]  # of every such file

    def __init__(self, path: str | PathLike[str], *, overwrite: bool = False) -> None:
        self.path, self.overwrite = path, overwrite
        self.columns: list[str] = []
        self.last_epoch = 0  # in the file
        self.begun = False  # from then on what is in the file is ours

    def on_start(self, trainer: Trainer, epochs: int) -> None:
        """Bring the file to where the trainer stands."""
        self.columns = columns(trainer, self)
        self._rewrite(trainer)
        self.begun = True

    def on_epoch(self, trainer: Trainer, row: dict[str, Any]) -> None:
        """Write the row; all of them, if the trainer was taken back in the middle of its loop."""
        if row["epoch"] != self.last_epoch + 1:
            self._rewrite(trainer)
            return
        with open(self.path, "a", newline="", encoding="utf-8") as file:
            file.write(self.text([row]))
        self.last_epoch = row["epoch"]

    def _rewrite(self, trainer: Trainer) -> None:
        path = Path(self.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_bytes().decode("utf-8", "replace") if path.exists() else ""
        if before[: len(self.beginning)] != self.beginning[: len(before)]:
            raise ConfigurationError(
                f"{path}: expected a log that begins with {self.beginning!r}, received one that begins with "
                f"{before[:20]!r}. Choose another name."
            )
        complete = [line for line in before.splitlines(keepends=True) if line.endswith("\n")]
        written = self.rows(complete)
        if written and trainer.step == 0 and not (self.overwrite or self.begun):
            raise ConfigurationError(
                f"{path} holds {len(written)} epoch{'s' * (len(written) > 1)} of another training. Choose another "
                f"name, or say {type(self).__name__}({str(path)!r}, overwrite=True). To go on with that training, "
                "restore its checkpoint first."
            )
        rows = {int(row["epoch"]): row for row in [*written, *trainer.history]}
        kept = [rows[epoch] for epoch in sorted(rows) if epoch <= trainer.epoch]
        self.columns = list(dict.fromkeys([*(name for row in kept for name in row), *self.columns]))
        write_atomically(path, [(self.head() + self.text(kept)).encode()])
        self.last_epoch = trainer.epoch

    def head(self) -> str:
        """What stands before the first row."""
        return ""

    def text(self, rows: Sequence[dict[str, Any]]) -> str:
        """The rows as lines."""
        raise NotImplementedError

    def rows(self, lines: Iterable[str]) -> list[dict[str, Any]]:
        """The rows in such lines, leaving out what is none."""
        raise NotImplementedError


class CSVLog(Log):
    """Writes every finished epoch as a line of a table with commas, the names of the columns on top.

    Arguments   path       of the file, for instance "log.csv"
                overwrite  begin the file anew if another training has left epochs in it? (default False)
    Raises      ConfigurationError before training if the file holds something else, or the epochs of another training;
                OSError if it cannot be written
    The columns are those of the history that are known before training. What a callback adds without saying so in its
    `adds` is left out.

    >>> CSVLog("log.csv")
    CSVLog('log.csv')
    """

    beginning = "epoch,"

    def head(self) -> str:
        return self._written(csv.DictWriter.writeheader)

    def text(self, rows: Sequence[dict[str, Any]]) -> str:
        return self._written(lambda writer: writer.writerows(rows))

    def rows(self, lines: Iterable[str]) -> list[dict[str, Any]]:
        rows: list[dict[Any, Any]] = list(csv.DictReader(lines))
        return [row for row in rows if row["epoch"].isdecimal() and None not in (*row, *row.values())]

    def _written(self, write: Any) -> str:
        file = io.StringIO()
        write(csv.DictWriter(file, self.columns, extrasaction="ignore", lineterminator="\n"))
        return file.getvalue()


class JSONLinesLog(Log):
    """Writes every finished epoch as a line of its own that is a JSON object.

    Arguments   path       of the file, for instance "log.jsonl"
                overwrite  begin the file anew if another training has left epochs in it? (default False)
    Raises      ConfigurationError before training if the file holds something else, or the epochs of another training;
                OSError if it cannot be written
    A number that is not finite, which JSON cannot say, is written as null, an array as a list, and what JSON does not
    know at all as its `repr`.

    >>> JSONLinesLog("log.jsonl").text([{"epoch": 1, "loss": 0.5}])
    '{"epoch": 1, "loss": 0.5}\\n'
    """

    beginning = '{"epoch":'

    def text(self, rows: Sequence[dict[str, Any]]) -> str:
        return "".join(f"{json.dumps(_plain(row), default=repr)}\n" for row in rows)

    def rows(self, lines: Iterable[str]) -> list[dict[str, Any]]:
        return [row for row in map(_read, lines) if "epoch" in row]


def _plain(value: Any) -> Any:
    """The value as JSON knows it."""
    if isinstance(value, (np.generic, np.ndarray)):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _read(line: str) -> dict[str, Any]:
    """The row in a line; none if it is damaged."""
    try:
        return dict(json.loads(line))
    except (ValueError, TypeError):
        return {}
