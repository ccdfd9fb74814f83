"""Layers that rearrange: here the gradient only has to find its way back to the shape it came from."""

from __future__ import annotations

import math

import numpy as np

from chainrule.layers.layer import Array, Cache, Layer, Shape


class Flatten(Layer):
    """Makes one long row of each example, so that an image can enter a Linear layer.

    Shapes      x (N, H, W, C) or any (N, ...)    y (N, H * W * C)    cache: the shape of x
    Forward     y = the entries of x, last axis fastest
    Backward    dx = dy in the shape of x

    >>> Flatten()(np.zeros((2, 28, 28, 1))).shape
    (2, 784)
    """

    def build(self, in_shape: Shape, rng: np.random.Generator) -> Shape:
        return (math.prod(in_shape),)

    def forward(self, x: Array, train: bool = False, rng: np.random.Generator | None = None) -> tuple[Array, Cache]:
        return x.reshape(len(x), math.prod(x.shape[1:])), (x.shape,)

    def backward(self, dy: Array, cache: Cache, need_dx: bool = True) -> Array | None:
        (shape,) = cache
        return dy.reshape(shape)
