"""What NumPy can reach when readability costs nothing: one loop by hand, no allocation, no pass over memory wasted.

It is what the library is held against by eye: the distance between the two is the price of layers and a trainer.
"""

import numpy as np

from contenders import BATCH_SIZE, LEARNING_RATE, WIDTHS


def preallocated(digits, threads):
    x, y = digits.train.x, digits.train.y.astype(np.intp)
    (D, H, K), N = WIDTHS, BATCH_SIZE
    rng = np.random.default_rng(0)
    params, grads = (np.zeros(D * H + H * K + H + K, np.float32) for _ in range(2))
    W1, W2, b1, b2 = views(params)
    dW1, dW2, db1, db2 = views(grads)
    W1[:] = rng.normal(0, (2 / D) ** 0.5, W1.shape)
    W2[:] = rng.normal(0, (1 / H) ** 0.5, W2.shape)
    pixels = np.empty((N, D), np.uint8)
    buffers = [np.empty((N, width), np.float32) for width in (D, H, H, K)]
    active = np.empty((N, H), bool)
    row_starts, ones = np.arange(N) * K, np.ones(N, np.float32)  # ones @ dy sums over rows, faster than dy.sum(axis=0)

    def step(rows):
        n = len(rows)
        batch, h, dh, z = (buffer[:n] for buffer in buffers)
        np.take(x, rows, axis=0, out=pixels[:n], mode="clip")  # "raise", the default, buffers the output
        batch[...] = pixels[:n]
        np.multiply(batch, 1 / 255, out=batch)

        np.matmul(batch, W1, out=h)
        np.add(h, b1, out=h)
        np.maximum(h, 0, out=h)
        np.matmul(h, W2, out=z)
        np.add(z, b2, out=z)

        np.subtract(z, np.maximum.reduce(z, axis=1, keepdims=True), out=z)
        flat, right = z.reshape(-1), row_starts[:n] + y[rows]
        z_right = flat[right]
        np.exp(z, out=z)
        sums = np.add.reduce(z, axis=1, keepdims=True)
        loss = (np.log(sums).sum() - z_right.sum()) / n
        np.divide(z, sums * n, out=z)
        flat[right] -= 1 / n  # z is now dL/dz

        np.matmul(h.T, z, out=dW2)
        np.matmul(ones[:n], z, out=db2)
        np.matmul(z, W2.T, out=dh)
        np.greater(h, 0, out=active[:n])
        np.multiply(dh, active[:n], out=dh)
        np.matmul(batch.T, dh, out=dW1)
        np.matmul(ones[:n], dh, out=db1)

        np.multiply(grads, LEARNING_RATE, out=grads)  # the gradient is spent: its memory serves as the buffer
        np.subtract(params, grads, out=params)
        return loss

    def epoch():
        order = rng.permutation(len(x))
        for start in range(0, len(x), N):
            step(order[start : start + N])

    def accuracy():
        h = np.maximum(digits.test.x.astype(np.float32) / 255 @ W1 + b1, 0)
        return float(((h @ W2 + b2).argmax(axis=1) == digits.test.y).mean())

    return epoch, accuracy


def views(vector):
    """W1, W2, b1, b2 as views of one vector, so that the update is one pass over all of them."""
    D, H, K = WIDTHS
    W1, W2, b1, b2 = np.split(vector, np.cumsum([D * H, H * K, H]))
    return W1.reshape(D, H), W2.reshape(H, K), b1, b2
