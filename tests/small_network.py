"""What the tests of the network share: a small one that has containers, running state and two kinds of parameters."""

import hashlib

import numpy as np

import chainrule as cr

rng = np.random.default_rng(0)
X = rng.standard_normal((23, 4))
Y = np.arange(23) % 3
CE = cr.CrossEntropy()


def make(dtype="float64", **options):
    """Two Linear layers, one of them inside a container, and a state."""
    inner = cr.Chain(cr.Linear(4, 5), cr.BatchNorm(), cr.ReLU())
    return cr.Network(inner, cr.Linear(5, 3), in_shape=(4,), output="softmax", dtype=dtype, **options)


def digest(network):
    return hashlib.sha256(network.params.tobytes() + network.state.tobytes()).hexdigest()
