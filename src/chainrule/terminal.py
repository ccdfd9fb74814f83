"""What the commands print: plain ASCII lines for whoever reads them, and a live line of progress on a terminal."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any

from chainrule.history import Callback, Step
from chainrule.training import Trainer

if TYPE_CHECKING:
    from rich.progress import Progress

BETWEEN_REFRESHES = 0.1  # seconds; a refresh costs a few milliseconds, the time of ten steps


def say(line: str) -> None:
    """Print a line; go on in silence when nobody reads any more (`| head`), for a run is worth more than its log."""
    try:
        print(line, flush=True)
    except OSError:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())


def is_live() -> bool:
    """Can the terminal redraw a line?"""
    return sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM", "") not in ("dumb", "unknown")


class LiveLine(Callback):
    """A line for every finished epoch; on a terminal also one that moves, and is gone at the end.

    Arguments   rows    training examples in an epoch
                epochs  how many there will be
    """

    def __init__(self, rows: int, epochs: int) -> None:
        self.rows, self.epochs = rows, epochs
        self._live: Progress | None = None
        self._started = self._next_refresh = float("inf")

    def on_start(self, trainer: Trainer, epochs: int) -> None:
        """Show the line, if it can be redrawn."""
        if not is_live():
            return
        from rich.progress import BarColumn, Progress, TextColumn
        from rich.table import Column

        text = TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="crop"))
        self._live = Progress(
            text, BarColumn(), auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
        )
        self._live.add_task("", total=self.rows * self.epochs)
        self._live.start()
        self._started = time.perf_counter()
        self._next_refresh = self._started + BETWEEN_REFRESHES

    def on_step(self, trainer: Trainer, step: Step) -> None:
        """Redraw, if it is time to."""
        now = time.perf_counter()
        if now < self._next_refresh or self._live is None:
            return
        done = trainer.epoch * self.rows + trainer.rows_done
        speed = done / (now - self._started)
        self._live.update(
            self._live.task_ids[0],
            completed=done,
            description=f"epoch {step.epoch}/{self.epochs}  loss {step.loss:.4f}  {speed:,.0f} rows/s  "
            f"{(self.rows * self.epochs - done) / speed:.0f} s left",
        )
        self._live.refresh()
        self._next_refresh = time.perf_counter() + BETWEEN_REFRESHES

    def on_epoch(self, trainer: Trainer, row: dict[str, Any]) -> None:
        """Print what the epoch has brought."""
        line = (
            f"epoch {row['epoch']}/{self.epochs}  loss {row['loss']:.4f}  train {100 * row['accuracy']:.2f} %  "
            f"validation {100 * row['validation_accuracy']:.2f} %  {row['seconds']:.2f} s"
        )
        if self._live is None:
            say(line)
        else:
            self._live.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def on_end(self, trainer: Trainer) -> None:
        """Take the moving line away."""
        if self._live is not None:
            self._live.stop()
            self._live = None
