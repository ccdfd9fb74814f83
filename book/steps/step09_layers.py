"""Step 9: layers. Each knows its own way forward and back, and a network is a list of them.

`forward` gives the output and what backward will need; `backward` takes the slope of the output and gives that of the
input. Only the loss divides by N.
"""

from itertools import pairwise

import numpy as np


class Linear:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        return x @ self.W + self.b, x

    def backward(self, dy, x):
        self.dW, self.db = x.T @ dy, dy.sum(axis=0)
        return dy @ self.W.T


class ReLU:
    def forward(self, x):
        return np.maximum(x, 0), x

    def backward(self, dy, x):
        return dy * (x > 0)


def cross_entropy(y, labels):
    z = y - y.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    rows = np.arange(len(labels))
    dy = np.exp(log_p)
    dy[rows, labels] -= 1
    return -log_p[rows, labels].mean(), dy / len(labels)


def loss_and_gradients(layers, x, labels):
    caches = []
    for layer in layers:
        x, cache = layer.forward(x)
        caches.append(cache)
    loss, dy = cross_entropy(x, labels)
    for layer, cache in zip(reversed(layers), reversed(caches), strict=True):
        dy = layer.backward(dy, cache)
    return loss


rng = np.random.default_rng(0)
sizes = [5, 11, 13, 3]  # one layer more than before costs one number more here
layers = []
for D_in, D_out in pairwise(sizes):
    W = rng.normal(size=(D_in, D_out)) * np.sqrt(2 / D_in)
    layers += [Linear(W, rng.normal(size=D_out)), ReLU()]
layers.pop()  # the last layer gives scores, without a bend
x, labels = rng.normal(size=(7, 5)), rng.integers(0, 3, 7)

print("Expect: three layers, and every weight's slope agrees with pushing it.")
loss_and_gradients(layers, x, labels)
slopes = [layer.dW.copy() for layer in layers[::2]]  # copies: every look to come overwrites dW
for layer, found in zip(layers[::2], slopes, strict=True):
    pushed = np.zeros_like(layer.W)
    for place in np.ndindex(*layer.W.shape):
        kept = layer.W[place]
        both = []
        for h in (1e-5, -1e-5):
            layer.W[place] = kept + h
            both.append(loss_and_gradients(layers, x, labels))
        layer.W[place] = kept
        pushed[place] = (both[0] - both[1]) / 2e-5
    error = np.linalg.norm(found - pushed) / np.linalg.norm(pushed)
    print(f"dW of shape {found.shape}: error {error:.1e}")
    assert error < 1e-7
print("So: any number of layers, from two rules.")
# Next: real data, and more of it than one step should look at.
