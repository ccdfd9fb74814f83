"""One neuron, where every lesson begins: a weighted sum, a bias, an activation. A column of them is a Linear layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.border import as_array, check_finite
from chainrule.configurable import by_name, number
from chainrule.errors import ConfigurationError, ShapeError
from chainrule.layers import ACTIVATIONS, Layer, Softmax
from chainrule.layers.layer import Array


class Neuron:
    """A single neuron that can learn by itself.

    Shapes      x (N, D) or one example (D,)    w (D,)    b a number    output (N,) or a number
    Forward     z = x . w + b,    a = activation(z)
    Backward    dz = da * activation'(z),   dw = sum of dz x over the rows,   db = sum of dz,   dx = dz w
    Step        w = w - learning_rate dw,   b = b - learning_rate db
    Arguments   inputs      D
                activation  name or layer: "identity", "sigmoid", "relu", "tanh", ... (default "sigmoid")
                bias        starting value of b (default 0)
                seed        of the starting weights, which are normal with deviation 0.1 (default 0)
    Raises      ShapeError for x of another width

    >>> neuron = Neuron(2, "sigmoid", seed=0)
    >>> x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 0, 0, 1])         # AND
    >>> for _ in range(2000):
    ...     a, cache = neuron.forward(x)
    ...     _ = neuron.backward(2 * (a - y) / len(y), cache)
    ...     neuron.step(learning_rate=1.0)
    >>> (neuron(x) > 0.5).astype(int)
    array([0, 0, 0, 1])
    """

    def __init__(self, inputs: int, activation: str | Layer = "sigmoid", *, bias: float = 0.0, seed: int = 0) -> None:
        D = number("Neuron", "inputs", inputs, "[1, inf)", whole=True)
        self.activation: Layer = by_name("activation", activation, ACTIVATIONS, Layer)
        if isinstance(self.activation, Softmax) or self.activation.parameter_names or not self.activation.any_shape:
            raise ConfigurationError(
                f"Neuron: {self.activation!r} is no function of one number. Use 'sigmoid', 'tanh', 'relu', 'identity'."
            )
        seed = number("Neuron", "seed", seed, "[0, inf)", whole=True)
        self.w: Array = 0.1 * np.random.default_rng(seed).standard_normal(D)
        self.b = float(number("Neuron", "bias", bias, "(-inf, inf)"))
        self.dw: Array = np.zeros(D)
        self.db = 0.0

    def __call__(self, x: Any) -> Array:
        """The activation alone."""
        return self.forward(x)[0]

    def forward(self, x: Any) -> tuple[Array, tuple[Any, ...]]:
        """The activation, and what backward will need."""
        x = as_array(x).astype(float)
        check_finite(np.atleast_2d(x), "x", "float64")
        if x.ndim not in (1, 2) or x.shape[-1] != len(self.w):
            raise ShapeError(f"Neuron: expected x of shape (N, {len(self.w)}) or ({len(self.w)},), received {x.shape}.")
        z = np.asarray(x @ self.w + self.b)
        a, cache = self.activation.forward(z)
        return a, (x, cache)

    def backward(self, da: Any, cache: tuple[Any, ...]) -> Array:
        """Set dw and db from dL/da; return dL/dx."""
        x, activation_cache = cache
        da = np.array(da, dtype=float)
        if da.shape != x.shape[:-1]:
            raise ShapeError(
                f"Neuron: expected da of the output's shape {x.shape[:-1]}, received {da.shape}, which would broadcast."
            )
        dz = self.activation.backward(da, activation_cache)  # a = activation(z)
        assert dz is not None
        self.dw = np.atleast_1d(np.asarray(dz)) @ np.atleast_2d(x)  # z = x . w + b   =>  dL/dw = sum of dz x
        self.db = float(np.sum(dz))  # b is added to every row  =>  sum over rows
        return np.multiply.outer(np.asarray(dz), self.w)  # z = x . w + b   =>  dL/dx = dz w

    def __repr__(self) -> str:
        return f"Neuron({len(self.w)}, {self.activation!r}): w = {np.round(self.w, 3)}, b = {self.b:.3f}"

    def step(self, learning_rate: float) -> None:
        """Gradient descent: a small step downhill."""
        self.w = self.w - learning_rate * self.dw
        self.b = self.b - learning_rate * self.db
