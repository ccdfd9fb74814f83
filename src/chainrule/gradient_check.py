"""Proof: the hand-written derivative against the numerical one, for any layer, loss or network.

Everything runs on a copy in float64. The derivative of f along one entry is taken from four points,
(8 (f(x+h) - f(x-h)) - (f(x+2h) - f(x-2h))) / 12h, whose error falls with h^4, at two step sizes, h and h/5. Where the
two disagree the function has a kink within reach (a ReLU near 0): such entries prove nothing, are set aside and
counted. A layer is asked for the gradient of sum(u * y) with a random u: with u = 1 a softmax or a normalization, whose
outputs have a constant sum, would pass with any backward that returns zeros. Arrays of more than 2,000 entries are
checked along random directions, which see every entry, and at sampled entries, which say where.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule.border import as_array
from chainrule.configurable import by_name
from chainrule.errors import ConfigurationError, DataError, GradientError
from chainrule.layers import Layer
from chainrule.layers.layer import Array
from chainrule.losses import LOSSES, Loss
from chainrule.network import Network

STEP = 1e-3  # h; near the best for four points in float64
MANY = 2000  # arrays with more entries are sampled
SAMPLES, DIRECTIONS = 200, 20
NORM_TOLERANCE = 1e-9  # |analytic - numerical| / |numerical|, for the whole array
ENTRY_TOLERANCE = 1e-7  # the same for one entry, its size taken as at least FLOOR of the largest entry
FLOOR = 1e-3
KINKS = 0.2  # the largest share of entries that may be set aside
ROWS = 64  # of a larger batch the first ones are taken: more rows bring more kinks within reach, and no more proof


@dataclass(frozen=True)
class Entry:
    """One derivative, both ways. `index` is None for a random direction."""

    name: str
    index: tuple[int, ...] | None
    analytic: float
    numerical: float
    error: float

    def __str__(self) -> str:
        where = "a random direction" if self.index is None else str(list(self.index))
        both = f"analytic {self.analytic:+.9e}, numerical {self.numerical:+.9e}"
        return f"{self.name} {where}: {both}, error {self.error:.1e}"


@dataclass(frozen=True)
class Checked:
    """What was found for one array."""

    name: str
    shape: tuple[int, ...]
    entries: list[Entry]
    set_aside: int
    norm_error: float
    entry_error: float
    agrees: bool  # all that was checked is right
    passed: bool  # ... and enough of it was


@dataclass(frozen=True, repr=False)
class GradientReport:
    """The outcome of `check_gradients`: `passed`, a row for each array, and the five worst entries."""

    subject: str
    rows: list[Checked]
    note: str = ""  # of rows that were left out

    @property
    def passed(self) -> bool:
        """Are all arrays right?"""
        return all(row.passed for row in self.rows)

    @property
    def worst(self) -> list[Entry]:
        """The five entries with the largest error, worst first."""
        return sorted((entry for row in self.rows for entry in row.entries), key=lambda entry: -entry.error)[:5]

    @property
    def unsure(self) -> bool:
        """Is nothing wrong, but too much set aside at kinks to say that all is right?"""
        return not self.passed and all(row.agrees for row in self.rows)

    def raise_if_wrong(self) -> None:
        """Raise GradientError, with this report as its text, unless all is right."""
        if not self.passed:
            raise GradientError(str(self))

    def __str__(self) -> str:
        unsure = "UNSURE, too many kinks (surer with a small x of noise, or Tanh and AvgPool2D)"
        said = "PASSED" if self.passed else unsure if self.unsure else "FAILED"
        lines = [f"gradient check of {self.subject}{self.note}: {said}"]
        for row in self.rows:
            mark = "ok    " if row.passed else "UNSURE" if row.agrees else "WRONG "
            aside = f", {row.set_aside} set aside at kinks" if row.set_aside else ""
            lines.append(
                f"  {mark} d{row.name} {row.shape}: {len(row.entries)} checked{aside}; "
                f"error {row.norm_error:.1e} of the norm, {row.entry_error:.1e} in the worst entry"
            )
        return "\n".join([*lines, "  the five worst entries:", *(f"    d{e}" for e in self.worst), *self._suspect()])

    __repr__ = __str__  # what a notebook shows

    def _suspect(self) -> list[str]:
        """Errors run backwards: the culprit stands between the last wrong layer and the first right one behind it."""
        passed: dict[int, bool] = {}
        for row in self.rows:
            layer = row.name.split(".")[0]
            if layer.isdigit():
                passed[int(layer)] = row.agrees and passed.get(int(layer), True)
        wrong = max((layer for layer, right in passed.items() if not right), default=None)
        behind = min((layer for layer in passed if wrong is not None and layer > wrong), default=None)
        if wrong is None or behind is None:
            return []
        suspects = f"layer {wrong}" if behind == wrong + 1 else f"layers {wrong} to {behind - 1}"
        return [f"  wrong up to layer {wrong}, right from layer {behind} on: look at the backward of {suspects}"]


def check_gradients(
    subject: Layer | Network | Loss,
    x: Any,
    y: Any = None,
    loss: Loss | str | None = None,
    *,
    train: bool = True,
    seed: int = 0,
    show: bool = True,
) -> GradientReport:
    """Compare every gradient of a layer, network or loss with numerical differences, in float64.

    Arguments   subject  a layer or network (left untouched), or a loss
                x        a small batch of inputs; for a loss, the outputs it judges. At most 64 rows are taken
                y, loss  targets and loss of a network; a loss needs y alone. Without them the sum of the outputs, each
                         times a random number, is differentiated
                train    check the pass as in training, dropout masks and batch statistics included (default True)
                seed     of the random numbers, the masks among them (default 0)
                show     print the report (default True)
    Returns     a GradientReport: passed, rows, worst; str(report) is what is printed
    Raises      ConfigurationError for a subject of another kind

    >>> from chainrule.layers import Linear
    >>> report = check_gradients(Linear(3, 2), np.random.default_rng(0).normal(size=(5, 3)), show=False)
    >>> report.passed, [row.name for row in report.rows]
    (True, ['x', '0.W', '0.b'])
    """
    if not isinstance(subject, (Layer, Network, Loss)):
        raise ConfigurationError(f"check_gradients: expected a layer, a network or a loss, received {subject!r}.")
    x = as_array(x).astype(np.float64)
    if not x.size or not np.isfinite(x).all():
        raise DataError(f"check_gradients: expected x of finite numbers, at least one, received shape {x.shape}.")
    loss = None if loss is None else by_name("loss", loss, LOSSES, Loss)
    rows, report = min(len(x), ROWS), None
    while report is None or (report.unsure and rows > 2):
        rows = rows if report is None else rows // 2
        report = _report(subject, x[:rows], None if y is None else y[:rows], loss, train, seed)
    if rows < len(x):
        report = replace(report, note=f" on the first {rows} of {len(x):,} rows")
    if show:
        print(report)
    return report


def _report(subject: Any, x: Array, y: Any, loss: Loss | None, train: bool, seed: int) -> GradientReport:
    if isinstance(subject, Loss):
        return GradientReport(repr(subject), [_check_loss(subject, x, y, seed)])
    network = double(subject, x)
    network(x)  # a layer that does not keep the contract says so here
    return GradientReport(repr(subject), _check_network(network, x, y, loss, train, seed))


def double(subject: Layer | Network, x: Array) -> Network:
    """A float64 copy of the network, or a network of one layer with that layer's own arrays."""
    if isinstance(subject, Network):
        if not subject.out_shapes:
            subject = subject.copy()
            subject.build(x.shape[1:])
        return subject.astype("float64")
    network = Network(subject.clone(), in_shape=x.shape[1:], dtype="float64")
    originals = list(subject.walk())
    for place, copied in enumerate(network.layers[0].walk()):
        for name in (*copied.parameter_names, *copied.state_names):
            if name in originals[place].__dict__:
                setattr(copied, name, getattr(originals[place], name))
    return network


