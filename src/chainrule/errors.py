"""One tree of errors, so that a mistake is named where it is made and `except cr.ChainruleError` catches them all.

    ChainruleError
     +- ShapeError           (ValueError)       an array, or a layer's output, has the wrong shape
     +- LabelError           (ValueError)       targets that the loss cannot read
     +- DataError            (ValueError)       values that cannot be computed with: NaN, infinity, text
     +- ConfigurationError   (ValueError)       an option, name or combination that makes no sense
     +- NotBuiltError        (ValueError)       a layer or network has no parameters yet
     +- DivergenceError      (ArithmeticError)  the loss or the weights stopped being finite numbers
     +- GradientError        (ArithmeticError)  a gradient check that could not be carried out
     +- DataFileError        (OSError)          a data file that is truncated, lies or is something else
     +- CheckpointError      (OSError)          a model file that cannot be trusted or does not fit
     +- MissingExtraError    (ImportError)      an optional package is not installed

Every message says where it happened, what was expected, what was received and what to do about it.
"""

from __future__ import annotations

import difflib
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType


class ChainruleError(Exception):
    """The root of every error that chainrule raises on purpose."""


class ShapeError(ChainruleError, ValueError):
    """An array has the wrong shape, or a layer would give an empty or impossible output."""


class LabelError(ChainruleError, ValueError):
    """Targets that the loss cannot read: text, fractions, out of range, wrong shape."""


class DataError(ChainruleError, ValueError):
    """Values that cannot be computed with: NaN, infinity, text, complex numbers, no rows at all."""


class ConfigurationError(ChainruleError, ValueError):
    """An option out of its range, an unknown name, or parts that do not go together."""


class NotBuiltError(ChainruleError, ValueError, AttributeError):
    """A layer or network has no parameters yet."""


class DivergenceError(ChainruleError, ArithmeticError):
    """The loss or the weights stopped being finite numbers during training."""


class GradientError(ChainruleError, ArithmeticError):
    """A gradient check could not be carried out, or was asked to raise when it fails."""


class DataFileError(ChainruleError, OSError):
    """A data file that is truncated, lies about its size, or is something else altogether."""


class CheckpointError(ChainruleError, OSError):
    """A model or checkpoint file that is damaged, not one of ours, or does not fit what it claims to hold."""


class MissingExtraError(ChainruleError, ImportError):
    """An optional package is needed; the message gives the pip line."""

    def __init__(self, what: str, package: str, extra: str) -> None:
        super().__init__(f"{what} needs {package}: pip install 'chainrule[{extra}]' (in a clone: '.[{extra}]')")


class ChainruleWarning(UserWarning):
    """Something that works, but hardly as it was meant."""


def warn(message: str) -> None:
    """Give a ChainruleWarning at the caller's own line: the nearest one that is not in this package."""
    frame: FrameType | None = sys._getframe()
    level = 0
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == __package__:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, ChainruleWarning, stacklevel=level + 1)


@contextmanager
def noting(what: str) -> Iterator[None]:
    """An error raised inside, in code of the user's own, gets a note that says where it was called from.

    >>> with noting("metric share"):
    ...     1 / 0
    Traceback (most recent call last):
    ZeroDivisionError: division by zero
    Raised in metric share.
    """
    try:
        yield
    except Exception as error:
        error.add_note(f"Raised in {what}.")
        raise


def unknown_name(kind: str, name: object, known: Iterable[str]) -> ConfigurationError:
    """The error for a misspelt name, with the nearest known one.

    >>> print(unknown_name("optimizer", "adma", ["sgd", "adam"]))
    optimizer 'adma' is unknown. Did you mean 'adam'? Known: sgd, adam.
    """
    names, said = list(known), str(name)[:100].lower()
    lowered = {known.lower(): known for known in names}
    longer = [word for word in lowered if said and (f"_{said}_" in f"_{word}_" or said == _initials(word))]
    near = difflib.get_close_matches(said, lowered, n=1) or longer
    hint = f" Did you mean {lowered[near[0]]!r}?" if near else ""
    return ConfigurationError(f"{kind} {name!r} is unknown.{hint} Known: {', '.join(names) or 'none'}.")


def _initials(name: str) -> str:
    """lr for learning_rate."""
    return "".join(word[:1] for word in name.split("_"))
