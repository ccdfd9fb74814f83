"""What is printed while a network learns: plain ASCII lines, and a live line where one can be drawn."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any

from chainrule.configurable import number
from chainrule.history import Callback, Step

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

    from chainrule.training import Trainer

BETWEEN_REFRESHES = 0.1  # seconds; a refresh costs a few milliseconds, the time of ten steps
BETWEEN_LINES = 1.0  # seconds, in a notebook, which keeps all that it is shown
NAMES = {"accuracy": "train", "validation_accuracy": "validation"}  # of columns that are shown as percentages
UNSAID = ("epoch", "learning_rate", "seconds")  # columns that are said elsewhere in a line, or in none


def say(line: str) -> None:
    """Print a line; go on in silence when nobody reads any more (`| head`), for a run is worth more than its log."""
    if sys.stdout is None or sys.stdout.closed:
        return
    try:
        print(line, flush=True)
    except OSError:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())


def is_live() -> bool:
    """Can the terminal redraw a line?"""
    is_open = sys.stdout is not None and not sys.stdout.closed
    return is_open and sys.stdout.isatty() and os.environ.get("TERM", "") not in ("dumb", "unknown")


def live_line(total: int) -> RichProgress | None:
    """A line with a bar, started, to be refreshed and stopped by hand; None where it cannot be drawn."""
    if not is_live():
        return None
    try:
        from rich.progress import BarColumn, Progress, TextColumn
        from rich.table import Column
    except ImportError:
        return None
    text = TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="crop"))
    line = Progress(text, BarColumn(), auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False)
    line.add_task("", total=total)
    line.start()
    return line


def _in_notebook() -> bool:
    return type(sys.stdout).__module__.startswith("ipykernel")


class Progress(Callback):
    """Prints a line for every finished epoch; on a terminal, with rich, also one that moves and is gone at the end.

    A notebook is shown a line a second at most, and the last one. The seconds are those of the steps: validation and
    callbacks come on top.

    Arguments   lines  about so many of them for a whole `fit`, evenly, with the first and the last epoch among them; 0:
                       the live line alone; None: one an epoch (default)

    >>> from chainrule import MLP, Trainer
    >>> x, y = np.array([[0.0], [1.0]]), np.array([[0.0], [1.0]])
    >>> network = MLP([1, 1], initializer="glorot")
    >>> history = Trainer(network, "squared_error", "sgd", callbacks=[Progress(lines=2)]).fit(x, y, epochs=100)
    ... # doctest: +ELLIPSIS
    epoch   1/100  loss ...  ... ms
    epoch  50/100  loss ...  ... ms
    epoch 100/100  loss ...  ... ms
    """

    def __init__(self, *, lines: int | None = None) -> None:
        self.lines = None if lines is None else number("Progress", "lines", lines, "[0, inf)", whole=True)
        self.first = self.last = 0  # epochs of this `fit`
        self._live: RichProgress | None = None
        self._rows_before = 0  # of the epochs, and the part of one, that earlier loops have done
        self._started = self._next_refresh = self._next_line = 0.0

    def on_start(self, trainer: Trainer, epochs: int) -> None:
        """Show the live line, if one can be drawn."""
        self.first, self.last = trainer.epoch + 1, trainer.epoch + epochs
        self._next_line = 0.0
        self._live = live_line(trainer.rows * self.last) if epochs else None
        self._rows_before = trainer.epoch * trainer.rows + trainer.rows_done
        self._started = time.perf_counter()
        self._next_refresh = self._started + BETWEEN_REFRESHES

    def on_step(self, trainer: Trainer, step: Step) -> None:
        """Redraw, if it is time to."""
        now = time.perf_counter()
        if self._live is None or now < self._next_refresh:
            return
        done = trainer.epoch * trainer.rows + trainer.rows_done
        speed = (done - self._rows_before) / (now - self._started)
        self._live.update(
            self._live.task_ids[0],
            completed=done,
            description=f"epoch {step.epoch:,}/{self.last:,}  loss {_written(step.loss)}  {speed:,.0f} rows/s  "
            f"{(trainer.rows * self.last - done) / speed:,.0f} s left",
        )
        self._live.refresh()
        self._next_refresh = time.perf_counter() + BETWEEN_REFRESHES

    def on_epoch(self, trainer: Trainer, row: dict[str, Any]) -> None:
        """Print what the epoch has brought, if it is one that is told of."""
        if not self._tells(row["epoch"]):
            return
        width = len(f"{self.last:,}")
        said = [f"epoch {row['epoch']:{width},}/{self.last:,}"]
        for name, value in row.items():
            if name in NAMES:
                said.append(f"{NAMES[name]} {100 * value:6.2f} %")
            elif name not in UNSAID and not (name == "validation_loss" and "validation_accuracy" in row):
                said.append(f"{name.replace('_', ' ')} {_written(value)}")
        line = "  ".join([*said, _seconds(row["seconds"])])
        if self._live is None:
            say(line)
        else:
            self._live.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def on_end(self, trainer: Trainer) -> None:
        """Take the moving line away."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _tells(self, epoch: int) -> bool:
        if self.lines is not None:
            epochs = self.last - self.first + 1
            return self.lines > 0 and (
                epoch in (self.first, self.last) or (epoch - self.first + 1) % max(1, epochs // self.lines) == 0
            )
        if not _in_notebook():
            return True
        now = time.perf_counter()
        if epoch != self.last and now < self._next_line:
            return False
        self._next_line = now + BETWEEN_LINES
        return True


def _written(value: Any) -> str:
    """Four decimals, or what shows more of a small number."""
    if not isinstance(value, float):
        return str(value)
    return f"{value:.1e}" if 0 < abs(value) < 0.0001 else f"{value:.4f}"


def _seconds(seconds: float) -> str:
    """Two decimals, of milliseconds where those of seconds would all be 0."""
    return f"{seconds:.2f} s" if seconds >= 0.01 else f"{1000 * seconds:.2f} ms"
