"""What is timed: one line a work, so that adding one is a line. Who is timed stands in contenders/.

A network is a tuple of layers in words that belong to nobody: ("conv", C_in, C_out, size), ("pool", size), ("relu",),
("tanh",), ("flatten",), ("linear", D_in, D_out). Images are (H, W, C); convolutions are without padding, and pooling
takes the largest.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np

import chainrule as cr


def dense(*widths, activation="relu"):
    """Linear layers with an activation between each two: dense(784, 128, 10)."""
    linear = [("linear", *pair) for pair in pairwise(widths)]
    return tuple(layer for each in linear for layer in (each, (activation,)))[:-1]


def convolutional(first, second, size):
    """Two convolutions, each pooled, and two linear layers; `size` is what the second convolution leaves of 28 x 28."""
    kernel = 13 - 2 * size
    return (
        *(("conv", 1, first, 5), ("pool", 2), ("relu",), ("conv", first, second, kernel), ("pool", 2), ("relu",)),
        *(("flatten",), *dense(size * size * second, 128, 10)),
    )


@dataclass(frozen=True)
class Work:
    name: str
    layers: tuple
    data: str = "digits"
    rows: int = 55_000  # to train on, an epoch
    test_rows: int = 10_000  # at most
    batch: int = 64
    rate: float = 0.1  # of plain SGD
    predict: int = 0  # 0: a turn is an epoch of training; else calls of predict on so many rows, after an epoch
    calls: int = 1
    threads: tuple = ()  # counts to try; () for all that are asked for
    only: tuple = ()  # names of contenders; () for all that can
    axis: str = ""  # of a curve in the plot: what grows from one work to the next
    value: int = 0  # where on that axis

    @property
    def convolves(self):
        return any(layer[0] == "conv" for layer in self.layers)

    @property
    def widths(self):
        """784, 128, 10 of a network without convolutions."""
        linear = [layer[1:] for layer in self.layers if layer[0] == "linear"]
        return (linear[0][0], *(width for _, width in linear))

    @property
    def activation(self):
        """Of all hidden layers: "relu" or "tanh"."""
        return next(layer[0] for layer in self.layers if layer[0] in ("relu", "tanh"))

    @property
    def turn(self):
        """What a time is of."""
        return f"labels of {self.predict:,} row(s)" if self.predict else f"an epoch of {self.rows:,} rows"


MLP = dense(784, 128, 10)
FEWER = 78 * 64  # rows; with 5,000 the 8 of the last batch would turn accuracy into a matter of luck
GROWTH = {"rows": FEWER, "threads": (1,)}
FEW = ("BLAS floor", "chainrule", "NumPy, plain, float32", "scikit-learn", "PyTorch, eager", "JAX, epoch in one scan")

WORKS = [
    Work("784-128-10, batch 64", MLP),
    Work("784-128-10, batch 256", MLP, batch=256, rate=0.2),
    Work("784-512-256-10", dense(784, 512, 256, 10), rows=FEWER),
    Work("3072-1024-1024-10", dense(3072, 1024, 1024, 10), data="photos", rows=1_280, batch=128, rate=0.01),
    Work("CNN 16-32", convolutional(16, 32, 5), rows=1_024),
    Work("CNN 32-64", convolutional(32, 64, 4), rows=512),
    Work("XOR 2-4-2", dense(2, 4, 2, activation="tanh"), data="xor", rows=4_000, batch=4, rate=0.5, threads=(1,)),
    Work("predict 1 row", MLP, rows=10_000, predict=1, calls=500, threads=(1,)),
    Work("predict 10,000 rows", MLP, rows=10_000, predict=10_000, calls=3),
    *(
        Work(f"width {width}", dense(784, width, 10), axis="width", value=width, only=FEW, **GROWTH)
        for width in (32, 128, 512)
    ),
    *(
        Work(f"depth {depth}", dense(784, *[128] * depth, 10), axis="depth", value=depth, only=FEW, **GROWTH)
        for depth in (1, 4, 8)
    ),
    *(
        Work(f"batch {batch}", MLP, batch=batch, axis="batch", value=batch, only=FEW, **GROWTH)
        for batch in (16, 128, 1024)
    ),
]


def at_most(work, rows):
    """The work with so many rows, to train on and to test."""
    if not rows:
        return work
    return replace(work, rows=min(work.rows, rows), test_rows=rows, predict=min(work.predict, rows))


class Data(NamedTuple):
    """Rows to train on and rows to test. `scale` brings x to 0..1: uint8 is how images lie in RAM."""

    x: np.ndarray
    y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    scale: float

    def floats(self):
        """x and test_x as most libraries want them."""
        return (np.multiply(x, self.scale, dtype=np.float32) for x in (self.x, self.test_x))


def load(work):
    x, y, test_x, test_y, scale = {"digits": digits, "photos": photos, "xor": xor}[work.data](work.rows)
    test_x, test_y = test_x[: work.test_rows], test_y[: work.test_rows]
    if work.convolves:
        x, test_x = (images.reshape(-1, 28, 28, 1) for images in (x, test_x))
    return Data(x, y, test_x, test_y, scale)


def digits(rows):
    mnist = cr.datasets.mnist()
    return Data(mnist.train.x[:rows], mnist.train.y[:rows], mnist.test.x, mnist.test.y, 1 / 255)


def photos(rows, size=3072, classes=10, test=2_000):
    """As large as 32 x 32 photos in colour, and made up: a pattern for each class under noise three times as strong."""
    rng = np.random.default_rng(0)
    patterns = rng.normal(0, 20, (classes, size))
    y = rng.integers(classes, size=rows + test)
    x = (128 + patterns[y] + rng.normal(0, 60, (rows + test, size))).clip(0, 255).astype(np.uint8)
    return Data(x[:rows], y[:rows], x[rows:], y[rows:], 1 / 255)


def xor(rows):
    """The four cases over and over, so that an epoch is many steps for everybody."""
    x = np.tile(np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32), (rows // 4, 1))
    y = (x[:, 0] != x[:, 1]).astype(np.int64)
    return Data(x, y, x[:4], y[:4], 1.0)