def _check_network(network: Network, x: Array, y: Any, loss: Loss | None, train: bool, seed: int) -> list[Checked]:
    upstream: Array | None = None

    def judge(outputs: Array) -> tuple[float, Array]:
        nonlocal upstream
        if loss is not None:
            return loss(outputs, y)
        if upstream is None:
            upstream = np.random.default_rng((seed, 1)).standard_normal(outputs.shape)
        return float((outputs * upstream).sum()), upstream.copy()

    def value() -> float:
        return judge(network.forward(x, train, np.random.default_rng(seed))[0])[0]

    outputs, caches = network.forward(x, train, np.random.default_rng(seed))
    _, dy = judge(outputs)
    dx = network.backward(dy, caches, need_dx=True)
    if dx is None:
        raise GradientError("backward returned None where dL/dx was wanted (need_dx=True): return the derivative.")
    size = float(np.abs(outputs).sum()) if loss is None else _size(value(), outputs)
    arrays = [("x", x, np.array(dx))]
    for row in network.parameters:
        shaped = network.grads[row.slice].reshape(row.shape).copy()
        arrays.append((row.name, getattr(row.layer, row.attribute), shaped))
    return [_check_array(name, value, array, gradient, size, seed) for name, array, gradient in arrays]


def _check_loss(loss: Loss, outputs: Array, targets: Any, seed: int) -> Checked:
    value, gradient = loss(outputs, targets)
    targets, size = loss.check(targets, outputs.shape), _size(value, outputs)

    def moved() -> float:  # probabilities that are moved a little sum to 1 no more, and the border would refuse them
        return loss.compute(outputs, targets, None, len(outputs))[0]

    return _check_array("outputs", moved, outputs, gradient, size, seed)


