"""How a network prints: one line a layer, with its output shape and how many numbers it learns."""

from __future__ import annotations

import html as escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chainrule.network import Network

HEADINGS = ("layer", "output shape", "parameters")


def text(network: Network) -> str:
    """The table as plain text, for the terminal."""
    rows = [HEADINGS, *_rows(network)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADINGS))]
    lines = [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}" for a, b, c in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:], "-" * len(lines[0]), _total(network)])


def html(network: Network) -> str:
    """The table as HTML, for the notebook."""
    cells = "".join(
        "<tr>" + "".join(f"<td style='text-align:left'>{escape.escape(cell)}</td>" for cell in row) + "</tr>"
        for row in _rows(network)
    )
    head = "".join(f"<th style='text-align:left'>{heading}</th>" for heading in HEADINGS)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{cells}</tbody></table><p>{escape.escape(_total(network))}</p>"


def _rows(network: Network) -> list[tuple[str, str, str]]:
    shapes = network.out_shapes or [None] * len(network.layers)
    rows = []
    for layer, shape in zip(network.layers, shapes, strict=True):
        count = sum(p.slice.stop - p.slice.start for p in network.parameters if p.name.startswith(f"{layer.path}."))
        printed = "not built" if shape is None else f"({', '.join(['N', *map(str, shape)])})"
        rows.append((f"{layer.path}  {layer!r}", printed, f"{count:,}"))
    return rows


def _total(network: Network) -> str:
    frozen = sum(p.slice.stop - p.slice.start for p in network.parameters if not p.trainable)
    note = f", {frozen:,} of them frozen" if frozen else ""
    kept = f"; {network.state.size:,} numbers of running state" if network.state.size else ""
    return f"total {network.params.size:,} parameters{note}{kept} ({network.dtype})"
