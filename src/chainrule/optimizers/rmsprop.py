"""RMSProp: the gradient divided by its own recent size, so that steep and flat directions move alike."""

from __future__ import annotations

import numpy as np

from chainrule.configurable import number
from chainrule.layers.layer import Array
from chainrule.optimizers.optimizer import Optimizer
from chainrule.schedules import Schedule


class RMSProp(Optimizer):
    """Division by a running root mean square.

    Update      v = rho v + (1 - rho) g^2              how large the gradient has been lately
                w = w - rate g / (sqrt(v) + epsilon)
                centered    also  a = rho a + (1 - rho) g, and v - a^2, the variance of the gradient, in place of v
                momentum    b = momentum b + g / (sqrt(v) + epsilon),   w = w - rate b, as in PyTorch (Keras's b has the
                            rate inside, which differs only where the rate moves)
                Epsilon stands outside the root, as in PyTorch; with epsilon_inside under it, sqrt(v + epsilon), as in
                Keras. Nothing corrects for v starting at 0: the first step has length rate / sqrt(1 - rho).
    Arguments   learning_rate   a number or a Schedule (default 0.001)
                rho             share of the old average that is kept, in [0, 1) (default 0.9; PyTorch: alpha, 0.99)
                epsilon         keeps the quotient finite, in units of g, inside in those of g^2 (default 1e-8)
                epsilon_inside  put epsilon under the root (default False)
                momentum        share of the velocity that is kept, in [0, 1) (default 0)
                centered        divide by the standard deviation instead (default False)
                weight_decay    decoupled: see Optimizer (default 0)
    Raises      ConfigurationError for values out of range
    Source      Hinton 2012, Neural Networks for Machine Learning, lecture 6e; Graves 2013, arXiv:1308.0850, section 4.2
                (centered, with epsilon inside)

    >>> w, optimizer = np.array([1.0, 1.0]), RMSProp(0.1, rho=0.75)
    >>> optimizer.step(w, np.array([3.0, -0.001]))
    0.1
    >>> w.round(3)                                                     # 0.1 / sqrt(1 - 0.75) each, whatever g is
    array([0.8, 1.2])
    """

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        *,
        rho: float = 0.9,
        epsilon: float = 1e-8,
        epsilon_inside: bool = False,
        momentum: float = 0.0,
        centered: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay)
        self.rho = number("RMSProp", "rho", rho, "[0, 1)")
        self.epsilon = number("RMSProp", "epsilon", epsilon, "(0, inf)")
        self.epsilon_inside = epsilon_inside
        self.momentum = number("RMSProp", "momentum", momentum, "[0, 1)")
        self.centered = centered
        names = {"mean_square": True, "mean": centered, "velocity": momentum}
        self.slot_names = tuple(name for name, wanted in names.items() if wanted)

    def update(self, w: Array, g: Array, slots: list[Array], rate: float) -> None:
        v = slots[0]
        v *= self.rho
        v += (1 - self.rho) * (g * g)
        if self.centered:
            a = slots[1]
            a *= self.rho
            a += (1 - self.rho) * g
            v = np.maximum(v - a * a, 0)  # at least 0 but for rounding: of a constant gradient it is 0
        step = g / (np.sqrt(v + self.epsilon) if self.epsilon_inside else np.sqrt(v) + self.epsilon)
        if self.momentum:
            b = slots[-1]
            b *= self.momentum
            step += b
            b[...] = step
        step *= rate
        w -= step
