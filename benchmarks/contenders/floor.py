"""The time nobody who multiplies with this BLAS can beat: the five matrix products of each step and nothing else.

Outputs are preallocated. Every step multiplies the same batch, so the floor reads its x from the cache; a trainer has
to fetch a new one, and the ratio to the floor counts that against the trainer.
"""

import numpy as np

from contenders import BATCH_SIZE, WIDTHS


def five_products(digits, threads):
    steps = -(-len(digits.train.x) // BATCH_SIZE)
    D, H, K = WIDTHS
    x = np.float32(1 / 255) * digits.train.x[:BATCH_SIZE]
    W1, W2, h, dy1, dy2 = (
        np.random.default_rng(0).normal(0, 0.05, shape).astype(np.float32)
        for shape in ((D, H), (H, K), (BATCH_SIZE, H), (BATCH_SIZE, H), (BATCH_SIZE, K))
    )
    y1, y2, dh, dW1, dW2 = (np.empty_like(like) for like in (h, dy2, h, W1, W2))

    def epoch():
        for _ in range(steps):
            np.matmul(x, W1, out=y1)
            np.matmul(h, W2, out=y2)
            np.matmul(h.T, dy2, out=dW2)
            np.matmul(dy2, W2.T, out=dh)
            np.matmul(x.T, dy1, out=dW1)

    return epoch, lambda: None
