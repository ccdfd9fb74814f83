"""The network as a first lesson writes it: one-hot targets, lists of arrays, a fresh array for every result.

Its float64 form is what a learner has after the lesson, and so what the library has to be worth leaving.
"""

from itertools import pairwise

import numpy as np

from contenders import Turns

ACTIVATIONS = {  # and the slope, from its output
    "relu": (lambda z: np.maximum(0, z), lambda a: a > 0),
    "tanh": (np.tanh, lambda a: 1 - a * a),
}


def plain_float32(work, data, threads):
    return plain(work, data, np.float32)


def plain_float64(work, data, threads):
    return plain(work, data, np.float64)


def plain(work, data, dtype):
    X = data.x.astype(dtype) * dtype(data.scale)
    activate, slope = ACTIVATIONS[work.activation]
    Y = np.eye(work.widths[-1], dtype=dtype)[data.y]
    rng = np.random.default_rng(0)
    shapes = list(pairwise(work.widths))
    weights = [(rng.standard_normal(shape) * np.sqrt(2 / shape[0])).astype(dtype) for shape in shapes]
    biases = [np.zeros(width, dtype) for _, width in shapes]

    def forward(x):
        a = [x]
        for W, b in zip(weights[:-1], biases[:-1], strict=True):
            a.append(activate(a[-1] @ W + b))
        z = a[-1] @ weights[-1] + biases[-1]
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return a, e / e.sum(axis=1, keepdims=True)

    def step(x, y):
        a, probabilities = forward(x)
        loss = -np.mean(np.sum(y * np.log(probabilities + 1e-8), axis=1))
        dz = (probabilities - y) / len(x)
        for i in reversed(range(len(weights))):
            dW, db = a[i].T @ dz, dz.sum(axis=0)
            if i:
                dz = dz @ weights[i].T * slope(a[i])
            weights[i] = weights[i] - work.rate * dW
            biases[i] = biases[i] - work.rate * db
        return loss

    def epoch():
        indices = rng.permutation(len(X))
        X_shuffled, Y_shuffled = X[indices], Y[indices]
        for start in range(0, len(X), work.batch):
            step(X_shuffled[start : start + work.batch], Y_shuffled[start : start + work.batch])

    def predict(x):
        return forward(x)[1].argmax(axis=1)

    return Turns(epoch, lambda x: x.astype(dtype) * dtype(data.scale), predict)
