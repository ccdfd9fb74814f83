"""The activations and their slopes: a formula sheet, first as plain functions, then as layers.

Without them a stack of linear layers is one linear layer: (x W1) W2 = x (W1 W2). Each backward is the chain rule
for a function applied to every entry, dx = dy * f'(x); softmax alone couples the entries of a row. A layer keeps its
output, not its input, where the slope can be read off the output: that array is the next layer's input anyway.
"""

from __future__ import annotations

import numpy as np

from chainrule.border import as_array
from chainrule.configurable import number
from chainrule.layers.layer import Array, Cache, Layer


def identity(z: Array) -> Array:
    """The value itself."""
    return as_array(z, "z")


def identity_slope(z: Array) -> Array:
    """1 everywhere."""
    return np.ones_like(as_float(z))


def relu(z: Array) -> Array:
    """max(0, z): a one-way valve.

    >>> relu(np.array([-2.0, 0.0, 3.0]))
    array([0., 0., 3.])
    """
    return np.maximum(as_float(z), 0)


def relu_slope(z: Array) -> Array:
    """1 where z > 0, else 0. At the kink itself we take 0, as everyone does."""
    z = as_float(z)
    return (z > 0).astype(z.dtype)


def leaky_relu(z: Array, slope: float = 0.01) -> Array:
    """max(0, z) + slope * min(0, z): a valve that leaks, so that no unit is dead for ever."""
    z = as_float(z)
    return np.maximum(z, 0) + slope * np.minimum(z, 0)


def leaky_relu_slope(z: Array, slope: float = 0.01) -> Array:
    """1 where z > 0, else slope (also at 0)."""
    z = as_float(z)
    return np.where(z > 0, z.dtype.type(1), z.dtype.type(slope))