def _size(value: float, outputs: Array) -> float:
    """What rounding is relative to: a loss of 1e-6 is the difference of a logit and a logarithm of size 20."""
    return abs(value) + float(np.abs(outputs).max())


def _check_array(name: str, f: Callable[[], float], array: Array, analytic: Array, size: float, seed: int) -> Checked:
    """Compare `analytic` with the slopes of f at entries of `array`, which is moved in place and put back."""
    rng = np.random.default_rng((seed, 2))
    here, noise = f(), 5e-12 * max(size, 1e-3)  # what rounding alone does to a difference at this size of f
    indices = _chosen(analytic, rng)
    pairs: list[tuple[tuple[int, ...] | None, float, float, float]] = []
    for index in indices:
        numerical, doubt = slope(f, here, array, index, 1.0)
        pairs.append((index, float(analytic[index]), numerical, doubt))
    if analytic.size > MANY:
        for _ in range(DIRECTIONS):
            direction = rng.standard_normal(array.shape)
            direction /= np.linalg.norm(direction)
            numerical, doubt = slope(f, here, array, ..., direction)
            pairs.append((None, float((analytic * direction).sum()), numerical, doubt))
    largest = max((abs(value) for _, a, n, _ in pairs for value in (a, n)), default=0.0)

    def scale(a: float, n: float) -> float:
        return max(abs(a), abs(n), FLOOR * largest, noise / ENTRY_TOLERANCE)

    entries = [
        Entry(name, index, a, n, abs(a - n) / scale(a, n))
        for index, a, n, doubt in pairs
        if doubt <= ENTRY_TOLERANCE * scale(n, n)
    ]
    set_aside = len(pairs) - len(entries)
    entry_error = max((entry.error for entry in entries), default=0.0)
    difference = math.hypot(*(entry.analytic - entry.numerical for entry in entries))
    norm = math.hypot(*(entry.numerical for entry in entries))
    norm_error = difference / max(norm, noise * math.sqrt(len(entries)) / NORM_TOLERANCE, 1e-300)
    agrees = analytic.shape == array.shape and entry_error <= ENTRY_TOLERANCE and norm_error <= NORM_TOLERANCE
    passed = agrees and set_aside <= KINKS * len(pairs)
    return Checked(name, array.shape, entries, set_aside, norm_error, entry_error, agrees, passed)


def _chosen(analytic: Array, rng: np.random.Generator) -> list[tuple[int, ...]]:
    """All entries of a small array; of a large one a sample, half of it where the gradient is not zero."""
    if analytic.size <= MANY:
        return list(np.ndindex(analytic.shape))
    nonzero = np.flatnonzero(analytic)
    anywhere = rng.choice(analytic.size, SAMPLES // 2, replace=False)
    chosen = {*anywhere.tolist(), *rng.permutation(nonzero)[: SAMPLES // 2].tolist()}
    return [tuple(int(i) for i in np.unravel_index(flat, analytic.shape)) for flat in sorted(chosen)]


def slope(
    f: Callable[[], float], here: float, array: Array, index: Any, direction: Any, step: float = STEP
) -> tuple[float, float]:
    """The slope of f along a direction, and how far it is to be doubted: how much two step sizes disagree."""
    kept = np.array(array[index])

    def at(t: float) -> float:
        array[index] = kept + t * direction
        return f()

    slopes, bends = [], []
    for h in (step, step / 5):
        up, down, up2, down2 = at(h), at(-h), at(2 * h), at(-2 * h)
        slopes.append((8 * (up - down) - (up2 - down2)) / (12 * h))
        bends.append((up - 2 * here + down) / h)
    array[index] = kept
    # A bend of a smooth function shrinks with h. One exactly at a kink does not, and neither do the slopes then differ.
    stuck = abs(bends[1] - bends[0] / 5)
    kink = stuck if stuck > 1e-5 * abs(slopes[0]) + 1e-9 * abs(here) else 0.0
    return slopes[1], max(abs(slopes[0] - slopes[1]), kink)
