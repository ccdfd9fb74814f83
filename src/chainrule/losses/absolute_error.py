"""Absolute error: how far off a number is, a miss of 2 counting twice a miss of 1 and no more."""

from __future__ import annotations

import numpy as np

from chainrule.layers.layer import Array
from chainrule.losses.loss import Loss, weighted


class AbsoluteError(Loss):
    """The mean absolute error, MAE: outliers pull no harder than other rows, and the best answer is the median.

    Shapes      outputs, targets: (N, K), the same
    Forward     loss = |outputs - targets|, averaged over rows and over the K outputs, as in PyTorch
    Backward    dL/doutputs = sign(outputs - targets) / (N K)    (where they are equal we take 0, as PyTorch)
    Raises      ShapeError if the shapes differ: (N,) against (N, 1) would broadcast to (N, N) without a word

    >>> loss, gradient = AbsoluteError()(np.array([[1.0], [3.0]]), [[1.0], [1.0]])
    >>> loss, gradient.ravel()
    (1.0, array([0. , 0.5]))
    """

    def compute(self, outputs: Array, targets: Array, weights: Array | None, total: float) -> tuple[float, Array]:
        difference = outputs - targets.astype(outputs.dtype, copy=False)
        gradient = np.sign(difference)
        if weights is not None:
            gradient *= weights[:, None]
        gradient /= total * outputs.shape[-1]
        return weighted(np.abs(difference).mean(axis=-1), weights) / total, gradient


MAE = AbsoluteError
