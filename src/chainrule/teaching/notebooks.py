"""Writes an exercise as a notebook for nbgrader: a cell for students to write in, and locked cells that grade it.

Source      Jupyter's notebook format 4.5; nbgrader's cell metadata, schema version 3
"""

from __future__ import annotations

import ast
import json
import re
from typing import Any

from chainrule.teaching.exercise import Exercise


def notebook(exercise: Exercise) -> str:
    """The notebook of an exercise, with its solution, which `nbgrader generate_assignment` takes out."""
    name, (title, _, story) = exercise.name, exercise.text.partition("\n")
    preparation = re.sub(rf"^from {name} import .*\n", "", _without_docstring(exercise.preparation), flags=re.M)
    cells = [
        _cell("markdown", f"{name}-text", f"# {title}\n{story}", locked=True),
        _cell("code", f"{name}-answer", _without_docstring(exercise.source), solution=True),
        _cell("code", f"{name}-preparation", preparation, locked=True),
    ]
    for test in exercise.graded:
        run = f"{test.lines}\n\n\n{test.name}()"
        cells.append(_cell("code", f"{name}-{test.name}", run, locked=True, grade=True, points=test.points))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    content = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _cell(kind: str, name: str, text: str, **marks: Any) -> dict[str, Any]:
    plain = {"schema_version": 3, "grade_id": name, "locked": False, "grade": False, "solution": False, "task": False}
    lines = text.strip().splitlines(keepends=True)
    cell = {"cell_type": kind, "id": name[-64:], "metadata": {"nbgrader": plain | marks}, "source": lines}
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def _without_docstring(source: str) -> str:
    first = ast.parse(source).body[0]
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return "\n".join(source.splitlines()[first.end_lineno if is_docstring else 0 :])
