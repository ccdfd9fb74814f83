"""Penalties on large weights: a term beside the loss, and its gradient beside the loss's gradient.

They are the coupled form of weight decay: what they add to the gradient goes through momentum and moments with it. The
decoupled form is the optimizer's `weight_decay`. For plain SGD at a constant rate both are the same.
"""

from __future__ import annotations

import numpy as np

from chainrule.configurable import Configurable, number
from chainrule.layers.layer import Array


class Penalty(Configurable):
    """Base of all penalties: `add` is told one stretch of the weights and its gradient.

    Several of them add up: Trainer(penalty=(L1(1e-5), L2(1e-4))) is the elastic net.
    """

    def __init__(self, strength: float) -> None:
        self.strength = number(type(self).__name__, "strength", strength, "[0, inf)")

    def add(self, w: Array, g: Array) -> float:
        """The penalty of w; its gradient is added to g, in place."""
        raise NotImplementedError


class L2(Penalty):
    """Half the sum of squares: every weight is drawn to 0 in proportion to its size.

    Value       strength / 2 sum of w^2
    Gradient    strength w
                So strength is the weight_decay of PyTorch's SGD and Adam. Without the half, as in Keras's L2 and in
                some books, it would be half as large for the same gradient; scikit-learn's alpha has the half, and is
                divided by the number of rows besides.
    Arguments   strength  at least 0, in units of the loss over w^2
    Source      Krogh, Hertz 1991, NeurIPS 4, 950-957

    >>> g = np.zeros(2)
    >>> L2(0.5).add(np.array([1.0, -2.0]), g)
    1.25
    >>> g
    array([ 0.5, -1. ])
    """

    def add(self, w: Array, g: Array) -> float:
        g += self.strength * w
        return self.strength / 2 * float(np.dot(w, w))


class L1(Penalty):
    """The sum of absolute values: every weight is drawn to 0 with the same force, and many end near it.

    Value       strength sum of |w|
    Gradient    strength sign(w), 0 at w = 0
    Arguments   strength  at least 0, in units of the loss over w
    Source      Tibshirani 1996, JRSS B 58, 267-288

    >>> g = np.zeros(3)
    >>> L1(0.5).add(np.array([1.0, -2.0, 0.0]), g)
    1.5
    >>> g
    array([ 0.5, -0.5,  0. ])
    """

    def add(self, w: Array, g: Array) -> float:
        g += self.strength * np.sign(w)
        return self.strength * float(np.abs(w).sum())
