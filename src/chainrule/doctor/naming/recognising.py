"""Finds the chain whose outputs equal the learner's, by trying what the shapes of the parameters allow."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from chainrule.doctor.examining.patients import Patient
from chainrule.doctor.naming.chain import Act, Affine, Chain, LossStep, Mask, Norm, SoftmaxStep, every_axes, fitted
from chainrule.doctor.naming.formulas import ACTIVATIONS, IDENTITY, LOSSES, Activation
from chainrule.doctor.naming.joint import joints
from chainrule.layers.layer import Array

CLOSE = 1e-8  # outputs that agree to this are the same function


def same(a: Any, b: Any, tolerance: float = CLOSE) -> bool:
    """Equal in shape, and in value relative to the largest entry?"""
    if np.shape(a) != np.shape(b) or not np.all(np.isfinite(a)):
        return False
    largest = float(np.max(np.abs(b), initial=0.0))
    return float(np.max(np.abs(np.asarray(a) - b), initial=0.0)) <= tolerance * max(largest, 1e-12)


def rows_of(patient: Patient, outputs: Array, examples: str | None) -> bool:
    """Are the examples rows? By the targets, by which outputs move when one row of x does, or as the user says."""
    if examples is not None:
        return examples == "rows"
    x = patient.places["x"].array if "x" in patient.places else np.zeros(0)
    if x.ndim != 2 or np.ndim(outputs) == 0:
        return not (x.ndim == 2 and np.ndim(patient.targets) == 1 and len(patient.targets) == x.shape[1] != x.shape[0])
    if np.ndim(outputs) == 2 and outputs.shape[0] != x.shape[0] and outputs.shape[1] == x.shape[1]:
        return False
    if np.ndim(outputs) != 2 or outputs.shape[1] != x.shape[1] or not len(patient.places) > 1:
        return True

    shapes = [place.array.shape for name, place in patient.places.items() if name != "x"]
    if all(len(shape) < 2 or 1 in shape for shape in shapes):  # a gain and a shift for each feature
        upright = [shape[0] == x.shape[0] != x.shape[1] for shape in shapes if len(shape) == 1 or shape[1:] == (1,)]
        return not (upright and all(upright))

    def reach(along_rows: bool) -> bool:
        """Do the outputs of other examples stand still when one example moves?"""
        moved = x.copy()
        moved[(0,) if along_rows else (slice(None), 0)] += 0.37
        patient.put({"x": moved})
        change = np.abs(np.asarray(patient.run()[0], float) - outputs)
        patient.put({"x": x})
        others = change[1:] if along_rows else change[:, 1:]
        return not others.any()

    return reach(True) or not reach(False)


def recognise(
    patient: Patient, arrays: Mapping[str, Array], outputs: Array, rows: bool, targets: Array | None, tolerance: float
) -> Chain | None:
    """The chain whose outputs (or whose loss, for one that ends in a loss) are the learner's; None if none is known."""
    if "x" not in arrays:
        return None
    x = arrays["x"]
    if patient.kind == "loss" and len(arrays) == 1:
        return _loss(patient, x, rows, targets)
    if np.ndim(outputs) == 0:
        return _ends_in_loss(patient, arrays, rows, targets)
    for chain in _attempts(arrays, x, rows, outputs):
        try:
            y = chain.forward(x, arrays)
        except ValueError:
            continue
        if same(y, outputs, tolerance) or (
            np.size(y) == np.size(outputs) and same(np.ravel(y), np.ravel(outputs), tolerance)
        ):
            return chain
    return None


def _attempts(arrays: Mapping[str, Array], x: Array, rows: bool, outputs: Array) -> Iterator[Chain]:
    names = [name for name in arrays if name != "x"]
    if np.shape(outputs) == x.shape:
        if len(names) == 0:
            for kind in ACTIVATIONS[1:]:
                yield Chain([Act(kind)], rows)
            if x.ndim == 2:
                yield Chain([SoftmaxStep(1)], rows)
                yield Chain([SoftmaxStep(0)], rows)
            with np.errstate(all="ignore"):
                factors = np.where(x != 0, outputs / x, 1.0)
            values = np.unique(np.round(factors, 9))
            if len(values) <= 2 and (values == 0).any():
                yield Chain([Mask(factors)], rows)
        yield from _norms(names, arrays, x, outputs)
    for affines, rest in _affines(names, arrays, _width(x, rows)):
        if not rest:
            yield from _networks(affines, rows)
    if x.ndim == 2 and len(names) > 2:
        yield from joints(names, arrays, rows)


