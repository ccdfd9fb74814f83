"""The callback that saves checkpoints during training: the last few and the best stay, and no other file is touched."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule import checkpoints
from chainrule.atomic_write import remove_orphans
from chainrule.configurable import number
from chainrule.errors import CheckpointError, ConfigurationError, unknown_name, warn
from chainrule.history import Callback, Step
from chainrule.monitoring import MODES, Monitor

if TYPE_CHECKING:
    from chainrule.training import Trainer


class Checkpoint(Callback):
    """Saves a checkpoint after every epoch, and keeps the last few and the best.

    The files are called step-00001000.safetensors, after the steps taken. When training is broken off between two of
    them, by trainer.stop(), by Ctrl-C or by an error, one more is written, unless a step was half done. A
    DivergenceError puts the trainer back to its last good state: that becomes the newest file. A full disk does not end
    the training: a ChainruleWarning says so, and the older files stay.

    Arguments   folder        of this one training's checkpoints; it is made if need be
                every_epochs  an epoch in so many is saved (default 1)
                every_steps   a step in so many is saved too (default None: only epochs)
                keep_last     so many of the newest stay (default 3)
                keep_best     the one with the best value of `monitor` stays as well (default True)
                monitor       a column of the history (default None: validation_loss if there is one, else loss)
                mode          "min", "max" or "auto" (default): see Monitor
                fingerprint   of the data, from `checkpoints.fingerprint(x, y)` (default none)
    Raises      ConfigurationError before training: an unknown monitor; a folder that cannot be written, or that holds
                later steps of another training; a callback that stands behind this one and whose state would be old

    >>> import chainrule as cr
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     trainer = cr.Trainer(cr.MLP([2, 2]), "mse", callbacks=[Checkpoint(folder, keep_last=2)])
    ...     history = trainer.fit([[0, 1], [1, 0]], [[0, 1], [1, 0]], epochs=5)
    ...     sorted(os.listdir(folder))
    ['step-00000004.safetensors', 'step-00000005.safetensors']
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        every_epochs: int = 1,
        every_steps: int | None = None,
        keep_last: int = 3,
        keep_best: bool = True,
        monitor: str | None = None,
        mode: str = "auto",
        fingerprint: str | None = None,
    ) -> None:
        self.folder = folder
        self.every_epochs = number("Checkpoint", "every_epochs", every_epochs, "[1, inf)", whole=True)
        if every_steps is not None:
            every_steps = number("Checkpoint", "every_steps", every_steps, "[1, inf)", whole=True)
        self.every_steps = every_steps
        self.keep_last = number("Checkpoint", "keep_last", keep_last, "[1, inf)", whole=True)
        self.keep_best, self.monitor, self.fingerprint = keep_best, monitor, fingerprint
        if mode not in MODES:
            raise unknown_name("mode", mode, MODES)
        self.mode = mode
        self.steps: list[int] = []  # whose files are kept
        self.best_step: int | None = None
        self.best_value: float | None = None
        self._written: set[int] = set()  # whose files are of this loop, even if training has gone back since
        self._saved: tuple[int, ...] | None = None  # where the trainer was when it was last saved; None between loops

    def on_start(self, trainer: Trainer, epochs: int) -> None:
        if trainer.callbacks[-1] is not self:
            raise ConfigurationError(
                f"Checkpoint: {trainer.callbacks[-1]!r} stands behind it, and would be saved as it was before the "
                "epoch. Put Checkpoint last: callbacks=[..., Checkpoint(folder)]."
            )
        self._watched(trainer)
        if trainer.step == 0:
            self.restore({"steps": [], "best_step": None, "best_value": None})
        folder = Path(self.folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            remove_orphans(folder, checkpoints.NAME)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise ConfigurationError(
                f"Checkpoint: {folder} cannot be written to ({error.strerror}). Choose another folder."
            ) from None
        for step, path in checkpoints.numbered(folder):
            if step > trainer.step and _is_whole(path):
                raise ConfigurationError(
                    f"Checkpoint: {path} is of a later step than the trainer's {trainer.step:,}. Go on from it, "
                    "checkpoints.restore(trainer, checkpoints.latest(folder)), or choose another folder."
                )
        self._saved, self._written = _position(trainer), set()

    def on_step(self, trainer: Trainer, step: Step) -> None:
        if self.every_steps and trainer.step % self.every_steps == 0:
            self._save(trainer)

    def on_epoch(self, trainer: Trainer, row: dict[str, Any]) -> None:
        monitor = self._watched(trainer)
        best = monitor.improves(row) and self.keep_best
        if best or trainer.epoch % self.every_epochs == 0:
            self._save(trainer, monitor.best if best else None)

    def on_end(self, trainer: Trainer) -> None:
        if self._saved is None:  # it did not even begin
            return
        if trainer.whole and self._saved != _position(trainer):
            self._save(trainer)
        self._remove_others(trainer.step)
        self._saved = None

    def state(self) -> dict[str, Any]:
        return {"steps": list(self.steps), "best_step": self.best_step, "best_value": self.best_value}

    def restore(self, state: dict[str, Any]) -> None:
        self.steps, self.best_step, self.best_value = list(state["steps"]), state["best_step"], state["best_value"]

    def _watched(self, trainer: Trainer) -> Monitor:
        """The column to watch, with the best value so far."""
        name = self.monitor or ("validation_loss" if "validation_loss" in trainer.columns else "loss")
        monitor = Monitor(name, self.mode, owner="Checkpoint")
        monitor.check(trainer, self)
        monitor.best = self.best_value
        return monitor

    def _save(self, trainer: Trainer, best_value: float | None = None) -> None:
        """Write the file, which knows of itself, then remove those whose time is over."""
        before, step = self.state(), trainer.step
        self.steps = [*(known for known in self.steps if known < step), step]
        if best_value is not None:
            self.best_step, self.best_value = step, best_value
        try:
            checkpoints.save(trainer, Path(self.folder) / f"step-{step:08}.safetensors", self.fingerprint)
        except CheckpointError as error:
            self.restore(before)
            warn(f"{error} Training goes on without this checkpoint.")
        except BaseException:
            self.restore(before)
            raise
        else:
            self._written.add(step)
            self._saved = _position(trainer)
            self._remove_others(step)

    def _remove_others(self, now: int) -> None:
        kept = {step for step in self.steps if step <= now}
        kept = {*sorted(kept)[-self.keep_last :], *(kept & {self.best_step})}
        for step in self._written.union(self.steps) - kept:
            with suppress(OSError):
                (Path(self.folder) / f"step-{step:08}.safetensors").unlink(missing_ok=True)
        self.steps = sorted(kept)


def _position(trainer: Trainer) -> tuple[int, ...]:
    return trainer.step, trainer.epoch, trainer.rows_done


def _is_whole(path: Path) -> bool:
    try:
        checkpoints.check(path)
    except CheckpointError:
        return False
    return True
