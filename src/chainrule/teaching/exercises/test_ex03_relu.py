"""Checks ex03_relu.py: run `pytest test_ex03_relu.py` in this folder."""

import numpy as np
from ex03_relu import relu, relu_slope

import chainrule as cr
from chainrule.teaching import agree, examine, points

z = np.random.default_rng(3).normal(size=(7, 5))


@points(1)
def test_values():
    mistakes = {
        "np.max looks for one largest number; np.maximum compares entry by entry": np.max(z),
        "np.max(z, 0) takes the largest of each column (axis 0); np.maximum compares entry by entry": np.max(z, 0),
        "the negative is turned positive; it should become 0": np.abs(z),
        "the valve is turned round: it lets the negative through": np.minimum(z, 0),
        "it says only whether it is open (1) or shut (0): where it is open, z itself goes through": (z > 0) * 1.0,
        "nothing is held back": z,
    }
    agree(relu(z), cr.relu(z), mistakes)


@points(1)
def test_the_slope_at_zero():
    mistakes = {
        "at 0 itself the field takes 0, so compare with >, not >=": np.array([0.0, 1.0, 1.0]),
        "this is ReLU itself, not its slope": np.array([0.0, 0.0, 2.0]),
        "the slope is 1 everywhere; where the valve is shut it is 0": np.array([1.0, 1.0, 1.0]),
        "this is the sign; where the valve is shut the slope is 0": np.array([-1.0, 0.0, 1.0]),
        "the valve is turned round: 1 where it lets through": np.array([1.0, 0.0, 0.0]),
    }
    agree(relu_slope(np.array([-2.0, 0.0, 2.0])), np.array([0.0, 0.0, 1.0]), mistakes)


@points(2)
def test_slope():
    examine(relu, relu_slope, x=z)
