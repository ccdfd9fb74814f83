"""The time nobody who multiplies with this BLAS can beat: the matrix products of each step and nothing else.

Outputs are preallocated, and every step multiplies the same arrays, so the floor reads from the cache what a trainer
has to fetch; the ratio to the floor counts that against the trainer. A convolution is the product of its patch matrix,
which is there already. Whoever convolves without such a matrix may be faster than that.
"""

import numpy as np

from contenders import Turns


def products(work, data, threads):
    full, rest = divmod(len(data.x), work.batch)
    steps = [(each, times) for each, times in ((work.batch, full), (rest, 1)) if each and times]
    training = [(step(work, data, rows), times) for rows, times in steps]
    forward = [product for product, stage in step(work, data, work.predict or 1) if stage == "forward"]

    def epoch():
        for products, times in training:
            for _ in range(times):
                for product, _stage in products:
                    product()

    def predict(x):
        for product in forward:
            product()

    return Turns(epoch, lambda x: x, predict)


def step(work, data, rows):
    """The products of a batch: y = x W and dW = x^T dy of every layer, dx = dy W^T of all but the first."""
    result, height = [], data.x.shape[1]
    for layer in work.layers:
        kind, *sizes = layer
        if kind == "pool":
            height //= sizes[0]
        if kind == "linear":
            M, (K, N) = rows, sizes
        elif kind == "conv":
            C_in, N, size = sizes
            height -= size - 1
            M, K = rows * height * height, size * size * C_in
        else:
            continue
        x, W, dy = (np.full(shape, 0.5, np.float32) for shape in ((M, K), (K, N), (M, N)))
        y, dW, dx = (np.empty_like(like) for like in (dy, W, x))
        result.append((lambda x=x, W=W, y=y: np.matmul(x, W, out=y), "forward"))
        if result[1:]:
            result.append((lambda dy=dy, W=W, dx=dx: np.matmul(dy, W.T, out=dx), "backward"))
        result.append((lambda x=x, dy=dy, dW=dW: np.matmul(x.T, dy, out=dW), "backward"))
    return result
