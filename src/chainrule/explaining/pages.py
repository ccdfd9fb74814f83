"""What there is to say of each layer, of the loss and of the weights, before it is text or HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
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


class Story(NamedTuple):
    """All that is told of one pass."""

    title: str
    layers: Sequence[Page]
    outcome: Sequence[Part]  # what the outputs mean
    loss: Page | None = None
    moves: Sequence[Part] = ()


def layer_pages(rows: Sequence[Trace], backward: bool, around: Trace | None = None) -> list[Page]:
    """A page for each layer; where its x comes from, and its dy, is said in words if it has been shown."""
    pages = []
    for i, row in enumerate(rows):
        layer = row.layer
        x_from, dy_from = {}, {}
        if around is not None:
            x_from[f"the x of {around.layer.title()}"] = around.x
            dy_from[f"the dy of {around.layer.title()}"] = around.dy
        if i:
            x_from[f"the y of {rows[i - 1].layer.title()}"] = rows[i - 1].y
        if i + 1 < len(rows):
            dy_from[f"the dx of {rows[i + 1].layer.title()}"] = rows[i + 1].dx
        elif around is None:
            dy_from["dL/doutputs, from the loss"] = row.dy
        page = Page(layer.title(), repr(layer), f"{row.x.shape} -> {row.y.shape}")
        page.forward = [*_formula(row, "Forward"), _array("x", row.x, x_from)]
        page.forward += [_array(name, getattr(layer, name)) for name in (*layer.parameter_names, *layer.state_names)]
        page.forward_end = [*_lines(worked.of_layer(row, "Forward")), _array("y", row.y)]
        if backward:
            page.backward = [*_formula(row, "Backward"), _array("dy", row.dy, dy_from)]
            page.backward_end = [*_lines(worked.of_layer(row, "Backward")), _array("dx", row.dx)]
            page.backward_end += [
                _array(f"d{name}", row.gradients[f"{layer.path}.{name}"]) for name in layer.parameter_names
            ]
        page.inner = layer_pages(row.inner, backward, row)
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
    if not forward:
        page.forward.append(Part("worked", f"loss = {figure(value)}"))
    page.backward = [Part("formula", said["Backward"])] if "Backward" in said else []
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
        with np.errstate(over="ignore"):  # an infinite rate is shown as one
            return [_array("rates = e^outputs", np.exp(outputs))]
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
            index, value, slope = np.unravel_index(int(k), row.shape), values.flat[k], slopes.flat[k]
            where = ("down" if slope > 0 else "up" if slope < 0 else "nowhere: no number") + frozen
            entry = f"{row.name}[{','.join(map(str, index))}]"
            lines.append((entry, figure(value), f"gradient {figure(slope)}", where))
    widths = [max(map(len, column)) for column in list(zip(*lines, strict=True))[:3]] if lines else []
    parts += [Part("worked", f"{a:<{widths[0]}}  {b:>{widths[1]}}    {c:<{widths[2]}}    {d}") for a, b, c, d in lines]
    return parts if lines else []


def _formula(row: Trace, heading: str) -> list[Part]:
    said = formulas.sections(row.layer).get(heading, UNSAID if heading == "Forward" else "")
    return [Part("formula", re.sub(" {3,}", "\n", said))] if said else []


def _lines(lines: Sequence[str]) -> list[Part]:
    return [Part("worked", line) for line in lines]


def _array(name: str, array: Array, shown: Mapping[str, Array] = MappingProxyType({})) -> Part:
    """An array with its shape; or words, if it is one of those that have been shown."""
    for where, other in shown.items():
        if array.shape == other.shape and np.array_equal(array, other, equal_nan=True):
            return Part("words", f"{name}: {where}")
    picture = image(array.shape[1:])
    title = f"{name} {array.shape}" + (f", {picture}" if picture and array.ndim > 1 else "")
    return Part("array", title, array.copy())  # weights change, and what was told of them must not
