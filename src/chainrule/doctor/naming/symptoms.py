"""Mistakes that show in how the code behaves, not in one pass's numbers: what it overwrites, what it carries over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.doctor.examining.binding import LearnerError, roles_of
from chainrule.doctor.examining.evidence import Evidence, matches
from chainrule.doctor.examining.intake import is_object
from chainrule.doctor.examining.patients import Patient
from chainrule.doctor.examining.places import walk
from chainrule.doctor.naming.chain import Mask
from chainrule.doctor.naming.recognising import same
from chainrule.doctor.naming.relations import constant_ratio


@dataclass(frozen=True)
class Symptom:
    """What was seen: the cause, the evidence and the cure; a warning does not make the verdict wrong."""

    cause: str
    says: str
    write: str
    warning: bool = False


def overwritten(make: Callable[[], Patient]) -> list[Symptom]:
    """Does forward or backward write into the arrays that it was given?"""
    found = []
    patient = make()
    before = patient.arrays()
    targets = np.array(patient.targets) if patient.targets is not None else None
    outputs, cache = patient.run()
    copy_line = "work on a copy: out = x.copy(), or an expression that makes a new array"
    for name, array in before.items():
        if not np.array_equal(array, patient.places[name].array, equal_nan=True):
            found.append(Symptom("overwritten", f"forward changed the caller's {name}", copy_line))
    patient.put(before)
    patient.run()
    dy = None
    if patient.kind in ("layer", "slope"):
        dy = np.random.default_rng(patient.seed + 1).standard_normal(np.shape(outputs))
    handed = None if dy is None else dy.copy()
    outputs, cache = patient.run()
    seen = np.array(outputs, np.float64)
    with patient.calm():
        patient.backward(handed, outputs, cache)
    after = patient.arrays()
    if "x" in before and not np.array_equal(before["x"], after["x"]) and not found:
        found.append(Symptom("overwritten", "backward changed the caller's x", copy_line))
    if targets is not None and not np.array_equal(targets, np.asarray(patient.targets)):
        found.append(Symptom("overwritten", "the caller's targets y were changed", "work on a copy of y"))
    if patient.kind == "network" and np.ndim(outputs) and not np.array_equal(seen, np.asarray(outputs, np.float64)):
        found.append(
            Symptom(
                "overwritten",
                "the outputs that forward returned were changed by backward",
                "start from a copy: grad = p.copy()",
                True,
            )
        )
    if dy is not None and handed is not None and not np.array_equal(dy, handed):
        says = "backward overwrites the upstream gradient dy: whoever uses dy once more gets other numbers"
        found.append(Symptom("overwritten", says, "dx = dy.copy() before entries are changed", True))
    return found


def carried_over(make: Callable[[], Patient], evidence: Evidence) -> list[Symptom]:
    """Does a second pass depend on the first? Gradients may add up, masks and caches may go stale."""
    patient = make()
    if patient.kind == "arrays":
        return []
    start, dy = patient.arrays(), evidence.dy
    try:
        first = patient.answer(None if dy is None else dy.copy())
        patient.put(start)
        second = patient.answer(None if dy is None else dy.copy())
        patient.put(start)
    except LearnerError:
        return []
    for name, value in first.items():
        measured = evidence.numerical.get(name)
        if value is None or name not in second or not np.any(value):
            continue
        more = np.asarray(second[name]) - value if np.shape(second[name]) == np.shape(value) else None
        twice = more is not None and same(more, np.asarray(value), 1e-6)
        if twice or (
            measured is not None and more is not None and np.any(more) and matches(more, measured, evidence.precision)
        ):
            says = (
                f"a second backward, of the same, adds d{name.split('.')[-1]} to what is there instead of replacing it"
            )
            return [
                Symptom(
                    "accumulated",
                    says,
                    "self.dW = ... instead of +=, or set the gradients to zero before each backward",
                )
            ]
    if "x" not in start or start["x"].dtype.kind != "f":
        return []
    rng = np.random.default_rng(9)
    other = start["x"][::-1].copy() if start["x"].shape[0] > 1 else -start["x"]
    if patient.kind in ("layer", "slope"):
        other = np.where(rng.random(start["x"].shape) < 0.5, -other, other)
    elif patient.kind == "loss":
        other = np.roll(start["x"], 1, axis=0)
    fresh = make()
    try:
        for one in (patient, fresh):
            one.put({"x": other})
        used_answer = patient.answer(None if dy is None else dy.copy())
        fresh_answer = fresh.answer(None if dy is None else dy.copy())
    except LearnerError:
        return []
    mine = fresh_answer.get("x")
    if (
        "x" in evidence.wrong()
        and mine is not None
        and list(start) == ["x"]
        and not _by_chance(evidence)
        and first.get("x") is not None
    ):
        slopes = None if dy is None or np.shape(mine) != dy.shape else (mine / dy, np.asarray(first["x"]) / dy)
        if slopes is not None and np.allclose(*slopes) and np.ptp(slopes[0]) > 1e-9:
            says = "dx / dy is the same for another input: the mask (or slope) of an earlier pass was kept"
            return [Symptom("wrong-mask", says, "make the mask anew in every forward")]
    for name, value in fresh_answer.items():
        if value is None or name not in used_answer or used_answer[name] is None:
            continue
        if np.shape(value) == np.shape(used_answer[name]) and not np.allclose(
            used_answer[name], value, rtol=1e-6, atol=1e-9, equal_nan=True
        ):
            if name in first and same(used_answer[name], np.asarray(first[name]) + value, 1e-6):
                says = f"d{name} of the second pass contains that of the first: backward adds to what is there"
                return [Symptom("accumulated", says, "assign the gradient (=), or set it to zero before each backward")]
            says = f"d{name.split('.')[-1]} of a second pass depends on the first: something of that was kept"
            return [Symptom("wrong-mask", says, "make mask and cache anew in every forward")]
    return []


def _by_chance(evidence: Evidence) -> bool:
    return evidence.chain is not None and isinstance(evidence.chain.steps[0], Mask)


def shared_caches(make: Callable[[], Patient]) -> list[str]:
    """Parts that run twice in one forward and have one cache."""
    patient = make()
    if patient.thing is None:
        return []
    try:
        return uses_twice(patient)
    except LearnerError:
        return []


def uses_twice(patient: Patient) -> list[str]:
    """Parts of an object whose forward runs more than once in one forward of the whole: one cache for two passes."""
    counts: dict[str, int] = {}
    undo: list[tuple[Any, str]] = []
    for path, part in walk(patient.thing):
        if path == "" or isinstance(part, (dict, list, tuple)) or not is_object(part):
            continue
        name = "forward" if hasattr(part, "forward") else "__call__"
        inner = getattr(part, name)

        def counting(*given: Any, _inner: Any = inner, _path: str = path, **named_too: Any) -> Any:
            counts[_path] = counts.get(_path, 0) + 1
            return _inner(*given, **named_too)

        try:
            setattr(part, name, counting)
            undo.append((part, name))
        except AttributeError:
            continue
    try:
        patient.run()
    finally:
        for part, name in undo:
            part.__dict__.pop(name, None)
    return [path for path, count in counts.items() if count > 1]


def changed_weights(evidence: Evidence, found: dict[str, Any]) -> list[Symptom]:
    """Weights that backward changed although nobody gave it a learning rate, and that is no update either."""
    patient = evidence.patient
    told = {explanation.cause for explanation in found.values()}
    rate = any(next(roles_of(name), "") == "rate" for name in patient.wants)
    if rate or patient.updates or told & {"updated-first"}:
        return []
    symptoms = []
    for name, array in evidence.after.items():
        moved = evidence.arrays[name] - array
        if name != "x" and np.any(moved) and constant_ratio(moved, evidence.numerical[name], evidence) is None:
            leaf = name.split(".")[-1]
            symptoms.append(
                Symptom(
                    "overwritten",
                    f"backward changed {leaf}, though it was not asked to update",
                    f"leave {leaf} to the optimizer",
                )
            )
    return symptoms
