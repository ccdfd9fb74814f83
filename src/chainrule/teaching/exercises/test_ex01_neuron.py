"""Checks ex01_neuron.py: run `pytest test_ex01_neuron.py` in this folder."""

import numpy as np
from ex01_neuron import neuron

from chainrule.teaching import agree, points

rng = np.random.default_rng(1)
x, w, b = rng.normal(size=(7, 5)), rng.normal(size=5), 0.7
right = x @ w + b


@points(1)
def test_one_example():
    mistakes = {
        "the bias is not added": x[:1] @ w,
        "the products are not added up": x[:1] * w + b,
        "the bias is added to every product, not once to their sum": (x[:1] * w + b).sum(axis=1),
    }
    agree(neuron(x[:1], w, b), right[:1], mistakes)


@points(2)
def test_many_examples():
    mistakes = {
        "the bias is not added": x @ w,
        "the products are not added up": x * w + b,
        "the bias is added to every product, not once to their sum": (x * w + b).sum(axis=1),
        "the products of all examples are added up to one number: each row has its own sum": (x * w).sum() + b,
        "the sum runs over the examples (axis 0): it belongs over the inputs of each": (x * w).sum(axis=0) + b,
        "weights and inputs are added, not multiplied": (x + w).sum(axis=1) + b,
    }
    agree(neuron(x, w, b), right, mistakes)
