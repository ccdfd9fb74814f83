"""Checks ex02_sigmoid.py: run `pytest test_ex02_sigmoid.py` in this folder."""

import numpy as np
from ex02_sigmoid import sigmoid, sigmoid_slope

import chainrule as cr
from chainrule.teaching import agree, examine, points

z = np.random.default_rng(2).normal(size=(7, 5))


@points(2)
def test_values():
    mistakes = {
        "the minus before z is missing: it falls where it should rise": 1 / (1 + np.exp(z)),
        "this is e^-z / (1 + e^-z), the sigmoid mirrored": np.exp(-z) / (1 + np.exp(-z)),
        "the 1 + below the line is missing": np.exp(z),
        "this is tanh, which lies in -1..1": np.tanh(z),
    }
    agree(sigmoid(z), cr.sigmoid(z), mistakes)


@points(1)
def test_far_out():
    agree(sigmoid(np.array([-1000.0, 1000.0])), np.array([0.0, 1.0]))


@points(3)
def test_slope():
    examine(sigmoid, sigmoid_slope, x=z)
