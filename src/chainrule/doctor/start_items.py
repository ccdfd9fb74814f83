"""What a checkup asks of the network before its first step: its loss, its gradients and its units."""

from __future__ import annotations

import math

import numpy as np

from chainrule.doctor.items import Answer, failed, noted, passed
from chainrule.doctor.patient import Patient
from chainrule.doctor.units import examine_units
from chainrule.gradient_check import check_gradients
from chainrule.layers.layer import Array
from chainrule.network import Network

ROWS = 8  # of the gradient check
ROWS_FOR_UNITS = 500
DIRECTIONS = 3  # along which each array is checked first; only if one is off, entry by entry
STEP = 1e-3
AGREE = 1e-6  # relative, in float64: a wrong gradient is off by far more, rounding by far less
NUDGE = 0.05  # moves biases of 0 and inputs of 0 off the kink at which a ReLU has no derivative
SURE = 2  # nats above chance: a network that begins so sure of itself is wrong
MANY_TIMES = 30  # times the loss of the mean
SOME, MOST = 0.25, 0.75  # of the units of a layer


def loss_at_start(patient: Patient) -> Answer:
    """Is it that of knowing nothing?"""
    network, baseline = patient.network, patient.baseline
    outputs, _ = network.forward(patient.cast(patient.x), True, patient.rng(3))
    loss = patient.loss(outputs, patient.y)[0] if np.isfinite(outputs).all() else math.nan
    classes = patient.loss.output in ("softmax", "sigmoid")
    K = outputs.shape[-1] if patient.loss.output == "softmax" else 2
    knowing_nothing = (
        f"ln {K} = {math.log(K):.3g} is that of chance" if classes else f"the mean alone gives {baseline:.3g}"
    )
    found = f"{loss:.3g}; {knowing_nothing}"
    if not loss <= baseline + (SURE if classes else MANY_TIMES * abs(baseline)):
        return failed(
            f"{found}: the network begins sure of wrong answers. The inputs or the weights are too large",
            'cr.MLP(..., initializer="he")  # and inputs near 1'
            if classes
            else "y = (y - y.mean(axis=0)) / y.std(axis=0)",
        )
    if loss < baseline / 2 and baseline > 0:
        return noted(f"{found}: this network knows something already")
    return passed(found)


def gradients_right(patient: Patient) -> Answer:
    """Is every derivative what the numbers say it is?"""
    x, y = patient.x[:ROWS].astype(np.float64), patient.y[:ROWS]
    nudged = patient.network.astype("float64")
    nudged.params += NUDGE * patient.rng(4).standard_normal(nudged.params.size)
    fix = "print(cr.check_gradients(network, x[:8], y[:8], loss))  # then mend that layer's backward"
    try:
        error = _along_directions(patient, nudged, x, y)
        if error <= AGREE:
            return passed(
                f"{len(nudged.parameters)} arrays along {DIRECTIONS} directions each: off by {error:.0e} at most"
            )
        report = check_gradients(nudged, x, y, patient.loss, seed=patient.seed, show=False)
    except Exception as raised:  # a layer of one's own may do anything
        return failed(f"{type(raised).__name__}: {raised}", fix)
    if report.passed:
        return passed(f"{len(report.rows)} arrays, entry by entry: off by {report.worst[0].error:.0e} at most")
    wrong = [row for row in report.rows if row.norm_error > 1e-8 or row.entry_error > AGREE]
    if not wrong:
        return noted("too many kinks near these rows to compare slopes")
    suspects = [line.strip() for line in str(report).splitlines() if "look at the backward" in line]
    worst = max(wrong, key=lambda row: row.norm_error)
    return failed("; ".join([f"d{worst.name} is off by {worst.norm_error:.0%} of its norm", *suspects]), fix)


def _along_directions(patient: Patient, network: Network, x: Array, y: Array) -> float:
    """The worst relative error of a slope along a random direction, which sees every entry; infinity if none counts."""

    def value() -> float:
        return patient.loss(network.forward(x, True, np.random.default_rng(patient.seed))[0], y)[0]

    outputs, caches = network.forward(x, True, np.random.default_rng(patient.seed))
    network.backward(patient.loss(outputs, y)[1], caches)
    gradients, here, rng, worst = network.grads.copy(), network.params.copy(), patient.rng(5), 0.0
    noise = 1e-9 * max(1e-3, abs(value()))
    for row in network.parameters:
        errors = []
        for _ in range(DIRECTIONS):
            direction = rng.standard_normal(here[row.slice].shape)
            direction /= np.linalg.norm(direction)
            slopes = []
            for h in (STEP, STEP / 5):
                ends = []
                for t in (h, -h, 2 * h, -2 * h):
                    network.params[row.slice] = here[row.slice] + t * direction
                    ends.append(value())
                slopes.append((8 * (ends[0] - ends[1]) - (ends[2] - ends[3])) / (12 * h))
            network.params[row.slice] = here[row.slice]
            analytic = float(gradients[row.slice] @ direction)
            size = max(abs(analytic), abs(slopes[1]), noise / AGREE)
            if abs(slopes[0] - slopes[1]) <= AGREE * size:  # else there is a kink within reach
                errors.append(abs(analytic - slopes[1]) / size)
        worst = max(worst, max(errors, default=math.inf))
    return worst


def units_at_start(patient: Patient) -> Answer:
    """Do the units answer to their inputs?"""
    return judge_units(patient, patient.network, 'cr.MLP(..., initializer="he", bias=0.0)  # or cr.LeakyReLU()')


def judge_units(patient: Patient, network: Network, fix: str) -> Answer:
    """The verdict on the layers that are worst off."""
    rows = examine_units(network, patient.cast(patient.x[:ROWS_FOR_UNITS]))
    if not rows:
        return noted("not asked: there is no activation")
    dead, flat = max(rows, key=lambda row: row.dead / row.total), max(rows, key=lambda row: row.saturated)
    share, where = dead.dead / dead.total, f"{dead.dead} of {dead.total} units of {dead.layer.title()} are dead"
    if share > MOST:
        return failed(f"{where}: their slope is 0 for every row", fix)
    if flat.saturated > MOST:
        return failed(f"{flat.saturated:.0%} of the values of {flat.layer.title()} are at its flat ends", fix)
    if share > SOME:
        return noted(f"{where}: they say nothing about any row")
    found = f"{sum(row.dead for row in rows):,} of {sum(row.total for row in rows):,} units dead"
    return passed(found + (f", at most {flat.saturated:.0%} of a layer's values saturated" if flat.saturated else ""))
