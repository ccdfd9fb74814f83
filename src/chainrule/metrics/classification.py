"""How often a classifier is right, over all rows and class by class: judged by its predictions."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from chainrule.configurable import number
from chainrule.errors import ConfigurationError, LabelError, unknown_name
from chainrule.layers.layer import Array
from chainrule.metrics.arguments import answers, mean, row_weights, wants

AVERAGES = ("macro", "micro", "weighted", "binary")


@wants("classes")
def accuracy(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """The share of rows answered right; of several answers a row, all must be.

    Shapes      y_true, y_pred (N,) labels or (N, K) of 0 and 1    sample_weight (N,)
    Raises      LabelError for text and fractions; ShapeError if the shapes do not fit together

    >>> accuracy([0, 1, 2, 2], [0, 1, 2, 0])
    0.75
    """
    true, predicted = answers(y_true, y_pred)
    right = true == predicted
    return float(mean(right if right.ndim == 1 else right.all(axis=1), sample_weight))


@wants("classes")
def balanced_accuracy(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
) -> float:
    """The mean recall of the classes that occur among the targets: rare ones count like frequent ones.

    Shapes      y_true, y_pred (N,)    sample_weight (N,)
    Raises      LabelError, ShapeError as accuracy; LabelError for several answers a row

    >>> balanced_accuracy([0, 0, 0, 1], [0, 0, 0, 0])                                    # where the accuracy is 0.75
    0.5
    """
    true, predicted = answers(y_true, y_pred)
    if true.ndim > 1:
        raise LabelError(f"balanced_accuracy: expected one label a row, received {true.shape}. Take recall for these.")
    right, _, occurring = _counts(true, predicted, None, sample_weight)
    occurs = occurring > 0
    return float((right[occurs] / occurring[occurs]).mean())


@wants("classes")
def precision(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    average: str | None = "macro",
    sample_weight: npt.ArrayLike | None = None,
) -> float | Array:
    """Of the rows answered with a class, the share that are of it; 0 for a class that is never answered.

    Shapes      y_true, y_pred (N,) labels or (N, K) of 0 and 1    sample_weight (N,)    result a number, or (classes,)
    Forward     precision = right / answered,  counted for every class
    Arguments   average  "macro"     mean over the classes that occur in y_true or y_pred, or over the K columns
                                     (default)
                         "micro"     the counts are summed over the classes first
                         "weighted"  as macro, each class as often as it occurs in y_true
                         "binary"    of label 1 alone; there may be only one other
                         None        one number for each class, in order
    Raises      LabelError, ShapeError as accuracy; ConfigurationError for another average

    >>> precision([0, 0, 1, 1], [0, 1, 1, 1], average="binary")
    0.6666666666666666
    """
    right, predicted, true = _counts(y_true, y_pred, average, sample_weight)
    return _averaged(right, predicted, true, average)


@wants("classes")
def recall(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    average: str | None = "macro",
    sample_weight: npt.ArrayLike | None = None,
) -> float | Array:
    """Of the rows of a class, the share that are answered with it; 0 for a class that has none.

    Forward     recall = right / occurring,  counted for every class
    Shapes, arguments and errors are those of precision.

    >>> recall([0, 0, 1, 1], [0, 1, 1, 1], average=None)
    array([0.5, 1. ])
    """
    right, _, true = _counts(y_true, y_pred, average, sample_weight)
    return _averaged(right, true, true, average)


@wants("classes")
def f1(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    average: str | None = "macro",
    sample_weight: npt.ArrayLike | None = None,
) -> float | Array:
    """The harmonic mean of precision and recall: high only where both are; 0 where both are 0.

    Forward     F1 = 2 precision recall / (precision + recall) = 2 right / (answered + occurring),  for every class
    Shapes, arguments and errors are those of precision.

    >>> f1([0, 0, 1, 1], [0, 1, 1, 1], average="binary")
    0.8
    """
    right, predicted, true = _counts(y_true, y_pred, average, sample_weight)
    return _averaged(2 * right, predicted + true, true, average)


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """The 95 % interval of a share, such as an accuracy, from so many successes in so many trials.

    Forward     with p the share, n the trials and z = 1.96:
                (p + z^2 / 2n -+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)
    Raises      ConfigurationError for more successes than trials, or no trial at all
    Source      Wilson 1927, JASA 22, 209-212

    >>> low, high = wilson_interval(39, 64)
    >>> round(low, 3), round(high, 3)
    (0.487, 0.719)
    """
    n, z = number("wilson_interval", "trials", trials, "[1, inf)", whole=True), 1.96
    p = number("wilson_interval", "successes", successes, f"[0, {n}]", whole=True) / n
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, (middle - half) / (1 + z * z / n)), min(1.0, (middle + half) / (1 + z * z / n))


def _counts(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, average: str | None, sample_weight: npt.ArrayLike | None
) -> Array:
    """The weights of the rows answered right, answered, occurring; one column for each class to be averaged."""
    if average is not None and average not in AVERAGES:
        raise unknown_name("average", average, AVERAGES)
    true, predicted = answers(y_true, y_pred)
    weights = row_weights(sample_weight, len(true))
    classes = np.union1d(true, predicted)
    if average == "binary":
        if true.ndim > 1 or len(np.union1d(classes, 1)) > 2:
            raise ConfigurationError(
                f"average='binary' is for labels 0 and 1 of shape (N,), received {classes} of shape {true.shape}. "
                "Take 'macro', or None for one number a class."
            )
        classes = np.array([1])
    if true.ndim == 1:
        true, predicted = true[:, None] == classes, predicted[:, None] == classes
    counts = np.stack([weights @ (true & predicted), weights @ predicted, weights @ true])
    return counts.sum(axis=1, keepdims=True) if average == "micro" else counts


def _averaged(part: Array, whole: Array, true: Array, average: str | None) -> float | Array:
    """part / whole for every class, 0 where there is no whole, then the average of them."""
    shares = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    if average is None:
        return shares
    return float(np.average(shares, weights=true if average == "weighted" and true.any() else None))
