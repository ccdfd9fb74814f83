"""Where training starts: weights just large enough that signals neither die out nor explode from layer to layer.

One argument carries all three rules. If y = x W with D_in inputs and independent weights of variance v, then
Var(y) = D_in * v * E[x^2]. To keep the size of the signal, v must be 1 / D_in (LeCun). A ReLU sets half of it to zero,
so v must be 2 / D_in behind one (He). Backwards the same sum runs over D_out; Glorot takes the mean of both.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from chainrule.configurable import Configurable, number
from chainrule.errors import ConfigurationError, unknown_name

if TYPE_CHECKING:  # the layers import this file
    from chainrule.layers.layer import Array, Shape

DISTRIBUTIONS = ("normal", "uniform")


class Initializer(Configurable):
    """Base: `initializer(rng, shape)` gives the starting weights; `variance(fan_in, fan_out)` is the rule."""

    def __init__(self, distribution: str = "normal") -> None:
        if distribution not in DISTRIBUTIONS:
            raise unknown_name("distribution", distribution, DISTRIBUTIONS)
        self.distribution = distribution

    def variance(self, fan_in: int, fan_out: int) -> float:
        """The variance of each weight, given how many inputs and outputs it connects."""
        raise NotImplementedError

    def __call__(self, rng: np.random.Generator, shape: Shape) -> Array:
        """float64 weights of the given shape; the last axis counts outputs, the one before it inputs."""
        receptive_field = math.prod(shape[:-2])  # 1 for a matrix, R * S for a convolution kernel
        fan_in, fan_out = receptive_field * shape[-2], receptive_field * shape[-1]
        deviation = math.sqrt(self.variance(fan_in, fan_out))
        limit = math.sqrt(3) * deviation  # a uniform number in (-a, a) has variance a^2 / 3
        try:
            if self.distribution == "normal":
                return rng.standard_normal(shape) * deviation
            return rng.uniform(-limit, limit, shape)
        except (MemoryError, ValueError) as error:
            size = math.prod(shape) * 8 / 1e9
            raise ConfigurationError(
                f"weights of shape {shape} need {size:,.0f} GB: {error} Make it narrower."
            ) from error


class He(Initializer):
    """Variance 2 / fan_in: keeps the signal's size through ReLU layers.

    Source      He, Zhang, Ren, Sun 2015, arXiv:1502.01852, equation 10

    >>> weights = He()(np.random.default_rng(0), (784, 128))
    >>> round(float(weights.var()) * 784, 2)
    2.0
    """

    def variance(self, fan_in: int, fan_out: int) -> float:
        """2 / fan_in."""
        return 2 / fan_in


class Glorot(Initializer):
    """Variance 2 / (fan_in + fan_out), also called Xavier: the usual choice for tanh and sigmoid.

    Source      Glorot, Bengio 2010, AISTATS, equation 12 (there in the uniform form)

    >>> Xavier is Glorot
    True
    """

    def variance(self, fan_in: int, fan_out: int) -> float:
        """2 / (fan_in + fan_out)."""
        return 2 / (fan_in + fan_out)


class LeCun(Initializer):
    """Variance 1 / fan_in: keeps the signal's size through layers that do not change it.

    Source      LeCun, Bottou, Orr, Mueller 1998, Efficient BackProp, section 4.6

    >>> LeCun("uniform")
    LeCun('uniform')
    """

    def variance(self, fan_in: int, fan_out: int) -> float:
        """1 / fan_in."""
        return 1 / fan_in


class Normal(Initializer):
    """Every weight from a normal distribution of one fixed deviation, whatever the widths: what early lessons do.

    Arguments   std: the standard deviation (default 0.1)

    >>> Normal(0.01)(np.random.default_rng(0), (2, 2)).shape
    (2, 2)
    """

    def __init__(self, std: float = 0.1) -> None:
        super().__init__()
        self.std = number("Normal", "std", std, "[0, inf)")

    def variance(self, fan_in: int, fan_out: int) -> float:
        """std squared, whatever the widths."""
        return self.std**2


Xavier = Glorot

INITIALIZERS = {"he": He, "glorot": Glorot, "xavier": Glorot, "lecun": LeCun, "normal": Normal}
