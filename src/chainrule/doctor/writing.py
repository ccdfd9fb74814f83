"""Writes a report of what was found: a row for each array, the causes that concern the whole, the hints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from chainrule.doctor.examining.evidence import SINGLE, Evidence
from chainrule.doctor.naming.relations import Explanation
from chainrule.doctor.naming.symptoms import Symptom
from chainrule.doctor.report import BESIDE, RIGHT, WRONG, Report, Row, ratio_map, worst_entry
from chainrule.layers.layer import Array

BY_A_SHARED_CACHE = ("wrong-mask", "unknown", "wrong-input", "missing-derivative", "accumulated")  # what it looks like

ROUNDING = 1e-9  # numerical gradients below are 0

Note = tuple[str, str, str]  # cause, evidence, the line to write


def written(
    title: str, evidence: Evidence, found: dict[str, Explanation], trouble: list[Symptom], shared: list[str]
) -> Report:
    """The report.

    Arguments   found    by array, why its gradient is wrong
                trouble  what was seen of the whole
                shared   parts that run twice in one forward
    """
    rows = [_row(name, evidence, _of_shared_cache(found.get(name), shared)) for name in evidence.numerical]
    notes = [(s.cause, s.says, s.write) for s in trouble if not s.warning]
    if all(value is None for value in evidence.analytic.values()):
        says = (
            "backward returned none, and left none beside the parameters (self.dW beside self.W, grads beside params)"
        )
        notes.append(("no-gradients", says, "return {'dW': dW, 'db': db}, or pass parameters= and analytic="))
    elif evidence.patient.forgotten:
        names = ", ".join(evidence.patient.forgotten)
        says = (
            f"forward depends on {names}, and no gradient of it was found, on the object or in what backward returned"
        )
        alone = evidence.analytic.keys() <= {"x"}  # where others have one, it may be kept as it is on purpose
        note = ("no-gradients", says, "self.dW = ..., self.db = ..., or return them")
        notes += [note] if alone else []
        trouble = trouble + ([] if alone else [Symptom(*note, warning=True)])
    for row, name in zip(rows, evidence.numerical, strict=True):
        if row.verdict == RIGHT and np.isnan(evidence.numerical[name]).all():
            says = f"no entry of d{row.name} could be compared: all of them lie at kinks"
            notes.append(("not-compared", says, "pass x with other numbers"))
    verdicts = [row.verdict for row in rows]
    verdict = WRONG if notes or WRONG in verdicts else BESIDE if BESIDE in verdicts else RIGHT
    hints = [(s.cause, s.says, s.write) for s in trouble if s.warning] + list(_hints(evidence, verdict))
    seen = evidence.chain.describe() if evidence.chain is not None else ""
    if seen and not evidence.rows:
        seen += ", examples as columns"
    return Report(title, seen, verdict, rows, notes, hints)


def _of_shared_cache(why: Explanation | None, shared: list[str]) -> Explanation | None:
    """The same explanation, or that of the cache that two forwards share."""
    if why is None or not shared or why.cause not in BY_A_SHARED_CACHE:
        return why
    says = f"{', '.join(shared)} runs twice in one forward, and its cache keeps only the second pass"
    write = "make one object for each place, or return the cache instead of keeping it on self"
    return Explanation("cache-overwritten", says, write)


def _row(name: str, evidence: Evidence, why: Explanation | None) -> Row:
    given, measured = evidence.analytic.get(name), evidence.numerical[name]
    return Row(
        name,
        measured.shape,
        RIGHT if why is None else BESIDE if why.cause == "beside-loss" else WRONG,
        evidence.error(name)[0],
        evidence.kinks[name],
        worst_entry(given, measured),
        why.cause if why else "",
        why.says if why else "",
        why.write if why else "",
        ratio_map(given, measured) if why is not None and why.cause == "unknown" else "",
        "" if why is None else _off(given, measured),
    )


def _off(given: Any, measured: Array) -> str:
    """How a wrong gradient differs, where that is no matter of size."""
    if given is None:
        return "missing"
    if np.squeeze(given).shape != np.squeeze(measured).shape:
        return f"has the shape {np.shape(given)}, expected {measured.shape}"
    lost = np.count_nonzero(~np.isfinite(given))
    if lost:
        return f"{lost} of {np.size(given)} values are nan or infinite"
    if not np.any(given):
        return "0 throughout"
    return "" if np.nanmax(np.abs(measured), initial=0.0) > ROUNDING else "should be 0 throughout"


def _hints(evidence: Evidence, verdict: str) -> Iterator[Note]:
    if evidence.acquitted:
        says = "the loss guards its log by a small number, log(p + eps), and the gradient is that of log(p): no harm"
        yield "epsilon", says, ""
    if evidence.precision is SINGLE:
        says = "the code computes in float32: checked to three digits; differences below that are rounding"
        yield "float32", says, ""
    if evidence.n == 1 and verdict == RIGHT and "x" in evidence.arrays:
        says = "with one example a missing or doubled 1/n cannot be seen"
        yield "one-example", says, "pass several: x of shape (7, ...)"
