"""Whatever a learner hands in, seen in one form: arrays that can be moved, a forward, a backward."""

from __future__ import annotations

import copy
import random
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.doctor.examining.places import Place
from chainrule.layers.layer import Array


@dataclass
class Patient:
    """What is examined.

    `kind` is "layer" (its backward takes an upstream gradient), "slope" (its backward gives f'(x)), "loss" (its value
    is one number, its input the outputs) or "network" (its value is one number, its input x and the parameters).
    """

    title: str
    kind: str
    places: dict[str, Place]  # what can be moved, the input as "x"
    forward: Callable[[], tuple[Any, Any]]  # -> (outputs or loss, cache)
    backward: Callable[[Any, Any, Any], dict[str, Any]]  # (upstream, outputs, cache) -> gradients by name of the place
    thing: Any = None  # the learner's object, if it is one
    targets: Any = None
    judge: Callable[[Any], float] | None = None  # outputs -> loss, where forward ends in outputs and a loss follows
    loss_slope: Callable[[Any], Any] | None = None  # the learner's own gradient of that loss
    generators: list[Any] = field(default_factory=list)
    seed: int = 0
    evaluate: Callable[[], Any] | None = None  # the forward as in use, where a flag tells it from training
    zero: Callable[[], None] | None = None  # zero_grad()
    wants: tuple[str, ...] = ()  # the names of backward's arguments
    updates: bool = False  # backward leaves no gradients, but updates the weights at once
    states: list[Any] = field(default_factory=list)
    inside: bool = False  # within calm()

    def keep(self, generators: list[Any]) -> None:
        """Let these generators give the same numbers in every pass."""
        self.generators, self.states = generators, [copy.deepcopy(_state(generator)) for generator in generators]

    def other_chance(self) -> None:
        """From now on, let chance give other numbers than before."""
        self.seed += 1
        for generator, state in zip(self.generators, self.states, strict=True):
            _set_state(generator, copy.deepcopy(state))
            generator.normal(size=7)
        self.keep(self.generators)

    @contextmanager
    def calm(self) -> Iterator[None]:
        """Run the learner's code with the same chance each time, and without its warnings; may be nested."""
        if self.inside:
            self._same_chance()
            yield
            return
        kept, kept_too = np.random.get_state(), random.getstate()  # noqa: NPY002 - learners draw from the global generator
        self.inside = True
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                self._same_chance()
                yield
        finally:
            self.inside = False
            np.random.set_state(kept)  # noqa: NPY002
            random.setstate(kept_too)

    def _same_chance(self) -> None:
        np.random.seed(self.seed)  # noqa: NPY002
        random.seed(self.seed)
        for generator, state in zip(self.generators, self.states, strict=True):
            _set_state(generator, copy.deepcopy(state))

    def run(self) -> tuple[Any, Any]:
        """Forward with the arrays as they are."""
        with self.calm():
            return self.forward()

    def value(self, dy: Any = None) -> float:
        """The number that is differentiated: the loss, or sum(dy * outputs)."""
        with self.calm():
            outputs, _ = self.forward()
            if self.judge is not None:
                outputs = self.judge(outputs)
        return float(np.sum(np.asarray(outputs, np.float64) * (1.0 if dy is None else dy)))

    def answer(self, dy: Any = None) -> dict[str, Any]:
        """The learner's gradients for the arrays as they are; copies."""
        with self.calm():
            outputs, cache = self.forward()
            return self.again(dy, outputs, cache)

    def again(self, dy: Any, outputs: Any, cache: Any) -> dict[str, Any]:
        """Backward alone, after a forward."""
        with self.calm():
            if self.zero is not None:
                self.zero()
            return {name: _copied(value) for name, value in self.backward(dy, outputs, cache).items()}

    def arrays(self) -> dict[str, Array]:
        """Copies of all that can be moved."""
        return {name: place.array for name, place in self.places.items()}

    def put(self, arrays: dict[str, Array]) -> None:
        for name, array in arrays.items():
            self.places[name].value = array


def _copied(value: Any) -> Any:
    return None if value is None else np.array(value, dtype=np.float64)


def _state(generator: Any) -> Any:
    return generator.bit_generator.state if isinstance(generator, np.random.Generator) else generator.get_state()


def _set_state(generator: Any, state: Any) -> None:
    if isinstance(generator, np.random.Generator):
        generator.bit_generator.state = state
    else:
        generator.set_state(state)
