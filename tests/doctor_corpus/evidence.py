"""Proves the labels of the corpus without the doctor: plain differences against what the learner's code gives.

A place is an array, moved where it stands, or an (owner, name) pair: an attribute or an item, an array or a float.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


def normal(seed, *shape):
    """Standard normal numbers of a fixed seed."""
    return np.random.default_rng(seed).standard_normal(shape)


def labels(seed, n, k):
    """`n` integer labels below `k`, each label there at least once if there is room."""
    return np.random.default_rng(seed).permutation(np.arange(n) % k)


def one_hot(y, k):
    """Integer labels as rows of 0 and 1."""
    return np.eye(k)[y]


def read(place):
    if isinstance(place, tuple):
        owner, name = place
        place = owner[name] if isinstance(owner, dict) else getattr(owner, name)
    return place


def write(place, value):
    if isinstance(read(place), np.ndarray):
        read(place)[...] = value
    elif isinstance(place[0], dict):
        place[0][place[1]] = float(value)
    else:
        setattr(place[0], place[1], float(value))


def same_shape(a, b):
    """Equal but for axes of length one."""
    return [n for n in a.shape if n > 1] == [n for n in b.shape if n > 1]


@dataclass
class Evidence:
    """`value()` is a scalar, `gradients()` runs forward and backward and lists its gradient by each place."""

    value: Callable[[], float]
    gradients: Callable[[], Sequence[Any]]
    places: Sequence[Any]
    kept: Sequence[Any] = ()  # what else belongs to the caller and must stay as it is
    h: float = 1e-5
    tolerance: float = 1e-6

    def findings(self):
        """The misbehaviour seen: any of "raised", "overwritten", "accumulated", "gradient"."""
        caller = [*self.places, *self.kept]
        before = [np.copy(read(place)) for place in caller]

        def restore():
            for place, value in zip(caller, before, strict=True):
                write(place, value)

        try:
            first, second = [], []
            changed = False
            for answer in (first, second):
                answer += [None if g is None else np.array(g, dtype=float) for g in self.gradients()]
                changed |= any(not np.array_equal(read(p), value) for p, value in zip(caller, before, strict=True))
                restore()
        except Exception:
            restore()
            return {"raised"}
        found = {"overwritten"} if changed else set()
        if any(g is not None and not np.allclose(g, again) for g, again in zip(first, second, strict=True)):
            found.add("accumulated")
        if not all(self.agrees(g, place, restore) for g, place in zip(first, self.places, strict=True)):
            found.add("gradient")
        restore()
        return found

    def agrees(self, gradient, place, restore):
        """Entry by entry and for all entries moved together: the sum tells ties that all took the gradient.

        At a kink any slope between the two sides is right.
        """
        if gradient is None or not same_shape(gradient, np.asarray(read(place))):
            return False
        shape, size = np.shape(read(place)), gradient.size

        def value(move, steps):
            restore()
            write(place, read(place) + steps * self.h * move.reshape(shape))
            return float(self.value())

        for move, mine in zip((*np.eye(size), np.ones(size)), (*gradient.ravel(), gradient.sum()), strict=True):
            before, after = value(move, -1), value(move, 1)
            allowed = self.tolerance * max(1e-3, np.abs(gradient).max())
            if abs((after - before) / (2 * self.h) - mine) > allowed:
                here = value(move, 0)
                left = (3 * here - 4 * before + value(move, -2)) / (2 * self.h)
                right = (-3 * here + 4 * after - value(move, 2)) / (2 * self.h)
                if not min(left, right) - allowed <= mine <= max(left, right) + allowed:
                    return False
        return True


@dataclass
class Differ:
    """Two numbers or arrays that ought to be equal and are not."""

    expected: Callable[[], Any]
    received: Callable[[], Any]
    tolerance: float = 1e-2

    def findings(self):
        return set() if np.allclose(self.expected(), self.received(), atol=self.tolerance) else {"gradient"}


def outputs(answer):
    return answer[0] if isinstance(answer, tuple) else answer


def of_layer(layer, x, *pairs, prepare=lambda: None, **options):
    """An object with forward(x) and backward(dy) -> dx; `pairs` are "W dW": a parameter and its gradient."""
    names = [pair.split() for pair in pairs]
    prepare()
    dy = normal(99, *outputs(layer.forward(x)).shape)

    def value():
        prepare()
        return (outputs(layer.forward(x)) * dy).sum()

    def gradients():
        prepare()
        layer.forward(x)
        return [layer.backward(dy.copy()), *(getattr(layer, gradient) for _, gradient in names)]

    return Evidence(value, gradients, [x, *((layer, name) for name, _ in names)], **options)


def of_pair(forward, backward, *arrays, **options):
    """forward(x, ...) -> (y, cache) and backward(dy, cache) -> the gradients in the order of the arguments."""
    dy = normal(99, *forward(*arrays)[0].shape)

    def gradients():
        answer = backward(dy.copy(), forward(*arrays)[1])
        return answer if isinstance(answer, tuple) else [answer]

    return Evidence(lambda: (forward(*arrays)[0] * dy).sum(), gradients, arrays, **options)
