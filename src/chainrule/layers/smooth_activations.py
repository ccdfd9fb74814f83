"""Smooth activations: kin of ReLU without its kink, as plain functions and as layers.

GELU and SiLU multiply a value by a gate between 0 and 1 that opens as the value grows; ELU and Softplus bend instead of
breaking. Every formula is written so that it holds over all floats: nothing overflows, infinity times 0 never arises
(beyond 10,000 each curve is as flat or as straight as it gets), and what is tiny keeps its digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from chainrule.configurable import number
from chainrule.errors import unknown_name
from chainrule.layers.activations import as_float, sigmoid, sigmoid_slope
from chainrule.layers.erf import LAST, normal_cdf, normal_density
from chainrule.layers.layer import Array, Cache, Layer

BEYOND = 1e4
Function = Callable[[Array], Array]


def gelu(z: Array, approximate: str = "none") -> Array:
    """z Phi(z), Phi being the normal distribution's cumulative function; "tanh" for the older, cheaper form.

    >>> gelu(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.1587,  0.    ,  0.8413])
    >>> gelu(np.array([-1.0, 0.0, 1.0]), "tanh").round(4)
    array([-0.1588,  0.    ,  0.8412])
    """
    z = as_float(z)
    return (np.maximum(z, -BEYOND) * _gate(approximate)[0](z)).astype(z.dtype)


def gelu_slope(z: Array, approximate: str = "none") -> Array:
    """Phi(z) + z phi(z): below 0 left of z = -0.75, above 1 right of 0.75."""
    z = as_float(z)
    gate, gate_slope = _gate(approximate)
    return (gate(z) + np.clip(z, -BEYOND, BEYOND) * gate_slope(z)).astype(z.dtype)


def silu(z: Array) -> Array:
    """z sigmoid(z), also called swish; far to the left, where e^z alone would underflow, it still keeps its digits.

    >>> silu(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.2689,  0.    ,  0.7311])
    """
    z = as_float(z)
    within = np.maximum(z, -BEYOND)
    y = within * sigmoid(z)
    far = z < -64
    if far.any():  # z e^z = z e^(z + 64) e^-64, and no rounding shifts z
        y = np.where(far, within * np.exp(np.minimum(z, -64) + 64) * math.exp(-64), y)
    return y


def silu_slope(z: Array) -> Array:
    """sigmoid(z) + z sigmoid'(z): below 0 left of z = -1.28, above 1 right of 1.28."""
    z = as_float(z)
    return sigmoid(z) + np.clip(z, -BEYOND, BEYOND) * sigmoid_slope(z)


def elu(z: Array, alpha: float = 1.0) -> Array:
    """z where z > 0, else alpha (e^z - 1), down to -alpha.

    >>> elu(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.6321,  0.    ,  1.    ])
    """
    z = as_float(z)
    return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))


def elu_slope(z: Array, alpha: float = 1.0) -> Array:
    """1 where z > 0, else alpha e^z (so alpha at 0)."""
    z = as_float(z)
    return np.where(z > 0, z.dtype.type(1), alpha * np.exp(np.minimum(z, 0)))


def softplus(z: Array) -> Array:
    """log(1 + e^z) = max(0, z) + log(1 + e^-|z|), at all z (PyTorch's turns into z itself above 20).

    >>> softplus(np.array([-1000.0, 0.0, 1000.0])).round()
    array([   0.,    1., 1000.])
    """
    z = as_float(z)
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def softplus_slope(z: Array) -> Array:
    """sigmoid(z)."""
    return sigmoid(z)


def _normal_gate(z: Array) -> Array:
    return normal_cdf(z.astype(np.float64))  # not yet rounded: a gate too small for float32 may still count in z * gate


def _tanh_argument(z: Array) -> Array:
    z = np.clip(z, -LAST, LAST)
    return math.sqrt(8 / math.pi) * (z + 0.044715 * z * z * z)


def _tanh_gate(z: Array) -> Array:
    return sigmoid(_tanh_argument(z))  # (1 + tanh(u)) / 2 = sigmoid(2 u), which keeps its digits where u is far below 0


def _tanh_gate_slope(z: Array) -> Array:
    return sigmoid_slope(_tanh_argument(z)) * (
        math.sqrt(8 / math.pi) * (1 + 3 * 0.044715 * np.clip(z, -LAST, LAST) ** 2)
    )


GATES = {"none": (_normal_gate, normal_density), "tanh": (_tanh_gate, _tanh_gate_slope)}


def _gate(approximate: str) -> tuple[Function, Function]:
    if approximate not in GATES:
        raise unknown_name("approximate", approximate, GATES)
    return GATES[approximate]


