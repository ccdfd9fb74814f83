"""The network as a first lesson writes it: one-hot targets, dictionaries, a fresh array for every result.

Its float64 form is what a learner has after the lesson, and so what the library has to be worth leaving.
"""

import numpy as np

from contenders import BATCH_SIZE, LEARNING_RATE, WIDTHS


def plain_float32(digits, threads):
    return plain(digits, np.float32)


def plain_float64(digits, threads):
    return plain(digits, np.float64)


def plain(digits, dtype):
    X = digits.train.x.astype(dtype) / 255
    Y = np.eye(10, dtype=dtype)[digits.train.y]
    D, H, K = WIDTHS
    rng = np.random.default_rng(0)
    params = {
        "W1": (rng.standard_normal((D, H)) * np.sqrt(2 / D)).astype(dtype),
        "b1": np.zeros(H, dtype),
        "W2": (rng.standard_normal((H, K)) * np.sqrt(1 / H)).astype(dtype),
        "b2": np.zeros(K, dtype),
    }

    def forward(x):
        z1 = x @ params["W1"] + params["b1"]
        a1 = np.maximum(0, z1)
        z2 = a1 @ params["W2"] + params["b2"]
        e = np.exp(z2 - z2.max(axis=1, keepdims=True))
        return z1, a1, e / e.sum(axis=1, keepdims=True)

    def backward(x, y, z1, a1, probabilities):
        dz2 = (probabilities - y) / len(x)
        dz1 = dz2 @ params["W2"].T * (z1 > 0)
        return {"W1": x.T @ dz1, "b1": dz1.sum(axis=0), "W2": a1.T @ dz2, "b2": dz2.sum(axis=0)}

    def epoch():
        indices = rng.permutation(len(X))
        X_shuffled, Y_shuffled = X[indices], Y[indices]
        losses = []
        for start in range(0, len(X), BATCH_SIZE):
            x, y = X_shuffled[start : start + BATCH_SIZE], Y_shuffled[start : start + BATCH_SIZE]
            z1, a1, probabilities = forward(x)
            losses.append(-np.mean(np.sum(y * np.log(probabilities + 1e-8), axis=1)))
            gradients = backward(x, y, z1, a1, probabilities)
            for name in params:
                params[name] = params[name] - LEARNING_RATE * gradients[name]

    def accuracy():
        probabilities = forward(digits.test.x.astype(dtype) / 255)[-1]
        return float((probabilities.argmax(axis=1) == digits.test.y).mean())

    return epoch, accuracy