def sigmoid(z: Array) -> Array:
    """1 / (1 + e^-z), between 0 and 1, written with e^-|z| so that nothing can overflow.

    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    z = as_float(z)
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, z.dtype.type(1), e) / (1 + e)  # z < 0: 1 / (1 + e^-z) = e^z / (1 + e^z)


def sigmoid_slope(z: Array) -> Array:
    """sigmoid(z) (1 - sigmoid(z)), at most 1/4; as e / (1 + e)^2 it keeps its digits far out."""
    e = np.exp(-np.abs(as_float(z)))
    return e / (1 + e) ** 2


def tanh(z: Array) -> Array:
    """(e^z - e^-z) / (e^z + e^-z), between -1 and 1."""
    return np.tanh(as_float(z))


def tanh_slope(z: Array) -> Array:
    """1 - tanh(z)^2, at most 1; as 4 e / (1 + e)^2 with e = e^-2|z| it keeps its digits far out."""
    e = np.exp(-np.abs(as_float(z)))
    e = e * e
    return 4 * e / (1 + e) ** 2


def softmax(z: Array) -> Array:
    """e^z_k / sum of e^z_j over the last axis: every row becomes probabilities that sum to 1.

    The largest entry of the row is subtracted first. That changes nothing in the result and keeps e^z from overflowing.

    >>> softmax(np.array([[1000.0, 1000.0], [0.0, 1.0]])).round(3)
    array([[0.5  , 0.5  ],
           [0.269, 0.731]])
    """
    z = as_float(z)
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    e /= e.sum(axis=-1, keepdims=True)
    return e


def softmax_slope(z: Array) -> Array:
    """The Jacobian of each row, dy_i / dz_j = y_i (1[i = j] - y_j): (..., K) gives (..., K, K)."""
    y = softmax(z)
    return y[..., :, None] * (np.eye(y.shape[-1], dtype=y.dtype) - y[..., None, :])


def as_float(z: Array) -> Array:
    """Numbers of any kind as floats; floats keep their dtype."""
    z = z if isinstance(z, np.ndarray) else as_array(z, "z")
    return z if z.dtype.kind == "f" else as_array(z, "z").astype(np.float64)


class Identity(Layer):
    """The layer that changes nothing: y = x, dx = dy.

    Shapes      x, y: any, the same    cache: empty
    Forward     y = x
    Backward    dx = dy

    >>> Identity()(np.array([[1.0, -2.0]]))
    array([[ 1., -2.]])
    """

    any_shape = True

    def forward(self, x: Array, train: bool = False, rng: np.random.Generator | None = None) -> tuple[Array, Cache]:
        return x, ()

    def backward(self, dy: Array, cache: Cache, need_dx: bool = True) -> Array | None:
        return dy  # y = x   =>  dL/dx = dy


class ReLU(Layer):
    """Positive values pass, negative ones become 0: a one-way valve.

    Shapes      x, y: any, the same    cache: y
    Forward     y = max(0, x)
    Backward    dx = dy where x > 0, else 0    (at x = 0 we take 0)
    Source      Nair, Hinton 2010, ICML

    >>> ReLU()(np.array([[-1.0, 0.0, 2.0]]))
    array([[0., 0., 2.]])
    """

    any_shape = True

    def forward(self, x: Array, train: bool = False, rng: np.random.Generator | None = None) -> tuple[Array, Cache]:
        y = relu(x)
        return y, (y,)

    def backward(self, dy: Array, cache: Cache, need_dx: bool = True) -> Array | None:
        (y,) = cache
        return dy * (y > 0)  # y > 0 exactly where x > 0


class LeakyReLU(Layer):
    """Like ReLU, but negative values leak through by a small factor, so that no unit is dead for ever.

    Shapes      x, y: any, the same    cache: x
    Forward     y = x where x > 0, else slope * x
    Backward    dx = dy where x > 0, else slope * dy    (at x = 0 we take slope)
    Arguments   slope: the factor for x <= 0 (default 0.01, as PyTorch; Keras takes 0.3)
    Raises      ConfigurationError if slope is not a finite number
    Source      Maas, Hannun, Ng 2013, ICML workshop

    >>> LeakyReLU(0.1)(np.array([[-1.0, 0.0, 2.0]]))
    array([[-0.1,  0. ,  2. ]])
    """

    any_shape = True

    def __init__(self, slope: float = 0.01) -> None:
        self.slope = number("LeakyReLU", "slope", slope, "(-inf, inf)")

    def forward(self, x: Array, train: bool = False, rng: np.random.Generator | None = None) -> tuple[Array, Cache]:
        return leaky_relu(x, self.slope), (x,)

    def backward(self, dy: Array, cache: Cache, need_dx: bool = True) -> Array | None:
        (x,) = cache
        return dy * leaky_relu_slope(x, self.slope)


class Sigmoid(Layer):
    """Squashes every value into (0, 1).

    Shapes      x, y: any, the same    cache: y
    Forward     y = 1 / (1 + e^-x)
    Backward    dx = dy * y (1 - y)

    >>> Sigmoid()(np.array([[0.0, 2.0]])).round(3)
    array([[0.5  , 0.881]])
    """

    any_shape = True

    def forward(self, x: Array, train: bool = False, rng: np.random.Generator | None = None) -> tuple[Array, Cache]:
        y = sigmoid(x)
        return y, (y,)

    def backward(self, dy: Array, cache: Cache, need_dx: bool = True) -> Array | None:
        (y,) = cache
        return dy * y * (1 - y)  # the slope of the sigmoid, read off its output


class Tanh(Layer):
    """Squashes every value into (-1, 1), centred at 0.

    Shapes      x, y: any, the same    cache: y
    Forward     y = tanh(x)
    Backward    dx = dy * (1 - y^2)

    >>> Tanh()(np.array([[0.0, 1.0]])).round(3)
    array([[0.   , 0.762]])
    """

    any_shape = True

    def forward(self, x: Array, train: bool = False, rng: np.random.Generator | None = None) -> tuple[Array, Cache]:
        y = tanh(x)
        return y, (y,)

    def backward(self, dy: Array, cache: Cache, need_dx: bool = True) -> Array | None:
        (y,) = cache
        return dy * (1 - y * y)  # the slope of tanh, read off its output


class Softmax(Layer):
    """Turns each row into probabilities, with its true derivative for any dy.

    A network that learns with CrossEntropy() ends in logits and needs no Softmax layer: the loss has it inside.

    Shapes      x, y: (..., K)    cache: y
    Forward     y_k = e^x_k / sum of e^x_j
    Backward    dx = y * (dy - sum of dy * y over the row)
    Source      Bridle 1990, NIPS

    >>> Softmax()(np.array([[0.0, 0.0]]))
    array([[0.5, 0.5]])
    """

    any_shape = True

    def forward(self, x: Array, train: bool = False, rng: np.random.Generator | None = None) -> tuple[Array, Cache]:
        y = softmax(x)
        return y, (y,)

    def backward(self, dy: Array, cache: Cache, need_dx: bool = True) -> Array | None:
        (y,) = cache
        # dy_i / dx_j = y_i (1[i = j] - y_j), summed against dy over i
        return y * (dy - (dy * y).sum(axis=-1, keepdims=True))
