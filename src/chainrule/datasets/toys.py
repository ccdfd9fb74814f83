"""Toy sets: problems small enough to see, from two gates to two spirals, each in the same shape as mnist().

Every function takes `n` training points, the `noise` (a standard deviation, in units of x) and a `seed`, and
returns a Dataset: train and test are drawn the same way but apart, except where a test set of its own is more telling.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from chainrule.configurable import number
from chainrule.datasets.dataset import Dataset, Split
from chainrule.errors import ConfigurationError
from chainrule.layers.layer import Array

CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
TWO_CLASSES = ("0", "1")


def and_gate(n: int = 4, *, noise: float = 0.0, seed: int = 0) -> Dataset:
    """Both inputs on? One straight line divides the four corners, so a single neuron can learn it.

    Shapes      x (n, 2)    y (n,) labels 0 and 1
    Arguments   n: a multiple of 4, each corner n / 4 times (default 4);  noise: default 0;  seed: default 0
    Returns     a Dataset whose test set is the four corners themselves

    >>> and_gate().train.y
    array([0, 0, 0, 1])
    """
    return _gate("and_gate", np.array([0, 0, 0, 1]), n, noise, seed)


def xor(n: int = 4, *, noise: float = 0.0, seed: int = 0) -> Dataset:
    """One input on, but not both? No straight line divides the four corners: it takes a hidden layer.

    Shapes      x (n, 2)    y (n,) labels 0 and 1
    Arguments   n: a multiple of 4, each corner n / 4 times (default 4);  noise: default 0;  seed: default 0
    Returns     a Dataset whose test set is the four corners themselves
    Source      Minsky, Papert 1969, Perceptrons

    >>> xor().train.y
    array([0, 1, 1, 0])
    """
    return _gate("xor", np.array([0, 1, 1, 0]), n, noise, seed)


def circles(n: int = 300, *, noise: float = 0.1, seed: int = 0) -> Dataset:
    """A ring of radius 1 (label 0) around one of radius 1/2 (label 1).

    Shapes      x (n, 2)    y (n,) labels 0 and 1
    Arguments   n: default 300;  noise: default 0.1;  seed: default 0

    >>> circles(10).train.x.shape
    (10, 2)
    """

    def draw(rng: np.random.Generator, label: Array) -> Array:
        angle = rng.uniform(0, 2 * np.pi, len(label))
        return _polar(np.where(label == 0, 1.0, 0.5), angle)

    return _two_classes("circles", draw, n, noise, seed)


def moons(n: int = 300, *, noise: float = 0.1, seed: int = 0) -> Dataset:
    """Two half moons that reach into each other.

    Shapes      x (n, 2)    y (n,) labels 0 and 1
    Arguments   n: default 300;  noise: default 0.1;  seed: default 0

    >>> int(moons(10).train.y.sum())
    5
    """

    def draw(rng: np.random.Generator, label: Array) -> Array:
        angle = rng.uniform(0, np.pi, len(label))
        upper, lower = _polar(np.ones(len(label)), angle), _polar(np.ones(len(label)), -angle) + [1.0, 0.5]
        return np.where(label[:, None] == 0, upper, lower) - [0.5, 0.25]  # centred

    return _two_classes("moons", draw, n, noise, seed)


def spirals(n: int = 400, *, noise: float = 0.02, turns: float = 1.5, seed: int = 0) -> Dataset:
    """Two spiral arms wound around each other: the hardest of the toys.

    Shapes      x (n, 2)    y (n,) labels 0 and 1
    Arguments   n: default 400;  noise: default 0.02;  turns: of each arm (default 1.5);  seed: default 0
    Source      the two-spirals problem of Lang, Witbrock 1988, with our own scale

    >>> spirals(10).test.x.shape
    (10, 2)
    """
    turns = number("spirals", "turns", turns, "(0, inf)")

    def draw(rng: np.random.Generator, label: Array) -> Array:
        radius = np.sqrt(rng.uniform(0.01, 1, len(label)))  # the root spreads the points evenly over the arm
        return _polar(radius, 2 * np.pi * turns * radius + np.pi * label)

    return _two_classes("spirals", draw, n, noise, seed)


def surface(n: int = 300, *, noise: float = 0.0, seed: int = 0) -> Dataset:
    """A bowl to learn as a number: y = x1^2 + x2^2 on the square from -1 to 1.

    Shapes      x (n, 2)    y (n, 1), from 0 to 2
    Arguments   n: random points to learn from (default 300);  noise: on y (default 0);  seed: default 0
    Returns     a Dataset whose test set is a 50 x 50 grid over the square, without noise

    >>> data = surface()
    >>> data.test.x.shape, float(data.test.y.max())
    ((2500, 2), 2.0)
    """
    n = number("surface", "n", n, "[1, inf)", whole=True)
    rng = np.random.default_rng(number("surface", "seed", seed, "[0, inf)", whole=True))
    x = rng.uniform(-1, 1, (n, 2))
    axis = np.linspace(-1, 1, 50)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    train = Split(x, _bowl(x) + number("surface", "noise", noise, "[0, inf)") * rng.standard_normal((n, 1)))
    return Dataset(train=train, validation=None, test=Split(grid, _bowl(grid)))


def _bowl(x: Array) -> Array:
    return (x * x).sum(axis=1, keepdims=True)


def _polar(radius: Array, angle: Array) -> Array:
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _gate(name: str, answers: Array, n: int, noise: float, seed: int) -> Dataset:
    n = number(name, "n", n, "[4, inf)", whole=True)
    if n % 4:
        raise ConfigurationError(
            f"{name}: n must be a multiple of 4, so that every corner comes equally often; got {n}."
        )
    rng = np.random.default_rng(number(name, "seed", seed, "[0, inf)", whole=True))
    x = np.tile(CORNERS, (n // 4, 1))
    x = x + number(name, "noise", noise, "[0, inf)") * rng.standard_normal(x.shape)
    return Dataset(
        train=Split(x, np.tile(answers, n // 4)),
        validation=None,
        test=Split(CORNERS.copy(), answers.copy()),
        class_names=TWO_CLASSES,
    )


def _two_classes(
    name: str, draw: Callable[[np.random.Generator, Array], Array], n: int, noise: float, seed: int
) -> Dataset:
    n = number(name, "n", n, "[2, inf)", whole=True)
    noise = number(name, "noise", noise, "[0, inf)")
    rng = np.random.default_rng(number(name, "seed", seed, "[0, inf)", whole=True))
    parts = []
    for _ in ("train", "test"):
        label = rng.permutation(np.arange(n) % 2)
        x = draw(rng, label)
        parts.append(Split(x + noise * rng.standard_normal(x.shape), label))
    return Dataset(train=parts[0], validation=None, test=parts[1], class_names=TWO_CLASSES)
