"""How far predicted numbers are from the true ones: in their own unit, and as a share of their scatter."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from chainrule.errors import ShapeError
from chainrule.layers.layer import Array
from chainrule.metrics.arguments import mean, numbers, wants


@wants("numbers")
def mae(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Mean absolute error: by how much a prediction is off, in the unit of y.

    Shapes      y_true, y_pred (N,) or (N, K)    sample_weight (N,)
    Forward     mean of |y_pred - y_true| over the rows, then over the K outputs
    Raises      ShapeError if the shapes differ; DataError for values that are not finite

    >>> mae([1.0, 2.0, 3.0], [1.0, 2.0, 6.0])
    1.0
    """
    true, predicted = _pair(y_true, y_pred)
    return float(mean(np.abs(predicted - true), sample_weight).mean())


@wants("numbers")
def rmse(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Root of the mean squared error: as mae in the unit of y, but large errors count for more.

    Forward     root of the mean of (y_pred - y_true)^2 over the rows, for each output; then the mean over the K outputs
    Shapes and errors are those of mae.

    >>> rmse([1.0, 2.0, 3.0], [1.0, 2.0, 6.0])
    1.7320508075688772
    """
    true, predicted = _pair(y_true, y_pred)
    return float(np.sqrt(mean((predicted - true) ** 2, sample_weight)).mean())


@wants("numbers")
def r2(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """The share of the scatter of y that the predictions explain: 1 for all of it, 0 for no better than the mean of y.

    Forward     R2 = 1 - sum of (y_true - y_pred)^2 / sum of (y_true - mean of y_true)^2, for each output; then the mean
                over the K outputs. Where y_true is constant there is nothing to explain: 1 if all predictions are
                right, else 0. A single row has no scatter: NaN
    Shapes and errors are those of mae.

    >>> r2([0.0, 1.0, 2.0], [0.0, 1.0, 2.0]), r2([0.0, 1.0, 2.0], [1.0, 1.0, 1.0])
    (1.0, 0.0)
    """
    true, predicted = _pair(y_true, y_pred)
    if len(true) == 1:
        return math.nan
    from_first = true - true[0]  # of constant numbers exactly 0, which the rounded mean may miss
    scatter = mean((from_first - mean(from_first, sample_weight)) ** 2, sample_weight)
    error = mean((predicted - true) ** 2, sample_weight)
    return float(1 - np.divide(error, scatter, out=np.sign(error), where=scatter > 0).mean())


def _pair(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> tuple[Array, Array]:
    true, predicted = numbers("y_true", y_true), numbers("y_pred", y_pred)
    if true.shape != predicted.shape:
        raise ShapeError(
            f"expected one prediction for each target, received y_true {true.shape} and y_pred {predicted.shape}, as "
            "rows. Labels of classes? Take accuracy, or f1."
        )
    return true, predicted
