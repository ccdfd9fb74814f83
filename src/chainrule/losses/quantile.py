"""The quantile or pinball loss: a network that says not only what to expect, but how far off it may be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.border import as_targets
from chainrule.configurable import number
from chainrule.errors import ConfigurationError, ShapeError
from chainrule.layers.layer import Array
from chainrule.losses.loss import Loss, check_outputs, check_values, weighted


class Quantile(Loss):
    """Too low costs q for every unit, too high 1 - q, so the best answer has a share q of the targets below it.

    Several quantiles give prediction intervals: Quantile((0.1, 0.5, 0.9)), on a network with three outputs, learns a
    middle and an interval that holds 80 % of the targets, wide where they scatter. Nothing keeps the columns of a
    row in order; where two cross, np.sort(network.predict(x)) puts them right.

    Shapes      one quantile: outputs, targets (N, K), the same
                K quantiles: outputs (N, K), column k for quantile k; targets (N, 1)
    Forward     d = targets - outputs,  loss = max(q d, (q - 1) d), averaged over rows and over the K outputs
    Backward    dL/doutputs = -q / (N K) where d > 0, else (1 - q) / (N K): the output is too low, or too high
                (where they are equal we take 0)
    Arguments   quantiles  q in (0, 1), or a sequence of them (default 0.5: the median, half the AbsoluteError)
    Raises      ShapeError for other shapes; ConfigurationError for other numbers, or none
    Source      Koenker, Bassett 1978, Econometrica 46, 33-50; sorting: Chernozhukov and others 2010, Econometrica 78

    >>> loss, gradient = Quantile((0.1, 0.9))(np.array([[2.0, 2.0]]), [[3.0]])                 # both too low by 1
    >>> loss, gradient
    (0.5, array([[-0.05, -0.45]]))
    """

    def __init__(self, quantiles: float | Sequence[float] = 0.5) -> None:
        self.quantiles: float | tuple[float, ...] = (
            tuple(number("Quantile", "quantiles", q, "(0, 1)") for q in quantiles)
            if isinstance(quantiles, (list, tuple, np.ndarray))
            else number("Quantile", "quantiles", quantiles, "(0, 1)")
        )
        if self.quantiles == ():
            raise ConfigurationError("Quantile: expected at least one quantile, such as (0.1, 0.9), received none.")

    def check(self, targets: Any, shape: tuple[int, ...]) -> Array:
        if not isinstance(self.quantiles, tuple):
            return check_values("Quantile", targets, shape)
        check_outputs("Quantile", shape)
        K, targets = len(self.quantiles), as_targets(targets)
        if shape[-1] != K:
            raise ShapeError(
                f"{self!r}: expected one output for each of {K} quantiles, received outputs of shape {shape}. "
                f"End the network in {K} outputs."
            )
        if targets.shape != (shape[0], 1):
            raise ShapeError(
                f"{self!r}: expected targets of shape {(shape[0], 1)}, one number a row that all quantiles are of, "
                f"received {targets.shape}."
                + (f" Reshape the targets to {(shape[0], 1)}: y.reshape(-1, 1)." if targets.size == shape[0] else "")
            )
        return check_values("Quantile", targets, (shape[0], 1))

    def compute(self, outputs: Array, targets: Array, weights: Array | None, total: float) -> tuple[float, Array]:
        q = np.atleast_1d(np.asarray(self.quantiles, outputs.dtype))
        d = targets.astype(outputs.dtype, copy=False) - outputs  # (N, 1) - (N, K): each column against the same target
        gradient = (d < 0) - q
        gradient[d == 0] = 0
        if weights is not None:
            gradient *= weights[:, None]
        gradient /= total * outputs.shape[-1]
        return weighted(np.maximum(q * d, (q - 1) * d).mean(axis=-1), weights) / total, gradient
