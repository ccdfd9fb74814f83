"""The training loop, as an iterator: whoever walks it can look at every step, change things, stop, and go on.

    for step in trainer.steps(x, y, epochs=5):      # forward, loss, backward, update: then the step is yours
        ...

`fit` walks it to the end. Validation, history and callbacks run inside, so that every user has the same loop.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from chainrule import resuming, tasks
from chainrule.batches import CHANCE, Batches, check_last_batch, check_pair, held_out_batches, stream, warn_unscaled
from chainrule.configurable import by_name, number
from chainrule.errors import ConfigurationError, DataError, DivergenceError
from chainrule.history import Callback, History, Step
from chainrule.layers.layer import Array
from chainrule.losses import LOSSES, Loss
from chainrule.network import Network
from chainrule.optimizers import OPTIMIZERS, Optimizer
from chainrule.tracing import first_not_finite


class Trainer:
    """Teaches a network from examples.

    Arguments   network     is changed in place
                loss        a Loss or its name
                optimizer   an Optimizer or its name (default "adam"); one for each trainer
                batch_size  rows a step (default 32)
                seed        of shuffling and dropout; the starting weights have the network's own (default 0)
                callbacks   told of every step and epoch (default none)
    Attributes  history; columns (of its rows, as far as they are known before training); epoch (finished so far); step
                (taken so far); rows_done (of the epoch under way)
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
        self.loss: Loss = loss  # type: ignore[assignment]
        self.batch_size = batch_size
        self.seed = number("Trainer", "seed", seed, "[0, inf)", whole=True)
        self.callbacks = list(callbacks)
        self.optimizer: Optimizer = optimizer  # type: ignore[assignment]  # last: from here on it is taken
        self.history = History()
        self.columns: list[str] = []
        self.epoch = 0
        self.step = 0
        self.rows_done = 0
        self.sums = {"loss": 0.0, "hits": 0, "seconds": 0.0, "steps": 0, "rate": 0.0}  # over the epoch under way
        self.whole = True  # False while a step, or the closing of an epoch, is half done and not yet told to callbacks
        self._walking = self._stopping = False
        self._good: dict[str, Any] | None = None  # the last state with finite weights

    def __setattr__(self, name: str, value: Any) -> None:
        """Parts may be exchanged between steps: they are checked when they come in, not in the step that needs them."""
        if name == "loss":
            value = by_name("loss", value, LOSSES, Loss)
        elif name == "optimizer":
            value = by_name("optimizer", value, OPTIMIZERS, Optimizer)
            value.claim(instead_of=self.__dict__.get("optimizer"))
        elif name == "batch_size":
            value = number("Trainer", "batch_size", value, "[1, inf)", whole=True)
        elif name == "network" and not isinstance(value, Network):
            raise ConfigurationError(f"Trainer: expected a network, such as MLP([784, 128, 10]), received {value!r}.")
        elif name == "callbacks" and not all(isinstance(callback, Callback) for callback in value):
            raise ConfigurationError(f"Trainer: callbacks must be Callback objects, received {value!r}.")
        object.__setattr__(self, name, value)

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
        check_pair(self.network, self.loss)
        data = Batches(x, y, self.network, self.loss)
        held_out = None if validation is None else held_out_batches(validation, self.network, self.loss)
        if self.rows_done > len(data):
            raise ConfigurationError(
                f"epoch {self.epoch + 1} was broken off after {self.rows_done:,} rows, but the data has {len(data):,}: "
                "go on with the data it began with, or make a new Trainer."
            )
        for rows in {len(data) - self.rows_done or len(data), len(data)}:
            check_last_batch(self.network, rows, self.batch_size)
        if not self.network.task_is_given:
            self.network.output = self.loss.output
        if self.step == 0:
            warn_unscaled(data.x, self.network)
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
        last_epoch = self.epoch + epochs
        if epochs:
            self.optimizer.plan(self._steps_left(len(data), last_epoch))
        with ExitStack() as at_the_end:
            self._walking, self._stopping = True, False
            at_the_end.callback(setattr, self, "_walking", False)
            for callback in self.callbacks:
                at_the_end.callback(callback.on_end, self)
            self.columns = self._columns(validated=held_out is not None)
            for callback in self.callbacks:
                callback.on_start(self, epochs)
            if self._good is not None and not np.isfinite(self.network.params).all():
                raise self._diverged("The weights are no longer finite", "the last update", self.sums["steps"], 0.0)
            self._good = self.state()
            while self.epoch < last_epoch and not self._stopping:
                epoch, order = self.epoch, data.order(self.seed, self.epoch)
                while self.epoch == epoch and not self._stopping:
                    step = None
                    if self.rows_done < len(data):
                        step = self._take_step(data, order, last_epoch)
                        for callback in self.callbacks:
                            callback.on_step(self, step)
                        self.whole = True
                    if self.rows_done == len(data):
                        self._finish_epoch(data, held_out)
                        self._good = self.state()
                    if step is not None:
                        yield step

    def _take_step(self, data: Batches, order: Array, last_epoch: int) -> Step:
        """Forward, loss, backward, update."""
        start = time.perf_counter()
        network, optimizer = self.network, self.optimizer
        if self.loss is not data.loss:
            check_pair(network, self.loss)
            data.teach(self.loss)
        if optimizer.planned is None:
            optimizer.plan(self._steps_left(len(data), last_epoch))
        sums, steps = self.sums, int(self.sums["steps"])
        rows = order[self.rows_done : self.rows_done + self.batch_size]
        x, y = data.take(rows)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # what goes wrong shows in the loss
            outputs, caches = network.forward(x, True, self._chance())
            loss, dy = self.loss.compute(outputs, y, None, len(rows))
            if not math.isfinite(loss):
                where = first_not_finite(network, x, self._chance()) or repr(self.loss)
                raise self._diverged(f"Loss became {loss:g}", where, steps + 1, optimizer.rate)
            network.backward(dy, caches)
            self.whole = False
            network.update_state(caches)
            rate = optimizer.step(network.params, network.grads, network.trainable)
        self.step += 1
        self.rows_done += len(rows)
        sums |= {"steps": steps + 1, "rate": rate}
        sums["loss"] += loss * len(rows)
        if tasks.classifies(network.output):
            sums["hits"] += int(np.count_nonzero(tasks.hits(network.output, outputs, y, network.squashed)))
        seconds = time.perf_counter() - start
        sums["seconds"] += seconds
        step = Step(self.epoch + 1, steps + 1, rows, loss, rate, seconds)
        self.history.add_step(step)
        return step

    def _finish_epoch(self, data: Batches, held_out: Batches | None) -> None:
        """Close the epoch: a row of the history, validation, callbacks."""
        network, sums, n, rate = self.network, self.sums, self.rows_done, self.sums["rate"]
        if not (np.isfinite(network.params).all() and np.isfinite(network.state).all()):
            raise self._diverged("The weights are no longer finite", "the last update", int(sums["steps"]), rate)
        row: dict[str, Any] = {"epoch": self.epoch + 1, "loss": sums["loss"] / n}
        if tasks.classifies(network.output):
            row["accuracy"] = sums["hits"] / n
        if held_out is not None:
            try:
                measured = network.evaluate(held_out.x, held_out.y, self.loss)
            except DataError as error:  # the examples were checked, so it is the outputs
                raise self._diverged("Outputs not finite", f"validation ({error})", int(sums["steps"]), rate) from None
            row |= {f"validation_{name}": value for name, value in measured.items()}
        row |= {"learning_rate": rate, "seconds": sums["seconds"]}
        self.whole = False
        self.epoch += 1
        self.rows_done = 0
        self.sums = dict.fromkeys(sums, 0)
        self.history.add_epoch(row)
        for callback in self.callbacks:
            callback.on_epoch(self, row)
        self.whole = True

    def _columns(self, validated: bool) -> list[str]:
        """The columns that every further epoch will have, so that a callback can refuse a name that is not there."""
        measured = ["loss", "accuracy"] if tasks.classifies(self.network.output) else ["loss"]
        held_out = [f"validation_{name}" for name in measured] if validated else []
        return ["epoch", *measured, *held_out, "learning_rate", "seconds"]

    # Going back and going on ----------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Everything the next step depends on, copied: weights, optimizer, position. Integers instead of generators.

        The history is not in it, only how long it is: keep it beside the state, and put it into `trainer.history`
        before `restore` if the trainer is a new one.
        """
        return resuming.take(self)

    def restore(self, state: dict[str, Any]) -> None:
        """Go back, or on, to where `state` was taken; the history is cut there. What follows is then the same again.

        Raises      CheckpointError, with nothing changed, if the state was taken from another kind of trainer
        """
        resuming.put_back(self, state)
        self._good, self.whole = state, True

    # What can go wrong ----------------------------------------------------------------------------------------------

    def _steps_left(self, n: int, last_epoch: int) -> int:
        this_epoch = math.ceil((n - self.rows_done) / self.batch_size)
        return this_epoch + (last_epoch - self.epoch - 1) * math.ceil(n / self.batch_size)

    def _chance(self) -> np.random.Generator | None:
        return stream(self.seed, CHANCE, self.step) if self.network.draws else None

    def _diverged(self, what: str, where: str, step: float, rate: float) -> DivergenceError:
        good = self._good
        assert good is not None
        place = f"after epoch {good['epoch']}" if good["epoch"] else "at the start"
        if good["rows_done"]:
            place = f"after step {good['sums']['steps']} of epoch {good['epoch'] + 1}"
        error = DivergenceError(
            f"{what} at epoch {self.epoch + 1}, step {step:.0f}, first in {where} (learning_rate={rate:g}). Lower it, "
            f"scale the inputs and targets, or clip gradients. The network is back as it was {place}."
        )
        self.restore(good)
        return error
