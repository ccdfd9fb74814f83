"""6. The mean squared error and its slope.

For numbers instead of classes: the mean of (p - y)^2 over all entries. Its slope says for each entry of `p` how the
loss changes when that entry moves alone.

Chapter 1 of the book.
"""

import numpy as np


def mse(p, y):
    """Give the mean of (p - y)^2 over all entries: p and y (N, K); one number."""
    ### BEGIN SOLUTION
    return np.mean((p - y) ** 2)
    ### END SOLUTION


def mse_slope(p, y):
    """Give dL/dp of the loss above: (N, K)."""
    ### BEGIN SOLUTION
    return 2 * (p - y) / p.size
    ### END SOLUTION
