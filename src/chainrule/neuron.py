"""One neuron, where every lesson begins: a weighted sum, a bias, an activation. A column of them is a Linear layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.configurable import by_name, number
from chainrule.errors import ConfigurationError, NotBuiltError, ShapeError
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
        self.activation: Layer = by_name("activation", activation, ACTIVATIONS)
        if isinstance(self.activation, Softmax):
            raise ConfigurationError("Neuron: softmax compares several outputs; one neuron has one. Use 'sigmoid'.")
        self.w: Array = 0.1 * np.random.default_rng(seed).standard_normal(D)
        self.b = float(number("Neuron", "bias", bias, "(-inf, inf)"))
        self.dw: Array = np.zeros(D)
        self.db = 0.0

    def __call__(self, x: Any) -> Array:
        """The activation alone."""
        return self.forward(x)[0]

    def forward(self, x: Any) -> tuple[Array, tuple[Any, ...]]:
        """The activation, and what backward will need."""
        x = np.asarray(x, dtype=float)
        if x.ndim not in (1, 2) or x.shape[-1] != len(self.w):
            raise ShapeError(f"Neuron: expected x of shape (N, {len(self.w)}) or ({len(self.w)},), received {x.shape}.")
        z = np.asarray(x @ self.w + self.b)
        a, cache = self.activation.forward(z)
        return a, (x, cache)

    def backward(self, da: Any, cache: tuple[Any, ...]) -> Array:
        """Set dw and db from dL/da; return dL/dx."""
        x, activation_cache = cache
        dz = self.activation.backward(np.asarray(da, dtype=float), activation_cache)  # a = activation(z)
        if dz is None:
            raise NotBuiltError("Neuron: the activation returned no gradient.")
        self.dw = np.atleast_1d(dz) @ np.atleast_2d(x)  # z = x . w + b   =>  dL/dw = sum of dz x
        self.db = float(np.sum(dz))  # b is added to every row  =>  sum over rows
        return np.multiply.outer(dz, self.w)  # z = x . w + b   =>  dL/dx = dz w

    def step(self, learning_rate: float) -> None:
        """Gradient descent: a small step downhill."""
        self.w = self.w - learning_rate * self.dw
        self.b = self.b - learning_rate * self.db
