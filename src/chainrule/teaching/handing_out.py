"""Hands exercises out: as files for students with pytest tests, as solutions, or as notebooks for nbgrader.

An exercise is two files: NAME.py, which is the solution with marks around what students are to write, and test_NAME.py,
pytest tests that import from it. All forms are made from these two.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from chainrule.errors import ConfigurationError, DataFileError, unknown_name
from chainrule.teaching.notebooks import notebook

EXERCISES = Path(__file__).parent / "exercises"
MARK = r"^([ \t]*)### {} SOLUTION *\n"  # nbgrader's own marks
REGION = re.compile(MARK.format("BEGIN") + r".*?" + MARK.format("END"), re.M | re.S)
STUB = r"\1# YOUR CODE HERE\n\1raise NotImplementedError()\n"  # what nbgrader puts there, too
POINTS = '''"""pytest adds up the points."""

from chainrule.teaching.adding_up import pytest_collection_modifyitems, pytest_terminal_summary  # noqa: F401
'''


def skeleton(source: str) -> str:
    """What students get of a solution: the marked lines replaced.

    >>> print(skeleton("def f(x):\\n    ### BEGIN SOLUTION\\n    return 2 * x\\n    ### END SOLUTION\\n"))
    def f(x):
        # YOUR CODE HERE
        raise NotImplementedError()
    """
    return REGION.sub(STUB, source)


def solution(source: str) -> str:
    """The solution without the marks."""
    return re.sub(MARK.format("(?:BEGIN|END)"), "", source, flags=re.M)


Form = Callable[[str, str, str], dict[str, str]]
FORMS: dict[str, Form] = {  # (name, source, tests) -> the files, by name
    "students": lambda name, source, tests: {f"{name}.py": skeleton(source), f"test_{name}.py": tests},
    "solutions": lambda name, source, tests: {f"{name}.py": solution(source), f"test_{name}.py": tests},
    "nbgrader": lambda name, source, tests: {f"{name}.ipynb": notebook(name, source, tests)},
}


def find(names: Iterable[str] = (), source: Path = EXERCISES) -> list[Path]:
    """The solutions of the named exercises, or of all; a part of a name will do if it stands for one alone."""
    known = sorted(path for path in source.glob("*.py") if (source / f"test_{path.name}").is_file())
    if not known:
        raise DataFileError(f"{source}: expected exercises, NAME.py beside test_NAME.py, found none.")
    chosen = []
    for name in names:
        fitting = [path for path in known if path.stem == name] or [path for path in known if name in path.stem]
        if len(fitting) != 1:
            raise unknown_name("exercise", name, [path.stem for path in fitting or known])
        chosen += fitting
    return chosen or known


def hand_out(folder: Path, names: Iterable[str] = (), form: str = "students", source: Path = EXERCISES) -> list[Path]:
    """Write the named exercises (default: all) into a folder, and never over a file that is there; their paths.

    Arguments   form    "students", "solutions" or "nbgrader"
                source  the folder with NAME.py and test_NAME.py; yours, or ours by default
    Raises      ConfigurationError, DataFileError
    """
    if form not in FORMS:
        raise unknown_name("form", form, FORMS)
    files: dict[str, str] = {}
    for path in find(names, source):
        texts = (file.read_text(encoding="utf-8") for file in (path, path.with_name(f"test_{path.name}")))
        files |= FORMS[form](path.stem, *texts)
    if form != "nbgrader":
        files["conftest.py"] = POINTS
    paths = {folder / name: text for name, text in files.items()}
    there = [path for path in paths if path.exists() and path.name != "conftest.py"]
    if there:
        raise ConfigurationError(f"{there[0]} exists already, and may be somebody's work. Name another folder.")
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in paths.items():
        path.write_text(text, encoding="utf-8", newline="\n")
    return list(paths)
