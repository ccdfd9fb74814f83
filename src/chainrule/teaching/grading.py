"""What the tests of an exercise are written with: a failure says which misconception it was, and not the answer.

A wrong value is met with the doctor's own method: it is compared with the values that well-known mistakes give.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.border import as_array
from chainrule.doctor import CAUSES, gradients
from chainrule.doctor.report import Report, worst_entry
from chainrule.errors import DataError
from chainrule.layers.layer import Array

TOLERANCE = 1e-7  # of the largest entry
HINTS = {  # what lies behind NumPy's words, by the first of them; that e^-1000 is 0 (underflow) is no mistake
    "overflow": "a number has grown too large: e^z of a large z, or steps that are too long",
    "divide": "something is divided by 0, or it is the logarithm of 0",
    "invalid": "0 is divided by 0, or one infinity taken from another",
}
SHAPES = "The shapes do not go together: print them before this line. A sum along an axis keeps it with keepdims=True."


def points(worth: int) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Mark a test with what it is worth; it then meets unwritten code and overflow with a sentence.

    >>> @points(2)
    ... def test_sum():
    ...     raise NotImplementedError
    >>> test_sum.points
    2
    >>> test_sum()
    Traceback (most recent call last):
    AssertionError: test_sum is not written yet: put your code in the place of `raise NotImplementedError()`
    """

    def mark(test: Callable[[], None]) -> Callable[[], None]:
        @functools.wraps(test)
        def graded() -> None:
            __tracebackhide__ = True  # pytest then shows the learner's lines, not ours
            try:
                with np.errstate(all="raise", under="ignore"):
                    test()
            except NotImplementedError as error:
                raise AssertionError(_not_written(_place(error))).with_traceback(error.__traceback__) from None
            except FloatingPointError as error:
                says = [_place(error), str(error), *(hint for word, hint in HINTS.items() if word in str(error))]
                raise AssertionError(": ".join(says)).with_traceback(error.__traceback__) from None
            except ValueError as error:
                if "broadcast" in str(error) or "matmul" in str(error):
                    error.add_note(SHAPES)
                raise

        graded.points = worth  # type: ignore[attr-defined]
        return graded

    return mark


def agree(given: Any, right: Any, mistakes: Mapping[str, Any] | None = None) -> None:
    """Fail unless the given value is the right one, and say which of the mistakes it comes from.

    Arguments   given     what the learner's code gave
                right     the value, or array, that it should be
                mistakes  what each well-known mistake would have given, by the sentence that names it
    Raises      AssertionError

    >>> agree(3.0, 1.5, {"this is the sum: the loss is the mean": 3.0})
    Traceback (most recent call last):
    AssertionError: this is the sum: the loss is the mean
      yours +3, expected +1.5
    """
    __tracebackhide__ = True
    if given is None:
        raise AssertionError("the function gives nothing back: is its `return` missing?")
    try:
        given, right = as_array(given, "yours").astype(np.float64), np.asarray(right, np.float64)
    except DataError as error:
        raise AssertionError(f"not the right value\n  {error}") from None
    if _equal(given, right):
        return
    name = next((name for name, value in (mistakes or {}).items() if _equal(given, value)), "not the right value")
    raise AssertionError(f"{name}\n  {_difference(given, right)}")


def examine(subject: Any, backward: Any = None, **more: Any) -> None:
    """Have the doctor examine a backward of the learner's, and fail with the name of the mistake and its evidence.

    It takes what `doctor.gradients` takes. The line to write, which the doctor knows too, is left to the learner.

    >>> def square_slope(x):
    ...     return x
    >>> examine(np.square, square_slope, x=np.arange(1.0, 6.0))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    AssertionError: square_slope: a constant factor is off (factor)...
    """
    __tracebackhide__ = True
    report = gradients(subject, backward, **more, show=False)
    if report.passed:
        return
    unwritten = re.search(r"(\S+) raised NotImplementedError", str(report))
    if unwritten:
        raise AssertionError(_not_written(f"{report.title}." * hasattr(subject, unwritten[1]) + unwritten[1]))
    name = getattr(backward, "__name__", report.title)
    causes = "; ".join(f"{CAUSES[cause]} ({cause})" for cause in report.causes)
    _, evidence = str(_without_answers(report)).split("\n", 1)
    raise AssertionError(f"{name}: {causes}\n{evidence}")


def _without_answers(report: Report) -> Report:
    def blank(notes: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
        return [(cause, evidence, "") for cause, evidence, _ in notes]

    rows = [replace(row, write="") for row in report.rows]
    return replace(report, rows=rows, notes=blank(report.notes), hints=blank(report.hints))


def _not_written(place: str) -> str:
    return f"{place} is not written yet: put your code in the place of `raise NotImplementedError()`"


def _place(error: BaseException) -> str:
    """The function that raised."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback.tb_frame.f_code.co_qualname if traceback is not None else "the code"


def _equal(given: Array, right: Any) -> bool:
    right = np.asarray(right, np.float64)
    if given.shape != right.shape:
        return False
    scale = np.nanmax(np.abs(right), initial=0.0) or 1.0
    return np.allclose(given, right, rtol=0, atol=TOLERANCE * scale, equal_nan=True)


def _difference(given: Array, right: Array) -> str:
    worst = worst_entry(given, right) if given.shape == right.shape else None
    if worst is None:
        return f"yours has shape {given.shape}, expected {right.shape}"
    index, yours, expected = worst
    return f"{f'at {list(index)}: ' if index else ''}yours {yours:+.6g}, expected {expected:+.6g}"
