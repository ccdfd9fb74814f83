"""What a checkup learns by training copies for a moment: can the network learn, does the rate fit, is there a signal?"""

from __future__ import annotations

import math

import numpy as np

from chainrule import tasks
from chainrule.doctor.items import Answer, failed, noted, passed
from chainrule.doctor.patient import Patient, constant_loss, score
from chainrule.doctor.start_items import judge_units
from chainrule.doctor.units import examine_units
from chainrule.errors import DivergenceError
from chainrule.layers.layer import Array
from chainrule.optimizers import Adam
from chainrule.range_testing import range_test

FEW = 20  # rows to learn by heart
BY_HEART = 0.1  # the share of the baseline's loss that may be left
QUICK = 0.01  # Adam's rate for that
PLODDING, HASTY = 3e-5, 0.2  # change of the weights in a step, as a share of them
ROWS, HELD_OUT = 32, 0.25  # of the control: batch size, and the share kept out
COMPARABLE = 80  # rows, before the control can tell anything
FAR = 300  # times below the suggestion a rate wastes its steps


def learns_by_heart(patient: Patient) -> Answer:
    """Can it learn a few rows by heart? If not, no amount of data will help."""
    _, first = np.unique(patient.x.reshape(len(patient.x), -1), axis=0, return_index=True)
    chosen = np.sort(patient.rng(6).permutation(first)[:FEW])
    x, y = patient.x[chosen], patient.y[chosen]
    answers = len(x) * patient.network.out_shapes[-1][-1]
    learned = sum(math.prod(row.shape) for row in patient.network.parameters if row.trainable)
    trainer = patient.trainer(Adam(QUICK), len(x))
    baseline, loss, steps = constant_loss(patient, y), math.inf, patient.affordable_steps(len(x), 200, 3000)
    try:
        for step in trainer.steps(x, y, epochs=steps):
            if step.index and trainer.step % 20 == 0 or trainer.step == steps:
                outputs = trainer.network(x)
                loss = patient.loss(outputs, y)[0]
                right = (
                    not tasks.classifies(patient.task)
                    or tasks.hits(patient.task, outputs, y, trainer.network.squashed).all()
                )
                if right and loss <= baseline - (1 - BY_HEART) * abs(baseline):
                    return passed(f"{len(x)} rows in {trainer.step} steps: loss {baseline:.3g} to {loss:.3g}")
    except DivergenceError as error:
        return failed(str(error), "cr.ClipNorm(1.0)")
    found = f"{len(x)} rows not learned in {trainer.step} steps: loss {baseline:.3g} by chance, {loss:.3g} at the end"
    if learned < 2 * answers or patient.task == "exp":
        return noted(f"{found}. {learned} numbers to train are few for {answers} answers")
    return failed(found, 'cr.MLP([..., 128, ...], "relu")  # fewer layers, more units, relu instead of sigmoid')


def update_ratio(patient: Patient) -> Answer:
    """How far does a step move the weights? About a thousandth of their size is usual."""
    trial, rate = patient.trial, planned_rate(patient)
    if trial.trouble:
        return failed(f"after {trial.steps} steps: {trial.trouble}", _slower(patient, rate / 100))
    if not trial.ratios:
        return noted("not asked: no weights are trained")
    low, high = min(trial.ratios, key=trial.ratios.__getitem__), max(trial.ratios, key=trial.ratios.__getitem__)
    found = f"{trial.ratios[low]:.1e} ({low}) to {trial.ratios[high]:.1e} ({high}) of the weights a step; 1e-3 is usual"
    if math.isinf(trial.ratios[high]):
        return failed(f"{high} begins as all zeros, so that its units never differ", 'cr.MLP(..., initializer="he")')
    if trial.ratios[high] > HASTY:
        return failed(f"{found}: too large", _slower(patient, rate * 1e-2 / trial.ratios[high]))
    if trial.ratios[high] < PLODDING:
        return failed(f"{found}: hardly moves", _slower(patient, rate * 1e-3 / max(trial.ratios[high], 1e-12)))
    return passed(found)


def units_after_steps(patient: Patient) -> Answer:
    """Are the units still alive after a few steps?"""
    trial = patient.trial
    if trial.trouble:
        return failed(f"after {trial.steps} steps: {trial.trouble}", _slower(patient, planned_rate(patient) / 100))
    status, evidence, fix = judge_units(
        examine_units(trial.network, patient.cast(patient.x[:500])), _slower(patient, planned_rate(patient) / 10)
    )
    return status, f"{evidence}, after {trial.steps} steps" if status != "note" else evidence, fix


