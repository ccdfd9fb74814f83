"""Mistakes in the gradient of a loss, and in p - y, which stands for the last activation and the loss together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from chainrule.doctor.naming.chain import Act, Chain, LossStep, Piece, SoftmaxStep
from chainrule.doctor.naming.formulas import softmax
from chainrule.doctor.naming.mistake import Circumstances, Mistake, as_factor
from chainrule.doctor.naming.recognising import one_hot
from chainrule.layers.layer import Array


def loss(i: int, chain: Chain, around: Circumstances) -> Iterator[Mistake]:
    """dL/d(outputs)."""
    step = chain.steps[i]
    formula, scale = step.formula, step.scale
    right = f"dp = {as_factor(scale)}{formula.text}"

    def made(cause: str, says: str, function: Piece, write: str = right) -> Mistake:
        return Mistake(cause, says, write, {(i, "loss"): function})

    if "entropy" in formula.name:
        beside = "p - t is dL/dlogits of softmax (or sigmoid) and loss together: use it there, and " + right + " here"
        yield made(
            "beside-loss", "p - t is the gradient by the logits, not by the probabilities", lambda p, t: p - t, beside
        )
        yield made("factor", "the division by p is missing", lambda p, t: -t)
        yield made("factor", "it lacks its minus and the targets' share: 1 / p", lambda p, t: 1 / p)
    if formula.name == "squared error":
        yield made("missing-derivative", "the square was not differentiated: (p - t)**2", lambda p, t: (p - t) ** 2)
        yield made("missing-derivative", "the sign of p - t stands where p - t belongs", lambda p, t: np.sign(p - t))
        yield made(
            "mean-for-sum", "it was summed or averaged over the outputs", lambda p, t: np.full(p.shape, (p - t).sum())
        )
        yield made("mean-for-sum", "it was averaged over the examples", lambda p, t: (p - t).mean(axis=0) + 0 * p)
    if formula.name == "absolute error":
        yield made("missing-derivative", "p - t stands where its sign belongs", lambda p, t: p - t)


def fused(chain: Chain, around: Circumstances) -> Iterator[Mistake]:
    """Mistakes in p - y, which stands for the last activation and the loss together."""
    last = len(chain.steps) - 1
    known = isinstance(chain.steps[last], LossStep)
    end = last - 1 if known else last
    step = chain.steps[end]
    if not isinstance(step, (Act, SoftmaxStep)) or around.targets is None:
        return
    z, p = step.z, step.a
    labels = np.asarray(around.targets)
    t = (
        chain.steps[last].targets
        if known
        else one_hot(labels.T if not chain.rows and labels.ndim == 2 else labels, p.shape[1])
    )
    if t is None or t.shape != p.shape:
        return

    right = step.backward(chain.steps[last].backward(around.dy, {}, {}) if known else chain.inwards(around.dy), {}, {})
    times = _multiple(p - t, right)  # n, where p - y is right but for the mean; None where it is not
    share = 1 / (times or 1.0)

    def made(cause: str, says: str, delta: Array, write: str = "dz = (p - y) / N", scale: float = share) -> Mistake:
        return Mistake(cause, says, write, {(end, "dz"): lambda da, z, a: scale * delta})

    soft = isinstance(step, SoftmaxStep)
    name = step.describe()
    if not known or "entropy" in chain.steps[last].formula.name:
        with np.errstate(all="ignore"):
            slope = step.slope() if isinstance(step, Act) else p * (1 - p)
            yield made(
                "extra-derivative",
                f"p - y already contains the slope of {name}, which was multiplied in once more",
                (p - t) * slope,
            )
            yield made(
                "missing-derivative", "the targets were subtracted from the logits, not from the probabilities", z - t
            )
            yield made("labels", "the targets are missing in the gradient: p alone", p)
            yield made("factor", "the targets have the wrong sign: p + y stands where p - y belongs", p + t)
            yield made("factor", "the probabilities are missing in the gradient: -y alone", -t)
            yield made(
                "beside-loss", "this is dL/dp = -y / p, the gradient by the probabilities, not by the logits", -t / p
            )
            yield made("softmax-diagonal", "the off-diagonal terms are missing: -y (1 - p)", -t * (1 - p))
            if t.shape[0] == t.shape[1]:
                yield made("labels", "the targets were transposed: square shapes hide it", p - t.T)
            yield made("labels", "the gradient is taken at the labelled class alone", (p - 1) * t)
        if soft:
            yield made("softmax-axis", "the softmax in the gradient runs over the examples", softmax(z, 0) - t)
            whole = np.exp(z - z.max())
            yield made("softmax-axis", "the softmax in the gradient runs over everything", whole / whole.sum() - t)
        yield from _mixed(end, labels, p, share)
    if times is None:
        yield made(
            "missing-derivative",
            f"p - y was used, but with this loss the slope of {name} belongs to it",
            p - t,
            "dz = dL/dp * f'(z); p - y alone is right beside cross-entropy only",
        )
    elif round(times, 4) in (around.n, p.size) and around.n > 1:
        yield made("forgot-n", f"p - y was not divided by {round(times)}, as the mean in the loss is", p - t, scale=1.0)


def _multiple(array: Array, of: Array) -> float | None:
    """The number that makes one array of another, if there is one."""
    factor = float((array * of).sum() / (of * of).sum()) if np.shape(array) == np.shape(of) and np.any(of) else 0.0
    return factor if factor and np.allclose(array, factor * of, rtol=1e-5, atol=1e-7) else None


def _mixed(end: int, labels: Array, p: Array, share: float) -> Iterator[Mistake]:
    """Integer labels where one-hot rows belong: square shapes let them broadcast."""
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        return
    says, write = (
        "integer labels were subtracted as if they were one-hot rows",
        "p[np.arange(N), labels] -= 1, or make one-hot rows: np.eye(K)[labels]",
    )
    turns = [labels[:, None]] if len(labels) != p.shape[1] else [labels[None, :], labels[:, None]]
    deltas = [(says, p - turned) for turned in turns]
    if labels.max(initial=0) < p.shape[1]:
        everywhere = p.copy()
        everywhere[:, labels] -= 1
        deltas.append(("p[:, labels] -= 1 takes 1 off in every row", everywhere))
        by_row = p.copy()
        by_row[labels[labels < len(p)]] -= 1
        deltas.append(("p[labels] -= 1 takes 1 off whole rows", by_row))
    for what, delta in deltas:
        yield Mistake("labels", what, write, {(end, "dz"): lambda da, z, a, _d=share * delta: _d})
