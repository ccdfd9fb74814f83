"""An explanation as HTML, for the notebook: one box a layer, forward on the left, backward beside it.

All styles are inline and no colour is opaque, so that it sits well on a light page and on a dark one, and nothing
of it reaches the page around it. Shades say how large a number is, blue above 0 and orange below.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from chainrule.explaining.figures import DIGITS, Panel, panels, remark
from chainrule.explaining.pages import Page, Part, Story

ABOVE, BELOW, DARKEST = "70,130,200", "225,130,50", 0.4
MONO = "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:12px"
QUIET = "opacity:.7;font-size:12px"
BOX = "border:1px solid rgba(128,128,128,.3);border-radius:6px;padding:8px 12px;margin:8px 0"
SIDE = "flex:1 1 320px;min-width:0;overflow-x:auto"
CELL = f"{MONO};text-align:right;white-space:nowrap;padding:1px 6px;border:0;line-height:1.5"


def html(story: Story) -> str:
    """All of it, folded by layer."""
    boxes = [_box(page) for page in story.layers]
    if story.outcome:
        boxes.append(f"<div style='{BOX}'>{_heading('What the outputs say')}{_parts(story.outcome)}</div>")
    if story.loss:
        boxes.append(_box(story.loss))
    if story.moves:
        heading = _heading("Which weight wants to move, and how much")
        boxes.append(f"<div style='{BOX}'>{heading}{_parts(story.moves)}</div>")
    lead = "Read the left column downwards, then the right one upwards. " if story.loss else ""
    return (
        f"<div style='font-size:13px;line-height:1.5;max-width:1100px'><div><b>{escape(story.title)}</b></div>"
        f"<div style='{QUIET}'>{lead}Numbers are rounded to {DIGITS} digits.</div>{''.join(boxes)}</div>"
    )


def _box(page: Page) -> str:
    summary = (
        f"<summary style='cursor:pointer'><b>{escape(page.title)}</b> <span style='{MONO}'>{escape(page.code)}</span> "
        f"<span style='{QUIET}'>{escape(page.shapes)}</span></summary>"
    )
    if page.inner:
        body = _sides(page.forward, page.backward) + "".join(map(_box, page.inner))
        body += _heading(f"{page.title}, all together") + _sides(page.forward_end, page.backward_end)
    else:
        body = _sides([*page.forward, *page.forward_end], [*page.backward, *page.backward_end])
    return f"<details open style='{BOX}'>{summary}{body}</details>"


def _sides(forward: Sequence[Part], backward: Sequence[Part]) -> str:
    sides = [("forward", forward), ("backward", backward)] if backward else [("forward", forward)]
    columns = "".join(
        f"<div style='{SIDE}'><div style='{QUIET}'>{name}</div>{_parts(parts)}</div>" for name, parts in sides
    )
    return f"<div style='display:flex;flex-wrap:wrap;gap:24px;margin-top:6px'>{columns}</div>"


def _heading(text: str) -> str:
    return f"<div><b>{escape(text)}</b></div>"


def _parts(parts: Sequence[Part]) -> str:
    return "".join(map(_part, parts))


def _part(part: Part) -> str:
    if part.array is not None:
        tables = "".join(map(_table, panels(part.array)))
        said = remark(part.array)
        note = f"<div style='{QUIET}'>{escape(said)}</div>" if said else ""
        return f"<div style='margin:6px 0'><span style='{MONO}'>{escape(part.text)}</span>{tables}{note}</div>"
    if part.kind == "words":
        return f"<div style='{QUIET}'>{escape(part.text)}</div>"
    mark = "background:rgba(128,128,128,.1);border-radius:4px;padding:4px 8px;" if part.kind == "formula" else ""
    return f"<div style='{mark}{MONO};white-space:pre-wrap;margin:4px 0'>{escape(part.text)}</div>" if part.text else ""


def _table(panel: Panel) -> str:
    largest = float(np.abs(panel.values[np.isfinite(panel.values)], dtype=np.float64).max(initial=0))
    lines = []
    for cells, values in zip(panel.rows, panel.values, strict=True):
        shades = [_shade(value, largest) for value in values]
        shown = [f"<td style='{CELL};background:{shade}'>{c}</td>" for c, shade in zip(cells, shades, strict=True)]
        lines.append(_line([*shown, _dots()] if panel.cut[1] else shown))
    if panel.cut[0]:
        lines.append(_line([_dots()]))
    title = f"<div style='{MONO};opacity:.7'>{escape(panel.title)}</div>" if panel.title else ""
    return f"{title}<table style='border-collapse:collapse;border:0;margin:2px 0;width:auto'>{''.join(lines)}</table>"


def _line(cells: Sequence[str]) -> str:
    return f"<tr style='background:transparent'>{''.join(cells)}</tr>"


def _dots() -> str:
    return f"<td style='{CELL};opacity:.7'>...</td>"


def _shade(value: float, largest: float) -> str:
    if not np.isfinite(value) or not largest or not value:
        return "transparent"
    return f"rgba({ABOVE if value > 0 else BELOW},{DARKEST * abs(float(value)) / largest:.2f})"
