"""A learner's forward as a chain of steps that the doctor knows, whose every piece can be replaced by a wrong one.

The chain is recognised by its numbers alone: if x W1 + b1, ReLU, W2 + b2, softmax gives the learner's outputs to eight
digits, that is what the learner wrote. Inside, examples are rows and weights are (in, out).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.doctor.naming.formulas import Activation, LossFormula, softmax
from chainrule.layers.layer import Array

Piece = Callable[..., Any]
Wrong = Mapping[tuple[int, str], Piece]  # (number of the step, name of the piece) -> what stands in for it


def piece(wrong: Mapping[str, Piece], name: str, right: Piece) -> Piece:
    """The wrong piece of this name if there is one, else the right one."""
    return wrong.get(name, right)


@dataclass
class Affine:
    """z = x W + b."""

    W: str
    b: str | None
    turned: bool  # W is kept as (out, in)
    x: Array = field(default_factory=lambda: np.zeros(0))

    def forward(self, x: Array, arrays: Mapping[str, Array]) -> Array:
        self.shape = x.shape
        self.x = x.reshape(len(x), -1) if x.ndim != 2 else x
        W = arrays[self.W] if arrays[self.W].ndim == 2 else arrays[self.W].reshape(self.x.shape[1], -1)
        self.weights = W.T if self.turned else W
        bias = arrays[self.b].ravel() if self.b else 0.0
        self.z = self.x @ self.weights + bias
        return self.z

    def backward(self, dz: Array, wrong: Mapping[str, Piece], grads: dict[str, Any]) -> Array:
        dW = piece(wrong, "dW", lambda x, dz: x.T @ dz)(self.x, dz)
        grads[self.W] = dW.T if self.turned and np.ndim(dW) == 2 else dW
        if self.b:
            grads[self.b] = piece(wrong, "db", lambda dz: dz.sum(axis=0))(dz)
        dx = piece(wrong, "dx", lambda dz, W: dz @ W.T)(dz, self.weights)
        return dx.reshape(self.shape) if np.size(dx) == np.prod(self.shape) else dx

    def names(self) -> set[str]:
        return {self.W, self.b} if self.b else {self.W}

    def describe(self) -> str:
        return f"Linear {self.weights.shape[0]} -> {self.weights.shape[1]}"


@dataclass
class Act:
    """a = f(z), one entry at a time."""

    kind: Activation

    def forward(self, z: Array, arrays: Mapping[str, Array]) -> Array:
        self.z, self.a = z, self.kind.f(z)
        return self.a

    def slope(self) -> Array:
        return self.kind.of_input(self.z)

    def backward(self, da: Array, wrong: Mapping[str, Piece], grads: dict[str, Any]) -> Array:
        self.da = da
        return piece(wrong, "dz", lambda da, z, a: da * self.kind.of_input(z))(da, self.z, self.a)

    def describe(self) -> str:
        return self.kind.name


@dataclass
class SoftmaxStep:
    """p = softmax(z), each row by itself."""

    axis: int = 1

    def forward(self, z: Array, arrays: Mapping[str, Array]) -> Array:
        self.z, self.a = z, softmax(z, self.axis)
        return self.a

    def backward(self, da: Array, wrong: Mapping[str, Piece], grads: dict[str, Any]) -> Array:
        def right(da: Array, z: Array, p: Array) -> Array:
            return p * (da - (da * p).sum(axis=self.axis, keepdims=True))

        return piece(wrong, "dz", right)(da, self.z, self.a)

    def describe(self) -> str:
        return "softmax"


@dataclass
class Norm:
    """y = gain (x - mean) / spread + shift, the mean over `axes`; the spread, epsilon and all, as it was."""

    axes: tuple[int, ...]
    gain: str | None
    shift: str | None
    spread: Array
    centre: bool = True  # False: the root mean square alone, no mean taken off

    def forward(self, x: Array, arrays: Mapping[str, Array]) -> Array:
        self.x, self.centred = x, x - x.mean(axis=self.axes, keepdims=True) if self.centre else x
        self.normed = self.centred / self.spread
        self.gains = fitted(arrays[self.gain], x) if self.gain else np.ones(())
        self.y = self.normed * self.gains + (fitted(arrays[self.shift], x) if self.shift else 0.0)
        return self.y

    def backward(self, dy: Array, wrong: Mapping[str, Piece], grads: dict[str, Any]) -> Array:
        def over(a: Array, like: str) -> Array:
            return summed_like(a, np.shape(self.arrays[like]))

        if self.gain:
            grads[self.gain] = piece(wrong, "dgain", lambda dy: over(dy * self.normed, self.gain or ""))(dy)
        if self.shift:
            grads[self.shift] = piece(wrong, "dshift", lambda dy: over(dy, self.shift or ""))(dy)

        def right(d: Array) -> Array:
            mean = d.mean(axis=self.axes, keepdims=True) if self.centre else 0.0
            along = (d * self.normed).mean(axis=self.axes, keepdims=True)
            return (d - mean - self.normed * along) / self.spread

        return piece(wrong, "dx", right)(dy * self.gains)

    arrays: Mapping[str, Array] = field(default_factory=dict)

    def names(self) -> set[str]:
        return {name for name in (self.gain, self.shift) if name}

    def describe(self) -> str:
        return f"normalization over axis {self.axes[0] if len(self.axes) == 1 else self.axes}"


@dataclass
class Mask:
    """y = x times 0 or a constant, by chance: dropout."""

    factors: Array

    def forward(self, x: Array, arrays: Mapping[str, Array]) -> Array:
        return x * self.factors

    def backward(self, dy: Array, wrong: Mapping[str, Piece], grads: dict[str, Any]) -> Array:
        return piece(wrong, "dx", lambda dy: dy * self.factors)(dy)

    def describe(self) -> str:
        return "dropout"


@dataclass
class LossStep:
    """L = scale * total(outputs, targets), the last step where the loss is known."""

    formula: LossFormula
    targets: Array
    scale: float

    def forward(self, p: Array, arrays: Mapping[str, Array]) -> Array:
        self.p = p
        return np.array(self.scale * self.formula.total(p, self.targets))

    def backward(self, dy: Array, wrong: Mapping[str, Piece], grads: dict[str, Any]) -> Array:
        return piece(wrong, "loss", lambda p, t: self.scale * self.formula.slope(p, t))(self.p, self.targets)

    def describe(self) -> str:
        return self.formula.name


Step = Affine | Act | SoftmaxStep | Norm | Mask | LossStep


@dataclass
class Chain:
    """The steps, in order, and how the learner lays out examples."""

    steps: list[Any]
    rows: bool = True

    def forward(self, x: Array, arrays: Mapping[str, Array]) -> Array:
        """The outputs in the learner's layout."""
        x = x if self.rows else x.T
        for step in self.steps:
            if isinstance(step, Norm):
                step.arrays = arrays
            x = step.forward(x, arrays)
        return x if self.rows or x.ndim < 2 else x.T

    def backward(self, dy: Array, arrays: Mapping[str, Array], wrong: Wrong) -> dict[str, Any]:
        """All gradients in the learner's layout, with the pieces of `wrong` in place of the right ones."""
        grads: dict[str, Any] = {}
        dx = self.inwards(dy)
        for i in range(len(self.steps) - 1, -1, -1):
            pieces = {name: piece for (j, name), piece in wrong.items() if j == i}
            dx = self.steps[i].backward(dx, pieces, grads)
        grads["x"] = dx if self.rows or np.ndim(dx) < 2 else dx.T
        for name, grad in grads.items():
            shape = np.shape(arrays[name])
            if np.shape(grad) != shape and np.size(grad) == np.prod(shape, dtype=int) and name != "x":
                grads[name] = np.reshape(grad, shape)  # a bias kept as (1, K) or (K, 1)
        return grads

    def inwards(self, dy: Array) -> Array:
        """dy in the layout of the steps, examples as rows."""
        if np.ndim(dy) == 1 and isinstance(self.steps[-1], (Affine, Act)) and self.steps[-1].z.ndim == 2:
            return np.reshape(dy, (-1, 1))  # outputs of shape (N,)
        return dy if self.rows or np.ndim(dy) < 2 else dy.T

    def names(self) -> set[str]:
        """The arrays whose gradients backward gives."""
        return {"x"}.union(*(step.names() for step in self.steps if hasattr(step, "names")))

    def describe(self) -> str:
        return ", ".join(step.describe() for step in self.steps)


