"""Cross-entropy with the softmax inside: how surprised the network is by the right answer."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.border import as_targets
from chainrule.configurable import number
from chainrule.errors import DataError, LabelError, ShapeError, warn
from chainrule.layers.layer import Array
from chainrule.losses.loss import Loss, check_outputs, weighted


class CrossEntropy(Loss):
    """Surprise at the right class, -log p[right]: little when sure and right, large when sure and wrong.

    Shapes      outputs (N, K) logits    targets (N,) labels 0..K-1, or (N, K) rows that sum to 1 (one-hot or soft)
    Forward     p = softmax(outputs),  loss = -sum of q_k log p_k, averaged over the rows; q is the target row, after
                smoothing q = (1 - s) q + s / K;  from probabilities p = outputs
    Backward    dL/doutputs = (p - q) / N: the softmax's and the logarithm's derivatives cancel to a difference;
                from probabilities dL/doutputs = -q / p / N, with p at least the dtype's smallest normal number
    Arguments   label_smoothing     s, a fraction in [0, 1) (default 0)
                from_probabilities  the outputs are already probabilities, from a Softmax layer (default False)
    Raises      LabelError for text, fractions, or labels out of 0..K-1; ShapeError for other shapes; DataError for
                outputs that are said to be probabilities and are not
    Source      Bridle 1990, NIPS; smoothing: Szegedy and others 2016, arXiv:1512.00567, section 7

    >>> loss, gradient = CrossEntropy()(np.array([[2.0, 1.0, 0.1]]), [0])
    >>> round(loss, 4), gradient.round(3)
    (0.417, array([[-0.341,  0.242,  0.099]]))
    """

    output = "softmax"

    def __init__(self, *, label_smoothing: float = 0.0, from_probabilities: bool = False) -> None:
        self.label_smoothing = number("CrossEntropy", "label_smoothing", label_smoothing, "[0, 1)")
        self.from_probabilities = from_probabilities

    def check(self, targets: Any, shape: tuple[int, ...]) -> Array:
        check_outputs("CrossEntropy", shape)
        targets, K = as_targets(targets), shape[-1]
        if K < 2:
            raise ShapeError(
                "CrossEntropy: softmax over 1 output is always 1. Give the network one output per class, or use "
                "BinaryCrossEntropy for a single yes-or-no output."
            )
        if targets.shape == shape:
            return _checked_distributions(targets)
        if targets.shape != shape[:-1]:
            raise ShapeError(
                f"CrossEntropy: expected targets of shape {shape[:-1]} (labels) or {shape} (one-hot or soft rows), "
                f"received {targets.shape}."
                + (" Ravel the labels: y.ravel()." if targets.size == shape[0] else " One output per class, please.")
            )
        if targets.dtype.kind == "f" and not (np.isfinite(targets) & (targets == np.floor(targets))).all():
            row = int(np.argmin(np.isfinite(targets) & (targets == np.floor(targets))))
            raise LabelError(
                f"CrossEntropy: labels must be whole numbers 0..{K - 1}, but row {row} has {targets[row]}. "
                "Numbers to predict? Use SquaredError."
            )
        low, high = int(targets.min()), int(targets.max())
        if low < 0 or high >= K:
            raise LabelError(
                f"CrossEntropy: labels must be 0..{K - 1} for {K} outputs, received {low}..{high}. "
                + ("Labels that start at 1: use y - 1. " if (low, high) == (1, K) else "")
                + "Any other labels: names, y = np.unique(y, return_inverse=True)."
            )
        return targets if targets.dtype.kind == "i" else targets.astype(np.int64)

    def admit(self, outputs: Array) -> None:
        row = first_that_is_no_distribution(outputs)
        if row is None and not self.from_probabilities:
            warn(
                f"{self!r}: every row of the outputs sums to 1, as probabilities do, and softmax is applied to them "
                "again. Leave the softmax before it out, or say CrossEntropy(from_probabilities=True)."
            )
        if row is not None and self.from_probabilities:
            raise DataError(
                f"{self!r}: expected outputs that are probabilities, but row {row} is {outputs[row]}, sum "
                f"{outputs[row].sum():g}. Logits? Leave from_probabilities out, or end the network in Softmax()."
            )

    def compute(self, outputs: Array, targets: Array, weights: Array | None, total: float) -> tuple[float, Array]:
        if self.from_probabilities:
            p = np.maximum(outputs, np.finfo(outputs.dtype).tiny)
            q = self._distributions(targets, outputs)
            surprise, gradient = -(q * np.log(p)).sum(axis=-1), -q / p
        else:
            z = outputs - outputs.max(axis=-1, keepdims=True)  # shifting a row changes no probability
            p = np.exp(z)
            row_sum = p.sum(axis=-1, keepdims=True)
            p /= row_sum
            log_sum = np.log(row_sum)
            if (
                targets.ndim < outputs.ndim and not self.label_smoothing
            ):  # q is one 1 among zeros: no need to write it down
                rows = np.arange(len(p))
                surprise = log_sum[:, 0] - z[rows, targets]
                p[rows, targets] -= 1
                gradient = p
            else:
                q = self._distributions(targets, outputs)
                log_p = np.maximum(z - log_sum, np.finfo(z.dtype).min)  # a class masked with -inf: 0 * -inf is not 0
                surprise, gradient = -(q * log_p).sum(axis=-1), p - q
        if weights is not None:
            gradient *= weights[:, None]
        gradient /= total
        return weighted(surprise, weights) / total, gradient

    def _distributions(self, targets: Array, outputs: Array) -> Array:
        """The target rows q, of the outputs' shape and dtype."""
        q = targets.astype(outputs.dtype) if targets.ndim == outputs.ndim else np.zeros_like(outputs)
        if targets.ndim < outputs.ndim:
            q[np.arange(len(q)), targets] = 1
        return q * (1 - self.label_smoothing) + self.label_smoothing / outputs.shape[-1]


def _checked_distributions(targets: Array) -> Array:
    sums = targets.sum(axis=-1)
    row = first_that_is_no_distribution(targets)
    if row is not None:
        raise LabelError(
            f"CrossEntropy: every target row must hold probabilities that sum to 1; row {row} is {targets[row]}, "
            f"sum {sums[row]:g}. Several answers may be right at once? Use BinaryCrossEntropy."
        )
    return targets / sums[:, None]  # exactly 1, which the gradient p - q relies on


def first_that_is_no_distribution(rows: Array) -> int | None:
    """The first row that does not hold probabilities that sum to 1, if there is one."""
    wrong = ~(np.abs(rows.sum(axis=-1) - 1) <= 1e-3) | (rows < 0).any(axis=-1)
    return int(np.argmax(wrong)) if wrong.any() else None
