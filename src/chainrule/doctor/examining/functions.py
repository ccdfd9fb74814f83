"""Makes a patient of plain functions, or of arrays and a function of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.doctor.examining.answers import named
from chainrule.doctor.examining.binding import call, required
from chainrule.doctor.examining.following_loss import loss_after
from chainrule.doctor.examining.intake import Function, as_input, assemble, split
from chainrule.doctor.examining.patients import Patient
from chainrule.doctor.examining.places import Place
from chainrule.errors import ConfigurationError


def from_functions(
    forward: Function, backward: Function | None, x: Any, y: Any, parameters: Any, loss: Any, train: bool, seed: int
) -> Patient:
    """A patient of forward(x, W, b) and backward(dy, cache), of a loss and its gradient, of f and its slope."""
    table = {name: as_input(value) for name, value in dict(parameters or {}).items()}
    kind = "network" if loss is not None else "layer" if y is None else "objective" if table else "loss"

    def gather(patient: Patient, result: Any) -> dict[str, Any]:
        shapes = {name: np.shape(place.value) for name, place in patient.places.items()}
        updated = {name: before[name] - table[name] for name in table if not np.array_equal(before[name], table[name])}
        return named(result, list(patient.places), shapes) or updated

    before = {name: np.array(value) for name, value in table.items()}
    judge, slope = loss_after(None, loss, x, y) if loss is not None else (None, None)
    title = getattr(forward, "__name__", type(forward).__name__)
    how: dict[str, Any] = {"table": table, "judge": judge, "loss_slope": slope, "train": train, "seed": seed}
    patient = assemble(title, kind, forward, backward or (lambda cache: cache), x, y, gather, **how)
    patient.places |= {name: Place(name, table, name) for name in table}
    if backward is None:
        patient.backward = lambda dy, outputs, cache: gather(patient, cache(dy) if callable(cache) else cache)
    if kind == "layer" and np.ndim(patient.run()[0]) == 0:  # one number: its derivative needs no upstream
        patient.kind = "network" if table else "loss"
    return patient


def from_arrays(f: Function, parameters: dict[str, Any], analytic: dict[str, Any], seed: int) -> Patient:
    """A patient of arrays: f() reads them, or takes them by name, and the gradients were computed elsewhere."""
    reads = not required(f)
    for name, value in parameters.items():
        if reads and not (isinstance(value, np.ndarray) and value.dtype == np.float64):
            raise ConfigurationError(
                f"doctor.gradients: f() reads the array {name!r}, which must be moved in place: it must be a float64 "
                f"NumPy array, received {type(value).__name__}. Or let f take it as an argument: f({name})."
            )
    table = dict(parameters) if reads else {name: as_input(value) for name, value in parameters.items()}
    places = {name: Place(name, table, name) for name in table}

    def run() -> tuple[Any, Any]:
        return split(f() if reads else call(f, {}, (), table))

    def pull(dy: Any, outputs: Any, cache: Any) -> dict[str, Any]:
        return named(analytic, list(places), {})

    return Patient(getattr(f, "__name__", "f"), "arrays", places, run, pull, seed=seed)
