"""Huber's loss: squared error for small misses, absolute error for large ones, so that outliers do not rule."""

from __future__ import annotations

from chainrule.configurable import number
from chainrule.layers.layer import Array
from chainrule.losses.loss import Loss, weighted


class Huber(Loss):
    """Half the squared error up to a miss of delta, a straight line of slope delta beyond.

    Shapes      outputs, targets: (N, K), the same
    Forward     d = outputs - targets,  loss = d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2); averaged over
                rows and over the K outputs, as in PyTorch
    Backward    dL/doutputs = d / (N K) where |d| <= delta, else delta sign(d) / (N K): no jump
    Arguments   delta  where a miss counts as large, in units of the targets (default 1)
    Raises      ShapeError if the shapes differ; ConfigurationError unless delta is above 0
    Source      Huber 1964, Ann. Math. Statist. 35, 73-101; PyTorch's huber_loss. Its smooth_l1_loss(beta) is this
                with delta = beta, divided by beta: the slope of its straight lines is 1

    >>> loss, gradient = Huber(delta=2.0)(np.array([[1.0], [-5.0]]), [[0.0], [0.0]])
    >>> loss, gradient.ravel()                                         # (1 / 2 + 2 (5 - 1)) / 2
    (4.25, array([ 0.5, -1. ]))
    """

    def __init__(self, delta: float = 1.0) -> None:
        self.delta = number("Huber", "delta", delta, "(0, inf)")

    def compute(self, outputs: Array, targets: Array, weights: Array | None, total: float) -> tuple[float, Array]:
        d = outputs - targets.astype(outputs.dtype, copy=False)
        slope = d.clip(-self.delta, self.delta)
        rows = (slope * (d - slope / 2)).mean(axis=-1)  # d (d - d / 2) within, delta (|d| - delta / 2) beyond
        if weights is not None:
            slope *= weights[:, None]
        slope /= total * outputs.shape[-1]
        return weighted(rows, weights) / total, slope
