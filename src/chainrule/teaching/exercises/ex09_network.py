"""9. Two layers, forwards and backwards.

x -> Linear -> ReLU -> Linear -> softmax -> p. Backwards it is the same way in reverse, and each step multiplies its own
slope on. The loss is the mean of -log(p of the right class); begin with its slope at z2, known from exercise 8.

Chapter 4 of the book.
"""

import numpy as np

from chainrule import softmax


class Network:
    """D inputs, H hidden neurons with ReLU, K classes."""

    def __init__(self, D, H, K, rng):
        self.W1, self.b1 = rng.normal(size=(D, H)) * np.sqrt(2 / D), np.zeros(H)
        self.W2, self.b2 = rng.normal(size=(H, K)) * np.sqrt(2 / H), np.zeros(K)

    def forward(self, x):
        """Give the probabilities p (N, K) for x (N, D). Keep what backward will need."""
        ### BEGIN SOLUTION
        self.x = x
        self.z1 = x @ self.W1 + self.b1
        self.h = np.maximum(self.z1, 0)
        self.p = softmax(self.h @ self.W2 + self.b2)
        return self.p
        ### END SOLUTION

    def backward(self, labels):
        """Give the slopes of the loss as a dict with the keys W1, b1, W2, b2."""
        ### BEGIN SOLUTION
        dz2 = self.p.copy()
        dz2[np.arange(len(labels)), labels] -= 1
        dz2 /= len(labels)
        dz1 = dz2 @ self.W2.T * (self.z1 > 0)
        return {"W1": self.x.T @ dz1, "b1": dz1.sum(axis=0), "W2": self.h.T @ dz2, "b2": dz2.sum(axis=0)}
        ### END SOLUTION
