"""Mistakes in the backward of a linear layer, an activation, a softmax."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from chainrule.doctor.naming.chain import Act, Affine, Chain, Piece, SoftmaxStep
from chainrule.doctor.naming.formulas import ACTIVATIONS
from chainrule.doctor.naming.mistake import Circumstances, Mistake, last_word


def affine(i: int, chain: Chain, around: Circumstances) -> Iterator[Mistake]:
    """z = x W + b."""
    step = chain.steps[i]
    W, b = step.W, step.b

    def made(cause: str, says: str, write: str, piece: str, function: Piece) -> Mistake:
        return Mistake(cause, says, write, {(i, piece): function})

    right_W = f"d{last_word(W)} = " + ("x.T @ dz" if not step.turned else "dz.T @ x")
    right_b = f"d{last_word(b or 'b')} = dz.sum(axis={0 if chain.rows else 1})"
    back = "dx = dz @ W" + ("" if step.turned else ".T")
    yield made(
        "bias-axis", "it was summed over the features instead of the examples", right_b, "db", lambda dz: dz.sum(axis=1)
    )
    yield made("bias-axis", "it is a mean over the features", right_b, "db", lambda dz: dz.mean(axis=1))
    yield made("bias-axis", "the bias's gradient was not summed over the examples", right_b, "db", lambda dz: dz)
    yield made("bias-axis", "one sum over everything was taken for all biases", right_b, "db", lambda dz: dz.sum())
    yield made("bias-axis", "one sum was given to every bias", right_b, "db", lambda dz: np.full(dz.shape[1], dz.sum()))
    yield made("bias-axis", "one mean was taken for all biases", right_b, "db", lambda dz: dz.mean())
    yield made(
        "bias-axis", "one mean was given to every bias", right_b, "db", lambda dz: np.full(dz.shape[1], dz.mean())
    )
    yield made("bias-axis", "only the first example counts", right_b, "db", lambda dz: dz[0])
    yield made("bias-axis", "only the last example counts", right_b, "db", lambda dz: dz[-1])
    yield made("transposed", "it is the transpose", right_W, "dW", lambda x, dz: dz.T @ x)
    yield made("transposed", "W was not transposed on the way back", back, "dx", lambda dz, W: dz @ W)
    if W in around.after:
        used = around.after[W].T if step.turned else around.after[W]
        if used.shape == step.weights.shape and not np.array_equal(used, step.weights):
            yield made(
                "updated-first",
                f"{W} was updated before the gradient of what lies below was taken through it",
                f"compute every gradient with the old {W}, and update at the end",
                "dx",
                lambda dz, W, _used=used: dz @ _used.T,
            )
    after = chain.steps[i + 1] if i + 1 < len(chain.steps) else None
    if isinstance(after, Act):
        pieces: dict[str, Piece] = {
            "dW": lambda x, dz: x.T @ after.da,
            "db": lambda dz: after.da.sum(axis=0),
            "dx": lambda dz, W: after.da @ W.T,
        }
        for names in (("dW", "db"), ("dW",), ("db",), ("dx",)):
            yield Mistake(
                "missing-derivative",
                f"{' and '.join(names)} was made with da, the slope of {after.describe()} not multiplied in",
                f"dz = da * {after.kind.text} first, and every gradient of the layer from dz",
                {(i, name): pieces[name] for name in names},
            )
    ones: dict[str, Piece] = {
        "dW": lambda x, dz: x.T @ np.ones_like(dz),
        "db": lambda dz: np.ones_like(dz).sum(axis=0),
        "dx": lambda dz, W: np.ones_like(dz) @ W.T,
    }
    for together in (("dW", "db", "dx"), ("dW", "db"), ("dW",), ("db",), ("dx",)):
        yield Mistake(
            "upstream",
            f"{' and '.join(together)} {'was' if len(together) == 1 else 'were'} made with ones instead of dz",
            "; ".join({"dW": right_W, "db": right_b, "dx": back}[name] for name in together),
            {(i, name): ones[name] for name in together},
        )
    others = {f"the output of step {j}": s.a for j, s in enumerate(chain.steps) if isinstance(s, (Act, SoftmaxStep))}
    others |= {f"z of step {j}": s.z for j, s in enumerate(chain.steps) if isinstance(s, (Act, SoftmaxStep, Affine))}
    others |= {f"the input of step {j}": s.x for j, s in enumerate(chain.steps) if isinstance(s, Affine) and j != i}
    for name, other in others.items():
        if other.shape[0] == step.x.shape[0] and (other.shape != step.x.shape or not np.array_equal(other, step.x)):
            yield made(
                "wrong-input",
                f"d{last_word(W)} was made with {name} instead of the layer's input",
                right_W + ", where x is the input of this very layer",
                "dW",
                lambda x, dz, _other=other: _other.T @ dz,
            )
    for j, other_step in enumerate(chain.steps):
        if isinstance(other_step, Affine) and j != i:
            yield made(
                "wrong-input",
                f"the gradient went back through {other_step.W} instead of {W}",
                back.replace("W", W),
                "dx",
                lambda dz, _, _other=other_step: dz @ _other.weights.T,
            )
    yield made("input-gradient", "the gradient was not taken back through the weights", back, "dx", lambda dz, W: dz)


MIXED_UP = tuple(kind for kind in ACTIVATIONS if kind.name in ("ReLU", "sigmoid", "tanh"))


def act(i: int, chain: Chain, around: Circumstances) -> Iterator[Mistake]:
    """a = f(z)."""
    step = chain.steps[i]
    kind, z, a = step.kind, step.z, step.a
    right = f"dz = da * {kind.text}"

    def made(cause: str, says: str, factor: Any) -> Mistake:
        return Mistake(cause, says, right, {(i, "dz"): lambda da, z, a, _f=factor: da * _f})

    yield made("missing-derivative", f"the slope of {kind.name} was not multiplied in", 1.0)
    with np.errstate(all="ignore"):
        yield made(
            "at-output",
            f"the slope of {kind.name} was taken at its output a = f(z), not at its input z",
            kind.of_input(a),
        )
        if kind.of_output is not None:
            yield made("at-input", "the formula of the slope in terms of a = f(z) was given z", kind.of_output(z))
            yield made(
                "at-output",
                f"the slope was taken at f(a), the output put through {kind.name} again",
                kind.of_output(kind.f(a)),
            )
        if kind.name == "ReLU":
            yield made("at-input", "the input itself was multiplied in, where its sign decides", np.maximum(z, 0))
            yield made(
                "wrong-mask",
                "the mask is the wrong way round: it lets through what the ReLU stops",
                (z <= 0).astype(float),
            )
        slope = kind.of_input(z)
        yield made("extra-derivative", f"the slope of {kind.name} was multiplied in twice", slope**2)
        yield made("missing-derivative", f"a part of the slope of {kind.name} is missing: f(z) instead of f'(z)", a)
        yield made("missing-derivative", f"a part of the slope of {kind.name} is missing: 1 - f(z)", 1 - a)
    yield Mistake("upstream", "dz is f'(z) alone: da was not multiplied in", right, {(i, "dz"): lambda da, z, a: slope})
    for other in MIXED_UP if kind in MIXED_UP else ():
        if other is not kind:
            says = f"the slope of {other.name} stands where that of {kind.name} belongs"
            for factor in (other.of_input(z), *([other.of_output(a)] if other.of_output else [])):
                yield made("wrong-mask", says, factor)
    for j, step in enumerate(chain.steps):
        if isinstance(step, (Act, SoftmaxStep, Affine)) and j != i:
            seen = step.z
            for what, values in (
                ("z", seen),
                ("the input", getattr(step, "x", seen)),
                ("the output", getattr(step, "a", seen)),
            ):
                if values.shape == z.shape and not np.array_equal(values, z) and not np.array_equal(values, a):
                    yield made(
                        "wrong-mask",
                        f"the slope was taken at {what} of another layer (step {j + 1} of the chain)",
                        kind.of_input(values),
                    )
    for name, rolled in (("reversed", z[::-1]), ("shifted by one", np.roll(z, 1, axis=0))):
        yield made("wrong-mask", f"the slope belongs to other examples (the order is {name})", kind.of_input(rolled))


def softmax_step(i: int, chain: Chain, around: Circumstances) -> Iterator[Mistake]:
    """p = softmax(z)."""
    axis = chain.steps[i].axis
    right = f"dz = p * (dp - (dp * p).sum(axis={1 if chain.rows else 0}, keepdims=True))"

    def made(cause: str, says: str, function: Piece, write: str = right) -> Mistake:
        return Mistake(cause, says, write, {(i, "dz"): function})

    yield made(
        "softmax-diagonal",
        "only the diagonal p (1 - p) of the softmax's Jacobian was used",
        lambda dp, z, p: dp * p * (1 - p),
    )
    yield made("softmax-diagonal", "the off-diagonal terms are missing: dp * p alone", lambda dp, z, p: dp * p)
    yield made(
        "softmax-diagonal",
        "the diagonal is missing: only the terms -p_i p_j were used",
        lambda dp, z, p: -p * (dp * p).sum(axis=axis, keepdims=True),
    )
    yield made(
        "softmax-axis",
        "the sum in the softmax's backward runs over another axis than in its forward",
        lambda dp, z, p: p * (dp - (dp * p).sum(axis=1 - axis, keepdims=True)),
    )
    yield made(
        "softmax-axis",
        "the sum in the softmax's backward runs over everything",
        lambda dp, z, p: p * (dp - (dp * p).sum()),
    )
    yield made(
        "softmax-axis",
        "a mean stands where the softmax's backward sums",
        lambda dp, z, p: p * (dp - (dp * p).mean(axis=axis, keepdims=True)),
    )
    yield made(
        "softmax-diagonal",
        "p is missing in front: dp - sum(dp p)",
        lambda dp, z, p: dp - (dp * p).sum(axis=axis, keepdims=True),
    )
    yield made(
        "softmax-diagonal",
        "p is missing within the sum: p (dp - sum(dp))",
        lambda dp, z, p: p * (dp - dp.sum(axis=axis, keepdims=True)),
    )
    only_beside = "keep p - y for the loss that contains the softmax; a softmax by itself needs " + right
    if len(chain.steps) == 1:
        yield made(
            "beside-loss",
            "dp is passed through untouched: right only where the loss already gave p - y",
            lambda dp, z, p: dp,
            only_beside,
        )
    else:
        yield made("missing-derivative", "the softmax's derivative was left out", lambda dp, z, p: dp)
