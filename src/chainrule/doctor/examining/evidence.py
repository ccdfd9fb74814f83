"""What was measured: the learner's gradients beside the numerical ones, and all that an explanation may need."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.doctor.examining.patients import Patient
from chainrule.doctor.naming.chain import Chain
from chainrule.gradient_check import slope
from chainrule.layers.layer import Array

MOST = 300  # entries of one array that are measured; of a larger one a block
MOST_OF_LARGE = 64  # the same where all arrays together have more than LARGE entries, and each forward takes long
LARGE = 20_000


@dataclass(frozen=True)
class Precision:
    """How well numbers can be told apart: the step of the differences, and the relative errors."""

    step: float
    norm: float
    entry: float
    agree: float  # two step sizes that differ by more see a kink


DOUBLE = Precision(step=1e-3, norm=1e-5, entry=1e-4, agree=1e-6)
SINGLE = Precision(step=3e-2, norm=3e-3, entry=3e-2, agree=3e-2)  # the learner's code rounds to float32


@dataclass
class Evidence:
    """One examination. `numerical` is nan where nothing was measured: at kinks, in large arrays outside a block."""

    patient: Patient
    precision: Precision
    dy: Any
    outputs: Array
    rows: bool
    arrays: dict[str, Array]
    analytic: dict[str, Any]
    numerical: dict[str, Array]
    kinks: dict[str, int]
    after: dict[str, Array]  # the arrays as backward left them
    chain: Chain | None = None
    exact: dict[str, Array] = field(default_factory=dict)  # what is meant where a small number guards a log
    acquitted: set[str] = field(default_factory=set)  # right but for that number
    fewer: Callable[[], Evidence | None] = lambda: None  # the same with one example less

    @property
    def n(self) -> int:
        """The number of examples."""
        x = self.arrays.get("x", self.outputs)
        return int(x.shape[0 if self.rows else -1]) if np.ndim(x) else 1

    def reference(self, name: str) -> Array:
        """What the learner's gradient is a multiple of, if it is one."""
        return self.exact.get(name, self.numerical[name])

    def error(self, name: str) -> tuple[float, float]:
        """How far the learner's gradient is off: of the norm, and in the worst entry."""
        return errors(self.analytic.get(name), self.numerical[name])

    def wrong(self) -> list[str]:
        """The arrays whose gradient is there and differs from the numerical one, or ought to be there and is not."""
        return [name for name in self.numerical if not self.right(name)]

    def right(self, name: str) -> bool:
        """Within the tolerances, or not to be said."""
        return name in self.acquitted or matches(self.analytic.get(name), self.numerical[name], self.precision)


def errors(given: Any, measured: Array) -> tuple[float, float]:
    """(error of the norm, error of the worst entry); infinite where the shapes differ."""
    if given is None or np.squeeze(given).shape != np.squeeze(measured).shape:
        return np.inf, np.inf
    a, n = np.ravel(given), np.ravel(measured)
    known = ~np.isnan(n)
    if not np.isfinite(a[known]).all():
        return np.inf, np.inf
    a, n = a[known], n[known]
    if not n.size:
        return 0.0, 0.0
    largest = max(float(np.abs(n).max()), float(np.abs(a).max()), 1e-9)
    scale = np.maximum(np.maximum(np.abs(a), np.abs(n)), 1e-2 * largest)
    return float(np.linalg.norm(a - n)) / max(float(np.linalg.norm(n)), 1e-9), float((np.abs(a - n) / scale).max())


def matches(given: Any, measured: Array, precision: Precision) -> bool:
    """Is `given` what was measured?"""
    norm, entry = errors(given, measured)
    return norm <= precision.norm and entry <= precision.entry


def measure(patient: Patient, name: str, dy: Any, precision: Precision, most: int | None = None) -> tuple[Array, int]:
    """The numerical gradient of one array, nan where it was not taken, and the number of kinks met."""
    start = patient.places[name].array
    if most is None:
        most = MOST if sum(np.size(place.value) for place in patient.places.values()) <= LARGE else MOST_OF_LARGE
    buffer = np.array(start, ndmin=1)
    numerical = np.full(buffer.shape, np.nan)

    def f() -> float:
        patient.places[name].value = buffer.reshape(start.shape)
        return patient.value(dy)

    with patient.calm():  # once for all: to enter it takes longer than a small forward
        here = f()
        chosen = _block(buffer.shape, patient.seed, most)
        pairs = [(i, *slope(f, here, buffer, i, 1.0, precision.step)) for i in chosen]
    patient.places[name].value = start
    largest = max((abs(value) for _, value, _ in pairs), default=0.0)
    kinks = 0
    for index, value, doubt in pairs:
        if doubt <= precision.agree * max(abs(value), largest * 1e-2, abs(here) * 1e-3, 1e-9):
            numerical[index] = value
        else:
            kinks += 1
    return numerical.reshape(start.shape), kinks


