"""Makes a patient of a learner's object: layer, loss or network, whose parameters and gradients lie where they lie."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from chainrule.doctor.examining.answers import named
from chainrule.doctor.examining.binding import LearnerError, call, first_role, required
from chainrule.doctor.examining.following_loss import loss_after
from chainrule.doctor.examining.intake import BACKWARDS, FORWARDS, LOSSES, RATE, TRAIN_FLAGS, as_input, assemble, method
from chainrule.doctor.examining.patients import Patient
from chainrule.doctor.examining.places import (
    CONTAINERS,
    GRADIENTS,
    INPUTS,
    Place,
    candidates,
    found,
    generators,
    is_number,
    widen,
)

LEFT = ("dinputs", "dinput", "dx", "dX", "grad_input", "input_grad", "grad_inputs")  # where backward may leave dx
RATES = ("learning_rate", "lr", "l_r", "alpha", "eta", "rate", "step_size")
ZERO = ("zero_grad", "zero_grads", "zero_gradients", "zero_gradient")


def from_object(
    original: Any, x: Any, y: Any, loss: Any, train: bool, seed: int, known: list[str] | None = None
) -> Patient:
    """A patient of an object with forward and backward; the work is done on a copy. `known` names its parameters."""
    try:
        thing = copy.deepcopy(original)
    except Exception:  # an open file or a lock within: then the object itself, whose arrays are put back at the end
        thing = original
    widen(thing)
    forward, backward = method(thing, FORWARDS), method(thing, BACKWARDS)
    if forward is None or backward is None:  # net.loss(X, y) -> (loss, grads), or loss(X, y) beside gradient(X, y)
        kind, forward = "objective", method(thing, LOSSES)
        if backward is None or _gives_gradients(thing, x, y):
            backward = lambda cache: cache  # noqa: E731
    elif y is not None and len([name for name in required(forward) if name not in (*TRAIN_FLAGS, "mode")]) >= 2:
        kind, forward = "loss", method(thing, ("calculate",)) or forward
    else:
        kind = "layer" if y is None else "network"
    if kind == "network" and loss is None and _runs_itself(thing, backward):
        kind, forward = "objective", method(thing, LOSSES)
    switch = {True: method(thing, ("train",)), False: method(thing, ("eval",))}

    def set_mode(now: bool) -> None:
        if switch[now] is not None and switch[False] is not None and not required(switch[now]):
            switch[now]()

    before: dict[str, Any] = {}

    def gather(patient: Patient, result: Any) -> dict[str, Any]:
        return collected(patient, result, before)

    judge, slope = loss_after(thing, loss, x, y) if kind == "network" else (None, None)
    how: dict[str, Any] = {"thing": thing, "judge": judge, "loss_slope": slope, "before_forward": set_mode}
    patient = assemble(type(original).__name__, kind, forward, backward, x, y, gather, train=train, seed=seed, **how)
    patient.keep(generators(thing))
    patient.zero = method(thing, ZERO)
    pull = patient.backward

    def remembering(dy: Any, outputs: Any, cache: Any) -> dict[str, Any]:
        before.clear()
        before.update({place.name: place.array for place in candidates(thing)})
        return pull(dy, outputs, cache)

    patient.backward = remembering
    if known is None:  # found by running a copy that nothing else uses
        known = _parameters(from_object(original, x, y, loss, train, seed, known=[]))
    here = {place.name: place for place in candidates(thing)}
    patient.places |= {name: here[name] for name in known if name in here}
    return patient


def _runs_itself(thing: Any, backward: Any) -> bool:
    """Is the loss method a function of x rather than of the outputs, and is backward content with that?"""
    needed = required(method(thing, LOSSES)) if method(thing, LOSSES) is not None else []
    content = not any(first_role(name) in ("outputs", "upstream", "cache") for name in required(backward))
    return content and len(needed) == 2 and first_role(needed[0]) == "x"


def _gives_gradients(thing: Any, x: Any, y: Any) -> bool:
    """Does the loss method return its gradients with the loss?"""
    values = {role: value for role, value in (("x", as_input(x)), ("targets", y)) if value is not None}
    return isinstance(call(method(copy.deepcopy(thing), LOSSES), values, ("x", "targets")), tuple)


def collected(patient: Patient, result: Any, before: dict[str, Any]) -> dict[str, Any]:
    """All gradients after a backward: what it returned, what it left on the object, or its update of the weights."""
    thing, names = patient.thing, list(patient.places)
    shapes = {name: np.shape(place.value) for name, place in patient.places.items()}
    given = named(result, names, shapes)
    for place, gradient in found(thing):
        if place.name in patient.places and gradient.value is not None:
            given.setdefault(place.name, gradient.value)
    left = next((value for value in (getattr(thing, n, None) for n in LEFT) if isinstance(value, np.ndarray)), None)
    if "x" in patient.places and left is not None and given.get("x") is None:
        given["x"] = left
    if not any(name in given for name in names if name != "x"):
        asked = any(first_role(name) == "rate" for name in patient.wants)
        own = next((value for value in (getattr(thing, n, None) for n in RATES) if is_number(value)), RATE)
        for name in (n for n in names if n in before and not np.array_equal(before[n], patient.places[n].array)):
            given[name] = (before[name] - patient.places[name].array) / (RATE if asked else own)
            patient.updates = True
    return given


def _parameters(patient: Patient) -> list[str]:
    """Run the object once, and see for which of its arrays a gradient is left, returned, or an update made."""
    thing = patient.thing
    # self.x is what forward kept, and grads.W no parameter but a gradient.
    everything = {
        place.name: place
        for place in candidates(thing)
        if place.leaf not in INPUTS and not set(place.name.split(".")[:-1]) & set(GRADIENTS)
    }
    outputs, cache = patient.run()
    dy = None
    if patient.kind in ("layer", "slope"):
        dy = np.random.default_rng(patient.seed).standard_normal(np.shape(outputs))
    patient.places |= everything
    try:
        with patient.calm():
            given = patient.backward(dy, outputs, cache)
    except LearnerError:  # told when it is examined; until then what stands in `params` is taken for the parameters
        given = {name: None for name in everything if name.split(".")[0] in CONTAINERS}
    chosen = {place.name: place for place, _ in found(thing) if place.name in everything}
    chosen |= {name: everything[name] for name in given if name in everything}
    return list(_once(chosen, [place.name for place in candidates(thing)]))


def _once(chosen: dict[str, Place], order: list[str]) -> list[str]:
    """The names in the order of the object, each array by one name only."""
    kept: dict[Any, str] = {}
    for name in sorted(chosen, key=lambda n: order.index(n) if n in order else -1):
        value = chosen[name].value
        kept.setdefault(id(value) if isinstance(value, np.ndarray) else name, name)
    return list(kept.values())
