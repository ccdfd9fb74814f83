"""Adam: a step size of its own for every parameter, from running averages of the gradient and of its square."""

from __future__ import annotations

import math

import numpy as np

from chainrule.configurable import number
from chainrule.layers.layer import Array
from chainrule.optimizers.optimizer import Optimizer
from chainrule.schedules import Schedule


class _AdaptiveMoments(Optimizer):
    """The formula of Adam and AdamW, which differ only in the weight decay they have by default."""

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        epsilon_hat: bool = False,
        amsgrad: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay)
        name = type(self).__name__
        self.beta1 = number(name, "beta1", beta1, "[0, 1)")
        self.beta2 = number(name, "beta2", beta2, "[0, 1)")
        self.epsilon = number(name, "epsilon", epsilon, "(0, inf)")
        self.epsilon_hat = epsilon_hat
        self.amsgrad = amsgrad
        self.slot_names = ("first_moment", "second_moment", *(("largest_second_moment",) if amsgrad else ()))

    def update(self, w: Array, g: Array, slots: list[Array], rate: float) -> None:
        m, v = slots[:2]
        m *= self.beta1
        step = (1 - self.beta1) * g  # from here on scratch memory: a new array for every product takes a tenth longer
        m += step
        v *= self.beta2
        np.multiply(g, g, out=step)
        step *= 1 - self.beta2
        v += step
        if self.amsgrad:
            v = np.maximum(slots[2], v, out=slots[2])
        # m / c1 / (sqrt(v / c2) + epsilon) = sqrt(c2) / c1 m / (sqrt(v) + epsilon sqrt(c2)), a pass less
        c1, c2 = 1 - self.beta1**self.steps, 1 - self.beta2**self.steps
        np.sqrt(v, out=step)
        step += self.epsilon if self.epsilon_hat else self.epsilon * math.sqrt(c2)
        np.divide(m, step, out=step)
        step *= rate * math.sqrt(c2) / c1
        w -= step


class Adam(_AdaptiveMoments):
    """Adaptive moments.

    Update      m = beta1 m + (1 - beta1) g            first moment: where the gradient points
                v = beta2 v + (1 - beta2) g^2          second moment: how large it is
                w = w - rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon),   t = 1, 2, ...
                Both averages start at 0 and are too small at first; the divisions by 1 - beta^t correct that. Epsilon
                stands outside the corrected root, as in algorithm 1 of the paper and in PyTorch. With epsilon_hat it
                is added to the root before the correction, as in Keras, scikit-learn and the end of the paper's
                section 2:
                w = w - rate sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + epsilon)
    Arguments   learning_rate  a number or a Schedule (default 0.001)
                beta1, beta2   shares of the old averages that are kept, in [0, 1) (default 0.9, 0.999)
                epsilon        keeps the quotient finite, in units of the gradient (default 1e-8)
                epsilon_hat    which of the two places epsilon stands in (default False)
                amsgrad        divide by the root of the largest v so far, so that no step size grows (default False)
                weight_decay   decoupled: see Optimizer (default 0)
    Raises      ConfigurationError for values out of range
    Source      Kingma, Ba 2015, arXiv:1412.6980, algorithm 1; Reddi, Kale, Kumar 2018, arXiv:1904.09237 (amsgrad;
                there without the corrections, here with them, as in PyTorch and Keras)

    >>> w, optimizer = np.array([1.0, 1.0]), Adam(0.1)
    >>> optimizer.step(w, np.array([3.0, -0.001]))
    0.1
    >>> w.round(3)                                                     # the first step has length rate, whatever g is
    array([0.9, 1.1])
    """
