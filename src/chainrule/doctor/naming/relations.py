"""Explanations that need no knowledge of the function: how the learner's numbers relate to the measured ones.

A constant ratio, a transpose, a sum left out, a multiple of the weights on top, or the right answer to another
question: the gradient at the weights after the update, or at a kernel turned round. The last kind is found by asking
the learner's own forward.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.doctor.examining.binding import LearnerError
from chainrule.doctor.examining.evidence import Evidence, errors, measure
from chainrule.layers.layer import Array


@dataclass(frozen=True)
class Explanation:
    """A cause for one array, the numbers that speak for it, and the line to write."""

    cause: str
    says: str
    write: str = ""


def fits(given: Any, predicted: Any, evidence: Evidence) -> bool:
    """Is the learner's array the predicted one, where both are known?"""
    if given is None or predicted is None:
        return False
    norm, entry = errors(given, np.asarray(predicted, np.float64))
    return norm <= 10 * evidence.precision.norm and entry <= 10 * evidence.precision.entry


def constant_ratio(given: Any, measured: Array, evidence: Evidence) -> float | None:
    """The factor between two arrays, if it is one and the same throughout."""
    if given is None or np.shape(np.squeeze(given)) != np.shape(np.squeeze(measured)):
        return None
    a, m = np.ravel(given), np.ravel(measured)
    known = ~np.isnan(m)
    a, m = a[known], m[known]
    if not m.size or not np.abs(m).max() > 0 or not np.isfinite(a).all():
        return None
    ratio = float((a @ m) / (m @ m))
    return ratio if ratio and fits(a, ratio * m, evidence) else None


