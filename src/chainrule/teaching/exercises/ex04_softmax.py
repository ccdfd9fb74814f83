"""4. Softmax, with the shift.

Softmax turns the numbers of a row into probabilities: p_k = e^z_k / (e^z_1 + ... + e^z_K). Adding the same number to
a whole row changes nothing in p, so take the row's largest away first: then no e^z can overflow.

Chapter 3 of the book.
"""

import numpy as np


def softmax(z):
    """Give the probabilities of every row: z (N, K), p (N, K), and each row of p adds up to 1."""
    ### BEGIN SOLUTION
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
    ### END SOLUTION
