"""The contract of an optimizer: walk one flat vector downhill, given the gradient in another.

An optimizer never sees a layer and keeps no reference to the parameters. What it remembers between steps (velocity,
moments) lies in its own vectors, the slots, as long as `params` and in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from chainrule.configurable import Configurable, number
from chainrule.errors import CheckpointError, ConfigurationError
from chainrule.layers.layer import Array
from chainrule.schedules import Schedule, as_schedule

BLOCK = 1 << 16  # numbers updated at a time: few enough to stay in the cache from pass to pass (decision 6)


def blocks(stretch: slice) -> Iterator[slice]:
    """The stretch in parts of at most BLOCK numbers."""
    for start in range(stretch.start, stretch.stop, BLOCK):
        yield slice(start, min(start + BLOCK, stretch.stop))


class Optimizer(Configurable):
    """Base of all optimizers: a subclass names its slots and defines `update`.

    Weight decay is decoupled, as in PyTorch's AdamW and in Keras: w = w - rate weight_decay w comes before the update,
    and the slots never see it. What PyTorch calls weight_decay in SGD and Adam is Trainer(penalty=L2(...)) here.

    >>> class Plain(Optimizer):
    ...     def update(self, w, g, slots, rate):
    ...         w -= rate * g
    >>> w = np.array([1.0, 2.0])
    >>> Plain(0.5).step(w, np.array([1.0, 1.0]))
    0.5
    >>> w
    array([0.5, 1.5])
    """

    slot_names: tuple[str, ...] = ()

    def __init__(self, learning_rate: float | Schedule = 0.01, *, weight_decay: float = 0.0) -> None:
        self.weight_decay = number(type(self).__name__, "weight_decay", weight_decay, "[0, inf)")
        self.steps = 0  # taken so far
        self.in_use = False  # by a trainer
        self.slots: dict[str, Array] = {}
        self.learning_rate = learning_rate

    @property
    def learning_rate(self) -> float | Schedule:
        """As it was given. May be assigned between steps; a schedule then starts from there."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float | Schedule) -> None:
        self.schedule = as_schedule(value)
        self._learning_rate = value
        self.started = self.steps  # the step at which the schedule began
        self.planned = self.schedule.length  # how many steps it spans; None until the first fit says

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        if self.planned is None and self.schedule.needs_length:
            raise self._out_of_plan(1)
        return float(self.schedule(self.steps - self.started, self.planned or 1))

    def claim(self, instead_of: Optimizer | None) -> None:
        """Be one trainer's own, in place of the one it had: an optimizer remembers steps that no other network took."""
        if self.in_use and self is not instead_of:
            raise ConfigurationError(
                f"{self!r} belongs to another trainer ({self.steps:,} steps taken). Every trainer needs one of "
                "its own: optimizer.clone()."
            )
        if instead_of is not None:
            instead_of.in_use = False
        self.in_use = True

    def plan(self, steps: int) -> None:
        """Fix the length of the schedule, once: the first fit says how many steps there will be."""
        if self.planned is None:
            self.planned = max(1, steps)
        if self.schedule.ends and self.steps - self.started + steps > self.planned:
            raise self._out_of_plan(steps)

    def _out_of_plan(self, steps: int) -> ConfigurationError:
        if self.planned is None:
            return ConfigurationError(
                f"{self.schedule!r} does not know for how many steps: call optimizer.plan(steps) first, or say length=."
            )
        return ConfigurationError(
            f"{self.schedule!r} was planned for {self.planned:,} steps, {self.steps - self.started:,} are taken, and "
            f"{steps:,} more are wanted: its rate would be 0. Assign a new one, for instance "
            "trainer.optimizer.learning_rate = 0.01, or plan longer with length=."
        )

    def step(
        self, params: Array, grads: Array, slices: Sequence[slice] | None = None, decays: int | None = None
    ) -> float:
        """Move params in place, against grads; return the rate.

        Arguments   slices  the stretches to move (default all)
                    decays  how many of the first numbers are weights, to be shrunk by weight_decay (default all)
        """
        if not self.slots:
            self.slots = {name: np.zeros_like(params) for name in self.slot_names}
        slots, rate = list(self.slots.values()), self.rate
        if self.schedule.ends and self.planned is not None and self.steps - self.started >= self.planned:
            raise self._out_of_plan(1)
        if slots and len(slots[0]) != len(params):
            raise ConfigurationError(
                f"{self!r} has been used on {len(slots[0]):,} parameters, received {len(params):,}. "
                "Every network needs an optimizer of its own: optimizer.clone()."
            )
        self.steps += 1
        decaying = 0 if not self.weight_decay else len(params) if decays is None else decays
        for stretch in slices if slices is not None else (slice(0, len(params)),):
            for part in blocks(stretch):
                w = params[part]
                if part.start < decaying:
                    w[: decaying - part.start] *= 1 - rate * self.weight_decay
                self.update(w, grads[part], [slot[part] for slot in slots], rate)
        return rate

    def update(self, w: Array, g: Array, slots: list[Array], rate: float) -> None:
        """The formula: change w and the slots in place. `g` must be left as it is."""
        raise NotImplementedError(f"{type(self).__name__} must define update(w, g, slots, rate)")

    def _kind(self) -> str:
        """Class and arguments, but for the rate, which may move."""
        arguments = [f"{name}={value!r}" for name, value in self.config().items() if name != "learning_rate"]
        return f"{type(self).__name__}({', '.join(arguments)})"

    def state(self) -> dict[str, Any]:
        """Everything that the next step depends on besides the constructor arguments, copied."""
        return {
            "optimizer": self._kind(),
            "learning_rate": self.learning_rate,
            "steps": self.steps,
            "started": self.started,
            "planned": self.planned,
            "slots": {name: slot.copy() for name, slot in self.slots.items()},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from where `state` was taken."""
        if state["optimizer"] != self._kind():
            raise CheckpointError(f"this state was taken from {state['optimizer']}, and {self!r} cannot go on from it.")
        self.learning_rate = state["learning_rate"]
        self.steps, self.started, self.planned = state["steps"], state["started"], state["planned"]
        self.slots = {name: slot.copy() for name, slot in state["slots"].items()}
