"""What a metric is given: its arguments are read here once, so that the other files hold formulas alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from chainrule import border
from chainrule.errors import DataError, LabelError, ShapeError, unknown_name
from chainrule.evaluation import VIEWS
from chainrule.layers.layer import Array
from chainrule.losses import BinaryCrossEntropy, CrossEntropy
from chainrule.losses.loss import check_weights

Metric = TypeVar("Metric", bound=Callable[..., Any])


def wants(view: str) -> Callable[[Metric], Metric]:
    """Mark a metric by what it judges: it then has the attribute `wants`, by which a Trainer calls it.

    Arguments   view  "predictions", as of network.predict, which needs no mark; "classes" or "numbers", the same of a
                      network that predicts these, while another one is refused; "probabilities", as of
                      network.predict_proba; or "outputs", as of network(x)
    Raises      ConfigurationError for another view

    >>> @wants("outputs")
    ... def largest_logit(y_true, outputs):
    ...     return float(outputs.max())
    >>> largest_logit.wants
    'outputs'
    """
    if view not in VIEWS:
        raise unknown_name("view", view, VIEWS)

    def mark(metric: Metric) -> Metric:
        metric.wants = view  # type: ignore[attr-defined]
        return metric

    return mark


def answers(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> tuple[Array, Array]:
    """True and predicted labels, both (N,), or the 0 and 1 of several answers a row, both (N, K)."""
    true, predicted = border.as_targets(y_true), border.as_targets(y_pred)
    if predicted.shape[1:] == (1,):
        predicted = predicted[:, 0]
    if predicted.ndim == 1:
        true = one_answer(true)
    if true.shape != predicted.shape:
        raise ShapeError(
            f"expected one prediction for each target, received y_true {true.shape} and y_pred {predicted.shape}. "
            "If y_pred holds probabilities, say y_pred.argmax(axis=1), or y_pred > 0.5 where several may be right."
        )
    if true.ndim > 1:
        true, predicted = several_answers(true), BinaryCrossEntropy().check(predicted, predicted.shape)
    return whole("y_true", true), whole("y_pred", predicted)


def one_answer(true: Array) -> Array:
    """Targets with one right answer a row as labels (N,): read as `network.accuracy` reads them."""
    if true.ndim == 1:
        return whole("y_true", true)
    if true.shape[1:] == (1,):  # yes or no, perhaps soft
        return several_answers(true)[:, 0]
    return CrossEntropy().check(true, true.shape).argmax(axis=1)


def several_answers(true: Array) -> Array:
    """Targets (N, K), each 0 or 1, or soft and then the nearer of the two."""
    return (BinaryCrossEntropy().check(true, true.shape) > 0.5).astype(np.int64)


def whole(name: str, labels: Array) -> Array:
    """Labels as integers, which floats may be written for."""
    with np.errstate(invalid="ignore"):
        integers = labels.astype(np.int64)
    if (integers != labels).any():
        wrong = labels[integers != labels][0]
        raise LabelError(f"{name}: expected labels, whole numbers, received {wrong}. Probabilities: say {name} > 0.5.")
    return integers


def numbers(name: str, values: npt.ArrayLike) -> Array:
    """Finite numbers in double precision, as rows (N, K); (N,) is one column."""
    array = border.as_array(values, name)
    if array.ndim not in (1, 2):
        raise ShapeError(f"{name}: expected shape (N,) or (N, K), received {array.shape}. Make each example one row.")
    border.check_rows(array, array, name)
    border.check_finite(array, name, np.float64)
    return array.reshape(len(array), -1).astype(np.float64)


def row_weights(sample_weight: npt.ArrayLike | None, n: int) -> Array:
    """How much each of the n rows counts; 1 if nothing is said."""
    if n == 0:
        raise DataError("y_true: Found array with 0 sample(s) while a minimum of 1 is required.")
    return np.ones(n) if sample_weight is None else check_weights(sample_weight, n).astype(np.float64)


def mean(rows: Array, sample_weight: npt.ArrayLike | None) -> Array:
    """The mean over the rows, each counted by its weight."""
    return np.average(rows, axis=0, weights=row_weights(sample_weight, len(rows)))
