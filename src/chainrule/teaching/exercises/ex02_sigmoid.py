"""2. The sigmoid and its slope.

The sigmoid squeezes any number into 0..1: sigmoid(z) = 1 / (1 + e^-z). Far to the left, e^-z is too large for the
computer; there the same value can be had as e^z / (1 + e^z). Write it so that no `z` overflows, and write its slope.

Chapter 1 of the book.
"""

import numpy as np


def sigmoid(z):
    """Give 1 / (1 + e^-z) for every entry of the array z; sigmoid(-1000) is 0, without a warning."""
    ### BEGIN SOLUTION
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, e) / (1 + e)
    ### END SOLUTION


def sigmoid_slope(z):
    """Give the derivative of the sigmoid at z, the input (not at the output)."""
    ### BEGIN SOLUTION
    s = sigmoid(z)
    return s * (1 - s)
    ### END SOLUTION
