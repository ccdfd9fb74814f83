"""Writes an exercise as a notebook for nbgrader: a cell for students to write in, and locked cells that grade it.

Source      Jupyter's notebook format 4.5; nbgrader's cell metadata, schema version 3
"""

from __future__ import annotations

import ast
import json
from typing import Any

from chainrule.teaching.exercise import Exercise, without


def notebook(exercise: Exercise) -> str:
    """The notebook of an exercise, with its solution, which `nbgrader generate_assignment` takes out."""
    name, (title, _, story) = exercise.name, exercise.text.partition("\n")
    preparation = without(exercise.preparation, lambda node: _is_text(node) or _imports(node, name))
    cells = [
        _cell("markdown", f"{name}-text", f"# {title}\n{story}", locked=True),
        _cell("code", f"{name}-answer", without(exercise.source, _is_text), solution=True),
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


def _is_text(node: ast.stmt) -> bool:
    """Is it the docstring?"""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _imports(node: ast.stmt, name: str) -> bool:
    """Does it import what stands in a cell above?"""
    return isinstance(node, ast.ImportFrom) and node.module == name
