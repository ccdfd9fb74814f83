"""Mistakes in the backward of a normalization and of dropout."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from chainrule.doctor.naming.chain import Chain, Piece, every_axes, summed_like
from chainrule.doctor.naming.mistake import Circumstances, Mistake, last_word
from chainrule.layers.layer import Array


def norm(i: int, chain: Chain, around: Circumstances) -> Iterator[Mistake]:
    """y = gain (x - mean) / spread + shift."""
    step = chain.steps[i]
    axes = step.axes

    def mean(a: Array) -> Array:
        return a.mean(axis=axes, keepdims=True)

    def total(a: Array) -> Array:
        return a.sum(axis=axes, keepdims=True)

    x, s, gains, centred = step.normed, step.spread, step.gains, step.centred
    right = "dx = (d - d.mean(axis) - xhat * (d * xhat).mean(axis)) / std, where d = dy * gamma"

    def made(says: str, function: Piece) -> Mistake:
        return Mistake("norm-terms", says, right, {(i, "dx"): function})

    constant = "mean and variance" if step.centre else "the root mean square"
    yield made(f"{constant} treated as constant: what goes through them is missing", lambda d: d / s)
    yield made("the term through the variance is missing", lambda d: (d - mean(d)) / s)
    yield made("the term through the mean is missing", lambda d: (d - x * mean(d * x)) / s)
    yield made("the terms are sums where means belong", lambda d: (d - total(d) - x * total(d * x)) / s)
    yield made("gamma was left out", lambda d: (d / gains - mean(d / gains) - x * mean(d / gains * x)) / s)
    yield made("gamma and both terms were left out", lambda d: d / gains / s)
    yield made("the division by the standard deviation is missing", lambda d: d - mean(d) - x * mean(d * x))
    yield made(
        "it was divided by the variance instead of the standard deviation",
        lambda d: (d - mean(d) - x * mean(d * x)) / s**2,
    )
    yield made("the term through the variance has the wrong sign", lambda d: (d - mean(d) + x * mean(d * x)) / s)
    yield made("the term through the mean has the wrong sign", lambda d: (d + mean(d) - x * mean(d * x)) / s)
    yield made(
        "x - mean stands where the normalized x belongs", lambda d: (d - mean(d) - centred * mean(d * centred)) / s
    )
    yield made(
        "x - mean stands in one place where the normalized x belongs",
        lambda d: (d - mean(d) - centred * mean(d * x)) / s,
    )
    yield made(
        "a factor 2 or 1/2 is off in the term through the variance", lambda d: (d - mean(d) - 2 * x * mean(d * x)) / s
    )
    yield made(
        "a factor 1/2 is off in the term through the variance", lambda d: (d - mean(d) - 0.5 * x * mean(d * x)) / s
    )
    yield made(
        "the term through the variance is a sum where a mean belongs", lambda d: (d - mean(d) - x * total(d * x)) / s
    )
    yield made(
        "the term through the mean is a sum where a mean belongs", lambda d: (d - total(d) - x * mean(d * x)) / s
    )
    yield made("dy is passed through", lambda d: d / gains)
    for other in every_axes(step.x.ndim):
        if other != axes:
            yield made(
                f"the means run over axis {other[0] if len(other) == 1 else other} instead of {axes}",
                lambda d, _over=other: (
                    (d - d.mean(axis=_over, keepdims=True) - x * (d * x).mean(axis=_over, keepdims=True)) / s
                ),
            )
    if step.gain:
        write = f"d{last_word(step.gain)} = (dy * xhat).sum(axis)"

        def gain(says: str, source: Array, cause: str = "norm-terms") -> Mistake:
            shape = np.shape(step.arrays[step.gain])
            return Mistake(cause, says, write, {(i, "dgain"): lambda dy: summed_like(dy * source, shape)})

        yield gain("the gain's gradient was made with x instead of the normalized x", step.x)
        yield gain("the gain's gradient was made with x - mean instead of the normalized x", centred)
        yield gain("the gain's gradient was made with the output", step.y)
        yield gain("the gain's gradient lacks the normalized x", np.ones_like(x))
    for piece, source in (("dgain", x), ("dshift", np.ones_like(x))):
        if step.x.ndim == 2:
            yield Mistake(
                "bias-axis",
                "it was summed over the wrong axis",
                "sum over the axis that the parameter was broadcast over",
                {(i, piece): lambda dy, _s=source: (dy * _s).sum(axis=1)},
            )
            yield Mistake(
                "bias-axis",
                "it was not summed",
                "sum over the axis that the parameter was broadcast over",
                {(i, piece): lambda dy, _s=source: dy * _s},
            )


def mask(i: int, chain: Chain, around: Circumstances) -> Iterator[Mistake]:
    """y = x * mask / keep."""
    factors = chain.steps[i].factors
    right = "dx = dy * mask / keep, with the very mask of the forward"
    kept = (factors != 0).astype(float)
    c = float(factors.max())

    def made(says: str, function: Piece) -> Mistake:
        return Mistake("dropout-scale", says, right, {(i, "dx"): function})

    if c != 1:
        yield made("the mask is there, but not the 1/keep of the forward", lambda dy: dy * kept)
        yield made("1/keep was multiplied in twice", lambda dy: dy * factors**2)
        yield made("it was multiplied by keep instead of divided", lambda dy: dy * kept / c)
    yield made("the mask is missing: dropped entries get a gradient", lambda dy: dy)
    yield made("the mask is missing, only the 1/keep is there", lambda dy: dy * c)
    yield made("the mask is the wrong way round", lambda dy: dy * (1 - kept))
    yield made("the mask is the wrong way round", lambda dy: dy * (1 - kept) * c)
