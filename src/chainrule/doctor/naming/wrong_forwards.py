"""Mistakes in the forward itself, which its right derivative cannot show: examples mixed, dropout unscaled, ties."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from chainrule.doctor.examining.binding import LearnerError
from chainrule.doctor.examining.evidence import Evidence
from chainrule.doctor.examining.patients import Patient
from chainrule.doctor.naming.chain import SoftmaxStep
from chainrule.doctor.naming.symptoms import Symptom


def mixes_examples(evidence: Evidence) -> Symptom | None:
    """A softmax over the examples: columns of the outputs that sum to one where rows should."""
    y = evidence.outputs
    steps = evidence.chain.steps if evidence.chain is not None else []
    if any(isinstance(step, SoftmaxStep) and step.axis == 0 for step in steps):
        axis = f"axis={1 if evidence.rows else 0}, keepdims=True"
        return Symptom(
            "softmax-axis",
            "the softmax runs over the examples: each row of the batch changes the others",
            f"p = e / e.sum({axis})",
        )
    if y.ndim != 2 or (y < 0).any() or min(y.shape) < 2:
        return None
    classes, examples = (1, 0) if evidence.rows else (0, 1)
    if np.allclose(y.sum(axis=examples), 1) and not np.allclose(y.sum(axis=classes), 1):
        axis = f"axis={classes}, keepdims=True"
        says = "the probabilities of each class sum to 1 over the examples; those of an example do not"
        return Symptom("softmax-axis", says, f"p = e / e.sum({axis})")
    one = 1.0 / max(1, evidence.n)
    if abs(y.sum() - 1) < 1e-9 and not np.allclose(y.sum(axis=classes), 1) and one < 1:
        says = "all probabilities of the batch together sum to 1: the sum runs over everything"
        return Symptom("softmax-axis", says, f"p = e / e.sum(axis={classes}, keepdims=True)")
    return None


def broadcast_targets(make: Callable[..., Patient], evidence: Evidence) -> Symptom | None:
    """Outputs (N, 1) against targets (N,): every output meets every target, whoever it belongs to."""
    outputs = evidence.arrays.get("x") if evidence.patient.kind == "loss" else evidence.outputs
    targets = evidence.patient.targets
    if evidence.patient.kind not in ("loss", "network") or outputs is None or targets is None or evidence.n < 3:
        return None
    shapes = outputs.shape, np.shape(targets)
    if (
        sorted(len(shape) for shape in shapes) != [1, 2]
        or shapes[0][0] != shapes[1][0]
        or 1 not in max(shapes, key=len)
    ):
        return None
    turned = make(y=np.roll(targets, 1, axis=0))
    if np.ptp(targets) == 0 or abs(turned.value() - make().value()) > 1e-9:
        return None
    says = f"outputs {shapes[0]} and targets {shapes[1]} broadcast: every output is compared with every target"
    return Symptom("labels", says, f"targets.reshape{shapes[0]}")


def labels_across(make: Callable[..., Patient], evidence: Evidence) -> Symptom | None:
    """Integer labels against as many classes as examples: do they broadcast along the classes?

    Then the loss changes when outputs and labels are put into another order together.
    """
    x, targets = evidence.arrays.get("x"), evidence.patient.targets
    if evidence.patient.kind != "loss" or x is None or targets is None or x.ndim != 2 or np.ndim(targets) != 1:
        return None
    if x.shape[0] != x.shape[1] or np.asarray(targets).dtype.kind not in "iu" or len(evidence.arrays) > 1:
        return None
    patient = make(y=np.roll(targets, 1))
    patient.put({"x": np.roll(x, 1, axis=0)})
    if abs(patient.value() - make().value()) <= 1e-9:
        return None
    says = (
        "the loss depends on the order of the examples: the labels are spread over the classes as if they were one-hot"
    )
    return Symptom("labels", says, "pass np.eye(K)[y], or take p[np.arange(N), y]")


def unscaled_dropout(make: Callable[[], Patient], evidence: Evidence) -> Symptom | None:
    """Dropout that neither divides by keep in training nor multiplies by it in use."""
    x = evidence.arrays.get("x")
    if x is None or evidence.outputs.shape != x.shape or len(evidence.arrays) > 1:
        return None
    kept = evidence.outputs != 0
    if kept.all() or not np.allclose(evidence.outputs[kept], x[kept]):
        return None
    patient = make()
    first = np.asarray(patient.run()[0])
    patient.other_chance()
    again = np.asarray(patient.run()[0])
    if np.array_equal(first != 0, again != 0) or patient.evaluate is None:
        return None
    with patient.calm():
        use = np.asarray(patient.evaluate())
    if np.allclose(use, x):
        says = "entries are dropped and the rest passes as it is, in use too: the sums differ by the share that is kept"
        return Symptom("dropout-scale", says, "y = x * mask / keep in training, y = x in use")
    return None


def ties(make: Callable[[], Patient], evidence: Evidence) -> Symptom | None:
    """A maximum over several entries: with all of them equal, the gradient must not be handed out more than once."""
    x, y = evidence.arrays.get("x"), evidence.outputs
    if evidence.patient.kind != "layer" or x is None or len(evidence.arrays) > 1 or y.size >= x.size or not y.size:
        return None
    if not np.isin(y, x).all():
        return None
    dy = np.random.default_rng(3).random(y.shape) + 0.5
    shares = []
    for at in (x, np.ones_like(x)):
        patient = make()
        patient.put({"x": at})
        try:
            dx = patient.answer(dy.copy()).get("x")
        except LearnerError:
            return None
        shares.append(0.0 if dx is None else float(np.sum(dx) / dy.sum()))
    if max(shares) <= 1.001:
        return None
    where = "at ties in x" if shares[0] > 1.001 else "where all entries are equal (not so in this x)"
    says = f"{where} it hands out {max(shares):.3g} times the gradient that came in: every tied entry gets all of it"
    write = "give it to one of them (argmax), or divide it by the number of ties: mask / mask.sum()"
    return Symptom("ties", says, write, warning=shares[0] <= 1.001)
