"""Step 10: batches of real digits. A step looks at 64 images, not at all: rougher slopes, and far more steps.

The images come from chainrule's data set, all the learning from here.
"""

import numpy as np

import chainrule as cr

digits = cr.datasets.mnist()
x, labels = digits.train.x[:10_000] / 255, digits.train.y[:10_000]  # pixels from 0..255 to 0..1
held_back, their_labels = digits.validation.x / 255, digits.validation.y  # never learned from


def gradients(parameters, x, labels):
    W1, b1, W2, b2 = parameters
    z = x @ W1 + b1
    h = np.maximum(z, 0)
    y = h @ W2 + b2
    dy = np.exp(y - y.max(axis=1, keepdims=True))
    dy /= dy.sum(axis=1, keepdims=True)
    dy[np.arange(len(x)), labels] -= 1
    dy /= len(x)
    dz = dy @ W2.T * (z > 0)
    return x.T @ dz, dz.sum(axis=0), h.T @ dy, dy.sum(axis=0)


def train(batch_size, epochs=2, learning_rate=0.1):
    rng = np.random.default_rng(0)
    parameters = [rng.normal(size=(784, 32)) * np.sqrt(2 / 784), np.zeros(32)]
    parameters += [rng.normal(size=(32, 10)) * np.sqrt(2 / 32), np.zeros(10)]
    for _ in range(epochs):
        order = rng.permutation(len(x))  # another order in every epoch
        for start in range(0, len(x), batch_size):  # the last batch may be smaller, and is used too
            rows = order[start : start + batch_size]
            for array, slope in zip(parameters, gradients(parameters, x[rows], labels[rows]), strict=True):
                array -= learning_rate * slope
    W1, b1, W2, b2 = parameters
    said = (np.maximum(held_back @ W1 + b1, 0) @ W2 + b2).argmax(axis=1)
    return (said == their_labels).mean()


print("Expect: both look at every image twice; batches of 64 reach more than 85 %, a single large batch far less.")
small, whole = train(64), train(len(x))
print(f"batches of 64: {small:.1%} of the images held back, all at once: {whole:.1%}")
assert small > 0.85 and whole < small - 0.2
print("So: many rough steps beat a few exact ones.")
# Next: the same steps, with a memory.
