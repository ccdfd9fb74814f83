"""5. Cross-entropy.

How surprised is the network by the truth? If it gave the right class the probability p, the surprise is -log p. The
loss is the mean surprise of the batch.

Chapter 3 of the book.
"""

import numpy as np


def cross_entropy(p, labels):
    """Give the mean of -log(probability of the right class): p (N, K), labels (N,) of integers; one number."""
    ### BEGIN SOLUTION
    return -np.log(p[np.arange(len(labels)), labels]).mean()
    ### END SOLUTION
