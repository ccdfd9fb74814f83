"""Numbers and arrays as a reader wants them: four digits, small arrays whole, of large ones a corner and the ends."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from chainrule.layers.layer import Array

DIGITS = 4
WHOLE_ROWS, WHOLE_COLUMNS = 8, 10  # an array with no more than these is shown whole
CORNER_ROWS, CORNER_COLUMNS = 4, 6
WHOLE_SLICES = 2  # of an array with more than two axes


class Panel(NamedTuple):
    """Rows of numbers, "" where some are left out, and a sentence about the whole they are from."""

    title: str  # which slice it is, "[0]", or nothing
    rows: list[list[str]]
    values: Array  # of the rows and columns that are shown
    cut: tuple[bool, bool]  # are rows, are columns left out?


def figure(value: Any) -> str:
    """A number with four digits, all of those before the point.

    >>> figure(3.9000001), figure(-0.00001234), figure(123456.7), figure(-0.0)
    ('3.9', '-1.234e-05', '123457', '0')
    """
    number = float(value)
    if not math.isfinite(number):
        return str(number)
    whole = len(f"{abs(number):.0f}")
    return f"{number:.{max(DIGITS, whole) if whole < 10 else DIGITS}g}" if number else "0"


def panels(array: Array) -> list[Panel]:
    """An array as tables: one for each slice over the leading axes, or, of many, for the first."""
    array = np.asarray(array)
    if array.ndim <= 2:
        return [_panel("", np.atleast_2d(array))]
    if array.ndim == 4:  # (N, H, W, C): a picture is a slice over rows and columns
        array = np.moveaxis(array, -1, 1)
        titles = {i: f"[{i[0]}, :, :, {i[1]}]" for i in np.ndindex(array.shape[:2])}
    else:
        titles = {i: f"[{', '.join(map(str, i))}]" for i in np.ndindex(array.shape[:-2])}
    few = list(titles.items())[: WHOLE_SLICES if len(titles) > WHOLE_SLICES else None]
    return [_panel(title, array[i]) for i, title in few]


def remark(array: Array) -> str:
    """What a reader cannot see of an array in its panels; "" if everything is shown."""
    shown = panels(array)
    if sum(panel.values.size for panel in shown) == array.size:
        return ""
    finite = array[np.isfinite(array)].astype(np.float64)
    size = f"{array.size:,} numbers"
    if not finite.size:
        return f"{size}, none of them finite"
    if finite.size == array.size and finite.min() == finite.max():
        return f"{size}, all of them {figure(finite[0])}"
    extremes = f"{figure(finite.min())} to {figure(finite.max())}, mean {figure(finite.mean())}"
    odd = f", {array.size - finite.size:,} of them not finite" if finite.size < array.size else ""
    zeros = int((array == 0).sum())
    none = f", {zeros:,} of them 0" if zeros else ""
    return f"{size}, {extremes}{odd}{none}"


def image(shape: tuple[int, ...]) -> str:
    """What an example of this shape might be a picture of; "" if it hardly is one."""
    side = math.isqrt(math.prod(shape))
    if len(shape) == 3 and min(shape[:2]) >= 8:
        return f"each an image of {shape[0]} x {shape[1]}" + (f", {shape[2]} channels" if shape[2] > 1 else "")
    if len(shape) == 1 and side >= 8 and side * side == shape[0]:
        return f"{shape[0]} = {side} x {side}, the size of an image"
    return ""


def _panel(title: str, array: Array) -> Panel:
    R, C = array.shape
    rows = R if R <= WHOLE_ROWS else CORNER_ROWS
    columns = C if C <= WHOLE_COLUMNS else CORNER_COLUMNS
    values = array[:rows, :columns]
    return Panel(title, [[figure(v) for v in row] for row in values], values, (rows < R, columns < C))
