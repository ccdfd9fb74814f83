"""What there is to say of each layer, of the loss and of the weights, before it is text or HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from chainrule import tasks
from chainrule.explaining import formulas, worked
from chainrule.explaining.figures import figure, image
from chainrule.layers.layer import Array
from chainrule.losses import Loss
from chainrule.network import Network
from chainrule.tracing import Trace

MOST_MOVES = 3  # entries that are shown of each parameter
UNSAID = "no formula in its docstring: write one under Forward and Backward to see it here"


class Part(NamedTuple):
    """A formula, a sentence, a calculation, or an array with its name."""

    kind: str  # "formula", "words", "worked" or "array"
    text: str
    array: Array | None = None


@dataclass
class Page:
    """One layer, or the loss."""

    title: str
    code: str
    shapes: str
    forward: list[Part] = field(default_factory=list)
    backward: list[Part] = field(default_factory=list)
    inner: list[Page] = field(default_factory=list)
    forward_end: list[Part] = field(default_factory=list)  # of a container: what comes when those inside are through
    backward_end: list[Part] = field(default_factory=list)


def layer_pages(rows: Sequence[Trace], backward: bool, handed: str, x_from: str = "") -> list[Page]:
    """A page for each layer; where its x comes from, and its dy, is said in words if it has been shown."""
    pages = []
    for i, row in enumerate(rows):
        before, after = rows[i - 1] if i else None, rows[i + 1] if i + 1 < len(rows) else None
        given = f"the y of {before.layer.title()}" if before and _same(before.y, row.x) else ""
        page = Page(row.layer.title(), repr(row.layer), f"{row.x.shape} -> {row.y.shape}")
        page.forward = [*_formula(row, "Forward"), _array("x", row.x, "" if row.inner and i else given)]
        page.forward += [_array(name, getattr(row.layer, name)) for name in row.layer.parameter_names]
        page.forward += [_array(name, getattr(row.layer, name)) for name in row.layer.state_names]
        ends = [*_lines(worked.of_layer(row, "Forward")), _array("y", row.y)]
        if backward:
            returned = f"the dx of {after.layer.title()}" if after and _same(after.dx, row.dy) else ""
            returned = returned or ("dL/doutputs" if after is None and handed == "the loss" else "")
            page.backward = [*_formula(row, "Backward"), _array("dy", row.dy, returned)]
            page.backward_end = [*_lines(worked.of_layer(row, "Backward")), _array("dx", row.dx)]
            page.backward_end += [
                _array(f"d{name}", row.gradients[f"{row.layer.path}.{name}"]) for name in row.layer.parameter_names
            ]
        page.forward_end = ends
        page.inner = layer_pages(row.inner, backward, handed=row.layer.title())
        pages.append(page)
    return pages


def loss_page(loss: Loss, outputs: Array, y: Any) -> Page:
    """The loss: forward is its value, backward is dL/doutputs."""
    targets = loss.check(y, outputs.shape)
    value, gradient = loss(outputs, y)
    said = formulas.sections(loss)
    page = Page("Loss", repr(loss), f"{outputs.shape} -> one number")
    forward = worked.of_loss(loss, outputs, targets, value, gradient, "Forward")
    backward = worked.of_loss(loss, outputs, targets, value, gradient, "Backward")
    page.forward = [Part("formula", said.get("Forward", UNSAID)), _array("targets", targets), *_lines(forward)]
    if f"loss = {figure(value)}" not in forward and not any(line.startswith("loss = ") for line in forward):
        page.forward.append(Part("worked", f"loss = {figure(value)}"))
    page.backward = [Part("formula", said[heading]) for heading in ("Backward",) if heading in said]
    page.backward += _lines([line for line in backward if line not in forward])
    page.backward.append(_array("dL/doutputs", gradient))
    return page


def meaning(network: Network, outputs: Array, loss: Loss | None) -> list[Part]:
    """What the outputs say: probabilities and the answer, where the task is known."""
    output = network.output or (loss.output if loss else None)
    if output is None or output == "identity" or not np.isfinite(outputs).all():
        return []
    parts = []
    if output == "exp":
        return [Part("words", "e^outputs, the rates:"), _array("rates", np.exp(outputs))]
    if not network.squashed:
        name = "softmax(outputs)" if output == "softmax" else "sigmoid(outputs)"
        p = tasks.probabilities(output, outputs, False)
        p = p[:, 1:] if outputs.shape[-1] == 1 else p
        parts.append(_array(f"p = {name}", p))
    answers = tasks.decide(output, outputs, network.squashed)
    if answers.ndim == 1:
        names = network.class_names or range(max(2, outputs.shape[-1]))
        parts.append(Part("words", "answer: " + ", ".join(str(names[k]) for k in answers)))
    return parts


def moves(network: Network, trace: Sequence[Trace]) -> list[Part]:
    """The entries of each parameter with the largest gradients, and where these send them."""
    gradients = {name: g for row in trace for name, g in row.gradients.items()}
    lines: list[tuple[str, str, str, str]] = []
    parts = [Part("words", "A step subtracts learning_rate * gradient: above 0 sends a weight down, below 0 up.")]
    rows = {row.name: row for row in network.parameters}
    for name, slopes in gradients.items():
        row = rows[name]
        values = network.params[row.slice].reshape(row.shape)
        largest = [k for k in np.argsort(-np.abs(slopes), axis=None, kind="stable")[:MOST_MOVES] if slopes.flat[k]]
        frozen = "" if row.trainable else ", but it is frozen"
        if not largest:
            lines.append((row.name, "", "", "stays: all of its gradients are 0"))
        for k in largest:
            index = ",".join(map(str, np.unravel_index(int(k), row.shape)))
            where = ("down" if slopes.flat[k] > 0 else "up") + frozen
            lines.append((f"{row.name}[{index}]", figure(values.flat[k]), f"gradient {figure(slopes.flat[k])}", where))
    widths = [max(map(len, column)) for column in list(zip(*lines, strict=True))[:3]] if lines else []
    parts += [Part("worked", f"{a:<{widths[0]}}  {b:>{widths[1]}}    {c:<{widths[2]}}    {d}") for a, b, c, d in lines]
    return parts if lines else []


def _formula(row: Trace, heading: str) -> list[Part]:
    return [Part("formula", formulas.sections(row.layer).get(heading, UNSAID if heading == "Forward" else ""))]


def _lines(lines: Sequence[str]) -> list[Part]:
    return [Part("worked", line) for line in lines]


def _array(name: str, array: Array, elsewhere: str = "") -> Part:
    """An array with its shape, or where it has been shown."""
    if elsewhere:
        return Part("words", f"{name}: {elsewhere}")
    picture = image(array.shape[1:])
    return Part("array", f"{name} {array.shape}" + (f", {picture}" if picture and array.ndim > 1 else ""), array)


def _same(a: Array, b: Array) -> bool:
    return a.shape == b.shape and bool(np.array_equal(a, b, equal_nan=True))