def named_factor(ratio: float, evidence: Evidence) -> str | None:
    """What a factor stands for: "n", "1 / n", "n * K" ...; what moves with the number of examples is n."""
    n, k = evidence.n, max(1, int(evidence.outputs.size // max(evidence.n, 1)))
    if evidence.patient.kind == "loss":
        k = max(1, evidence.arrays["x"].size // n) if "x" in evidence.arrays else 1
    sizes = {"n": n, "n * K": n * k, "n**2": n * n}
    # n and n * K are told from constants by asking once more with an example less
    for name, size in sizes.items():
        for text, value in ((name, float(size)), (f"1 / ({name})" if len(name) > 1 else f"1 / {name}", 1 / size)):
            if size > 1 and abs(abs(ratio) / value - 1) < 1e-3 and follows(value, evidence):
                return f"-{text}" if ratio < 0 else text
    for text, value in (("K", float(k)), ("1 / K", 1 / k)):
        if k > 1 and abs(ratio / value - 1) < 1e-3 and abs(ratio) not in (2.0, 0.5):
            return text
    for c in (2.0, 0.5):
        for text, value in (
            (f"{c:g} * n", c * n),
            (f"{c:g} / n", c / n),
            (f"{c:g} * n * K", c * n * k),
            (f"{c:g} / (n * K)", c / (n * k)),
        ):
            if n > 1 and abs(abs(ratio) / value - 1) < 1e-3:
                return f"-{text}" if ratio < 0 else text
    return None


def follows(value: float, evidence: Evidence) -> bool:
    """Does the ratio change with the number of examples? It is 2 at n = 2 for more than one reason."""
    fewer = evidence.fewer()
    if fewer is None:
        return True
    for name in evidence.wrong():
        before = constant_ratio(evidence.analytic.get(name), evidence.numerical[name], evidence)
        now = constant_ratio(fewer.analytic.get(name), fewer.numerical.get(name, np.zeros(0)), fewer)
        if before is not None and now is not None and abs(abs(before) / value - 1) < 1e-3:
            return abs(now / before - 1) > 1e-3
    return True


def of_shape(name: str, evidence: Evidence) -> Explanation | None:
    """What a gradient that is missing or of another shape says."""
    given, measured = evidence.analytic.get(name), evidence.numerical[name]
    leaf = name.split(".")[-1]
    if given is None:
        return Explanation(
            "input-gradient", "backward gave no gradient for it (None)", f"return d{leaf}: the layer below needs it"
        )
    targets = evidence.patient.targets
    if evidence.patient.kind == "loss" and targets is not None and np.ndim(targets) != measured.ndim:
        try:
            together = np.broadcast_shapes(measured.shape, np.shape(targets))
        except ValueError:
            together = None
        if np.shape(given) == together != measured.shape:
            says = f"outputs {measured.shape} and targets {np.shape(targets)} were broadcast to {together}"
            return Explanation("labels", says, f"targets.reshape{measured.shape}")
    if np.shape(given) == measured.shape[::-1] and fits(np.transpose(given), measured, evidence):
        return Explanation(
            "transposed", f"it has shape {np.shape(given)}: the transpose of the right one", f"d{leaf} = (...).T"
        )
    for axis in range(np.ndim(given)):
        summed = np.sum(given, axis=axis)
        if (
            summed.size == measured.size
            and np.shape(given) != measured.shape
            and fits(np.ravel(summed), np.ravel(measured), evidence)
        ):
            write = f"d{leaf} = (...).sum(axis={axis})"
            says = f"it has shape {np.shape(given)}: summed over axis {axis} it would be right"
            return Explanation("input-gradient" if name == "x" else "bias-axis", says, write)
        if summed.size == measured.size and fits(np.ravel(np.mean(given, axis=axis)), np.ravel(measured), evidence):
            return Explanation(
                "bias-axis",
                f"it has shape {np.shape(given)}: it was not averaged over axis {axis}",
                f"d{leaf} = (...).mean(axis={axis})",
            )
    if np.size(given) == 1 and measured.size > 1 and not np.isnan(measured).any():
        for total, word in ((measured.sum(), "sum"), (measured.mean(), "mean")):
            if fits(np.ravel(given), np.array([total]), evidence):
                return Explanation(
                    "bias-axis", f"it is one number, the {word} of all the right ones", f"d{leaf} = dz.sum(axis=0)"
                )
    return None


def of_numbers(name: str, evidence: Evidence) -> Explanation | None:
    """A ratio, a transpose, a penalty on one side, zeros."""
    given, measured = evidence.analytic.get(name), evidence.numerical[name]
    leaf = name.split(".")[-1]
    if given is None or np.shape(np.squeeze(given)) != np.shape(np.squeeze(measured)):
        return None
    given = np.reshape(given, measured.shape)
    if not np.isfinite(given).all():
        return Explanation(
            "raised", f"it holds {np.count_nonzero(~np.isfinite(given))} values that are not finite (nan or inf)"
        )
    if not given.any() and np.nanmax(np.abs(measured), initial=0) > 0:
        cause = "input-gradient" if name == "x" else "missing-derivative"
        return Explanation(cause, "it is zero throughout", f"write the derivative of the loss by {leaf}")
    if (
        measured.ndim == 2
        and measured.shape[0] == measured.shape[1]
        and measured.size > 1
        and fits(given.T, measured, evidence)
    ):
        return Explanation("transposed", "it is the transpose: square shapes hide it", f"d{leaf} = (...).T")
    found = _penalty(name, given, measured, evidence) if name != "x" else None
    if found is not None:
        return found
    for axes in itertools.combinations(range(measured.ndim), 2):
        if (
            measured.ndim >= 3
            and min(measured.shape[a] for a in axes) > 1
            and fits(np.flip(given, axes), measured, evidence)
        ):
            return Explanation(
                "kernel-flip",
                f"it is the right gradient turned round along axes {axes}",
                "turn the kernel back: [..., ::-1, ::-1]",
            )
    return None


def _penalty(name: str, given: Array, measured: Array, evidence: Evidence) -> Explanation | None:
    value, leaf = evidence.arrays[name], name.split(".")[-1]
    if value.shape != measured.shape or value.size < 3:
        return None
    rest = given - measured
    for what, form in ((leaf, value), (f"np.sign({leaf})", np.sign(value))):
        c = constant_ratio(np.where(np.isnan(rest), 0.0, rest), np.where(np.isnan(rest), 0.0, form), evidence)
        if c is not None and not fits(given, np.zeros_like(given), evidence):
            if constant_ratio(given, measured, evidence) is not None:
                return None
            side = (
                "the loss has no such term, or another factor"
                if c * 1 > 0
                else "the loss has such a term, and the gradient not, or another factor"
            )
            says = f"it is off by {c:+.4g} * {what} throughout: a penalty on one side; {side}"
            write = f"a loss with lam / 2 * ({leaf}**2).sum() has d{leaf} = ... + lam * {leaf}"
            return Explanation("penalty", says, write)
    return None


def by_asking(name: str, evidence: Evidence) -> Explanation | None:
    """The learner's gradient is right, but for other arrays than those of the call: found by measuring there."""
    given, leaf = evidence.analytic.get(name), name.split(".")[-1]
    if given is None or np.shape(given) != evidence.numerical[name].shape or name not in evidence.patient.places:
        return None
    for changed, explanation in _questions(name, leaf, evidence):
        if fits(given, _measured_at(changed, name, evidence), evidence):
            return explanation
    return None


def _measured_at(changed: dict[str, Array], name: str, evidence: Evidence) -> Array | None:
    key = "at:" + ",".join(f"{n}{a.tobytes()[:64]!r}{a.sum()}" for n, a in changed.items()) + name
    if key not in evidence.memory:
        try:
            evidence.patient.put(changed)
            evidence.memory[key] = measure(evidence.patient, name, evidence.dy, evidence.precision)[0]
        except (LearnerError, ValueError):
            evidence.memory[key] = None
        finally:
            evidence.patient.put(evidence.arrays)
    return evidence.memory[key]


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
        if array.ndim == 2 and array.shape[0] == array.shape[1] > 1:
            yield (
                {other: array.T.copy()},
                Explanation(
                    "transposed",
                    f"it is right for {other}.T: {other} was not transposed (or twice)",
                    f"dx = dz @ {other}.T",
                ),
            )
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
    at_output = _measured_at({"x": evidence.outputs.copy()}, "x", evidence)
    if at_output is not None and fits(evidence.analytic.get("x"), at_output, evidence):
        return Explanation(
            "at-output", "it is f'(f(x)): the slope was taken at the output", "take the slope at the input x"
        )
    if fits(evidence.analytic.get("x"), evidence.dy, evidence):
        return Explanation("missing-derivative", "dy is passed through: f'(x) was not multiplied in", "dx = dy * f'(x)")
    return None


Rule = Callable[[str, Evidence], Explanation | None]
