"""Checks ex07_linear.py: run `pytest test_ex07_linear.py` in this folder."""

import numpy as np
from ex07_linear import Linear

from chainrule.teaching import agree, examine, points

rng = np.random.default_rng(7)
x, W, b = rng.normal(size=(7, 5)), rng.normal(size=(5, 3)), rng.normal(size=3)
right = x @ W + b


@points(2)
def test_forward():
    mistakes = {
        "the bias is not added": x @ W,
        "the bias is subtracted": x @ W - b,
    }
    agree(Linear(W, b).forward(x), right, mistakes)


@points(5)
def test_backward():
    examine(Linear(W, b), x=x)
