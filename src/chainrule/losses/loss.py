"""The contract of a loss: (outputs, targets) -> (loss, gradient), and the only place where anything is divided by N.

`loss, gradient = loss_function(outputs, targets, weights=None, total=None)`. Both are divided by `total`, by default
the number of rows, or the sum of their weights. Whoever adds up several parts (accumulated or partial batches) passes
the total of the whole, because a mean of means is not the mean.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.border import as_array, as_targets
from chainrule.configurable import Configurable, number
from chainrule.errors import DataError, ShapeError
from chainrule.layers.layer import Array


class Loss(Configurable):
    """Base of all losses: a subclass defines `compute`, the formula, and `check` if its targets are no plain numbers.

    >>> class Quartic(Loss):
    ...     def compute(self, outputs, targets, weights, total):
    ...         miss = outputs - targets
    ...         rows, slopes = (miss**4).sum(axis=-1), 4 * miss**3
    ...         if weights is not None:
    ...             rows, slopes = rows * weights, slopes * weights[:, None]
    ...         return float(rows.sum() / total), slopes / total
    >>> loss, gradient = Quartic()(np.array([[1.0], [2.0]]), [[1.0], [1.0]])
    >>> loss, gradient.ravel()
    (0.5, array([0., 2.]))
    """

    output: str = "identity"  # what a network's outputs mean when it learns with this loss: see tasks.py

    def check(self, targets: Any, shape: tuple[int, ...]) -> Array:
        """The targets in the form that `compute` wants for outputs of this shape, or an error that names the mend."""
        return check_values(type(self).__name__, targets, shape)

    def admit(self, outputs: Array) -> None:
        """Raise DataError for outputs that the formula is not made for. Asked at the border, not in every step."""

    def compute(self, outputs: Array, targets: Array, weights: Array | None, total: float) -> tuple[float, Array]:
        """The loss and its gradient with respect to the outputs, from checked arguments."""
        raise NotImplementedError(
            f"{type(self).__name__} must define compute(outputs, targets, weights, total) -> (loss, gradient)"
        )

    def __call__(
        self, outputs: Array, targets: Any, weights: Any = None, total: float | None = None
    ) -> tuple[float, Array]:
        """The loss, a number, and dL/doutputs, of the outputs' shape and dtype."""
        outputs = as_array(outputs, "outputs")
        if outputs.dtype.kind != "f":
            outputs = outputs.astype(np.float64)
        targets = self.check(targets, outputs.shape)
        self.admit(outputs)
        if weights is not None:
            weights = check_weights(weights, len(outputs))
        if total is None:
            total = len(outputs) if weights is None else weights.sum(dtype=np.float64)
        weights = None if weights is None else weights.astype(outputs.dtype)
        total = number(type(self).__name__, "total", total, "(0, inf)")
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # a loss too large for its dtype is inf
            loss, gradient = self.compute(outputs, targets, weights, total)
        if math.isnan(loss):
            row = int(np.argmax(np.abs(outputs.max(axis=-1))))  # NaN counts as the largest
            raise DataError(
                f"{self!r}: expected outputs that are numbers, but row {row} is {outputs[row]}. Scale the "
                "inputs, lower the learning rate, and leave each row a class that is not masked."
            )
        return loss, gradient


def check_outputs(name: str, shape: tuple[int, ...]) -> None:
    """Outputs are rows of K numbers: raise ShapeError for anything else."""
    if len(shape) != 2 or 0 in shape:
        advice = " Put Flatten() before the last Linear." if len(shape) > 2 else ""
        raise ShapeError(f"{name}: expected outputs of shape (N, K), N and K at least 1, received {shape}.{advice}")


def weighted(rows: Array, weights: Array | None) -> float:
    """The sum of one loss per row, each times its weight."""
    return float(rows.sum() if weights is None else weights @ rows)


def check_weights(weights: Any, n: int) -> Array:
    """One finite weight >= 0 per row, not all zero, and none that float32 would make so."""
    weights, limits = as_array(weights, "weights"), np.finfo(np.float32)
    if weights.shape != (n,):
        raise ShapeError(f"weights: expected {n} numbers, shape ({n},), received {weights.shape} of {weights.dtype}.")
    if not (weights.min() >= 0 and limits.tiny <= weights.max() <= limits.max / n):
        raise DataError("weights: expected finite numbers of at least 0, not all 0. Drop the rows you do not want.")
    return weights


def check_values(name: str, targets: Any, shape: tuple[int, ...]) -> Array:
    """Numeric targets of exactly the outputs' shape, all finite."""
    check_outputs(name, shape)
    targets = as_targets(targets)
    if targets.shape != shape:
        if targets.shape == shape[:-1] and shape[-1] == 1:
            raise ShapeError(
                f"targets have shape {targets.shape} but outputs {shape}: they would broadcast to "
                f"{(*shape[:-1], targets.shape[-1])}. Reshape the targets to {shape}."
            )
        labels = " Labels of classes? Use CrossEntropy, or one_hot(y)." if targets.shape == shape[:-1] else ""
        raise ShapeError(f"{name}: expected targets of the outputs' shape {shape}, received {targets.shape}.{labels}")
    if not np.isfinite(targets).all():
        row = int(np.argwhere(~np.isfinite(targets))[0][0])
        raise DataError(f"{name}: Input y contains NaN or infinity, first in row {row}. Drop or repair such rows.")
    return targets
