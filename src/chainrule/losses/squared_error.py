"""Squared error: how far off a number is, big misses counting most."""

from __future__ import annotations

from chainrule.layers.layer import Array
from chainrule.losses.loss import Loss, weighted


class SquaredError(Loss):
    """The mean squared error, MSE.

    Shapes      outputs, targets: (N, K), the same
    Forward     loss = (outputs - targets)^2, averaged over rows and over the K outputs, as in PyTorch
    Backward    dL/doutputs = 2 (outputs - targets) / (N K)
    Raises      ShapeError if the shapes differ: (N,) against (N, 1) would broadcast to (N, N) without a word

    >>> loss, gradient = SquaredError()(np.array([[1.0], [3.0]]), [[1.0], [1.0]])
    >>> loss, gradient.ravel()
    (2.0, array([0., 2.]))
    """

    def compute(self, outputs: Array, targets: Array, weights: Array | None, total: float) -> tuple[float, Array]:
        difference = outputs - targets.astype(outputs.dtype, copy=False)
        K = outputs.shape[-1]
        gradient = difference * (2 / (total * K))
        if weights is not None:
            gradient *= weights[:, None]
        return weighted((difference * difference).mean(axis=-1), weights) / total, gradient


MSE = SquaredError
