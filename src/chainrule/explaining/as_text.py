"""An explanation as plain text, for the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np

from chainrule.explaining.figures import DIGITS, panels, remark
from chainrule.explaining.pages import Page, Part, Story
from chainrule.layers.layer import Array

WIDTH = 118


def text(story: Story) -> str:
    """All of it: forwards from first to last, then backwards from last to first."""
    lines = [story.title, f"Numbers are rounded to {DIGITS} digits.", "", "FORWARD"]
    for page in story.layers:
        lines += _page(page, 0)
    if story.outcome:
        lines += ["", "What the outputs say", *_parts(story.outcome, 1)]
    if loss := story.loss:
        lines += ["", "LOSS", "", f"{loss.code}    {loss.shapes}", *_parts(loss.forward, 1)]
        lines += ["", "BACKWARD", "", loss.title, *_parts(loss.backward, 1)]
        for page in reversed(story.layers):
            lines += _page(page, 0, back=True)
    if story.moves:
        lines += ["", "WHICH WEIGHT WANTS TO MOVE, AND HOW MUCH", "", *_parts(story.moves, 0)]
    return "\n".join(line.rstrip() for line in lines)


def _page(page: Page, depth: int, back: bool = False) -> list[str]:
    head = page.title if back else f"{page.title}    {page.code}    {page.shapes}"
    lines = ["", "  " * depth + head, *_parts(page.backward if back else page.forward, depth + 1)]
    for inner in reversed(page.inner) if back else page.inner:
        lines += _page(inner, depth + 1, back)
    if page.inner:
        lines += ["", "  " * depth + f"{page.title}, all together"]
    return [*lines, *_parts(page.backward_end if back else page.forward_end, depth + 1)]


def _parts(parts: Sequence[Part], depth: int) -> list[str]:
    margin = "  " * depth
    lines = []
    for part in parts:
        if part.kind == "formula":
            lines += [margin + line for line in part.text.splitlines()]
        elif part.array is None:
            lines += (
                textwrap.wrap(
                    part.text, WIDTH, initial_indent=margin, subsequent_indent=margin + "    ", replace_whitespace=False
                )
                if len(margin + part.text) > WIDTH
                else [margin + part.text]
            )
        else:
            lines += [margin + part.text, *(margin + "    " + line for line in _array(part.array))]
    return lines


def _array(array: Array) -> list[str]:
    lines = []
    for panel in panels(array):
        lines += [panel.title] if panel.title else []
        rows = [[*row, "..."] if panel.cut[1] else row for row in panel.rows]
        widths = np.array([[len(cell) for cell in row] for row in rows]).max(axis=0, initial=0)
        lines += ["  ".join(f"{cell:>{n}}" for cell, n in zip(row, widths, strict=True)) for row in rows]
        lines += ["..."] if panel.cut[0] else []
    return [*lines, said] if (said := remark(array)) else lines
