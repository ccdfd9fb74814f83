"""Hands exercises out: as files for students with their tests, as solutions, or as notebooks for nbgrader."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from chainrule.errors import ConfigurationError, unknown_name
from chainrule.teaching.exercise import OURS, Exercise, exercises
from chainrule.teaching.notebooks import notebook

FORMS: dict[str, Callable[[Exercise], dict[str, str]]] = {  # the files of an exercise, by their names
    "students": lambda it: {f"{it.name}.py": it.skeleton, f"test_{it.name}.py": it.tests},
    "solutions": lambda it: {f"{it.name}.py": it.solution, f"test_{it.name}.py": it.tests},
    "nbgrader": lambda it: {f"{it.name}.ipynb": notebook(it)},
}
CONFTEST = '''"""Has pytest say how many points were reached, and keep the rest short."""

from chainrule.teaching.pytest_hooks import *  # noqa: F403
'''


def hand_out(folder: Path, names: Iterable[str] = (), form: str = "students", source: Path = OURS) -> list[Exercise]:
    """Write exercises into a folder, never over a file that is there; those that were written.

    Arguments   names   of the exercises (default: all)
                form    "students" (default), "solutions" or "nbgrader"
                source  the folder to take them from (default: ours)
    Raises      ConfigurationError if a name is unknown or a file exists; DataFileError if source has no exercises
    """
    if form not in FORMS:
        raise unknown_name("form", form, FORMS)
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(f"{folder} is a file, expected a folder for the exercises. Name another.")
    chosen = exercises(names, source)
    files = {folder / name: text for exercise in chosen for name, text in FORMS[form](exercise).items()}
    there = [path for path in files if path.exists()]
    if there:
        raise ConfigurationError(f"{there[0]} exists already and may be somebody's work. Name another folder.")
    conftest = folder / "conftest.py"
    if form != "nbgrader" and not conftest.exists():
        files[conftest] = CONFTEST
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in files.items():
        path.write_text(text, encoding="utf-8", newline="\n")
    return chosen
