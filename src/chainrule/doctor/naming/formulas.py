"""The formulas that the doctor knows by heart: activations with both forms of their slope, losses with their gradients.

They are written out once more, apart from the library's layers: a judge must not share its mistakes with the accused.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from chainrule.layers.layer import Array

Function = Callable[[Array], Array]


class Activation(NamedTuple):
    """f, its slope as a formula of the input, and as a formula of the output (None where there is none)."""

    name: str
    f: Function
    of_input: Function
    of_output: Function | None
    text: str  # the slope as a learner writes it, of z and a


def _sigmoid(z: Array) -> Array:
    return 0.5 * (1 + np.tanh(0.5 * z))


def _softplus(z: Array) -> Array:
    return np.logaddexp(0.0, z)


def _leaky(k: float) -> Activation:
    return Activation(
        f"leaky ReLU ({k})",
        lambda z: np.where(z > 0, z, k * z),
        lambda z: np.where(z > 0, 1.0, k),
        lambda a: np.where(a > 0, 1.0, k),
        f"np.where(z > 0, 1, {k})",
    )


def _silu_slope(z: Array) -> Array:
    s = _sigmoid(z)
    return s + z * s * (1 - s)


def _gelu_inner(z: Array) -> Array:
    return np.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3))


def _gelu_slope(z: Array) -> Array:
    t = _gelu_inner(z)
    return 0.5 * (1 + t) + 0.5 * z * (1 - t**2) * math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * z**2)


def _normal_share(z: Array) -> Array:
    return 0.5 * (1 + np.vectorize(math.erf, otypes=[float])(z / math.sqrt(2)))


def _exact_gelu_slope(z: Array) -> Array:
    return _normal_share(z) + z * np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)


IDENTITY = Activation("identity", lambda z: z, np.ones_like, np.ones_like, "1")
ACTIVATIONS = (
    IDENTITY,
    Activation(
        "ReLU", lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(float), lambda a: (a > 0).astype(float), "(z > 0)"
    ),
    Activation("sigmoid", _sigmoid, lambda z: _sigmoid(z) * (1 - _sigmoid(z)), lambda a: a * (1 - a), "a * (1 - a)"),
    Activation("tanh", np.tanh, lambda z: 1 - np.tanh(z) ** 2, lambda a: 1 - a**2, "1 - a**2"),
    _leaky(0.01),
    _leaky(0.1),
    _leaky(0.2),
    _leaky(0.3),
    _leaky(0.05),
    Activation("softplus", _softplus, _sigmoid, lambda a: 1 - np.exp(-a), "1 / (1 + np.exp(-z))"),
    Activation(
        "ELU",
        lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
        lambda z: np.where(z > 0, 1, np.exp(np.minimum(z, 0))),
        lambda a: np.where(a > 0, 1, a + 1),
        "np.where(z > 0, 1, np.exp(z))",
    ),
    Activation("SiLU", lambda z: z * _sigmoid(z), _silu_slope, None, "s + z * s * (1 - s), where s = sigmoid(z)"),
    Activation("exp", np.exp, np.exp, lambda a: a, "a"),
    Activation("square", np.square, lambda z: 2 * z, None, "2 * z"),
    Activation("sin", np.sin, np.cos, None, "np.cos(z)"),
    Activation(
        "GELU",
        lambda z: 0.5 * z * (1 + _gelu_inner(z)),
        _gelu_slope,
        None,
        "its long slope: differentiate tanh as well",
    ),
    Activation("GELU", lambda z: z * _normal_share(z), _exact_gelu_slope, None, "Phi(z) + z * phi(z)"),
    Activation("softsign", lambda z: z / (1 + abs(z)), lambda z: 1 / (1 + abs(z)) ** 2, None, "1 / (1 + abs(z))**2"),
)


def softmax(z: Array, axis: int = 1) -> Array:
    """e^z over its sum along an axis."""
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


class LossFormula(NamedTuple):
    """A loss up to a constant factor: its sum over all entries, and the gradient of that sum by the outputs."""

    name: str
    total: Callable[[Array, Array], float]
    slope: Callable[[Array, Array], Array]
    text: str


def _safe_log(p: Array) -> Array:
    return np.log(np.maximum(p, 1e-300))


def _bce(p: Array, t: Array) -> float:
    return float(-(t * _safe_log(p) + (1 - t) * _safe_log(1 - p)).sum())


LOSSES = (
    LossFormula("squared error", lambda p, t: float(((p - t) ** 2).sum()), lambda p, t: 2 * (p - t), "2 * (p - t)"),
    LossFormula(
        "logistic loss of margins",
        lambda z, t: float(np.logaddexp(0.0, -t * z).sum()),
        lambda z, t: -t * _sigmoid(-t * z),
        "-t / (1 + np.exp(t * z))",
    ),
    LossFormula(
        "hinge loss",
        lambda z, t: float(np.maximum(0.0, 1 - t * z).sum()),
        lambda z, t: -t * (t * z < 1),
        "-t * (t * z < 1)",
    ),
    LossFormula("absolute error", lambda p, t: float(abs(p - t).sum()), lambda p, t: np.sign(p - t), "np.sign(p - t)"),
    LossFormula("cross-entropy", lambda p, t: float(-(t * _safe_log(p)).sum()), lambda p, t: -t / p, "-t / p"),
    LossFormula("binary cross-entropy", _bce, lambda p, t: (p - t) / (p * (1 - p)), "(p - t) / (p * (1 - p))"),
)