def _width(x: Array, rows: bool) -> int:
    """The number of features of an example; of images, all pixels."""
    return int(np.prod(x.shape[1:], dtype=int)) if rows else x.shape[0]


def _affines(names: list[str], arrays: Mapping[str, Array], width: int) -> Iterator[tuple[list[Affine], list[str]]]:
    """All ways to read the parameters as matrices and biases that fit one another, starting from `width` features."""
    biases = [n for n in names if _is_bias(n, arrays[n])]
    matrices = [n for n in names if n not in biases and arrays[n].ndim <= 2]
    rest = [n for n in names if n not in biases and n not in matrices]
    for order in [matrices, matrices[::-1]] if len(matrices) > 1 else [matrices]:
        for turns in itertools.product((False, True), repeat=len(order)):
            now, steps, left = width, [], list(biases)
            for name, turned in zip(order, turns, strict=True):
                shape = arrays[name].shape[::-1] if turned else arrays[name].shape
                if arrays[name].ndim < 2:  # a neuron's weights, as a vector or a single number
                    shape = (arrays[name].size, 1)
                if shape[0] != now:
                    break
                now = shape[1]
                fits = [b for b in left if arrays[b].size == now]
                bias = next((b for b in fits if _partner(name, b)), fits[0] if fits else None)
                if bias is not None:
                    left.remove(bias)
                steps.append(Affine(name, bias, turned))
            if len(steps) == len(order) and steps:
                yield steps, [*rest, *left]


def _is_bias(name: str, array: Array) -> bool:
    leaf = next((word for word in reversed(name.lower().split(".")) if not word.isdigit() and word != "*"), "")
    if array.ndim < 2 and leaf[:1] in "wt":
        return False
    return array.ndim < 2 or (1 in array.shape and leaf.startswith(("b", "c", "offset", "intercept", "shift", "off")))


def _partner(weight: str, bias: str) -> bool:
    """W1 and b1, layers.0.W and layers.0.b."""
    digits = re.findall(r"\d+", weight), re.findall(r"\d+", bias)
    return digits[0] == digits[1] and weight.rpartition(".")[0] == bias.rpartition(".")[0]


def _networks(affines: list[Affine], rows: bool) -> Iterator[Chain]:
    hidden = len(affines) - 1
    last: list[Activation | str] = [*ACTIVATIONS, "softmax", "softmax over the wrong axis"]
    inner: list[tuple[Activation, ...]] = [(kind,) * hidden for kind in ACTIVATIONS] if hidden else [()]
    if hidden == 2:
        inner += itertools.permutations(ACTIVATIONS[:4], 2)
    for kinds, end in itertools.product(inner, last):
        steps: list[Any] = []
        for affine, kind in zip(affines, (*kinds, end), strict=True):
            steps.append(Affine(affine.W, affine.b, affine.turned))
            if isinstance(kind, str):
                steps.append(SoftmaxStep(1 if kind == "softmax" else 0))
            elif kind is not IDENTITY:
                steps.append(Act(kind))
        yield Chain(steps, rows)


def _norms(names: list[str], arrays: Mapping[str, Array], x: Array, outputs: Array) -> Iterator[Chain]:
    """Batch, layer and instance norm; the spread is what makes the outputs, gain and shift taken off, fit."""
    if len(names) > 2:
        return
    gains: list[tuple[str | None, str | None]] = [(None, None)]
    if names:
        first, last = names[0], names[-1] if len(names) == 2 else None
        gains = [(first, last), (last, first)]
    for (gain, shift), over, centre in itertools.product(gains, every_axes(x.ndim), (True, False)):
        try:
            normed = outputs - (fitted(arrays[shift], x) if shift else 0.0)
            normed = normed / (fitted(arrays[gain], x) if gain else 1.0)
        except ValueError:
            continue
        centred = x - x.mean(axis=over, keepdims=True) if centre else x
        with np.errstate(all="ignore"):
            spread = np.sqrt((centred**2).sum(axis=over, keepdims=True) / (normed**2).sum(axis=over, keepdims=True))
        if np.isfinite(spread).all() and np.isfinite(normed).all():
            yield Chain([Norm(over, gain, shift, spread, centre)])


def one_hot(targets: Any, columns: int) -> Array | None:
    """Targets as a float matrix (N, columns) in rows: labels become one-hot rows."""
    t = np.asarray(targets)
    if t.dtype.kind not in "fiub":
        return None
    if t.ndim == 2 and t.shape[1] == 1 and columns > 1:
        t = t[:, 0]
    if t.ndim == 1 and columns > 1:
        labels = t.astype(int)
        if (labels != t).any() or labels.min(initial=0) < 0 or labels.max(initial=0) >= columns:
            return None
        return np.eye(columns)[labels]
    return t.astype(float).reshape(-1, columns) if t.size % columns == 0 else None


