"""Adam: a step size of its own for every parameter, from running averages of the gradient and of its square."""

from __future__ import annotations

import math

import numpy as np

from chainrule.configurable import number
from chainrule.layers.layer import Array
from chainrule.optimizers.optimizer import Optimizer
from chainrule.schedules import Schedule


class Adam(Optimizer):
    """Adaptive moments.

    Update      m = beta1 m + (1 - beta1) g            first moment: where the gradient points
                v = beta2 v + (1 - beta2) g^2          second moment: how large it is
                w = w - rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon),   t = 1, 2, ...
                Both averages start at 0 and are too small at first; the divisions by 1 - beta^t correct that. Epsilon
                stands outside the corrected root, as in algorithm 1 of the paper and in PyTorch.
    Arguments   learning_rate  a number or a Schedule (default 0.001)
                beta1, beta2   shares of the old averages that are kept, in [0, 1) (default 0.9, 0.999)
                epsilon        keeps the quotient finite, in units of the gradient (default 1e-8)
    Raises      ConfigurationError for values out of range
    Source      Kingma, Ba 2015, arXiv:1412.6980, algorithm 1

    >>> w, optimizer = np.array([1.0, 1.0]), Adam(0.1)
    >>> optimizer.step(w, np.array([3.0, -0.001]))
    0.1
    >>> w.round(3)                                                     # the first step has length rate, whatever g is
    array([0.9, 1.1])
    """

    slot_names = ("first_moment", "second_moment")

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
    ) -> None:
        super().__init__(learning_rate)
        self.beta1 = number("Adam", "beta1", beta1, "[0, 1)")
        self.beta2 = number("Adam", "beta2", beta2, "[0, 1)")
        self.epsilon = number("Adam", "epsilon", epsilon, "(0, inf)")

    def update(self, w: Array, g: Array, slots: list[Array], rate: float) -> None:
        m, v = slots
        m *= self.beta1
        m += (1 - self.beta1) * g
        v *= self.beta2
        v += (1 - self.beta2) * (g * g)
        correction1, correction2 = 1 - self.beta1**self.steps, 1 - self.beta2**self.steps
        root = np.sqrt(v)
        root /= math.sqrt(correction2)
        root += self.epsilon
        np.divide(m, root, out=root)
        root *= rate / correction1
        w -= root
