"""Everything that comes from outside passes here once: shape, type and finite values, so that no formula has to ask."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping, Sequence, Set
from contextlib import suppress
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.configurable import number
from chainrule.errors import DataError, LabelError, ShapeError

if TYPE_CHECKING:
    from chainrule.layers.layer import Array, Shape

CHUNK = 1 << 22  # values looked at in one go, so that a check never needs a copy of the data
NUMBERS = "fiub"  # floats, whole numbers with and without sign, booleans: NumPy's kinds of real numbers
BATCH = 1000  # rows that inference takes at a time,
ACTIVATIONS = 1 << 24  # or fewer, where a layer would make more numbers of them
NO_ARRAYS: tuple[tuple[Any, str], ...] = (
    (type(None), "Was it ever set?"),
    ((str, PathLike), "A file? Read it first, for instance with np.loadtxt."),
    (Mapping, "Columns by name? np.column_stack(list({}.values()))."),
    (Set, "A set has no order: make a list of it."),
)


def as_array(x: Any, name: str = "x") -> Array:
    """Real numbers from whatever holds them: arrays, nested lists, anything with __array__."""
    if type(x) is np.ndarray and x.dtype.kind in NUMBERS:
        return x  # at once: the questions below take as long as a small network's whole answer
    for kind, advice in NO_ARRAYS:
        if isinstance(x, kind):
            raise DataError(f"{name}: expected rows of numbers, received {reprlib.repr(x)}. {advice.format(name)}")
    if isinstance(x, np.ma.MaskedArray) and np.ma.getmaskarray(x).any():
        raise DataError(f"{name}: a masked array with masked entries. Fill them first: x.filled(0).")
    if hasattr(x, "__next__"):
        raise DataError(f"{name}: a generator can be read only once. Make an array of it: np.stack(list({name})).")
    if is_sparse(x):
        raise DataError(f"{name}: a sparse matrix. Make it dense: {name}.toarray().")
    try:
        array = np.asarray(x)
    except (ValueError, TypeError, RuntimeError) as error:
        advice = "Do all rows hold as many numbers? Or make one array of it first."
        raise DataError(f"{name}: {_ragged(x) or f'cannot be read as an array ({error}). {advice}'}") from None
    if array.dtype.kind == "O":
        try:
            array = array.astype(np.float64)
        except (ValueError, TypeError, OverflowError):
            raise DataError(f"{name}: {_ragged(x) or _no_number(array, x)}") from None
    check_numbers(array.dtype, name)
    return array


def check_numbers(dtype: np.dtype[Any], name: str) -> None:
    """Raise DataError for a dtype that holds no real numbers."""
    if dtype.names:
        columns = ", ".join(map(repr, dtype.names[:5])) + ", ..." * (len(dtype.names) > 5)
        stacked = f"np.column_stack([{name}[name] for name in {name}.dtype.names])"
        raise DataError(f"{name}: expected numbers, received a table with the columns {columns}. {stacked}.")
    if dtype.kind == "c":
        raise DataError(f"{name}: Complex data not supported, received {dtype}. Use x.real, or two columns.")
    if dtype.kind in "US":
        raise DataError(f"{name}: expected numbers, received text. Numbers written as text: np.array(x).astype(float).")
    if dtype.kind not in NUMBERS:
        raise DataError(f"{name}: expected numbers, received {dtype}. Turn each column into numbers first.")


def as_rows(x: Any, name: str = "x") -> Array:
    """`as_array` for inputs, which may be sparse, or a source: that stays what it is, to be read piece by piece."""
    if is_sparse(x):
        check_numbers(x.dtype, name)
        return x.tocsr()
    return x if is_source(x) else as_array(x, name)


def as_targets(targets: Any) -> Array:
    """The targets as an array of real numbers; text is refused with the mend."""
    first: Any = targets.to_numpy() if hasattr(targets, "to_numpy") else targets  # pandas
    while isinstance(first, (list, tuple)) and first:
        first = first[0]
    if isinstance(first, np.ndarray) and first.size:
        first = first.flat[0]
    if isinstance(first, (str, bytes)):
        raise LabelError(f"targets are text (the first is {str(first)!r}), expected numbers: {_number_from(first)}.")
    array = None if targets is None else as_array(targets, "targets")
    if array is None or array.ndim == 0:
        raise DataError(f"targets: expected one for each row of x, received {targets!r}.")
    return array


def _number_from(text: str | bytes) -> str:
    """The line that makes numbers of such texts."""
    for kind in (int, float):
        with suppress(ValueError):
            kind(text)
            return f"np.array(y).astype({kind.__name__})"
    return "names, y = np.unique(y, return_inverse=True)"


def is_sparse(x: Any) -> bool:
    """A SciPy sparse matrix or array: only the first Linear of a network can use one."""
    return hasattr(x, "tocsr")


def is_source(x: Any) -> bool:
    """Rows that memory may not hold, such as datasets.Source: known by `order(rng)`, its row order for an epoch.

    Beside that it has a shape and a dtype; x[a:b] and x.take(rows, axis=0) are arrays, or a DataError naming the row.
    """
    return callable(getattr(x, "order", None))


def pieces(x: Array, widest: int = 1) -> list[slice]:
    """All rows of x, in slices small enough to compute with; `widest`: how many numbers a row may become on the way."""
    n: int = x.shape[0]
    size = min(BATCH, max(1, ACTIVATIONS // widest))
    return [slice(start, min(start + size, n)) for start in range(0, n, size)] if n > size else [slice(0, n)]


def example_shape(shape: Any) -> Shape:
    """The shape of one example as plain whole numbers."""
    if isinstance(shape, (str, bytes)) or not np.iterable(shape) or not len(shape := tuple(shape)):
        raise ShapeError(
            f"Network: expected the shape of one example, such as (784,), received {shape!r}. Each example is a row: "
            "Expected 2D array, got 1D array instead? Reshape your data using x.reshape(-1, 1) or x.reshape(1, -1)."
        )
    return tuple(number("Network", "in_shape", width, "[1, inf)", whole=True) for width in shape)


def check_shape(x: Array, in_shape: Shape, who: str, name: str = "x") -> None:
    """Raise ShapeError unless x is (N, *in_shape)."""
    if x.shape[1:] == in_shape and len(x.shape) == len(in_shape) + 1:
        return
    expected = f"({', '.join(['N', *map(str, in_shape)])})"
    if not x.shape:
        advice = "Give rows of numbers."
    elif 0 in x.shape[:1]:
        raise DataError(f"{who}: Found array with 0 sample(s) (shape={x.shape}) while a minimum of 1 is required.")
    elif len(x.shape) > 1 and math.prod(x.shape) == math.prod(in_shape):
        advice = f"One example? Make it a batch of one: x.reshape(1, {', '.join(map(str, in_shape))})."
    elif x.shape == in_shape:
        advice = "One example? Make it a batch of one: x[None]."
    elif len(x.shape) == 1:
        advice = (
            "Expected 2D array, got 1D array instead. Reshape your data either using x.reshape(-1, 1) if it has a "
            "single feature or x.reshape(1, -1) if it is a single example."
        )
    elif len(x.shape) == len(in_shape) + 1 and sorted(x.shape[1:]) == sorted(in_shape):
        order = ", ".join(map(str, (0, *_axes(x.shape[1:], in_shape))))
        advice = f"Its axes stand in another order, images being (N, H, W, C): x.transpose({order})."
    elif math.prod(x.shape[1:]) == math.prod(in_shape):
        advice = f"The sizes agree: use x.reshape(len(x), {', '.join(map(str, in_shape))})" + (
            ", or put Flatten() in front." if len(in_shape) == 1 else "."
        )
    elif len(x.shape) == 4 and len(in_shape) == 3 and x.shape[-1] == in_shape[-1]:
        advice = f"The network was built for images of {in_shape[0]} x {in_shape[1]}: bring these to that size."
    elif len(in_shape) == 3 and x.shape[1:] == in_shape[:2]:
        advice = f"The axis of {in_shape[2]} channels is missing: np.repeat(x[..., None], {in_shape[2]}, axis=-1)."
    else:
        advice = f"x has {x.shape[-1]} features, but the network expects {in_shape[-1]}."
    raise ShapeError(f"{who}: expected {name} of shape {expected}, received {x.shape}. {advice}")


def check_finite(x: Array, name: str, dtype: Any, first: int = 0) -> None:
    """Raise DataError at the first NaN, infinity, or value too large for dtype. Reads x in pieces; x[0] is row `first`.

    Of a source nothing is read here: it checks its rows as they come.
    """
    if is_sparse(x):
        bad = np.flatnonzero(~(np.abs(x.data) <= np.finfo(dtype).max))
        if bad.size:
            row = int(np.searchsorted(x.indptr, bad[0], side="right")) - 1  # type: ignore
            raise not_finite(x.data[bad[0]], name, row, [x.indices[bad[0]]], dtype)  # type: ignore
        return
    if is_source(x) or x.dtype.kind != "f":
        return
    limit = np.finfo(dtype).max
    step = max(1, CHUNK // max(1, x[:1].size))
    for start in range(0, len(x), step):
        piece = x[start : start + step]
        with np.errstate(invalid="ignore"):
            good = np.abs(piece) <= limit
        if not good.all():
            where = np.argwhere(~good)[0]
            raise not_finite(piece[tuple(where)], name, first + start + int(where[0]), tuple(where[1:]), dtype)
    return


def not_finite(value: float, name: str, row: int, column: Sequence[int], dtype: Any) -> DataError:
    """The error for one bad value, with its place."""
    kind = "NaN" if np.isnan(value) else "infinity" if np.isinf(value) else f"{value:g}, too large for {dtype}"
    place = f"row {row}, column {int(column[0])}" if len(column) else f"row {row}"
    advice = "Fill or drop such rows (scikit-learn's SimpleImputer fills them)." if np.isnan(value) else "Scale it."
    return DataError(f"Input {name} contains {kind}, first in {place}. {advice}")


def check_rows(x: Array, y: Array, name: str = "x") -> None:
    """Raise DataError unless x and y have the same number of rows, at least one."""
    if not x.shape:
        raise DataError(f"{name}: expected rows of numbers, received the number {x[()]}.")
    n, m = x.shape[0], len(y)
    if n == 0:
        raise DataError(f"{name}: Found array with 0 sample(s) (shape={x.shape}) while a minimum of 1 is required.")
    if 0 in x.shape:
        raise DataError(f"{name}: Found array with 0 feature(s) (shape={x.shape}) while a minimum of 1 is required.")
    if n != m:
        raise DataError(
            f"{name} and its targets have inconsistent numbers of samples: [{n}, {m}]. Each row needs one target."
        )


def _axes(given: Shape, wanted: Shape) -> list[int]:
    """Which axis of `given`, counted from 1, goes to each place of `wanted`; the sizes are the same."""
    left = list(enumerate(given, 1))
    return [left.pop([size for _, size in left].index(width))[0] for width in wanted]


def _no_number(array: Array, x: Any) -> str:
    """Which object of an array is not a number, with the name of its column if x is a table."""
    names = list(getattr(x, "columns", ()))
    for index in np.ndindex(array.shape):
        try:
            float(array[index])
        except (TypeError, ValueError, OverflowError):
            column = f", column {names[index[1]]!r}" if names else f", column {index[1]}" if len(index) > 1 else ""
            place = f"but row {index[0]}{column} holds" if index else "received"
            return f"expected numbers, {place} {reprlib.repr(array[index])}. Fill, drop or translate such entries."
    return "holds objects that are not numbers."


def _ragged(x: Any) -> str:
    """What is wrong with nested lists whose rows differ; nothing for other things."""
    if not isinstance(x, (list, tuple)):
        return ""
    shapes = [(len(row),) if isinstance(row, (list, tuple)) else getattr(row, "shape", ()) for row in x]
    widths = [shape[0] if shape else None for shape in shapes]
    odd = next((i for i, width in enumerate(widths) if width != widths[0]), None)
    if odd is None:
        return next((f"in row {i}, {fault}" for i, fault in enumerate(map(_ragged, x)) if fault), "")
    has = ["is no row" if width is None else f"has {width}" for width in widths]
    return f"the rows have different lengths: row {odd} {has[odd]}, row 0 {has[0]}."
