"""A row of the table of bad and extreme input: what is given, and what proves that the right thing comes of it."""

from dataclasses import dataclass
from typing import NamedTuple

STATUSES = ("tested", "elsewhere", "not applicable", "later")


class Case(NamedTuple):
    """Code to be run, with the names of twenty_rows.py and an empty `folder`, and what must come of it."""

    code: str
    error: type[Exception] | None = None
    warning: type[Warning] | None = None
    texts: tuple[str, ...] = ()  # which the message holds


@dataclass(frozen=True)
class Row:
    """A numbered kind of input. Its status is the first of these that it has."""

    number: int
    given: str
    tested: tuple[Case, ...] = ()
    elsewhere: tuple[str, ...] = ()  # "test_file.py::test_name"
    because: str = ""  # it does not apply to this library
    later: str = ""  # what will bring it; beside tests, what they do not cover yet

    @property
    def status(self):
        why = (self.tested, self.elsewhere, self.because, self.later)
        return next(status for status, given in zip(STATUSES, why, strict=True) if given)


def row(number, given, *cases, elsewhere=(), because="", later=""):
    return Row(number, given, cases, (elsewhere,) if isinstance(elsewhere, str) else elsewhere, because, later)


def refused(code, error, *texts):
    return Case(code, error=error, texts=texts)


def right(code):
    """The code is true, and warns of nothing."""
    return Case(code)


def warned(code, warning, *texts):
    """The code is true, and warns once."""
    return Case(code, warning=warning, texts=texts)
