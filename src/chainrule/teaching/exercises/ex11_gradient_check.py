"""11. Is it right? A gradient check of your own.

Push one entry a little both ways and see what the function does: (f(x + h) - f(x - h)) / 2h. It needs no chain rule,
so it cannot share a mistake with one. Then say how far two gradients are apart, as a share of their size.

Chapter 5 of the book.
"""

import numpy as np


def numerical_gradient(f, x, h=1e-5):
    """Give df/dx for every entry of x, pushed by h both ways; f(x) is a number. Leave x as it was."""
    ### BEGIN SOLUTION
    gradient = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        kept = x[place]
        x[place] = kept + h
        above = f(x)
        x[place] = kept - h
        below = f(x)
        x[place] = kept
        gradient[place] = (above - below) / (2 * h)
    return gradient
    ### END SOLUTION


def relative_error(a, b):
    """Give |a - b| / (|a| + |b|), where |a| is the root of the sum of all squares; 0 if both are all zeros."""
    ### BEGIN SOLUTION
    size = np.linalg.norm(a) + np.linalg.norm(b)
    return np.linalg.norm(a - b) / size if size else 0.0
    ### END SOLUTION
