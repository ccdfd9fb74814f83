"""Explanations that need no knowledge of the function: how the learner's numbers relate to the measured ones.

A constant ratio, a transpose, a sum left out, a multiple of the weights on top.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.doctor.examining.evidence import Evidence, errors
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
            if n > 1 and abs(abs(ratio) / value - 1) < 1e-3 and follows(value, evidence):
                return f"-{text}" if ratio < 0 else text
    return None


def follows(value: float, evidence: Evidence) -> bool:
    """Does the ratio change with the number of examples? It is 2 at n = 2 for more than one reason."""
    fewer = evidence.fewer()
    if fewer is None:
        return True
    for name in evidence.wrong():
        if name not in fewer.numerical:
            continue
        before = constant_ratio(evidence.analytic.get(name), evidence.reference(name), evidence)
        now = constant_ratio(fewer.analytic.get(name), fewer.reference(name), fewer)
        if before is not None and now is not None and abs(abs(before) / value - 1) < 1e-3:
            return abs(now / before - 1) > 1e-3
    return True


def of_shape(name: str, evidence: Evidence) -> Explanation | None:
    """What a gradient that is missing or of another shape says."""
    given, measured = evidence.analytic.get(name), evidence.numerical[name]
    leaf = name.split(".")[-1]
    if given is None:
        cause, whose = ("input-gradient", "layer below") if name == "x" else ("no-gradients", "optimizer")
        return Explanation(cause, "backward gave no gradient for it", f"return d{leaf}: the {whose} needs it")
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
    summed = _summed_up(name, leaf, given, measured, evidence)
    if summed is not None:
        return summed
    if np.size(given) == 1 and measured.size > 1 and not np.isnan(measured).any():
        for total, word in ((measured.sum(), "sum"), (measured.mean(), "mean")):
            if fits(np.ravel(given), np.array([total]), evidence):
                return Explanation(
                    "bias-axis", f"it is one number, the {word} of all the right ones", f"d{leaf} = dz.sum(axis=0)"
                )
    if name == "x" and np.squeeze(given).shape != np.squeeze(measured).shape:
        says = f"it has shape {np.shape(given)}, and x has shape {measured.shape}"
        return Explanation("input-gradient", says, f"dx of the shape of x, {measured.shape}: one entry for each of x's")
    return None


def _axes(array: Any) -> Iterator[tuple[int, ...]]:
    """Every choice of axes to sum over."""
    for count in range(1, np.ndim(array) + 1):
        yield from itertools.combinations(range(np.ndim(array)), count)


def _summed_up(name: str, leaf: str, given: Any, measured: Array, evidence: Evidence) -> Explanation | None:
    """A sum or a mean over some axes that was left out: with it, the gradient would be right."""
    if np.shape(given) == measured.shape:
        return None
    cause = "input-gradient" if name == "x" else "bias-axis"
    for axes in _axes(given):
        over = axes[0] if len(axes) == 1 else axes
        for word, reduce in (("sum", np.sum), ("mean", np.mean)):
            if fits(np.ravel(reduce(given, axis=axes)), np.ravel(measured), evidence):
                says = f"it has shape {np.shape(given)}: with a {word} over axis {over} it would be right"
                return Explanation(cause, says, f"d{leaf} = (...).{word}(axis={over})")
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
    for axes in square_axes(measured):
        if measured.ndim >= 3 and fits(given.swapaxes(*axes), measured, evidence):
            says = f"axes {axes} have changed places: equal lengths hide it"
            return Explanation("transposed", says, f"d{leaf} = (...).swapaxes{axes}")
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


def square_axes(array: Array) -> list[tuple[int, int]]:
    """Pairs of axes of one length, which may be exchanged without anybody's noticing."""
    pairs = itertools.combinations(range(array.ndim), 2)
    return [(a, b) for a, b in pairs if array.shape[a] == array.shape[b] > 1]


def _penalty(name: str, given: Array, measured: Array, evidence: Evidence) -> Explanation | None:
    value, leaf = evidence.arrays[name], name.split(".")[-1]
    if value.shape != measured.shape or value.size < 3:
        return None
    if constant_ratio(given, measured, evidence) is not None or fits(given, np.zeros_like(given), evidence):
        return None
    rest = given - measured
    known = ~np.isnan(rest)
    forms = {leaf: value[known], f"np.sign({leaf})": np.sign(value)[known]}
    for names in ((leaf,), (f"np.sign({leaf})",), tuple(forms)):
        table = np.stack([forms[n] for n in names], axis=1)
        c, *_ = np.linalg.lstsq(table, rest[known], rcond=None)
        if c.all() and known.sum() > 2 * len(names) and fits(table @ c, rest[known], evidence):
            terms = " ".join(f"{k:+.4g} * {n}" for k, n in zip(c, names, strict=True))
            side = "loss has no such term" if c[0] > 0 else "gradient has no such term"
            return Explanation(
                "penalty",
                f"it is off by {terms} throughout: a penalty on one side; the {side}, or another factor",
                f"a loss with lam / 2 * ({leaf}**2).sum() has d{leaf} = ... + lam * {leaf}",
            )
    return None
