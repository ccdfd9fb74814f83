"""What a checkup finds by training copies briefly: can the network learn, does the rate fit, is there a signal?"""

from __future__ import annotations

import math

import numpy as np

from chainrule import tasks
from chainrule.doctor.items import Answer, failed, noted, passed
from chainrule.doctor.patient import Patient, constant_loss, score
from chainrule.doctor.start_items import judge_units
from chainrule.errors import DivergenceError
from chainrule.layers.layer import Array
from chainrule.optimizers import Adam

FEW = 20  # rows to learn by heart
BY_HEART = 0.2  # the share of the baseline's loss that may be left
QUICK = 0.01  # Adam's rate for that and for the control
ASLEEP = 1e-2  # size of weights times the root of their number, below which units are hardly told apart
PLODDING, HASTY = 3e-5, 0.2  # change of the weights in a step, as a share of them
ROWS, HELD_OUT = 32, 0.25  # of the control: in a batch, and the share held out
COMPARABLE = 80  # rows, before the control can tell anything
HEART_STEPS, CONTROL_STEPS = (200, 1500), (100, 1000)  # at least, at most; between them half a second's work
FAR = 100  # times below the rate at which the loss begins to fall, or above the best, a rate is out of place


def learns_by_heart(patient: Patient) -> Answer:
    """Can it learn a few rows by heart? If not, no amount of data will help."""
    _, first = np.unique(patient.x.reshape(len(patient.x), -1), axis=0, return_index=True)
    chosen = np.sort(patient.rng(6).permutation(first)[:FEW])
    x, y = patient.x[chosen], patient.y[chosen]
    answers = len(x) * patient.network.out_shapes[-1][-1]
    learned = sum(math.prod(row.shape) for row in patient.network.parameters if row.trainable)
    trainer = patient.trainer(Adam(QUICK), len(x))
    baseline, loss, steps = constant_loss(patient, y), math.inf, patient.affordable_steps(len(x), *HEART_STEPS)
    try:
        for _ in trainer.steps(x, y, epochs=steps):
            if trainer.step % 20 == 0 or trainer.step == steps:
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
    trial = patient.trial
    if trial.trouble:
        return failed(f"after {trial.steps} steps: {trial.trouble}", _other_rate(patient))
    if not trial.ratios:
        return noted("not asked: no weights are trained")
    for row in patient.network.parameters:
        size = np.abs(patient.network.params[row.slice]).max() * math.sqrt(math.prod(row.shape[:-1]))
        if row.name in trial.ratios and size < ASLEEP:
            return failed(f"{row.name} begins so near 0 that its units are all alike", 'cr.MLP(..., initializer="he")')
    low, high = min(trial.ratios, key=trial.ratios.__getitem__), max(trial.ratios, key=trial.ratios.__getitem__)
    found = f"{trial.ratios[low]:.1e} ({low}) to {trial.ratios[high]:.1e} ({high}) of the weights a step; 1e-3 is usual"
    if trial.ratios[high] > HASTY:
        return failed(f"{found}: too large", _other_rate(patient))
    if trial.ratios[high] < PLODDING:
        return failed(f"{found}: hardly moves", _other_rate(patient))
    return passed(found)


def units_after_steps(patient: Patient) -> Answer:
    """Are the units still alive after a few steps?"""
    trial = patient.trial
    if trial.trouble:
        return noted("not asked: those steps cannot be taken")
    status, evidence, fix = judge_units(patient, trial.network, _other_rate(patient))
    return status, f"{evidence}, after {trial.steps} steps", fix


def learning_rate(patient: Patient) -> Answer:
    """Does the planned rate lie where the loss falls?"""
    rates, rate = patient.rates, patient.planned_rate
    found = f"planned {rate:.2g}" + (f"; out of hand at {rates.lost:.2g}" if rates.lost < math.inf else "")
    if rate > rates.lost:
        return failed(f"{found}: too high", _other_rate(patient))
    if not rates.clear:
        return noted(f"{found}; in the range test the loss does not fall enough to tell more")
    found += f"; the loss begins to fall at {rates.begins:.2g} and falls fastest at {rates.steepest:.2g}"
    if rate > FAR * rates.steepest:
        return failed(f"{found}: too high", _other_rate(patient))
    if rate < rates.begins / FAR:
        return failed(f"{found}: too low", _other_rate(patient))
    return passed(f"{found}; {rates.suggestion:.1g} may do too")


def shuffled_labels(patient: Patient) -> Answer:
    """On rows held out, does it matter whose labels they are?"""
    n = len(patient.x)
    if n < COMPARABLE:
        return noted(f"not asked: it takes {COMPARABLE} rows to hold some out")
    order = patient.rng(7).permutation(n)
    held_out, kept = order[: int(HELD_OUT * n)], order[int(HELD_OUT * n) :]
    mixed = patient.rng(8).permutation(n)
    steps = patient.affordable_steps(ROWS, *CONTROL_STEPS)
    real, shuffled = (_trained(patient, kept, held_out, y, steps) for y in (patient.y, patient.y[mixed]))
    found = f"after {steps} steps, on {len(held_out)} rows held out: {real[1]:.2f} with the labels, {shuffled[1]:.2f} "
    found += f"with shuffled ones ({_measure(patient)})"
    if real[1] > _chance(patient) + _doubt(patient, len(held_out)):
        return passed(found)
    if real[0] > shuffled[0] + math.sqrt(2) * _doubt(patient, len(kept)):
        return noted(f"{found}; on the rows learned from {real[0]:.2f} and {shuffled[0]:.2f}. More data would tell")
    if patient.answers["learns by heart"][0] != "pass" or real[0] < _chance(patient) + _doubt(patient, len(kept)):
        return noted(f"{found}: nothing was learned from either. If all else passes, x may say nothing of y")
    return failed(
        f"{found}: these labels are as good as shuffled. Do the rows of x and y belong together?",
        "for i in range(5): print(i, x[i], y[i])",
    )


def _trained(patient: Patient, kept: Array, held_out: Array, y: Array, steps: int) -> tuple[float, float]:
    """The scores on the rows learned from, and on the others."""
    trainer = patient.trainer(Adam(QUICK), ROWS)
    try:
        for _ in trainer.steps(patient.x[kept], y[kept], epochs=steps):
            if trainer.step == steps:
                break
    except DivergenceError:
        return 0.0, 0.0
    known, new = (score(patient, trainer.network, patient.x[rows], y[rows]) for rows in (kept, held_out))
    return known, new


def _other_rate(patient: Patient) -> str:
    """The optimizer with the rate that the range test suggests."""
    return f"optimizer = cr.{type(patient.optimizer).__name__}({patient.rates.suggestion:.1g})"


def _measure(patient: Patient) -> str:
    return "share right, classes counting the same" if tasks.classifies(patient.task) else "share of the loss explained"


def _chance(patient: Patient) -> float:
    if not tasks.classifies(patient.task):
        return 0.0
    return 1 / patient.network.out_shapes[-1][-1] if patient.task == "softmax" else 0.5


def _doubt(patient: Patient, rows: int) -> float:
    """Two standard deviations of a share of so many rows; for values a tenth of the loss."""
    if not tasks.classifies(patient.task):
        return 0.1
    chance = _chance(patient)
    return 2 * math.sqrt(chance * (1 - chance) / rows)