def _loss(patient: Patient, x: Array, rows: bool, targets: Array | None) -> Chain | None:
    """The formula that is a constant multiple of the learner's loss, here and after small moves of the outputs."""
    flat = x if x.ndim == 2 else x.reshape(-1, 1)
    flat = flat if rows else flat.T
    t = one_hot(targets.T if targets is not None and not rows and np.ndim(targets) == 2 else targets, flat.shape[1])
    if t is None or t.shape != flat.shape:
        return None
    rng = np.random.default_rng(5)
    moves, values = [], []
    for size in (0.0, 0.05, 0.02, 0.03):
        factor = 1 - size * rng.random(x.shape)
        patient.put({"x": x * factor})
        values.append(patient.value())
        moved = (x * factor) if x.ndim == 2 else (x * factor).reshape(-1, 1)
        moves.append(moved if rows else moved.T)
    patient.put({"x": x})
    first: list[Any] = [] if x.ndim == 2 else [_Flat(x.shape)]
    for tolerance, before, formula in itertools.product(EXACT_OR_GUARDED, BEFORE_A_LOSS, LOSSES):
        with np.errstate(all="ignore"):
            totals = [formula.total(before().forward(m, {}) if before else m, t) for m in moves]
            scales = np.array(values) / totals
        if np.isfinite(scales).all() and np.ptp(scales) <= tolerance * abs(scales[0]):
            steps = [before()] if before else []
            return Chain([*first, *steps, LossStep(formula, t, float(scales[0]))], rows)
    return None


EXACT_OR_GUARDED = (1e-7, 1e-5)  # how far a loss may be off: the second is for log(p + 1e-7)

BEFORE_A_LOSS: tuple[Any, ...] = (  # what a loss may contain: the activation of outputs that are logits
    None,
    SoftmaxStep,
    lambda: Act(ACTIVATIONS[2]),
    lambda: SoftmaxStep(0),
    lambda: Act(ACTIVATIONS[3]),
)


class _Flat:
    """Outputs of shape (N,) as a column, and back."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape

    def forward(self, x: Array, arrays: Mapping[str, Array]) -> Array:
        return x.reshape(-1, 1)

    def backward(self, dy: Array, wrong: Any, grads: Any) -> Array:
        return dy.reshape(self.shape) if np.size(dy) == np.prod(self.shape) else dy

    def describe(self) -> str:
        return "outputs"


def _ends_in_loss(patient: Patient, arrays: Mapping[str, Array], rows: bool, targets: Array | None) -> Chain | None:
    """A forward that returns only its loss: networks and losses tried together, the scale and a penalty left open."""
    x, values, moves = arrays["x"], [], []
    rng = np.random.default_rng(6)
    for _ in range(4):
        moved = {name: array + 0.05 * rng.standard_normal(array.shape) for name, array in arrays.items()}
        patient.put(moved)
        values.append(patient.value())
        moves.append(moved)
    patient.put(dict(arrays))
    squares = [sum(float((m[n] ** 2).sum()) for n in m if n != "x" and m[n].ndim == 2) for m in moves]
    names = [name for name in arrays if name != "x"]
    readings = [affines for affines, rest in _affines(names, arrays, _width(x, rows)) if not rest]
    for tolerance, affines in itertools.product(EXACT_OR_GUARDED, readings):
        for chain in _networks(affines, rows):
            with np.errstate(all="ignore"):
                outputs = [chain.forward(m["x"], m) for m in moves]
            flat = [o if rows else o.T for o in outputs]
            t = one_hot(
                targets.T if targets is not None and not rows and np.ndim(targets) == 2 else targets, flat[0].shape[1]
            )
            if t is None or t.shape != flat[0].shape:
                break
            for formula in LOSSES:
                with np.errstate(all="ignore"):
                    totals = [formula.total(o, t) for o in flat]
                scale = _fits(values, totals, squares, tolerance)
                if scale is not None:
                    return Chain([*chain.steps, LossStep(formula, t, scale)], rows)
    return None


def _fits(values: list[float], totals: list[float], squares: list[float], tolerance: float) -> float | None:
    """The scale for which values = scale * totals + penalty * squares, if there is one."""
    if not np.isfinite(totals).all():
        return None
    table = np.stack([totals, squares], axis=1)
    solution, *_ = np.linalg.lstsq(table, np.array(values), rcond=None)
    off = np.abs(table @ solution - values).max()
    return float(solution[0]) if off <= 0.1 * tolerance * max(np.abs(values)) and abs(solution[0]) > 1e-9 else None
