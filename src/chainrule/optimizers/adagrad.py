"""Adagrad: the more a parameter has moved, the smaller its steps; made for features that are rarely there."""

from __future__ import annotations

import numpy as np

from chainrule.configurable import number
from chainrule.errors import ConfigurationError
from chainrule.layers.layer import Array
from chainrule.optimizers.optimizer import Optimizer
from chainrule.schedules import Schedule


class Adagrad(Optimizer):
    """Division by the root of the sum of all squared gradients so far.

    Update      s = s + g^2
                w = w - rate g / (sqrt(initial_accumulator + s) + epsilon)
                Epsilon stands outside the root, as in PyTorch. Keras has it inside: that is part of the accumulator,
                Adagrad(initial_accumulator=0.1 + 1e-7, epsilon=0). PyTorch's lr_decay is a schedule here,
                Adagrad(InverseTime(0.01, decay=lr_decay)).
    Arguments   learning_rate        a number or a Schedule (default 0.01)
                initial_accumulator  what the sum starts from, in units of g^2 (default 0, as in PyTorch; Keras 0.1)
                epsilon              keeps the quotient finite, in units of g; 0 needs an accumulator (default 1e-10)
                weight_decay         decoupled: see Optimizer (default 0)
    Raises      ConfigurationError for values out of range
    Source      Duchi, Hazan, Singer 2011, JMLR 12, 2121-2159 (the diagonal form)

    >>> w, optimizer = np.array([1.0, 1.0]), Adagrad(0.1)
    >>> for _ in range(4):
    ...     rate = optimizer.step(w, np.array([3.0, -0.001]))
    >>> w.round(4)                                                     # 0.1 (1 + 1/sqrt(2) + 1/sqrt(3) + 1/sqrt(4))
    array([0.7216, 1.2784])
    """

    slot_names = ("sum_of_squares",)

    def __init__(
        self,
        learning_rate: float | Schedule = 0.01,
        *,
        initial_accumulator: float = 0.0,
        epsilon: float = 1e-10,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay)
        self.initial_accumulator = number("Adagrad", "initial_accumulator", initial_accumulator, "[0, inf)")
        self.epsilon = number("Adagrad", "epsilon", epsilon, "[0, inf)")
        if not (initial_accumulator or epsilon):
            raise ConfigurationError("Adagrad: epsilon=0 needs an initial_accumulator, for instance 0.1.")

    def update(self, w: Array, g: Array, slots: list[Array], rate: float) -> None:
        (s,) = slots
        s += g * g
        root = np.sqrt(s + self.initial_accumulator)
        root += self.epsilon
        w -= rate * (g / root)
