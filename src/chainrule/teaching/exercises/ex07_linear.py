"""7. A layer, forwards and backwards.

A layer is many neurons at once: y = x W + b. On the way back it is given dy, the slope of the loss at its output, and
has three questions to answer: which slopes do W, b and x have? Each has the shape of what it belongs to.

Chapters 2 and 4 of the book.
"""

import numpy as np


class Linear:
    """y = x W + b, with W (D, K) and b (K,)."""

    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        """Give y for x (N, D): (N, K). Keep what backward will need."""
        ### BEGIN SOLUTION
        self.x = x
        return x @ self.W + self.b
        ### END SOLUTION

    def backward(self, dy):
        """From dy (N, K): put the slopes of W and b into self.dW and self.db, and give dx (N, D)."""
        ### BEGIN SOLUTION
        self.dW = self.x.T @ dy
        self.db = dy.sum(axis=0)
        return dy @ self.W.T
        ### END SOLUTION
