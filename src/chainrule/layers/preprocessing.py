"""Preprocessing as a layer in front: a saved network takes raw data, and training and use cannot differ."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from chainrule.configurable import number
from chainrule.layers.layer import Array, Cache, Layer, Shape


class Rescale(Layer):
    """Multiplies every value by one constant: Rescale(1/255) turns pixels 0..255 into 0..1.

    Shapes      x, y: any, the same    cache: empty
    Forward     y = factor * x
    Backward    dx = factor * dy
    Arguments   factor: in units of 1 / x (no default)

    >>> Rescale(1 / 255)(np.array([[0.0, 51.0, 255.0]]))
    array([[0. , 0.2, 1. ]])
    """

    any_shape = True

    def __init__(self, factor: float) -> None:
        self.factor = number("Rescale", "factor", factor, "(-inf, inf)")

    def forward(self, x: Array, train: bool = False, rng: np.random.Generator | None = None) -> tuple[Array, Cache]:
        return x * self.factor, ()

    def backward(self, dy: Array, cache: Cache, need_dx: bool = True) -> Array | None:
        return dy * self.factor  # y = factor x   =>  dL/dx = factor dy


class Standardize(Layer):
    """Brings each feature to mean 0 and deviation 1, with the statistics of the training inputs.

    The Trainer calls `adapt` with the training inputs, piece by piece, before its first step. Until then the layer
    changes nothing.

    Shapes      x, y: (N, D) or (N, ..., D)    mean, deviation: (D,)    cache: empty
    Forward     y = (x - mean) / deviation
    Backward    dx = dy / deviation
                A feature that was constant in training is only centred (deviation 1, as scikit-learn does): a small
                change in use must not become a huge one
    Source      pieces are joined as in Chan, Golub, LeVeque 1979, Updating formulae and a pairwise algorithm for
                computing sample variances, STAN-CS-79-773

    >>> layer = Standardize()
    >>> layer.build((2,), np.random.default_rng(0))
    (2,)
    >>> layer.adapt([np.array([[0.0, 7.0], [2.0, 7.0]])])
    >>> layer(np.array([[0.0, 7.0], [2.0, 7.0]])).round(3)
    array([[-1.,  0.],
           [ 1.,  0.]])
    """

    state_names = ("mean", "deviation", "rows_seen")
    any_shape = True
    adapts = True

    mean: Array
    deviation: Array
    rows_seen: Array

    def build(self, in_shape: Shape, rng: np.random.Generator) -> Shape:
        self.mean = np.zeros(in_shape[-1])
        self.deviation = np.ones(in_shape[-1])
        self.rows_seen = np.zeros(1)
        return in_shape

    def adapt(self, pieces: Iterable[Array]) -> None:
        """Take mean and deviation (divided by N) of every feature from all rows of the pieces."""
        n, mean, squares = 0, np.zeros(self.mean.shape), np.zeros(self.mean.shape)  # squares: sum of (x - mean)^2
        for piece in pieces:
            rows = piece.reshape(-1, piece.shape[-1]).astype(np.float64)
            shift = rows.mean(axis=0) - mean
            rows -= mean + shift
            share = len(rows) / (n + len(rows))  # of these rows in all so far
            squares += (rows * rows).sum(axis=0) + n * share * shift * shift
            mean += share * shift
            n += len(rows)
        deviation = np.sqrt(squares / n)
        rounding = n * np.finfo(np.float64).eps * np.abs(mean)
        self.mean, self.deviation = mean, np.where(deviation <= rounding, 1, deviation)
        self.rows_seen = np.array([n])

    def forward(self, x: Array, train: bool = False, rng: np.random.Generator | None = None) -> tuple[Array, Cache]:
        return (x - self.mean) / self.deviation, ()

    def backward(self, dy: Array, cache: Cache, need_dx: bool = True) -> Array | None:
        return dy / self.deviation  # y = (x - mean) / deviation   =>  dL/dx = dy / deviation