def learning_rate(patient: Patient) -> Answer:
    """Does the planned rate lie where the loss falls?"""
    trainer, rate = patient.trainer(patient.optimizer.clone(), patient.batch_size), planned_rate(patient)
    try:
        test = range_test(trainer, patient.x, patient.y)
    except DivergenceError as error:
        return failed(f"even at a rate of 1e-6: {error}", "mend the items above first")
    suggestion = float(f"{test.suggestion:.1g}")
    diverges = "" if test.diverges is None else f", out of hand at {test.diverges:.2g}"
    found = f"planned {rate:.2g}; the loss falls fastest at {test.steepest:.2g}{diverges}"
    if rate > (math.inf if test.diverges is None else test.diverges) or rate > FAR * suggestion:
        return failed(f"{found}: too high", _slower(patient, suggestion))
    if rate * FAR < suggestion:
        return failed(f"{found}: too low", _slower(patient, suggestion))
    return passed(f"{found}; try {suggestion:g} too")


def shuffled_labels(patient: Patient) -> Answer:
    """On rows held out, does it matter whose labels they are?"""
    n = len(patient.x)
    if n < COMPARABLE:
        return noted(f"not asked: {n} rows are too few to hold some out")
    order = patient.rng(7).permutation(n)
    held_out, kept = order[: int(HELD_OUT * n)], order[int(HELD_OUT * n) :]
    mixed = patient.rng(8).permutation(kept)
    steps = patient.affordable_steps(ROWS, 100, 2000)
    real, shuffled = (_trained_on(patient, kept, labels, steps) for labels in (kept, mixed))
    doubt = _doubt(patient, len(held_out))
    found = f"after {steps} steps, on {len(held_out)} rows held out: {real[1]:.2f} with the labels, {shuffled[1]:.2f} "
    found += f"with shuffled ones ({_measure(patient)})"
    if real[1] - shuffled[1] > doubt:
        return passed(found)
    if real[0] - shuffled[0] > _doubt(patient, len(kept)):
        return noted(f"{found}; on the rows learned from {real[0]:.2f} and {shuffled[0]:.2f}. More data would tell")
    if real[0] < _chance(patient) + _doubt(patient, len(kept)):
        return noted(f"{found}: nothing was learned in either case")
    return failed(
        f"{found}: these labels are as good as shuffled. Do the rows of x and y belong together?",
        "for i in range(5): print(i, x[i], y[i])",
    )


def _trained_on(patient: Patient, rows: Array, labels: Array, steps: int) -> tuple[float, float]:
    """The score on the rows learned from, with those labels, and on the others with the true ones."""
    others = np.setdiff1d(np.arange(len(patient.x)), rows)
    trainer = patient.trainer(Adam(PLAIN), ROWS)
    try:
        for _ in trainer.steps(patient.x[rows], patient.y[labels], epochs=steps):
            if trainer.step == steps:
                break
    except DivergenceError:
        return 0.0, 0.0
    network = trainer.network
    return (
        score(patient, network, patient.x[rows], patient.y[labels]),
        score(patient, network, patient.x[others], patient.y[others]),
    )


PLAIN = 0.003


def planned_rate(patient: Patient) -> float:
    """The highest rate of the first training, whatever the schedule."""
    optimizer = patient.optimizer
    steps = optimizer.planned or 100
    return max(float(optimizer.schedule(step, steps)) for step in range(steps))


def _slower(patient: Patient, rate: float) -> str:
    return f"optimizer = cr.{type(patient.optimizer).__name__}({rate:.0e})"


def _measure(patient: Patient) -> str:
    return "share right, classes counting the same" if tasks.classifies(patient.task) else "share of the loss explained"


def _chance(patient: Patient) -> float:
    if not tasks.classifies(patient.task):
        return 0.0
    return 1 / patient.network.out_shapes[-1][-1] if patient.task == "softmax" else 0.5


def _doubt(patient: Patient, rows: int) -> float:
    """Two standard deviations of the difference of two shares; for values a tenth of the loss."""
    if not tasks.classifies(patient.task):
        return 0.1
    chance = _chance(patient)
    return 2 * math.sqrt(2 * chance * (1 - chance) / rows)
