"""3. ReLU and its slope.

A one-way valve: what is positive passes unchanged, what is negative becomes 0. At 0 itself there is no slope; the
field takes 0 there.

Chapter 1 of the book.
"""

import numpy as np


def relu(z):
    """Give max(0, z) for every entry of the array z."""
    ### BEGIN SOLUTION
    return np.maximum(z, 0)
    ### END SOLUTION


def relu_slope(z):
    """Give the slope of ReLU at every entry of z: 1 where it lets through, 0 elsewhere; the same shape as z."""
    ### BEGIN SOLUTION
    return (z > 0).astype(z.dtype)
    ### END SOLUTION
