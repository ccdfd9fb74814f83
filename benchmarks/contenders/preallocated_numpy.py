"""What NumPy can reach when readability costs nothing: one loop by hand, no allocation, no pass over memory wasted.

It is what the library is held against by eye: the distance between the two is the price of layers and a trainer.
"""

from itertools import pairwise

import numpy as np

from contenders import Turns

ACTIVATIONS = {  # and the slope, from its output
    "relu": (lambda z, out: np.maximum(z, 0, out=out), lambda a, out: np.greater(a, 0, out=out)),
    "tanh": (lambda z, out: np.tanh(z, out=out), lambda a, out: np.subtract(1, np.multiply(a, a, out=out), out=out)),
}


def preallocated(work, data, threads):
    x, y = data.x, data.y.astype(np.intp)
    widths, N, K = work.widths, work.batch, work.widths[-1]
    rng = np.random.default_rng(0)
    shapes = list(pairwise(widths))
    params, grads = (np.zeros(sum(D * H + H for D, H in shapes), np.float32) for _ in range(2))
    W, b = views(params, shapes)
    dW, db = views(grads, shapes)
    for each in W:
        each[:] = rng.normal(0, (2 / len(each)) ** 0.5, each.shape)
    (activate, slope), kind = ACTIVATIONS[work.activation], bool if work.activation == "relu" else np.float32
    pixels = np.empty((N, widths[0]), x.dtype)
    buffers = [np.empty((N, width), np.float32) for width in widths]
    gradients = [np.empty((N, width), np.float32) for width in widths]
    slopes = [np.empty((N, width), kind) for width in widths]
    row_starts, ones = np.arange(N) * K, np.ones(N, np.float32)  # ones @ dy sums over rows, faster than dy.sum(axis=0)
    last = len(shapes) - 1

    def step(rows):
        n = len(rows)
        h = [buffer[:n] for buffer in buffers]
        np.take(x, rows, axis=0, out=pixels[:n], mode="clip")  # "raise", the default, buffers the output
        np.multiply(pixels[:n], np.float32(data.scale), out=h[0])
        for i in range(last + 1):
            np.matmul(h[i], W[i], out=h[i + 1])
            np.add(h[i + 1], b[i], out=h[i + 1])
            if i < last:
                activate(h[i + 1], out=h[i + 1])

        z = h[-1]
        np.subtract(z, np.maximum.reduce(z, axis=1, keepdims=True), out=z)
        flat, right = z.reshape(-1), row_starts[:n] + y[rows]
        z_right = flat[right]
        np.exp(z, out=z)
        sums = np.add.reduce(z, axis=1, keepdims=True)
        loss = (np.log(sums).sum() - z_right.sum()) / n
        np.divide(z, sums * n, out=z)
        flat[right] -= 1 / n  # z is now dL/dz

        dz = z
        for i in range(last, -1, -1):
            np.matmul(h[i].T, dz, out=dW[i])
            np.matmul(ones[:n], dz, out=db[i])
            if i:
                dh = np.matmul(dz, W[i].T, out=gradients[i][:n])
                dz = np.multiply(dh, slope(h[i], out=slopes[i][:n]), out=dh)

        np.multiply(grads, work.rate, out=grads)  # the gradient is spent: its memory serves as the buffer
        np.subtract(params, grads, out=params)
        return loss

    def epoch():
        order = rng.permutation(len(x))
        for start in range(0, len(x), N):
            step(order[start : start + N])

    def predict(h):
        for i in range(last):
            h = h @ W[i]
            np.add(h, b[i], out=h)
            activate(h, out=h)
        return (h @ W[last] + b[last]).argmax(axis=1)

    return Turns(epoch, lambda rows: np.multiply(rows, data.scale, dtype=np.float32), predict)


def views(vector, shapes):
    """All W and all b as views of one vector, so that the update is one pass over all of them."""
    pieces = np.split(vector, np.cumsum([D * H for D, H in shapes] + [H for _, H in shapes])[:-1])
    W = [piece.reshape(shape) for piece, shape in zip(pieces[: len(shapes)], shapes, strict=True)]
    return W, pieces[len(shapes) :]
