"""12. XOR: a training loop.

One neuron cannot do it, a hidden layer can. Put the parts together: random weights to start with, and then, again and
again, forwards, loss, backwards, and a step downhill. Any bend, any number of hidden neurons and steps will do, if
nearly every start ends with all four corners right.

Chapter 6 of the book.
"""

import numpy as np

from chainrule import softmax


def train(x, labels, rng):
    """Give (losses, predict): the loss of every step, and a function from x (N, 2) to labels (N,).

    x (4, 2), labels (4,) of 0 and 1; rng is a NumPy generator: draw the starting weights with rng.normal(size=...).
    """
    ### BEGIN SOLUTION
    N, H, learning_rate, losses = len(x), 16, 0.5, []
    W1, b1 = rng.normal(size=(2, H)), np.zeros(H)
    W2, b2 = rng.normal(size=(H, 2)) * np.sqrt(1 / H), np.zeros(2)
    for _ in range(500):
        h = np.tanh(x @ W1 + b1)
        p = softmax(h @ W2 + b2)
        losses.append(-np.log(p[np.arange(N), labels]).mean())
        dz2 = p.copy()
        dz2[np.arange(N), labels] -= 1
        dz2 /= N
        dz1 = dz2 @ W2.T * (1 - h**2)
        W1 -= learning_rate * x.T @ dz1
        b1 -= learning_rate * dz1.sum(axis=0)
        W2 -= learning_rate * h.T @ dz2
        b2 -= learning_rate * dz2.sum(axis=0)
    return losses, lambda x: (np.tanh(x @ W1 + b1) @ W2 + b2).argmax(axis=1)
    ### END SOLUTION
