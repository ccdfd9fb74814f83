"""What a classifier gets wrong, counted: an accuracy says how often, a confusion matrix says what for what."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from chainrule.configurable import number
from chainrule.errors import LabelError
from chainrule.layers.layer import Array
from chainrule.metrics.arguments import answers

MOST_CLASSES = 10_000  # a table of 800 MB


class Confusion(NamedTuple):
    """One kind of mistake and how often it was made."""

    true: int
    predicted: int
    times: int


def confusion_matrix(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, classes: int | None = None) -> Array:
    """How often each true label (row) was answered with each label (column).

    Shapes      y_true (N,) labels, or (N, K) one-hot or soft    y_pred (N,)    result (K, K)
    Arguments   classes  K; None: the largest label plus one (default)
    Raises      LabelError for labels that are not whole numbers from 0 to K - 1; ShapeError if there is not one each

    >>> confusion_matrix([0, 0, 1, 2], [0, 1, 1, 2])
    array([[1, 1, 0],
           [0, 1, 0],
           [0, 0, 1]])
    """
    true, predicted = answers(y_true, y_pred)
    if true.ndim > 1:
        raise LabelError(f"confusion_matrix: expected one label a row, received {true.shape}. Count column by column.")
    labels = np.concatenate([true, predicted])
    least, largest = labels.min(initial=0), labels.max(initial=-1)
    if least < 0:
        raise LabelError(f"confusion_matrix: expected labels from 0 up, received {least}. Labels -1 and 1: y > 0.")
    K = largest + 1 if classes is None else number("confusion_matrix", "classes", classes, "[1, inf)", whole=True)
    if largest >= K:
        raise LabelError(f"confusion_matrix: expected labels from 0 to {K - 1}, received {largest}. Raise classes.")
    if K > MOST_CLASSES:
        raise LabelError(f"confusion_matrix: expected at most {MOST_CLASSES:,} classes, received labels up to {K - 1}.")
    return np.bincount(true * K + predicted, minlength=K * K).reshape(K, K)


def most_confused(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, k: int = 5) -> list[Confusion]:
    """The k most frequent mistakes, the most frequent first; fewer if there are fewer kinds.

    Shapes      y_true, y_pred (N,)
    Arguments   k  how many (default 5)
    Raises      LabelError, ShapeError as confusion_matrix

    >>> most_confused([4, 4, 4, 7, 9], [9, 9, 4, 1, 9])
    [Confusion(true=4, predicted=9, times=2), Confusion(true=7, predicted=1, times=1)]
    """
    mistakes = confusion_matrix(y_true, y_pred)
    np.fill_diagonal(mistakes, 0)
    order = np.argsort(-mistakes, axis=None, kind="stable")[: number("most_confused", "k", k, "[0, inf)", whole=True)]
    pairs = (Confusion(*divmod(int(i), len(mistakes)), int(mistakes.flat[i])) for i in order)
    return [pair for pair in pairs if pair.times]
