"""Normalization: the one place where the examples of a batch see each other, and so does their gradient."""

from __future__ import annotations

import math

import numpy as np

from chainrule.configurable import number
from chainrule.errors import ShapeError
from chainrule.layers.layer import Array, Cache, Layer, Shape


class BatchNorm(Layer):
    """Brings each feature to mean 0 and variance 1 over the batch, then stretches by gamma and shifts by beta.

    In training the statistics are those of the batch; in use they are running averages, which `update_state` moves a
    little towards each batch it is shown. Of images (N, H, W, C) the features are the channels.

    Shapes      x, y: (N, ..., D)    gamma, beta, running_mean, running_variance: (D,)
                cache: x_hat, rstd, mean, variance, train
    Forward     rstd = 1 / sqrt(variance + epsilon),  x_hat = (x - mean) * rstd,  y = gamma * x_hat + beta
                mean and variance (divided by M) run over the M = N * ... positions of the batch
    Backward    with dx_hat = gamma * dy and averages over the M positions:
                dx = rstd * (dx_hat - mean(dx_hat) - x_hat * mean(dx_hat * x_hat))
                dgamma = sum of dy * x_hat,    dbeta = sum of dy;    in use dx = rstd * dx_hat
    State       running = (1 - momentum) * running + momentum * batch; the running variance takes the batch's divided by
                M - 1, as PyTorch's does
    Arguments   momentum  share of the newest batch, in (0, 1] (default 0.1; Keras counts the other way, 0.9)
                epsilon   added to the variance, in units of x squared (default 1e-5)
    Raises      ShapeError in training with a single position, whose variance is 0
    Source      Ioffe, Szegedy 2015, arXiv:1502.03167, algorithm 1

    >>> layer = BatchNorm()
    >>> layer.build((1,), np.random.default_rng(0))
    (1,)
    >>> layer.forward(np.array([[1.0], [3.0]]), train=True)[0].round(3)
    array([[-1.],
           [ 1.]])
    """

    parameter_names = ("gamma", "beta")
    state_names = ("running_mean", "running_variance")
    any_shape = True

    gamma: Array
    beta: Array
    dgamma: Array
    dbeta: Array
    running_mean: Array
    running_variance: Array

    def __init__(self, *, momentum: float = 0.1, epsilon: float = 1e-5) -> None:
        self.momentum = number("BatchNorm", "momentum", momentum, "(0, 1]")
        self.epsilon = number("BatchNorm", "epsilon", epsilon, "(0, inf)")

    def build(self, in_shape: Shape, rng: np.random.Generator) -> Shape:
        D = in_shape[-1]
        self.min_rows = 2 if math.prod(in_shape[:-1]) == 1 else 1  # the variance needs two positions
        self.gamma, self.beta = np.ones(D), np.zeros(D)
        self.running_mean, self.running_variance = np.zeros(D), np.ones(D)
        return in_shape

    def forward(self, x: Array, train: bool = False, rng: np.random.Generator | None = None) -> tuple[Array, Cache]:
        if train:
            positions = tuple(range(x.ndim - 1))
            if x.size // x.shape[-1] < 2:
                raise ShapeError(
                    f"{self.title()}: expected at least 2 rows in training, received x of shape {x.shape}: one row "
                    "alone has no variance. Choose a batch size that leaves no single row at the end of an epoch."
                )
            mean, variance = x.mean(axis=positions), x.var(axis=positions)
        else:
            mean, variance = self.running_mean, self.running_variance
        rstd = 1 / np.sqrt(variance + self.epsilon)
        x_hat = (x - mean) * rstd
        return self.gamma * x_hat + self.beta, (x_hat, rstd, mean, variance, train)

    def backward(self, dy: Array, cache: Cache, need_dx: bool = True) -> Array | None:
        x_hat, rstd, _, _, train = cache
        positions = tuple(range(dy.ndim - 1))
        np.sum(dy * x_hat, axis=positions, out=self.dgamma)  # y = gamma * x_hat + beta
        np.sum(dy, axis=positions, out=self.dbeta)
        if not need_dx:
            return None
        dx_hat = self.gamma * dy
        if train:  # mean and variance are functions of x too: two more paths back to it
            dx_hat -= dx_hat.mean(axis=positions) + x_hat * (dx_hat * x_hat).mean(axis=positions)
        return dx_hat * rstd

    def update_state(self, cache: Cache) -> None:
        x_hat, _, mean, variance, _ = cache
        M = x_hat.size // x_hat.shape[-1]
        self.running_mean += self.momentum * (mean - self.running_mean)
        self.running_variance += self.momentum * (variance * (M / (M - 1)) - self.running_variance)
