"""How well scores put the right before the wrong: judged by probabilities, without any threshold."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from chainrule import border
from chainrule.configurable import number
from chainrule.errors import LabelError, ShapeError
from chainrule.layers.layer import Array
from chainrule.losses import CrossEntropy
from chainrule.metrics.arguments import mean, numbers, one_answer, row_weights, several_answers, wants


@wants("probabilities")
def top_k_accuracy(
    y_true: npt.ArrayLike, scores: npt.ArrayLike, k: int = 5, sample_weight: npt.ArrayLike | None = None
) -> float:
    """The share of rows whose class is among the k with the highest scores.

    Shapes      y_true (N,) labels, or (N, K) one-hot or soft    scores (N, K)    sample_weight (N,)
    Arguments   k  how many answers are allowed, at most K (default 5). Among equal scores the later class comes first,
                   as in scikit-learn, where network.predict takes the earlier
    Raises      LabelError for labels out of 0..K-1; ShapeError, DataError for scores of other shapes or not finite

    >>> top_k_accuracy([0, 1, 2], [[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.5, 0.3, 0.2]], k=2)
    0.6666666666666666
    """
    rows = numbers("scores", scores)
    N, K = rows.shape
    if K == 1:
        raise ShapeError(f"top_k_accuracy: expected scores of shape (N, K), received {(N, K)}. Say predict_proba(x).")
    k = number("top_k_accuracy", "k", k, f"[1, {K}]", whole=True)
    labels = CrossEntropy().check(one_answer(border.as_targets(y_true)), (N, K))
    best = np.argsort(rows, axis=1, kind="stable")[:, -k:]
    return float(mean((best == labels[:, None]).any(axis=1), sample_weight))


@wants("probabilities")
def roc_auc(y_true: npt.ArrayLike, scores: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """The chance that a row of a class scores higher for it than a row of another class: 1 at best, 0.5 by guessing.

    That is the area under the ROC curve. Of two classes it is said for the second; of more, or of several answers a
    row, for each against the rest, and averaged. It is NaN if a class has no rows, or all of them.

    Shapes      y_true (N,) labels, (N, 1) of 0 and 1, or (N, K) one-hot, soft or several answers    sample_weight (N,)
                scores (N,) or (N, 1) of the larger of two labels; (N, 2) of both; or (N, K)
    Forward     over all pairs of a row of the class and another one: the share in which the first has the higher score,
                equal scores counting half
    Raises      LabelError for more labels than scores; ShapeError, DataError for scores of other shapes or not finite
    Source      Hanley, McNeil 1982, Radiology 143, 29-36; one against the rest: Provost, Domingos 2000, CeDER-00-04,
                there weighted by class, here not

    >>> roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    columns, true = numbers("scores", scores), border.as_targets(y_true)
    N, K = columns.shape
    in_rows = K > 1 and true.shape == (N, K)
    if in_rows and not np.allclose(true.sum(axis=1), 1, atol=1e-3):
        of_class = several_answers(true) == 1
    elif K > 2 or in_rows:
        labels = CrossEntropy().check(one_answer(true), (N, K))
        of_class = labels[:, None] == np.arange(K)
    else:
        labels = one_answer(true)
        classes = np.unique(labels)
        if labels.shape != (N,):
            raise ShapeError(f"roc_auc: expected one score for each target, received {N:,} and {len(labels):,}.")
        if len(classes) > 2:
            raise LabelError(f"roc_auc: {len(classes)} labels, but scores {columns.shape}. Say predict_proba(x).")
        of_class, columns = labels[:, None] == classes[-1], columns[:, -1:]
    weights = row_weights(sample_weight, N)
    return float(np.mean([_area(*column, weights) for column in zip(of_class.T, columns.T, strict=True)]))


def _area(of_class: Array, scores: Array, weights: Array) -> float:
    """The share of pairs in the right order, counted group by group of rows with the same score."""
    _, group = np.unique(scores, return_inverse=True)
    inside, outside = np.bincount(group, weights * of_class), np.bincount(group, weights * ~of_class)
    below = np.cumsum(outside) - outside / 2  # the others with a lower score, and half of those with the same
    pairs = inside.sum() * outside.sum()
    return inside @ below / pairs if pairs else math.nan
