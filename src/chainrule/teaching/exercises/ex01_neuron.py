"""1. One neuron.

A neuron multiplies each input by a weight, adds the products up, and adds its bias: z = x1 w1 + x2 w2 + ... + b.
Write it for many examples at once: each row of `x` is an example, and the answer has one number for each row.

Chapter 1 of the book.
"""

import numpy as np


def neuron(x, w, b):
    """Give z = x1 w1 + x2 w2 + ... + b of every row: x (N, D), w (D,), b a number; z (N,)."""
    ### BEGIN SOLUTION
    return x @ w + b
    ### END SOLUTION
