"""Writes an exercise as a notebook for nbgrader: a cell for students to write in, and locked cells that grade it.

Source      Jupyter's notebook format 4.5; nbgrader's cell metadata, schema version 3
"""

from __future__ import annotations

import ast
import json
import re
from typing import Any


def notebook(name: str, source: str, tests: str) -> str:
    """The notebook of an exercise, with its solution, which `nbgrader generate_assignment` takes out."""
    text, code = _docstring_and_rest(source)
    _, tests = _docstring_and_rest(tests)
    tests = re.sub(rf"^from {name} import .*\n", "", tests, flags=re.M)
    preparation, graded = _split(tests)
    title, _, story = text.partition("\n")
    cells = [
        _cell("markdown", f"{name}-text", f"# {title}\n{story}", locked=True),
        _cell("code", f"{name}-answer", code, solution=True),
        _cell("code", f"{name}-preparation", preparation, locked=True),
        *(
            _cell("code", f"{name}-{test}", f"{lines}\n\n\n{test}()", locked=True, grade=True, points=worth)
            for test, lines, worth in graded
        ),
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    content = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _cell(kind: str, name: str, text: str, *, locked: bool = False, **more: Any) -> dict[str, Any]:
    mark = {"schema_version": 3, "grade_id": name, "locked": locked, "grade": False, "solution": False, "task": False}
    code = {"execution_count": None, "outputs": []} if kind == "code" else {}
    source = text.strip().splitlines(keepends=True)
    return {"cell_type": kind, "id": name[-64:], "metadata": {"nbgrader": mark | more}, "source": source, **code}


def _docstring_and_rest(source: str) -> tuple[str, str]:
    tree = ast.parse(source)
    lines = source.splitlines(keepends=True)
    return ast.get_docstring(tree) or "", "".join(lines[tree.body[0].end_lineno :])


def _split(tests: str) -> tuple[str, list[tuple[str, str, int]]]:
    """What stands before the tests, and each test: its name, its lines, its points."""
    lines = tests.splitlines()
    functions = [
        (node, decorator.args[0].value)
        for node in ast.parse(tests).body
        if isinstance(node, ast.FunctionDef)
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call) and isinstance(decorator.args[0], ast.Constant)
    ]
    starts = [node.decorator_list[0].lineno - 1 for node, _ in functions]
    graded = [
        (node.name.removeprefix("test_"), "\n".join(lines[start : node.end_lineno]), worth)
        for start, (node, worth) in zip(starts, functions, strict=True)
    ]
    return "\n".join(lines[: starts[0]]), graded
