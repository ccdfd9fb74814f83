"""What may be told to watch a training: stop it early, lower its rate, show and log how it goes.

    trainer = Trainer(network, loss, callbacks=[EarlyStopping(patience=3), Progress(), CSVLog("log.csv")])

They are called in the order of the list, so what adds a column stands before what reads it. All of them survive a
restart: a run that was killed and resumed ends as one that was not.

Against NaN no callback is needed. The Trainer itself raises DivergenceError at the step whose loss is not finite, and
at the end of an epoch whose weights are not, and puts the last good weights back.

A callback of one's own is one small class. This one adds a column, says so, and another one watches it:

>>> from chainrule.history import Callback
>>> class WeightNorm(Callback):
...     adds = ("weight_norm",)
...     def on_epoch(self, trainer, row):
...         row["weight_norm"] = float(np.linalg.norm(trainer.network.params))
>>> from chainrule import MLP, Trainer
>>> x, y = np.eye(3), np.array([0, 1, 2])
>>> trainer = Trainer(MLP([3, 3]), "cross_entropy", callbacks=[WeightNorm(), EarlyStopping("weight_norm", patience=2)])
>>> trainer.fit(x, y, epochs=3).columns
['epoch', 'loss', 'accuracy', 'learning_rate', 'seconds', 'weight_norm']
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainrule.configurable import number
from chainrule.errors import ConfigurationError
from chainrule.history import Callback
from chainrule.logs import CSVLog as CSVLog, JSONLinesLog as JSONLinesLog
from chainrule.monitoring import Monitor
from chainrule.schedules import Constant
from chainrule.terminal import Progress as Progress
from chainrule.threads import Threads as Threads

if TYPE_CHECKING:
    from chainrule.training import Trainer


class Watcher(Callback):
    """Base of what waits for a measure to get better: it belongs to one training, and forgets it in the next."""

    watched: Trainer | None = None  # whose training it was, unless its state has been restored since

    def on_start(self, trainer: Trainer, epochs: int) -> None:
        """Begin anew with another trainer, or one that has taken no step yet: what was best there is nothing here."""
        if trainer.step == 0 or self.watched not in (None, trainer):
            self.restore(self.clone().state())
        self.watched = trainer

    def restore(self, state: dict[str, Any]) -> None:
        self.watched = None


class EarlyStopping(Watcher):
    """Ends training when a measure has stopped getting better, and puts the best weights back.

    They are put back when training ends here, or when all its epochs are over. A loop that is merely broken off
    (Ctrl-C, `break`, `trainer.stop()`) keeps its weights: it goes on later as if nothing had been.

    Arguments   monitor       a column of the history (default "validation_loss")
                patience      ends after so many epochs in a row without improvement, at least 1 (default 5)
                min_delta     by how much a value must be better to be an improvement, in its own units (default 0)
                mode          "min", "max" or "auto" (default): see Monitor
                restore_best  put the best weights and running statistics back? (default True)
    Attributes  monitored (a Monitor: `.best` is the best value); best_epoch; waited (epochs without improvement);
                stopped (did it end the training?)
    Raises      ConfigurationError before training for a monitor that no row will have
    Where the trainer averages its weights, the average is measured, and the best average is put back in the place of
    both. A further `fit` after an early end begins with the best weights and with all of its patience; the next
    training, of another trainer, begins anew.
    Source      Prechelt 1998, "Early Stopping - But When?", where it is the third class of criteria, UP

    >>> EarlyStopping("validation_accuracy", patience=3)
    EarlyStopping('validation_accuracy', patience=3)
    """

    def __init__(
        self,
        monitor: str = "validation_loss",
        *,
        patience: int = 5,
        min_delta: float = 0.0,
        mode: str = "auto",
        restore_best: bool = True,
    ) -> None:
        self.monitor, self.mode, self.restore_best = monitor, mode, restore_best
        self.patience = number("EarlyStopping", "patience", patience, "[1, inf)", whole=True)
        self.monitored = Monitor(monitor, mode, min_delta, owner="EarlyStopping")
        self.min_delta = self.monitored.min_delta
        self.best_epoch = self.waited = self.last_epoch = 0
        self.stopped = self.left = False  # left: the loop that it stopped is over too
        self.weights: dict[str, Any] | None = None  # the best ones; filled once, never changed

    def on_start(self, trainer: Trainer, epochs: int) -> None:
        """Look for the column; end at once if the run that is resumed was killed on its way out."""
        self.monitored.check(trainer, self)
        super().on_start(trainer, epochs)
        self.last_epoch = trainer.epoch + epochs
        if self.stopped and not self.left:
            trainer.stop()
        elif self.stopped:
            self.stopped, self.waited = False, 0

    def on_epoch(self, trainer: Trainer, row: dict[str, Any]) -> None:
        """Keep the weights if they are the best; end training if patience is."""
        if self.monitored.improves(row):
            self.best_epoch, self.waited = row["epoch"], 0
            if self.restore_best:
                network = trainer.averaged or trainer.network
                self.weights = {"params": network.params.copy(), "state": network.state.copy()}
            return
        self.waited += 1
        if self.waited >= self.patience:
            self.stopped, self.left = True, False
            trainer.stop()

    def on_end(self, trainer: Trainer) -> None:
        """Put the best weights back, if training is over."""
        self.left = True
        if self.weights is not None and (self.stopped or trainer.epoch >= self.last_epoch):
            trainer.network.params[...], trainer.network.state[...] = self.weights["params"], self.weights["state"]
            if trainer.averages is not None:
                trainer.averages[...] = self.weights["params"]

    def state(self) -> dict[str, Any]:
        return {
            "best": self.monitored.best,
            "best_epoch": self.best_epoch,
            "waited": self.waited,
            "stopped": self.stopped,
            "left": self.left,
            "weights": self.weights,
        }

    def restore(self, state: dict[str, Any]) -> None:
        super().restore(state)
        self.monitored.best, self.best_epoch = state["best"], state["best_epoch"]
        self.waited, self.stopped, self.left = state["waited"], state["stopped"], state["left"]
        self.weights = state["weights"]


class ReduceLROnPlateau(Watcher):
    """Lowers the learning rate when a measure has stopped getting better.

    Update      rate = max(rate * factor, min_rate)  after `patience` epochs in a row without improvement; epochs of the
                cool-down that follows are not counted
    Arguments   monitor    a column of the history (default "validation_loss")
                factor     what the rate is multiplied by, in (0, 1) (default 0.5)
                patience   as for EarlyStopping, at least 1 (default 3; PyTorch waits for one epoch more than it is
                           told, so its patience=2 is this)
                min_delta  by how much a value must be better to be an improvement, in its own units (default 1e-4;
                           this is PyTorch's threshold with threshold_mode="abs")
                cooldown   epochs after a reduction that do not count (default 0)
                min_rate   the rate is never made lower than this (default 0)
                mode       "min", "max" or "auto" (default): see Monitor
    Raises      ConfigurationError before training for a monitor that no row will have, and for a rate that a schedule
                moves

    >>> ReduceLROnPlateau("loss", factor=0.1)
    ReduceLROnPlateau('loss', factor=0.1)
    """

    def __init__(
        self,
        monitor: str = "validation_loss",
        *,
        factor: float = 0.5,
        patience: int = 3,
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_rate: float = 0.0,
        mode: str = "auto",
    ) -> None:
        owner = "ReduceLROnPlateau"
        self.monitor, self.mode = monitor, mode
        self.factor = number(owner, "factor", factor, "(0, 1)")
        self.patience = number(owner, "patience", patience, "[1, inf)", whole=True)
        self.cooldown = number(owner, "cooldown", cooldown, "[0, inf)", whole=True)
        self.min_rate = number(owner, "min_rate", min_rate, "[0, inf)")
        self.monitored = Monitor(monitor, mode, min_delta, owner=owner)
        self.min_delta = self.monitored.min_delta
        self.waited = self.cooling = 0

    def on_start(self, trainer: Trainer, epochs: int) -> None:
        """Look for the column, and for a rate that can be lowered."""
        self.monitored.check(trainer, self)
        self._rate(trainer)
        super().on_start(trainer, epochs)

    def on_epoch(self, trainer: Trainer, row: dict[str, Any]) -> None:
        """Count, and lower the rate if it is time to."""
        self.waited = 0 if self.monitored.improves(row) else self.waited + 1
        if self.cooling:
            self.cooling, self.waited = self.cooling - 1, 0
        if self.waited >= self.patience:
            self.cooling, self.waited = self.cooldown, 0
            rate = self._rate(trainer)
            trainer.optimizer.learning_rate = min(rate, max(rate * self.factor, self.min_rate))

    @staticmethod
    def _rate(trainer: Trainer) -> float:
        if not isinstance(trainer.optimizer.schedule, Constant):
            raise ConfigurationError(
                f"ReduceLROnPlateau: expected a learning rate that stays as it is, received "
                f"{trainer.optimizer.schedule!r}, which moves it at every step. Give a number, or leave one out."
            )
        return trainer.optimizer.rate

    def state(self) -> dict[str, Any]:
        return {"best": self.monitored.best, "waited": self.waited, "cooling": self.cooling}

    def restore(self, state: dict[str, Any]) -> None:
        super().restore(state)
        self.monitored.best, self.waited, self.cooling = state["best"], state["waited"], state["cooling"]
