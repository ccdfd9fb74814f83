"""Gradient descent on batches: small steps downhill, with momentum if asked."""

from __future__ import annotations

from chainrule.configurable import number
from chainrule.errors import ConfigurationError, unknown_name
from chainrule.layers.layer import Array
from chainrule.optimizers.optimizer import Optimizer
from chainrule.schedules import Schedule

VELOCITIES = ("gradients", "steps")


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum in either of its two common forms.

    Update      velocity="gradients", as PyTorch:  v = m v + g,         w = w - rate v    (Nesterov: w - rate (g + m v))
                velocity="steps", as Keras, scikit-learn and many lessons:
                                                   v = m v - rate g,    w = w + v         (Nesterov: w + m v - rate g)
                At a constant rate both go the same way; they differ as soon as the rate moves, because the second
                remembers steps taken at the old rate.
    Arguments   learning_rate  a number or a Schedule (default 0.01)
                momentum       m, the share of the velocity that is kept, in [0, 1) (default 0: plain descent)
                nesterov       look ahead along the velocity (default False)
                velocity       which form (default "gradients")
                weight_decay   decoupled: see Optimizer (default 0)
    Raises      ConfigurationError for values out of range, or nesterov without momentum
    Source      Polyak 1964; Sutskever, Martens, Dahl, Hinton 2013, ICML (the form "steps")

    >>> w, optimizer = np.array([1.0]), SGD(0.1, momentum=0.9)
    >>> for _ in range(2):
    ...     rate = optimizer.step(w, np.array([1.0]))
    >>> w.round(3)                                                          # 1 - 0.1 * 1 - 0.1 * 1.9
    array([0.71])
    """

    def __init__(
        self,
        learning_rate: float | Schedule = 0.01,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        velocity: str = "gradients",
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay)
        self.momentum = number("SGD", "momentum", momentum, "[0, 1)")
        if nesterov and not momentum:
            raise ConfigurationError("SGD: nesterov needs momentum, for instance momentum=0.9.")
        if velocity not in VELOCITIES:
            raise unknown_name("velocity", velocity, VELOCITIES)
        self.nesterov = nesterov
        self.velocity = velocity
        self.slot_names = ("velocity",) if momentum else ()

    def update(self, w: Array, g: Array, slots: list[Array], rate: float) -> None:
        if not self.momentum:
            w -= rate * g
            return
        (v,) = slots
        v *= self.momentum
        if self.velocity == "gradients":
            v += g
            w -= rate * (g + self.momentum * v if self.nesterov else v)
        else:
            v -= rate * g
            w += self.momentum * v - rate * g if self.nesterov else v
