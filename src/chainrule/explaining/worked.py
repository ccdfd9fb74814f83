"""One entry of each array worked out with its numbers, from the docstring's own formula, if that formula is true.

A formula is worked out only where all of its array comes out as the layer computed it: nothing is shown that is not so.
What a layer computes otherwise in training than in use may have two formulas; the one that is true is shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from chainrule.explaining import formulas, terms
from chainrule.explaining.figures import figure
from chainrule.explaining.formulas import UnreadableError
from chainrule.explaining.terms import Term
from chainrule.layers.layer import Array, Layer
from chainrule.losses import Loss
from chainrule.tracing import Trace


def of_layer(row: Trace, heading: str) -> list[str]:
    """The lines for what stands under Forward or Backward in the docstring of a layer."""
    layer, text = row.layer, formulas.sections(row.layer)
    known = _constants(layer, text.get("Arguments", ""))
    known |= {name: getattr(layer, name) for name in (*layer.parameter_names, *layer.state_names)}
    known |= _cache(row.cache, text.get("Shapes", ""))
    known |= {"x": row.x, "y": row.y, "dy": row.dy}
    results = known | {"dx": row.dx}
    results |= {f"d{name}": row.gradients[f"{layer.path}.{name}"] for name in layer.parameter_names}
    return _Book(text, known, row.y.dtype).lines(heading, results)


def of_loss(loss: Loss, outputs: Array, targets: Array, value: float, gradient: Array, heading: str) -> list[str]:
    """The lines for what stands under Forward or Backward in the docstring of a loss; `targets` as it checked them."""
    text = formulas.sections(loss)
    if targets.shape == outputs.shape[:-1]:  # labels: a 1 among zeros
        targets = np.eye(outputs.shape[-1])[targets]
    known: dict[str, Any] = {"outputs": outputs, "z": outputs, "targets": targets, "t": targets, "q": targets}
    known |= {"N": outputs.shape[0], "K": outputs.shape[-1]} | _constants(loss, text.get("Arguments", ""))
    results: dict[str, Any] = {"loss": np.float64(value)} if heading == "Forward" else {"dL/doutputs": gradient}
    return _Book(text, known, outputs.dtype).lines(heading, results)


def _constants(thing: Layer | Loss, arguments: str) -> dict[str, Any]:
    """Numbers among the constructor's arguments, by name, and by the letter that the docstring gives them."""
    numbers: dict[str, Any] = {}
    for name, value in thing.config().items():
        try:
            numbers[name] = np.asarray(value, np.float64)
        except (TypeError, ValueError):
            continue
        if letter := re.search(rf"^ *{name}:? +([a-z])(?:,| in )", arguments, re.M):
            numbers[letter[1]] = numbers[name]
    return numbers


def _cache(cache: tuple[Any, ...], shapes: str) -> dict[str, Any]:
    """What lies in the cache, by the names in the docstring: `cache: x_hat, rstd`."""
    found = re.search(r"cache: ([\w, ]+)", shapes)
    names = found[1].split(", ") if found else []
    pairs = zip(names, cache, strict=False) if len(names) == len(cache) else ()
    return {name: value for name, value in pairs if isinstance(value, np.ndarray) and value.dtype.kind == "f"}


class _Book:
    """The statements of a docstring and the numbers for the names in them."""

    def __init__(self, sections: Mapping[str, str], known: Mapping[str, Any], dtype: Any) -> None:
        self.sections, self.known, self.dtype = sections, known, dtype
        self.said: dict[str, list[str]] = {}  # all that is said of a name, in order
        for heading in ("Forward", "Backward"):
            for name, text in formulas.statements(sections.get(heading, "")):
                self.said.setdefault(name, []).append(text)

    def lines(self, heading: str, results: Mapping[str, Any]) -> list[str]:
        text = self.sections.get(heading, "")
        lines: dict[str, None] = {}  # in order, each once
        names = dict.fromkeys(name for name, _ in formulas.statements(text))
        for name in sorted(names, key=lambda name: name == "y"):  # what it is made of comes before it
            if results.get(name) is not None:
                mean_over_rows = "averages over the row" not in text
                lines |= dict.fromkeys(self.worked(name, results, mean_over_rows))
        return list(lines)

    def worked(self, name: str, results: Mapping[str, Any], mean_over_rows: bool) -> list[str]:
        """The lines for one result, definitions first; none if no formula for it is true."""
        several = max(map(len, self.said.values()))
        for k in range(2 * several):
            reading = _Reading(self, k // 2, definitions_first=bool(k % 2), mean_over_rows=mean_over_rows)
            try:
                term = reading.define(name)
            except UnreadableError:
                continue
            defined = reading.defined
            computed = {used: np.asarray(results[used]) for used in defined if used in results}
            if all(_is(defined[used].value, result, self.dtype) for used, result in computed.items()):
                lines = [line for used, value in defined.items() for line in _written(used, value)]
                return [*lines, *_mean(name, term, float(results[name]))] if name == "loss" else lines
        return []


class _Reading:
    """One way to read: of several statements about a name the k-th, and names as they are defined or as they are."""

    def __init__(self, book: _Book, k: int, *, definitions_first: bool, mean_over_rows: bool) -> None:
        self.book, self.k, self.definitions_first, self.mean_over_rows = book, k, definitions_first, mean_over_rows
        self.defined: dict[str, Term] = {}
        self.open: list[str] = []  # names that are being defined: q = (1 - s) q + s / K has another q in it

    def define(self, name: str) -> Term:
        said = self.book.said[name]
        self.open.append(name)
        try:
            term = formulas.read(said[min(self.k, len(said) - 1)], self.look_up, self.mean_over_rows)
        finally:
            self.open.pop()
        self.defined[name] = term
        return term

    def look_up(self, name: str) -> Term | None:
        if name in self.defined:
            return terms.leaf(self.defined[name].value)
        known, defines = self.book.known.get(name), name in self.book.said and name not in self.open
        if known is not None and not (self.definitions_first and defines):
            return terms.leaf(known, is_matrix=name[0].isupper())
        return terms.leaf(self.define(name).value) if defines else None


def _is(value: Array, result: Array, dtype: Any) -> bool:
    """Does the formula give the result, but for rounding? Of a loss, on average."""
    with np.errstate(all="ignore"):
        value = value.mean() if result.ndim == 0 else value
        try:
            value = np.broadcast_to(value, result.shape)
        except ValueError:
            return False
        near = float(np.sqrt(np.finfo(dtype).eps))
        return bool(np.allclose(value, result, rtol=near, atol=near * np.abs(result, dtype=np.float64).max(initial=0)))


def _written(name: str, term: Term) -> list[str]:
    if not term.value.size:
        return []
    first = int((term.value != 0).argmax())  # that is not 0, if one is not
    index = tuple(map(int, np.unravel_index(first, term.value.shape)))
    text, value = term.text(index), figure(term.value[index])
    place = f"[{','.join(map(str, index))}]" if index else ""
    equals = "" if text == value else f" = {value}"
    return [f"{name}{place} = {text}{equals}" + (f"    since {term.since(index)}" if term.since else "")]


def _mean(name: str, term: Term, value: float) -> list[str]:
    """The last line of a loss: the average of its entries."""
    entries = term.value.ravel()
    if len(entries) == 1:
        return [f"{name} = {figure(value)}"]
    return [f"{name} = ({terms.written_sum(entries, lambda k: figure(entries[k]))}) / {len(entries)} = {figure(value)}"]
