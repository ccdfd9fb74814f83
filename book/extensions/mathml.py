"""Writes formulas as MathML, which browsers draw by themselves: no script, no font, no network."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.util import logging

logger = logging.getLogger(__name__)

NAMED = re.compile(r"(<mi>(?:log|exp|tanh)</mi>)(?=<m(?:i|n|row|sub|sup)\b)")  # the converter sets log 4 as log4


def mathml(node: nodes.Element, display: str) -> str:
    """The formula of a math node; what the converter does not know it leaves standing, and that is a warning."""
    text = convert(node.astext(), display=display)
    if "\\" in text:
        logger.warning("a formula with an unknown command: %s", node.astext(), location=node)
    return NAMED.sub(r'\1<mspace width="0.17em"/>', text)


def visit_inline(self: Any, node: nodes.Element) -> None:
    """A formula in a line of text."""
    self.body.append(mathml(node, "inline"))
    raise nodes.SkipNode


def visit_block(self: Any, node: nodes.Element) -> None:
    """A formula that stands by itself."""
    self.body.append(f'<div class="formula">{mathml(node, "block")}</div>')
    raise nodes.SkipNode


def setup(app: Any) -> dict[str, Any]:
    """Sphinx calls this."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