class GELU(Layer):
    """Passes each value in the share of the normal distribution that lies below it: ReLU with a soft shoulder.

    Shapes      x, y: any, the same    cache: x, gate
    Forward     y = x * gate,  gate = Phi(x);    with "tanh":  gate = (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2
    Backward    dx = dy * (gate + x * slope),  slope = e^(-x^2 / 2) / sqrt(2 pi);    with "tanh":
                slope = (1 - (2 gate - 1)^2) (1 + 3 * 0.044715 x^2) / sqrt(2 pi)
    Arguments   approximate  "none" (default) or "tanh": as in PyTorch; several times faster here, off by 5e-4 at most
    Raises      ConfigurationError for another word
    Source      Hendrycks, Gimpel 2016, arXiv:1606.08415, both forms

    >>> GELU()(np.array([[-1.0, 0.0, 2.0]])).round(3)
    array([[-0.159,  0.   ,  1.954]])
    """

    any_shape = True

    def __init__(self, approximate: str = "none") -> None:
        _gate(approximate)
        self.approximate = approximate

    def forward(self, x: Array, train: bool = False, rng: np.random.Generator | None = None) -> tuple[Array, Cache]:
        gate = _gate(self.approximate)[0](x)
        y = np.maximum(x, -BEYOND) * gate
        return y.astype(x.dtype, copy=False), (x, gate.astype(x.dtype, copy=False))

    def backward(self, dy: Array, cache: Cache, need_dx: bool = True) -> Array | None:
        x, gate = cache  # kept, because the gate is the dear part
        gate_slope = _gate(self.approximate)[1](x)
        return dy * (gate + np.clip(x, -BEYOND, BEYOND) * gate_slope)  # y = x gate(x): the product rule


class SiLU(Layer):
    """Passes each value in the share that its own sigmoid says; also called swish.

    Shapes      x, y: any, the same    cache: x
    Forward     y = x sigmoid(x)
    Backward    dx = dy * (s + x s (1 - s)),  s = sigmoid(x)
    Source      Elfwing, Uchibe, Doya 2018, Neural Networks 107, 3-11; named in Hendrycks, Gimpel 2016

    >>> SiLU()(np.array([[-1.0, 0.0, 2.0]])).round(3)
    array([[-0.269,  0.   ,  1.762]])
    """

    any_shape = True

    def forward(self, x: Array, train: bool = False, rng: np.random.Generator | None = None) -> tuple[Array, Cache]:
        return silu(x), (x,)

    def backward(self, dy: Array, cache: Cache, need_dx: bool = True) -> Array | None:
        (x,) = cache
        return dy * silu_slope(x)


class ELU(Layer):
    """Positive values pass, negative ones level out at -alpha, so that the outputs lie around 0.

    Shapes      x, y: any, the same    cache: x
    Forward     y = x where x > 0, else alpha (e^x - 1)
    Backward    dx = dy where x > 0, else dy * alpha e^x    (at x = 0 we take alpha)
    Arguments   alpha: how deep it goes, in units of y, in [0, inf) (default 1, the one value without a kink)
    Raises      ConfigurationError if alpha is out of range
    Source      Clevert, Unterthiner, Hochreiter 2016, ICLR

    >>> ELU()(np.array([[-1.0, 0.0, 2.0]])).round(3)
    array([[-0.632,  0.   ,  2.   ]])
    """

    any_shape = True

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = number("ELU", "alpha", alpha, "[0, inf)")

    def forward(self, x: Array, train: bool = False, rng: np.random.Generator | None = None) -> tuple[Array, Cache]:
        return elu(x, self.alpha), (x,)

    def backward(self, dy: Array, cache: Cache, need_dx: bool = True) -> Array | None:
        (x,) = cache
        return dy * elu_slope(x, self.alpha)


class Softplus(Layer):
    """Makes every value positive, far out like ReLU; its slope is the sigmoid.

    Shapes      x, y: any, the same    cache: x
    Forward     y = log(1 + e^x)
    Backward    dx = dy * sigmoid(x)
    Source      Dugas and others 2000, NIPS

    >>> Softplus()(np.array([[-1.0, 0.0, 2.0]])).round(3)
    array([[0.313, 0.693, 2.127]])
    """

    any_shape = True

    def forward(self, x: Array, train: bool = False, rng: np.random.Generator | None = None) -> tuple[Array, Cache]:
        return softplus(x), (x,)

    def backward(self, dy: Array, cache: Cache, need_dx: bool = True) -> Array | None:
        (x,) = cache
        return dy * softplus_slope(x)
