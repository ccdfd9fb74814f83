"""The Poisson loss: how surprising a count is, where a rate of 100 may miss by 10 and a rate of 1 may not."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.errors import DataError, LabelError
from chainrule.layers.layer import Array
from chainrule.losses.loss import Loss, check_values, weighted

EPSILON = 1e-8  # added to a rate before its logarithm is taken, as in PyTorch


class Poisson(Loss):
    """Surprise at counts, -log p[count]: calls an hour, goals a match, anything of at least 0 that has a rate.

    A network learns log rates, which may be any number; its task is then output="exp", and `predict` gives rates.

    Shapes      outputs, targets: (N, K), the same
    Forward     loss = e^z - t z,  z the outputs and t the targets, averaged over rows and over the K outputs, as in
                PyTorch. It is log t! short of -log p[t]; where e^z is too large for the dtype it is infinite.
                For rates r = outputs,  loss = r - t log(r + 1e-8), as in PyTorch
    Backward    dL/doutputs = (e^z - t) / (N K): the rate less the count. For rates dL/doutputs = (1 - t / (r + 1e-8)) /
                (N K)
    Arguments   log_input  the outputs are log rates (default True). False: they are rates, of at least 0, from a last
                           layer that sees to that
                full       add log t! where t > 1, by Stirling: t log t - t + log(2 pi t) / 2; no gradient (default
                           False)
    Raises      LabelError for targets below 0; ShapeError for other shapes; DataError for rates below 0
    Source      Nelder, Wedderburn 1972, J. R. Statist. Soc. A 135, 370-384; PyTorch's poisson_nll_loss

    >>> loss, gradient = Poisson()(np.log([[2.0], [4.0]]), [[2], [1]])
    >>> round(loss, 4), gradient.ravel().round(3)
    (1.6137, array([0. , 1.5]))
    """

    def __init__(self, *, log_input: bool = True, full: bool = False) -> None:
        self.log_input = log_input
        self.full = full
        self.output = "exp" if log_input else "identity"

    def check(self, targets: Any, shape: tuple[int, ...]) -> Array:
        targets = check_values("Poisson", targets, shape)
        if targets.min() < 0:
            row = int(np.argwhere(targets < 0)[0][0])
            raise LabelError(
                f"Poisson: targets must be counts or rates of at least 0, but row {row} has {targets[row].min()}. "
                "Numbers of either sign? Use SquaredError."
            )
        return targets

    def admit(self, outputs: Array) -> None:
        if not self.log_input and not (outputs >= 0).all():
            row = int(np.argwhere(~(outputs >= 0))[0][0])
            raise DataError(
                f"{self!r}: expected outputs that are rates of at least 0, but row {row} has {outputs[row].min()}. "
                "Log rates? Use Poisson()."
            )

    def compute(self, outputs: Array, targets: Array, weights: Array | None, total: float) -> tuple[float, Array]:
        t = targets.astype(outputs.dtype, copy=False)
        if self.log_input:
            with np.errstate(over="ignore"):  # an infinite rate is an infinite loss, as it should be
                rate = np.exp(outputs)
            surprise, gradient = rate - t * outputs, rate - t
        else:
            rate = outputs + EPSILON
            surprise, gradient = outputs - t * np.log(rate), 1 - t / rate
        if self.full:
            many = np.maximum(t, 1)
            surprise += np.where(t > 1, many * np.log(many) - many + np.log(2 * math.pi * many) / 2, 0)
        if weights is not None:
            gradient *= weights[:, None]
        gradient /= total * outputs.shape[-1]
        return weighted(surprise.mean(axis=-1), weights) / total, gradient