def _block(shape: tuple[int, ...], seed: int, most: int) -> list[tuple[int, ...]]:
    """All indices of a small array; of a large one those of a block whose rows and columns are drawn by chance."""
    if np.prod(shape, dtype=int) <= most:
        return list(np.ndindex(shape))
    rng = np.random.default_rng(seed)
    side = max(1, int(most ** (1 / len(shape))))
    chosen = [np.sort(rng.permutation(n)[:side]) for n in shape]
    if len(set(shape)) == 1:
        chosen = [chosen[0]] * len(shape)  # a square one keeps its transpose within the block
    return [
        tuple(int(i) for i in index)
        for index in np.stack(np.meshgrid(*chosen, indexing="ij"), -1).reshape(-1, len(shape))
    ]


def examine(patient: Patient, rows: bool) -> Evidence:
    """Run forward and backward once, and measure every array."""
    arrays = patient.arrays()
    outputs, cache = patient.run()
    outputs_array = np.array(outputs, np.float64)
    dy = None
    if patient.kind in ("layer", "slope"):
        dy = np.random.default_rng(patient.seed + 1).standard_normal(outputs_array.shape)
    analytic = patient.again(None if dy is None else dy.copy(), outputs, cache)
    after = patient.arrays()
    patient.put(arrays)
    precision = SINGLE if _rounded(outputs) or _grainy(patient, outputs_array) else DOUBLE
    numerical, kinks = {}, {}
    whole = patient.kind in ("network", "loss") and len(patient.places) > 1
    for name in patient.places:
        # A network owes nobody the gradient of its input; a layer owes it to the layer below.
        if name == "x" and whole and analytic.get("x") is None:
            continue
        numerical[name], kinks[name] = measure(patient, name, dy, precision)
    evidence = Evidence(patient, precision, dy, outputs_array, rows, arrays, analytic, numerical, kinks, after)
    return merged(evidence)


def merged(evidence: Evidence) -> Evidence:
    """Neurons that stand in a list, each with its own w and b, as the columns of one matrix and one bias."""
    groups: dict[str, list[str]] = {}
    for name in evidence.numerical:
        match = re.fullmatch(r"(.*?)\.?(\d+)\.(\w+)", name)
        if match and np.size(evidence.arrays[name]) == max(np.shape(evidence.arrays[name]), default=1):
            groups.setdefault(f"{match[1]}.*.{match[3]}".lstrip("."), []).append(name)
    tables: list[dict[str, Any]] = [evidence.arrays, evidence.analytic, evidence.numerical, evidence.after]
    for name, members in groups.items():
        sizes = {np.size(evidence.arrays[m]) for m in members}
        alike = (
            len(sizes) == 1
            and not any(_has_matrix(m, evidence) for m in members)
            and all(np.size(evidence.analytic.get(m, 0.0)) in sizes for m in members)
        )
        if len(members) < 2 or not alike:
            continue
        for table in tables:
            columns = [np.ravel(table.pop(m)) for m in members if m in table]
            table[name] = np.stack(columns, axis=-1) if sizes != {1} else np.concatenate(columns)
        evidence.kinks[name] = sum(evidence.kinks.pop(m) for m in members)
    return evidence


def _has_matrix(name: str, evidence: Evidence) -> bool:
    """Does a matrix stand beside this array? Then it is the bias of a layer, not of a neuron."""
    around = name.rpartition(".")[0]
    return any(
        other.rpartition(".")[0] == around and np.ndim(array) > 1 and 1 not in np.shape(array)
        for other, array in evidence.arrays.items()
    )


def _grainy(patient: Patient, outputs: Array) -> bool:
    """Does the code see nothing of a change in the tenth digit? Then it rounds what it is given to float32."""
    for name, place in patient.places.items():
        start = place.array
        place.value = start * (1 + 2e-10)
        now = np.array(patient.run()[0], np.float64)
        place.value = start * 1.01
        far = np.array(patient.run()[0], np.float64)
        place.value = start
        if name == "x" and np.array_equal(now, outputs) and not np.array_equal(far, outputs):
            return True
    return False


def _rounded(outputs: Any) -> bool:
    """Were the outputs rounded to float32 on the way?"""
    if getattr(outputs, "dtype", None) in (np.float32, np.float16):
        return True
    values = np.ravel(np.asarray(outputs, np.float64))
    with np.errstate(all="ignore"):
        exact = values == values.astype(np.float32)
    return bool(exact.all() and (values != np.round(values, 3)).any())
