"""Explanations found by asking the learner's own forward: is the gradient right, but for other arrays than the call's?

At the weights after the update, at a matrix transposed or a kernel turned round, at the output in place of the input.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from chainrule.doctor.examining.binding import LearnerError
from chainrule.doctor.examining.evidence import Evidence, measure
from chainrule.doctor.naming.relations import Explanation, fits, square_axes
from chainrule.layers.layer import Array


def by_asking(name: str, evidence: Evidence) -> Explanation | None:
    """The learner's gradient is right, but for other arrays than those of the call: found by measuring there."""
    given, leaf = evidence.analytic.get(name), name.split(".")[-1]
    if given is None or np.shape(given) != evidence.numerical[name].shape or name not in evidence.patient.places:
        return None
    for changed, explanation in _questions(name, leaf, evidence):
        if _right_at(changed, name, evidence):
            return explanation
    return None


PROBE = 4  # entries that are measured first: most questions are answered with no by these


def _right_at(changed: dict[str, Array], name: str, evidence: Evidence) -> bool:
    """Is the learner's gradient the numerical one for these other values of some arrays?"""
    try:
        evidence.patient.put(changed)
        return all(
            fits(
                evidence.analytic.get(name),
                measure(evidence.patient, name, evidence.dy, evidence.precision, most)[0],
                evidence,
            )
            for most in (PROBE, None)
        )
    except (LearnerError, ValueError):
        return False
    finally:
        evidence.patient.put(evidence.arrays)


def _questions(name: str, leaf: str, evidence: Evidence) -> Iterator[tuple[dict[str, Array], Explanation]]:
    arrays = evidence.arrays
    places = evidence.patient.places
    updated = {
        n: a for n, a in evidence.after.items() if n in places and not np.array_equal(a, arrays[n]) and n != name
    }
    if updated:
        which = ", ".join(updated)
        yield (
            updated,
            Explanation(
                "updated-first",
                f"it is right for {which} as backward left it: updated before it was used",
                "compute all gradients first, then update",
            ),
        )
    for other, array in arrays.items():
        if other in ("x", name) or other not in evidence.patient.places:
            continue
        for axes in square_axes(array):
            turned = f"{other}.T" if array.ndim == 2 else f"{other}.swapaxes{axes}"
            says = f"it is right for {turned}: {other} was not transposed (or twice)"
            yield {other: array.swapaxes(*axes).copy()}, Explanation("transposed", says, f"turn {other} round")
        if array.ndim >= 2:
            for axes in itertools.combinations(range(array.ndim), 2):
                images = array.ndim >= 3 or (name == "x" and evidence.chain is None)
                if images and all(array.shape[a] > 1 for a in axes):
                    yield (
                        {other: np.flip(array, axes).copy()},
                        Explanation(
                            "kernel-flip",
                            f"it is right for {other} turned round along axes {axes}",
                            f"dx is dy convolved with the kernel turned round: {leaf}[..., ::-1, ::-1]",
                        ),
                    )
        if array.ndim == 1 and array.size > 1 and name == "x":
            yield (
                {other: array[::-1].copy()},
                Explanation("kernel-flip", f"it is right for {other} turned round", f"turn {other} round: [::-1]"),
            )
    if "x" in arrays and name != "x" and np.shape(evidence.outputs) == np.shape(arrays["x"]):
        yield (
            {"x": evidence.outputs.copy()},
            Explanation("wrong-input", "it is right for the outputs as the input", "use the input that forward saw"),
        )


def slope_elsewhere(evidence: Evidence) -> Explanation | None:
    """Elementwise functions: is it the slope at the output, taken from the learner's own forward?"""
    if evidence.patient.kind not in ("layer", "slope") or len(evidence.arrays) != 1:
        return None
    x = evidence.arrays["x"]
    if np.shape(evidence.outputs) != x.shape:
        return None
    if _right_at({"x": evidence.outputs.copy()}, "x", evidence):
        return Explanation(
            "at-output", "it is f'(f(x)): the slope was taken at the output", "take the slope at the input x"
        )
    at_input = _answer_at(evidence.outputs, evidence) if evidence.patient.kind == "slope" else None
    if fits(at_input, evidence.numerical["x"], evidence):
        return Explanation(
            "at-input", "it is the slope's formula for the output f(x), given x", "call it with f(x), or write it for x"
        )
    if fits(evidence.analytic.get("x"), evidence.dy, evidence):
        return Explanation("missing-derivative", "dy is passed through: f'(x) was not multiplied in", "dx = dy * f'(x)")
    return None


def _answer_at(x: Array, evidence: Evidence) -> Any:
    """The learner's gradient for another input."""
    try:
        evidence.patient.put({"x": x})
        return evidence.patient.answer(evidence.dy).get("x")
    except LearnerError:
        return None
    finally:
        evidence.patient.put(evidence.arrays)
