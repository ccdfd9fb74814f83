"""The register of the corpus: what is handed to the doctor, and what the doctor must say of it.

A case is a function without arguments, named for what is wrong in it. It returns `(args, kwargs, evidence)`: the
first two are for `chainrule.doctor.gradients`, the last (see `evidence.py`) proves the label without the doctor. A case
that is right only beside its own loss gives two: the part alone, which is wrong, and both together, which are right.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

# Two to build the doctor with, the others to judge it once it is built.
HALVES = ("tuning", "extra", "set_aside", "blind", "fresh")
RIGHT, BESIDE, WRONG = "right", "right only beside its own loss", "wrong"


class Case(NamedTuple):
    """One piece of a learner's code; the first of `causes` is expected, the others name the same mistake as truly."""

    name: str
    half: str
    verdict: str
    causes: tuple[str, ...]
    make: Callable[[], tuple[Any, ...]]

    def arguments(self):
        """A fresh `(args, kwargs)` for `chainrule.doctor.gradients`."""
        return self.make()[:2]

    def evidence(self):
        """What proves the label: one piece, or two for a part that is right only beside its own loss."""
        return self.make()[2:]


CASES: dict[str, Case] = {}


def case(verdict, causes=()):
    """Registers the function below it; `causes` is a name or a tuple of names."""

    def register(make):
        assert make.__name__ not in CASES, f"there is a case {make.__name__} already"
        half = next(half for half in HALVES if make.__module__.rpartition(".")[2].startswith(half))
        names = (causes,) if isinstance(causes, str) else tuple(causes)
        assert bool(names) == (verdict != RIGHT)
        CASES[make.__name__] = Case(make.__name__, half, verdict, names, make)
        return make

    return register


def cases(half):
    """All cases of one half: "tuning", "extra" or "set_aside"."""
    for file in sorted(Path(__file__).parent.glob(f"{half}_*.py")):
        import_module(f"{__package__}.{file.stem}")
    return [each for each in CASES.values() if each.half == half]