def every_axes(ndim: int) -> list[tuple[int, ...]]:
    """The axes that a norm may take its means over; of images, those of batch, layer and instance norm as well."""
    several = [(0, 2, 3), (0, 1, 2), (1, 2, 3), (2, 3), (1, 2), (0, 1)]
    return [axes for axes in (*several, *((a,) for a in range(ndim))) if max(axes) < ndim and len(axes) < ndim]


def fitted(parameter: Array, x: Array) -> Array:
    """A per-channel parameter, shaped so that it broadcasts against x."""
    if parameter.ndim == x.ndim or parameter.size == 1:
        return parameter.reshape(parameter.shape if parameter.ndim == x.ndim else ())
    axis = next((a for a in (x.ndim - 1, 1, 0) if x.shape[a] == parameter.size), x.ndim - 1)
    return parameter.reshape([parameter.size if a == axis else 1 for a in range(x.ndim)])


def summed_like(a: Array, shape: tuple[int, ...]) -> Array:
    """Sum over all that was broadcast."""
    target = fitted(np.zeros(shape), a).shape if np.prod(shape, dtype=int) != a.size else a.shape
    target = (1,) * (a.ndim - len(target)) + tuple(target)
    axes = tuple(i for i, n in enumerate(target) if n == 1 and a.shape[i] != 1)
    return a.sum(axis=axes, keepdims=True).reshape(shape)
