"""A recurrent step's sum of two products, z = x Wx + h Wh + b: recognised, and the mistakes that are made in it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.doctor.naming.chain import Act, Chain, Piece, piece
from chainrule.doctor.naming.formulas import ACTIVATIONS, IDENTITY
from chainrule.doctor.naming.mistake import Circumstances, Mistake
from chainrule.layers.layer import Array


@dataclass
class Joint:
    """z = x Wx + h Wh + b; `parts` are the pairs (input, matrix)."""

    parts: tuple[tuple[str, str], ...]
    b: str | None
    columns: bool

    def forward(self, x: Array, arrays: Mapping[str, Array]) -> Array:
        turned = {name: array.T if self.columns and array.ndim == 2 else array for name, array in arrays.items()}
        self.inputs = {W: turned[name] for name, W in self.parts}
        self.weights = {W: turned[W] for _, W in self.parts}
        bias = arrays[self.b].ravel() if self.b else np.zeros(1)
        self.z: Array = bias + sum(self.inputs[W] @ self.weights[W] for W in self.weights)
        return self.z

    def backward(self, dz: Array, wrong: Mapping[str, Piece], grads: dict[str, Any]) -> Any:
        for name, W in self.parts:
            dW = piece(wrong, W, lambda x, dz: x.T @ dz)(self.inputs[W], dz)
            dx = piece(wrong, name, lambda dz, W: dz @ W.T)(dz, self.weights[W])
            grads[W], grads[name] = (dW.T, dx.T) if self.columns else (dW, dx)
        if self.b:
            grads[self.b] = piece(wrong, "db", lambda dz: dz.sum(axis=0))(dz)
        return grads["x"].T if self.columns else grads["x"]

    def describe(self) -> str:
        return " + ".join(f"{name} {W}" for name, W in self.parts)

    def names(self) -> set[str]:
        """The arrays whose gradients it gives."""
        return {name for part in self.parts for name in part} | ({self.b} if self.b else set())


def joints(names: list[str], arrays: Mapping[str, Array], rows: bool) -> Iterator[Chain]:
    """Every way to read three matrices and at most one bias as a recurrent step."""
    matrices = [name for name in names if arrays[name].ndim == 2 and 1 not in arrays[name].shape]
    biases = [name for name in names if name not in matrices]
    if len(matrices) != 3 or len(biases) > 1:
        return
    for h, Wx, Wh in itertools.permutations(matrices):
        shape = {name: arrays[name].shape if rows else arrays[name].shape[::-1] for name in ("x", h, Wx, Wh)}
        fits = shape["x"][1] == shape[Wx][0] and shape[h][1] == shape[Wh][0] and shape[Wx][1] == shape[Wh][1]
        if fits and shape["x"][0] == shape[h][0]:
            for kind in ACTIVATIONS:
                step = Joint((("x", Wx), (h, Wh)), biases[0] if biases else None, not rows)
                yield Chain([step, *([] if kind is IDENTITY else [Act(kind)])], rows)


def joint(i: int, chain: Chain, around: Circumstances) -> Iterator[Mistake]:
    """z = x Wx + h Wh + b."""
    step = chain.steps[i]
    values = {name: step.inputs[W] for name, W in step.parts} | {"z": step.z}
    if isinstance(chain.steps[-1], Act):
        values["the output"] = chain.steps[-1].a
    for name, W in step.parts:
        right, back = f"d{W} = {name}.T @ dz", f"d{name} = dz @ {W}.T"
        turned = f"{W} was not transposed on the way back"
        yield Mistake("transposed", turned, back, {(i, name): lambda dz, W: dz @ W})
        yield Mistake("transposed", f"d{W} is the transpose", right, {(i, W): lambda x, dz: dz.T @ x})
        for what, value in values.items():
            if what != name:
                says = f"d{W} was made with {what} instead of {name}"
                yield Mistake("wrong-input", says, right, {(i, W): lambda x, dz, _v=value: _v.T @ dz})
        yield Mistake("input-gradient", f"d{name} is dz: {W} was left out", back, {(i, name): lambda dz, W: dz})
        for _, other in step.parts:
            if other != W:
                says = f"d{name} went back through {other} instead of {W}"
                through = step.weights[other]
                yield Mistake("wrong-input", says, back, {(i, name): lambda dz, W, _o=through: dz @ _o.T})
    for says, function in (("summed over the features", lambda dz: dz.sum(axis=1)), ("not summed", lambda dz: dz)):
        yield Mistake("bias-axis", f"db was {says}", "db = dz.sum(axis=0)", {(i, "db"): function})
    after = chain.steps[i + 1] if i + 1 < len(chain.steps) else None
    if isinstance(after, Act):
        for name, W in step.parts:
            says = f"d{W} was made with the slope of {after.describe()} left out"
            line = f"dz = dy * {after.kind.text} first"
            yield Mistake("missing-derivative", says, line, {(i, W): lambda x, dz: x.T @ after.da})
            yield Mistake(
                "missing-derivative", says.replace(W, name, 1), line, {(i, name): lambda dz, W: after.da @ W.T}
            )
