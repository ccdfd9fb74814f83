"""What the tests of the network share: a small one that has containers, running state and two kinds of parameters."""

import hashlib

import numpy as np

import chainrule as cr
from chainrule.layers.layer import Layer

rng = np.random.default_rng(0)
X = rng.standard_normal((23, 4))
Y = np.arange(23) % 3
CE = cr.CrossEntropy()


class Chain(Layer):
    """A container, as anyone may write one: layers inside a layer."""

    def __init__(self, *inner):
        self.inner = inner

    def children(self):
        return self.inner

    def build(self, in_shape, rng):
        for layer in self.inner:
            in_shape = layer.build(in_shape, rng)
        return in_shape

    def forward(self, x, train=False, rng=None):
        caches = []
        for layer in self.inner:
            x, cache = layer.forward(x, train, rng)
            caches.append(cache)
        return x, tuple(caches)

    def backward(self, dy, cache, need_dx=True):
        for layer, its_cache in zip(reversed(self.inner), reversed(cache), strict=True):
            dy = layer.backward(dy, its_cache)
        return dy


def make(dtype="float64", **options):
    """Two Linear layers, one of them inside a container, and a state."""
    inner = Chain(cr.Linear(4, 5), cr.BatchNorm(), cr.ReLU())
    return cr.Network(inner, cr.Linear(5, 3), in_shape=(4,), output="softmax", dtype=dtype, **options)


def digest(network):
    return hashlib.sha256(network.params.tobytes() + network.state.tobytes()).hexdigest()
