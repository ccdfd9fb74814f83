"""Checks ex09_network.py: run `pytest test_ex09_network.py` in this folder."""

import numpy as np
from ex09_network import Network

from chainrule import softmax
from chainrule.teaching import agree, examine, points

rng = np.random.default_rng(9)
x, labels = rng.normal(size=(7, 5)), np.array([0, 1, 2, 2, 1, 0, 1])
network = Network(5, 4, 3, rng)
network.b1, network.b2 = rng.normal(size=4), rng.normal(size=3)


def cross_entropy(p, labels):
    return -np.log(p[np.arange(len(labels)), labels]).mean()


@points(3)
def test_forward():
    z1 = x @ network.W1 + network.b1
    h = np.maximum(z1, 0)
    z2 = h @ network.W2 + network.b2
    right = softmax(z2)
    mistakes = {
        "the bend is missing: two layers without ReLU between them are one": softmax(z1 @ network.W2 + network.b2),
        "softmax is missing: these are the sums z2, not probabilities": z2,
        "ReLU is at the end too: the sums before softmax may be negative": softmax(np.maximum(z2, 0)),
        "the bias b1 is not added": softmax(np.maximum(x @ network.W1, 0) @ network.W2 + network.b2),
        "the bias b2 is not added": softmax(h @ network.W2),
    }
    agree(network.forward(x), right, mistakes)


@points(6)
def test_backward():
    examine(network, x=x, y=labels, loss=cross_entropy)
