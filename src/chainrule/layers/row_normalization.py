"""Normalization within each row: no example sees another, so training and use are the same and any batch will do."""

from __future__ import annotations

import numpy as np

from chainrule.configurable import number
from chainrule.layers.layer import Array, Cache, Layer, Shape


class LayerNorm(Layer):
    """Brings each row to mean 0 and variance 1 over its last axis, then stretches by gamma and shifts by beta.

    Shapes      x, y: (N, ..., D)    gamma, beta: (D,)    cache: x_hat, rstd
    Forward     m = mean of x over each row,  v = mean of (x - m)^2 over each row,  rstd = 1 / sqrt(v + epsilon),
                x_hat = (x - m) * rstd,  y = gamma * x_hat + beta
    Backward    with dx_hat = gamma * dy and averages over the row:
                dx = rstd * (dx_hat - mean(dx_hat) - x_hat * mean(dx_hat * x_hat))
                dgamma = sum of dy * x_hat,    dbeta = sum of dy, over all rows
    Arguments   epsilon: added to the variance, inside the root, in units of x squared (default 1e-5, as PyTorch; Keras
                1e-3)
    Raises      ConfigurationError if epsilon is not above 0
    Source      Ba, Kiros, Hinton 2016, arXiv:1607.06450 (who have no epsilon); over the last axis alone

    >>> layer = LayerNorm()
    >>> layer.build((3,), np.random.default_rng(0))
    (3,)
    >>> layer(np.array([[1.0, 2.0, 3.0]])).round(3)
    array([[-1.225,  0.   ,  1.225]])
    """

    parameter_names = ("gamma", "beta")
    any_shape = True

    gamma: Array
    beta: Array
    dgamma: Array
    dbeta: Array

    def __init__(self, epsilon: float = 1e-5) -> None:
        self.epsilon = number("LayerNorm", "epsilon", epsilon, "(0, inf)")

    def build(self, in_shape: Shape, rng: np.random.Generator) -> Shape:
        self.gamma, self.beta = np.ones(in_shape[-1]), np.zeros(in_shape[-1])
        return in_shape

    def forward(self, x: Array, train: bool = False, rng: np.random.Generator | None = None) -> tuple[Array, Cache]:
        x_hat = x - x.mean(axis=-1, keepdims=True)
        rstd = 1 / np.sqrt((x_hat * x_hat).mean(axis=-1, keepdims=True) + self.epsilon)
        x_hat *= rstd
        return self.gamma * x_hat + self.beta, (x_hat, rstd)

    def backward(self, dy: Array, cache: Cache, need_dx: bool = True) -> Array | None:
        x_hat, rstd = cache
        rows = tuple(range(dy.ndim - 1))
        np.sum(dy * x_hat, axis=rows, out=self.dgamma)  # y = gamma * x_hat + beta
        np.sum(dy, axis=rows, out=self.dbeta)
        if not need_dx:
            return None
        dx_hat = self.gamma * dy
        along = (dx_hat * x_hat).mean(axis=-1, keepdims=True)  # a longer row is made shorter again: by way of rstd
        dx_hat -= dx_hat.mean(axis=-1, keepdims=True) + x_hat * along  # and a shifted one is shifted back: by the mean
        return dx_hat * rstd


class RMSNorm(Layer):
    """Brings each row to mean square 1 over its last axis, then stretches by gamma: LayerNorm without the centring.

    Shapes      x, y: (N, ..., D)    gamma: (D,)    cache: x_hat, rstd
    Forward     rstd = 1 / sqrt(mean of x^2 over the row + epsilon),  x_hat = x * rstd,  y = gamma * x_hat
    Backward    with dx_hat = gamma * dy:    dx = rstd * (dx_hat - x_hat * mean(dx_hat * x_hat) over the row)
                dgamma = sum of dy * x_hat over all rows
    Arguments   epsilon: added to the mean square, inside the root, in units of x squared (default 1e-5; PyTorch takes
                the spacing of floats at 1, which depends on the dtype)
    Raises      ConfigurationError if epsilon is not above 0
    Source      Zhang, Sennrich 2019, NeurIPS, arXiv:1910.07467 (who have no epsilon), without its partial variant

    >>> layer = RMSNorm()
    >>> layer.build((2,), np.random.default_rng(0))
    (2,)
    >>> layer(np.array([[1.0, 7.0]])).round(3)
    array([[0.2, 1.4]])
    """

    parameter_names = ("gamma",)
    any_shape = True

    gamma: Array
    dgamma: Array

    def __init__(self, epsilon: float = 1e-5) -> None:
        self.epsilon = number("RMSNorm", "epsilon", epsilon, "(0, inf)")

    def build(self, in_shape: Shape, rng: np.random.Generator) -> Shape:
        self.gamma = np.ones(in_shape[-1])
        return in_shape

    def forward(self, x: Array, train: bool = False, rng: np.random.Generator | None = None) -> tuple[Array, Cache]:
        rstd = 1 / np.sqrt((x * x).mean(axis=-1, keepdims=True) + self.epsilon)
        x_hat = x * rstd
        return self.gamma * x_hat, (x_hat, rstd)

    def backward(self, dy: Array, cache: Cache, need_dx: bool = True) -> Array | None:
        x_hat, rstd = cache
        np.sum(dy * x_hat, axis=tuple(range(dy.ndim - 1)), out=self.dgamma)  # y = gamma * x_hat
        if not need_dx:
            return None
        dx_hat = self.gamma * dy
        dx_hat -= x_hat * (dx_hat * x_hat).mean(axis=-1, keepdims=True)  # x_hat = x * rstd, and rstd hangs on x too
        return dx_hat * rstd
