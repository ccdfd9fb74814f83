"""Turns the plain docstrings of chainrule into reStructuredText: `Shapes      x (N, D)` becomes a field with its text.

A section begins at the margin with its name and two spaces, or a colon, and goes on in the indented lines below it.
Formulas keep their lines and their spaces; arguments become a list of names; all else is prose.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from typing import Any

FORMULAS = {"Shapes", "Forward", "Backward", "Update", "Value", "Gradient", "Step", "Steps", "State", "Formula"}
LISTS = {"Arguments", "Attributes", "Columns"}
PROSE = {"Raises", "Source", "Returns", "Precision", "Looks"}
SECTION = re.compile(rf"({'|'.join(sorted(FORMULAS | LISTS | PROSE))})(?:  +|: |:$)")
ITEM = re.compile(r"(\*{0,2}\w+(?:, \*{0,2}\w+)*):? +(.*)")


def prose(text: str) -> str:
    """Running text: names in backticks as code, and no other character with a meaning."""
    parts = text.replace("``", "`").split("`")
    if len(parts) % 2 == 0:  # an apostrophe, or a stray one
        parts = [text]
    marked = [rf"\ ``{part}``\ " if i % 2 else re.sub(r"([\\*_|`])", r"\\\1", part) for i, part in enumerate(parts)]
    return "".join(marked)


def section(name: str, lines: list[str]) -> list[str]:
    """One section as a field."""
    if name in FORMULAS:
        return [f":{name}:", "    .. code-block:: text", "", *(f"        {line}" for line in lines), ""]
    if name in LISTS:
        items: list[list[str]] = []
        for line in lines:
            if line[:1].isspace() and items:
                items[-1].append(line.strip())
            else:
                items.append([line])
        return [f":{name}:", *(line for item in items for line in listed(" ".join(item))), ""]
    return [f":{name}:", f"    {prose(' '.join(line.strip() for line in lines))}", ""]


def listed(item: str) -> list[str]:
    """`name   what it is` as a line of a list."""
    found = ITEM.match(item)
    if not found:
        return [f"    - {prose(item)}"]
    return [f"    - ``{found[1]}``  {prose(found[2])}"]


def restructured(lines: list[str]) -> list[str]:
    """The whole docstring."""
    text, out = inspect.cleandoc("\n".join(lines)).splitlines(), []
    while text:
        line = text.pop(0)
        if line.startswith(">>>"):
            out += ["", line]
            while text and text[0].strip():
                out.append(text.pop(0))
            out.append("")
        elif found := SECTION.match(line):
            first, more = line[found.end() :], []
            while text and text[0].startswith(" "):
                more.append(text.pop(0))
            rest = textwrap.dedent("\n".join(more)).splitlines() if first.strip() == "" else cut(more, found.end())
            body = [first, *rest] if first.strip() else rest
            out += ["", *section(found[1], body)]
        elif line.startswith(" "):
            out += ["", "::", "", f"    {line}"]
            while text and text[0].startswith(" "):
                out.append(f"    {text.pop(0)}")
            out.append("")
        else:
            paragraph = [line]
            while line.strip() and text and text[0].strip() and not SECTION.match(text[0]) and text[0][:1] not in " >":
                paragraph.append(text.pop(0))
            out += prose("\n".join(paragraph)).splitlines() or [""]
    return out


def cut(lines: list[str], width: int) -> list[str]:
    """The lines without the column of section names."""
    return [line[min(width, len(line) - len(line.lstrip())) :] for line in lines]


def rewrite(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Called by autodoc for every docstring."""
    lines[:] = [*restructured(lines), ""]


def setup(app: Any) -> dict[str, Any]:
    """Sphinx calls this."""
    app.connect("autodoc-process-docstring", rewrite)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
