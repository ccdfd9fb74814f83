"""What an exercise is: two files, from which everything that is handed out is made.

NAME.py is the solution, with nbgrader's marks around what students are to write. test_NAME.py holds pytest tests that
import from it, each marked with its points. Yours may lie in any folder.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from chainrule.errors import ConfigurationError, DataFileError, unknown_name

OURS = Path(__file__).parent / "exercises"
MARK = r"^([ \t]*)### {} SOLUTION *\n"
MARKED = re.compile(MARK.format("BEGIN") + r".*?" + MARK.format("END"), re.M | re.S)
STUB = r"\1# YOUR CODE HERE\n\1raise NotImplementedError()\n"  # word for word nbgrader's


class Graded(NamedTuple):
    """A test that gives points."""

    name: str
    lines: str
    points: int


@dataclass(frozen=True)
class Exercise:
    """A solution with its marks, and its tests.

    >>> double = Exercise("double", '''\"""Twice.\"""
    ... def double(x):
    ...     ### BEGIN SOLUTION
    ...     return 2 * x
    ...     ### END SOLUTION
    ... ''', "")
    >>> print(double.skeleton)
    \"""Twice.\"""
    def double(x):
        # YOUR CODE HERE
        raise NotImplementedError()
    """

    name: str
    source: str
    tests: str

    @property
    def skeleton(self) -> str:
        """What students get: a stub in the place of the marked lines."""
        return MARKED.sub(STUB, self.source)

    @property
    def solution(self) -> str:
        """The solution without its marks."""
        return re.sub(MARK.format("(?:BEGIN|END)"), "", self.source, flags=re.M)

    @property
    def text(self) -> str:
        """What is asked: the docstring. Its first line is the title."""
        return ast.get_docstring(ast.parse(self.source)) or self.name

    @property
    def graded(self) -> list[Graded]:
        """The tests marked @points(n), in order."""
        lines = self.tests.split("\n")
        return [
            Graded(node.name, "\n".join(lines[_place(node)]), points)
            for node in ast.parse(self.tests).body
            if isinstance(node, ast.FunctionDef) and (points := _points(node)) is not None
        ]

    @property
    def preparation(self) -> str:
        """What the tests have beside themselves: imports, data, functions."""
        return without(self.tests, lambda node: _points(node) is not None)

    @property
    def points(self) -> int:
        """What it is worth in all."""
        return sum(test.points for test in self.graded)


def exercises(names: Iterable[str] = (), folder: Path = OURS) -> list[Exercise]:
    """Read the named exercises of a folder, or all; ex07_linear may be called ex07 or linear, too.

    >>> [exercise.name for exercise in exercises(["linear", "ex01"])]
    ['ex07_linear', 'ex01_neuron']
    """
    paths = sorted(path for path in folder.glob("*.py") if (folder / f"test_{path.name}").is_file())
    if not paths:
        raise DataFileError(f"{folder}: expected exercises, NAME.py with test_NAME.py beside it, found none.")
    chosen = []
    for name in names:
        meant = [path for path in paths if name in _names(path)]
        if not meant:
            raise unknown_name("exercise", name, [_names(path)[-1] for path in paths])
        if len(meant) > 1:
            both = " or ".join(path.stem for path in meant)
            raise ConfigurationError(f"exercise {name!r} may be {both}. Name it in full.")
        chosen += meant
    return [_read(path) for path in dict.fromkeys(chosen or paths)]


def _names(path: Path) -> list[str]:
    """ex07_linear, ex07, linear."""
    return [path.stem, *re.split(r"^(ex\d+)_", path.stem)[1:]]


def without(source: str, unwanted: Callable[[ast.stmt], object]) -> str:
    """The source without such statements at the margin, and without the blank lines behind each."""
    lines = source.split("\n")
    for node in reversed([node for node in ast.parse(source).body if unwanted(node)]):
        place = _place(node)
        while place.stop < len(lines) and not lines[place.stop].strip():
            place = slice(place.start, place.stop + 1)
        del lines[place]
    return "\n".join(lines)


def _points(node: ast.stmt) -> int | None:
    """What a test is worth: n of `@points(n)` alone above `def test_name():`; None for everything else."""
    match node:
        case ast.FunctionDef(
            decorator_list=[ast.Call(ast.Name("points"), [ast.Constant(int(worth))], [])], args=ast.arguments(args=[])
        ) if node.name.startswith("test_"):
            return worth
    return None


def _place(node: ast.stmt) -> slice:
    """Its lines, with its decorators."""
    first = min(part.lineno for part in [node, *getattr(node, "decorator_list", [])])
    return slice(first - 1, node.end_lineno)


def _read(path: Path) -> Exercise:
    tests = path.with_name(f"test_{path.name}")
    texts = []
    for file in (path, tests):
        try:
            texts.append(file.read_text(encoding="utf-8"))
            ast.parse(texts[-1])
        except (SyntaxError, ValueError) as error:  # ValueError: not UTF-8
            raise DataFileError(f"{file}: expected Python in UTF-8, received something else ({error}).") from None
    exercise = Exercise(path.stem, *texts)
    if exercise.skeleton == exercise.source or " SOLUTION" in exercise.skeleton:  # students would get it
        raise DataFileError(
            f"{path}: expected `### BEGIN SOLUTION` and `### END SOLUTION` around what is to be written."
        )
    if not exercise.graded or "@points" in exercise.preparation:
        raise DataFileError(f"{tests}: expected `@points(2)`, or another whole number, above each `def test_name():`.")
    return exercise
