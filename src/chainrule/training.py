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

from chainrule import resuming, tasks, training_step, warning_signs
from chainrule.batches import Batches, check_pair, check_position, held_out_batches
from chainrule.configurable import Spelling, number, spelling
from chainrule.errors import ConfigurationError, DataError, DivergenceError, unknown_name
from chainrule.history import Callback, History, Step
from chainrule.layers.layer import Array
from chainrule.losses import Loss
from chainrule.network import Network
from chainrule.optimizers import Optimizer
from chainrule.trainer_parts import CHECKS, check_exchange


class Trainer(Spelling):
    """Teaches a network from examples.

    Arguments   network       is changed in place
                loss          a Loss or its name
                optimizer     an Optimizer or its name (default "adam"); one for each trainer
                batch_size    rows of a forward pass (default 32)
                accumulate    forward passes a step: 4 of 64 rows move the weights as one of 256 does, in a quarter of
                              the memory (default 1)
                seed          of shuffling, dropout and augmentation; the starting weights have the network's own
                              (default 0)
                penalty       on the weights that decay: L2(1e-4), L1(1e-5), or a tuple of both (default none)
                clip          of the gradients: ClipNorm(1.0) or ClipValue(0.5) (default none)
                max_norm      of the weights into each unit: MaxNorm(3.0) (default none)
                average       of the weights over time: EMA(0.999), in `averaged`; validation measures it (default none)
                augment       function (x, rng) -> x for every batch, or a tuple of them (default none)
                class_weight  "balanced", {label: weight}, or K weights (default: every row counts the same)
                metrics       functions (targets, answers) -> number, or {name: function}, for the validation data
                              (default none)
                callbacks     told of every step and epoch: one, or a list of them (default none)
    Attributes  history; columns (of its rows, as far as they are known before training); epoch (finished so far); step
                (taken so far); rows (in an epoch); rows_done (of the epoch under way)
    Raises      ConfigurationError for parts that do not go together, such as softmax twice
    All of them, and the optimizer's learning_rate, may be assigned between steps (class_weight, metrics: for the next
    loop; seed: between epochs), but for the network, which stays. The position lives here: a loop that was broken off
    goes on where it stopped, and the next one first finishes the epoch under way, the first of its `epochs`.

    >>> from chainrule.mlp import MLP
    >>> from chainrule.optimizers import SGD
    >>> x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 0, 0, 1])            # AND
    >>> trainer = Trainer(MLP([2, 2]), "cross_entropy", SGD(0.5), batch_size=4)
    >>> history = trainer.fit(x, y, epochs=300)
    >>> trainer.network.predict(x)
    array([0, 0, 0, 1])
    """

    _made = False  # from then on an unknown attribute is a misspelt one

    def __init__(
        self,
        network: Network,
        loss: Loss | str,
        optimizer: Optimizer | str = "adam",
        *,
        batch_size: int = 32,
        accumulate: int = 1,
        seed: int = 0,
        penalty: Any = None,
        clip: Any = None,
        max_norm: Any = None,
        average: Any = None,
        augment: Any = None,
        class_weight: Any = None,
        metrics: Any = (),
        callbacks: Callback | Sequence[Callback] | None = (),
    ) -> None:
        self._good: dict[str, Any] | None = None  # the last state with finite weights
        self.network = network
        self.loss: Loss = loss  # type: ignore[assignment]
        self.batch_size, self.accumulate, self.seed = batch_size, accumulate, seed
        self.penalty, self.clip, self.max_norm, self.average = penalty, clip, max_norm, average
        self.augment, self.class_weight, self.metrics = augment, class_weight, metrics
        self.callbacks: list[Callback] = callbacks  # type: ignore[assignment]
        self.optimizer: Optimizer = optimizer  # type: ignore[assignment]  # last: from here on it is taken
        self.history = History()
        self.columns: list[str] = []
        self.epoch = self.step = self.rows_done = self.rows = 0
        self.sums = dict.fromkeys(("loss", "total", "penalty", "hits", "steps", "seconds", "rate"), 0.0)  # of the epoch
        self.averages: Array | None = None  # of the weights, once there is a step to begin with
        self.whole = True  # False while a step, or the end of an epoch, is half done and not yet told to callbacks
        self._walking = self._stopping = False
        self._made = True

    def __setattr__(self, name: str, value: Any) -> None:
        """Parts may be exchanged between steps: they are checked when they come in, not in the step that needs them."""
        if name in CHECKS:
            value = CHECKS[name](name, value)
            if self._made:
                check_exchange(self, name, value)
            if name == "optimizer":
                value.claim(instead_of=self.__dict__.get("optimizer"))
        elif self._made and name not in self.__dict__:
            raise unknown_name("attribute of a Trainer", name, [known for known in self.__dict__ if known[0] != "_"])
        object.__setattr__(self, name, value)
        if name in ("optimizer", "callbacks") and self._good is not None:  # to go back to, with these
            self._good = self._good | {name: resuming.take(self)[name]}

    @spelling
    def fit(
        self, x: Any, y: Any, epochs: int = 1, validation: Sequence[Any] | None = None, *, sample_weight: Any = None
    ) -> History:
        """Train for so many further epochs; the history of all training so far."""
        for _ in self.steps(x, y, epochs, validation, sample_weight=sample_weight):
            pass
        return self.history

    @spelling
    def steps(
        self, x: Any, y: Any, epochs: int = 1, validation: Sequence[Any] | None = None, *, sample_weight: Any = None
    ) -> Iterator[Step]:
        """The training loop as an iterator: one Step for every batch, after the weights have moved.

        Shapes      x (N, ...), y as the loss wants it; validation: a pair (x, y), measured after every epoch, or with
                    weights (x, y, sample_weight)
        Arguments   sample_weight: how much each row counts, (N,), at least 0; 0 leaves the row out (default: all 1)
        Raises      ShapeError, DataError, LabelError at once; DivergenceError at the step at which the loss stops being
                    finite, with the network back as it was at the end of the last good epoch
        """
        number("fit", "epochs", epochs, "[0, inf)", whole=True)
        check_pair(self.network, self.loss)
        data = Batches(x, y, self.network, self.loss, sample_weight=sample_weight, class_weight=self.class_weight)
        held_out = None if validation is None else held_out_batches(validation, self.network, self.loss)
        check_position(self.network, len(data), self.batch_size, self.epoch, self.rows_done)
        if not self.network.task_is_given:
            self.network.output = self.loss.output
        self.network.adapt(data.x)
        self.network(data.x[:2])  # a layer that does not keep the contract says so now, and once
        if self.step == 0:
            warning_signs.tell(data, self.network, self.optimizer)
        if self.metrics:
            if held_out is None:
                raise ConfigurationError("metrics are measured on validation data: say validation=(x, y).")
            self._measure(held_out)  # a metric that cannot do with these data says so now, not after an epoch
        return self._walk(data, epochs, held_out)

    def stop(self) -> None:
        """End the iteration after the step in hand. The position is kept: training can go on later."""
        self._stopping = True

    def _walk(self, data: Batches, epochs: int, held_out: Batches | None) -> Iterator[Step]:
        if self._walking:
            raise ConfigurationError("another loop over steps() is still open. Finish or close that one first.")
        last_epoch = self.epoch + epochs
        if epochs:
            self.optimizer.plan(self._steps_left(len(data), last_epoch))
        with ExitStack() as at_the_end:
            self._walking, self._stopping = True, False
            at_the_end.callback(setattr, self, "_walking", False)
            for callback in self.callbacks:
                at_the_end.callback(callback.on_end, self)
            self.rows, self.columns = len(data), self._columns(validated=held_out is not None)
            for callback in self.callbacks:
                callback.on_start(self, epochs)
            if self._good is not None and not np.isfinite(self.network.params).all():
                raise self._diverged("The weights are no longer finite", "the last update", self.sums["steps"], 0.0)
            self._good = self.state()
            while self.epoch < last_epoch and not self._stopping:
                begun = self.seed, self.epoch
                order = data.order(*begun)
                while (self.seed, self.epoch) == begun and not self._stopping:
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
        """One step (training_step.py) over the next rows of the order, and its place in the history."""
        start = time.perf_counter()
        network, optimizer = self.network, self.optimizer
        if self.loss is not data.loss:
            check_pair(network, self.loss)
            data.teach(self.loss)
        if optimizer.planned is None:
            optimizer.plan(self._steps_left(len(data), last_epoch))
        sums, steps = self.sums, int(self.sums["steps"])
        rows = order[self.rows_done : self.rows_done + self.batch_size * self.accumulate]
        total = data.total(rows)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # what goes wrong shows in the loss
            self.whole = False
            loss, hits = training_step.gradients(self, data, rows, total)
            if not math.isfinite(loss):
                where = training_step.first_not_finite(self, data, rows) or repr(self.loss)
                raise self._diverged(f"Loss became {loss:g}", where, steps + 1, optimizer.rate)
            penalty, rate = training_step.update(self)
        self.step, self.rows_done = self.step + 1, self.rows_done + len(rows)
        sums["steps"], sums["rate"] = steps + 1, rate
        sums["loss"] += loss * total
        sums["total"] += total
        sums["penalty"] += penalty
        sums["hits"] += hits
        seconds = time.perf_counter() - start
        sums["seconds"] += seconds
        step = Step(self.epoch + 1, steps + 1, rows, loss, rate, seconds, penalty)
        self.history.add_step(step)
        return step

    def _finish_epoch(self, data: Batches, held_out: Batches | None) -> None:
        """Close the epoch: a row of the history, validation, callbacks."""
        network, sums, rate = self.network, self.sums, self.sums["rate"]
        if not (np.isfinite(network.params).all() and np.isfinite(network.state).all()):
            raise self._diverged("The weights are no longer finite", "the last update", int(sums["steps"]), rate)
        row: dict[str, Any] = {"epoch": self.epoch + 1, "loss": sums["loss"] / sums["total"]}
        if tasks.classifies(network.output):
            row["accuracy"] = sums["hits"] / sums["total"]
        if self.penalty:
            row["penalty"] = sums["penalty"] / sums["steps"]
        if held_out is not None:
            try:
                measured = self._measure(held_out)
            except DataError as error:  # the examples were checked, so it is the outputs
                raise self._diverged("Outputs not finite", f"validation ({error})", int(sums["steps"]), rate) from None
            row |= {f"validation_{name}": value for name, value in measured.items()}
        row |= {"learning_rate": rate, "seconds": sums["seconds"]}
        self.whole = False
        self.epoch += 1
        self.rows_done = 0
        self.sums = dict.fromkeys(sums, 0.0)
        self.history.add_epoch(row)
        for callback in self.callbacks:
            callback.on_epoch(self, row)
        self.whole = True

    def _columns(self, validated: bool) -> list[str]:
        """The columns that every further epoch will have, so that a callback can refuse a name that is not there."""
        measured = ["loss", "accuracy"] if tasks.classifies(self.network.output) else ["loss"]
        held_out = [f"validation_{name}" for name in {**dict.fromkeys(measured), **self.metrics}] if validated else []
        return ["epoch", *measured, *["penalty"] * bool(self.penalty), *held_out, "learning_rate", "seconds"]

    def _measure(self, held_out: Batches) -> dict[str, float]:
        network = self.averaged or self.network
        return network.evaluate(held_out.x, held_out.y, self.loss, sample_weight=held_out.weights, metrics=self.metrics)

    @property
    def averaged(self) -> Network | None:
        """A copy of the network with the average of its weights; None without `average` or before the first step."""
        if self.average is None or self.averages is None:
            return None
        network = self.network.copy()
        network.params[...] = self.averages
        return network

    # Going back and going on ----------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Everything the next step depends on, copied: weights, optimizer, position. Integers instead of generators.

        Of the history it has the length alone: a new trainer needs the history itself before `restore`.
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
        rows = self.batch_size * self.accumulate
        return math.ceil((n - self.rows_done) / rows) + (last_epoch - self.epoch - 1) * math.ceil(n / rows)

    def _diverged(self, what: str, where: str, step: float, rate: float) -> DivergenceError:
        good = self._good
        assert good is not None
        error = DivergenceError(
            f"{what} at epoch {self.epoch + 1}, step {step:.0f}, first in {where} (learning_rate={rate:g}). Lower it, "
            f"scale the inputs and targets, or clip gradients. The network is back as it was {resuming.place(good)}."
        )
        self.restore(good)
        return error
