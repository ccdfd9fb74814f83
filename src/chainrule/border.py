"""Everything that comes from outside passes here once: shape, type and finite values, so that no formula has to ask."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import DataError, LabelError, ShapeError
from chainrule.layers.layer import Array, Shape

CHUNK = 1 << 22  # values looked at in one go, so that a check never needs a copy of the data


def as_array(x: Any, name: str = "x") -> Array:
    """Numbers from whatever holds them: arrays, nested lists, anything with __array__. No copy if it is an array."""
    if is_sparse(x):
        return x.tocsr()
    try:
        array = np.asarray(x)
    except (ValueError, TypeError, RuntimeError) as error:
        raise DataError(f"{name}: cannot be read as an array ({error}). {_ragged(x)}") from None
    if array.dtype.kind == "O":
        try:
            array = array.astype(np.float64)
        except (ValueError, TypeError) as error:
            raise DataError(f"{name}: holds objects that are not numbers ({error}). {_ragged(x)}") from None
    if array.dtype.kind == "c":
        raise DataError(f"{name}: Complex data not supported, received {array.dtype}. Use x.real, or two columns.")
    if array.dtype.kind not in "fiub":
        raise DataError(f"{name}: expected numbers, received {array.dtype}. Text that holds numbers: x.astype(float).")
    if isinstance(array, np.ma.MaskedArray) and array.mask.any():
        raise DataError(f"{name}: a masked array with masked entries. Fill them first: x.filled(0).")
    return array


def as_targets(targets: Any) -> Array:
    """The targets as an array of real numbers; text and objects are refused with the mend."""
    targets = np.asarray(targets)
    if targets.dtype.kind in "OUS":
        sample = targets.flat[0] if targets.size else ""
        raise LabelError(
            f"targets are text or objects (the first is {sample!r}), expected numbers. Digits written as text: "
            "y.astype(int). Names: names, y = np.unique(y, return_inverse=True)."
        )
    if targets.dtype.kind not in "fiub":
        raise LabelError(f"targets are {targets.dtype}, expected real numbers.")
    return targets


def is_sparse(x: Any) -> bool:
    """A SciPy sparse matrix or array: only the first Linear of a network can use one."""
    return hasattr(x, "tocsr")


def check_shape(x: Array, in_shape: Shape, who: str) -> None:
    """Raise ShapeError unless x is (N, *in_shape)."""
    if x.shape[1:] == in_shape and x.ndim == len(in_shape) + 1:
        return
    expected = f"({', '.join(['N', *map(str, in_shape)])})"
    if x.shape == in_shape:
        advice = "One example? Make it a batch of one: x[None]."
    elif x.ndim == 1:
        advice = (
            "Expected 2D array, got 1D array instead. Reshape your data either using x.reshape(-1, 1) if it has a "
            "single feature or x.reshape(1, -1) if it is a single example."
        )
    elif x.shape[0] and x[0].size == int(np.prod(in_shape)):
        advice = f"The sizes agree: use x.reshape(len(x), {', '.join(map(str, in_shape))})" + (
            ", or put Flatten() in front." if len(in_shape) == 1 else "."
        )
    elif len(in_shape) == 3 and x.shape[1:] == in_shape[:2]:
        advice = "The channel axis is missing: x[..., None]."
    else:
        advice = "Every example must have the shape that the network was built for."
    raise ShapeError(f"{who}: expected x of shape {expected}, received {x.shape}. {advice}")


def check_finite(x: Array, name: str, dtype: Any) -> None:
    """Raise DataError at the first NaN, infinity, or value too large for dtype. Reads x in pieces."""
    if is_sparse(x):
        return check_finite(x.data, name, dtype)  # type: ignore[arg-type]
    if x.dtype.kind != "f":
        return None
    limit = np.finfo(dtype).max
    step = max(1, CHUNK // max(1, x[:1].size))
    for start in range(0, len(x), step):
        piece = x[start : start + step]
        with np.errstate(invalid="ignore"):
            good = np.abs(piece) <= limit
        if not good.all():
            where = np.argwhere(~good)[0]
            value = piece[tuple(where)]
            row, column = start + int(where[0]), tuple(int(i) for i in where[1:])
            kind = "NaN" if np.isnan(value) else "infinity" if np.isinf(value) else f"{value:g}, too large for {dtype}"
            raise DataError(
                f"Input {name} contains {kind}, first in row {row}"
                + (f", column {column[0]}." if column else ".")
                + (
                    " Fill or drop such rows (scikit-learn's SimpleImputer fills them)."
                    if np.isnan(value)
                    else " Scale it."
                )
            )
    return None


def check_rows(x: Array, y: Array) -> None:
    """Raise DataError unless x and y have the same number of rows, at least one."""
    n, m = x.shape[0], y.shape[0]
    if n == 0:
        raise DataError(f"Found array with 0 sample(s) (shape={x.shape}) while a minimum of 1 is required.")
    if n != m:
        raise DataError(f"x and y have inconsistent numbers of samples: [{n}, {m}]. Each row of x needs one target.")


def _ragged(x: Any) -> str:
    try:
        lengths = [len(row) for row in x]
    except TypeError:
        return "Give numbers in rows of equal length; call .to_numpy() or .numpy() on other containers."
    odd = next((i for i, length in enumerate(lengths) if length != lengths[0]), None)
    if odd is None:
        return "Turn text into numbers first."
    return f"The rows have different lengths: row {odd} has {lengths[odd]}, row 0 has {lengths[0]}."
