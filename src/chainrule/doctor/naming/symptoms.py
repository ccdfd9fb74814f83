"""Mistakes that show in how the code behaves, not in one pass's numbers: what it overwrites, what it carries over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.doctor.examining.binding import LearnerError, first_role
from chainrule.doctor.examining.evidence import Evidence, matches
from chainrule.doctor.examining.intake import is_object
from chainrule.doctor.examining.patients import Patient
from chainrule.doctor.examining.places import walk
from chainrule.doctor.naming.chain import Mask
from chainrule.doctor.naming.recognising import same
from chainrule.doctor.naming.relations import constant_ratio
from chainrule.layers.layer import Array


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
    start = patient.arrays()
    try:
        first = _answer(patient, evidence)
        patient.put(start)
        second = _answer(patient, evidence)
        patient.put(start)
        symptom = _adds_up(first, second, evidence)
        if symptom is None and "x" in start:
            other = {"x": _other_input(start["x"], patient.kind)}
            fresh = make()
            for one in (patient, fresh):
                one.put(other)
            symptom = _stale(first, _answer(patient, evidence), _answer(fresh, evidence), evidence)
    except LearnerError:  # told elsewhere, or due to an input that this code cannot take
        return []
    return [] if symptom is None else [symptom]


def _answer(patient: Patient, evidence: Evidence) -> dict[str, Any]:
    return patient.answer(None if evidence.dy is None else evidence.dy.copy())


def _other_input(x: Array, kind: str) -> Array:
    """Another input of the same kind: a loss gets its outputs in another order, so that probabilities stay such."""
    if kind == "loss":
        return np.roll(x, 1, axis=0)
    other = x[::-1].copy() if x.shape[0] > 1 else -x
    if kind in ("layer", "slope"):
        other = np.where(np.random.default_rng(9).random(x.shape) < 0.5, -other, other)
    return other


def _adds_up(first: dict[str, Any], second: dict[str, Any], evidence: Evidence) -> Symptom | None:
    """Is the answer of the second of two equal passes that of the first, and as much again?"""
    for name, value in first.items():
        if value is None or not np.any(value) or np.shape(second.get(name, 0.0)) != np.shape(value):
            continue
        if not np.isfinite(value).all():
            continue
        more, measured = second[name] - value, evidence.numerical.get(name)
        twice = same(more, value, 1e-6)
        if twice or (measured is not None and np.any(more) and matches(more, measured, evidence.precision)):
            leaf = name.split(".")[-1]
            says = f"a second backward, of the same, adds d{leaf} to what is there instead of replacing it"
            write = "self.dW = ... instead of +=, or set the gradients to zero before each backward"
            return Symptom("accumulated", says, write)
    return None


def _stale(first: dict[str, Any], used: dict[str, Any], fresh: dict[str, Any], evidence: Evidence) -> Symptom | None:
    """For another input, does an object that has been used answer otherwise than a fresh one?

    Arguments   first  what was answered for the first input
                used   what is answered for another input after that, and `fresh` without it
    """
    if list(evidence.arrays) == ["x"] and "x" in evidence.wrong() and not _by_chance(evidence):
        before, now, dy = first.get("x"), fresh.get("x"), evidence.dy
        if before is not None and now is not None and dy is not None and np.shape(now) == dy.shape:
            slopes = now / dy
            if np.allclose(slopes, np.asarray(before) / dy) and np.ptp(slopes) > 1e-9:
                says = "dx / dy is the same for another input: the mask (or slope) of an earlier pass was kept"
                return Symptom("wrong-mask", says, "make the mask anew in every forward")
    for name, value in fresh.items():
        given = used.get(name)
        if value is None or given is None or np.shape(value) != np.shape(given):
            continue
        if not np.allclose(given, value, rtol=1e-6, atol=1e-9, equal_nan=True):
            if first.get(name) is not None and same(given, np.asarray(first[name]) + value, 1e-6):
                says = f"d{name} of the second pass contains that of the first: backward adds to what is there"
                write = "assign the gradient (=), or set it to zero before each backward"
                return Symptom("accumulated", says, write)
            says = f"d{name.split('.')[-1]} of a second pass depends on the first: something of that was kept"
            return Symptom("wrong-mask", says, "make mask and cache anew in every forward")
    return None


def _by_chance(evidence: Evidence) -> bool:
    return evidence.chain is not None and isinstance(evidence.chain.steps[0], Mask)


def drawn_anew(make: Callable[[], Patient], evidence: Evidence) -> Symptom | None:
    """Does a layer's backward draw random numbers of its own, where it should use what forward drew?"""
    patient = make()
    if patient.kind != "layer":
        return None
    dy = evidence.dy
    outputs, cache = patient.run()
    patient.other_chance()
    answer = patient.again(dy.copy(), outputs, cache)
    for name, value in evidence.analytic.items():
        finite = value is not None and np.isfinite(value).all()
        if finite and answer.get(name) is not None and not same(answer[name], value, 1e-3):
            says = f"d{name.split('.')[-1]} depends on chance once more: backward draws a new mask"
            return Symptom("dropout-scale", says, "keep the mask of forward, and use it in backward")
    return None


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
    rate = any(first_role(name) == "rate" for name in patient.wants)
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
