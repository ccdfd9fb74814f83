"""y = x W + b: the first derivative a reader meets, and the layer where nearly all the time goes."""

from __future__ import annotations

import math

import numpy as np

from chainrule.configurable import by_name, number
from chainrule.errors import ConfigurationError, ShapeError
from chainrule.initializers import INITIALIZERS, Initializer
from chainrule.layers.layer import Array, Cache, Layer, Shape


class Linear(Layer):
    """Each output is a weighted sum of all inputs plus a bias: a committee of voters with a starting opinion.

    Shapes      x (..., D_in)    W (D_in, D_out)    b (D_out,)    y (..., D_out)    cache: x
    Forward     y = x W + b
    Backward    dW = x^T dy      db = sum of dy over the rows      dx = dy W^T
    Arguments   in_features   D_in, or None to take it from the layer before
                out_features  D_out
                initializer   of W: an Initializer or its name (default "he", right before a ReLU)
                bias          starting value of every entry of b (default 0)
    Raises      ShapeError when built behind a layer of another width
    Source      Rumelhart, Hinton, Williams 1986, Nature 323, 533-536 (the rows here are examples)

    >>> layer = Linear(3, 4)
    >>> layer.build((3,), np.random.default_rng(0))
    (4,)
    >>> layer.W = [[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8], [0.9, 1.0, 1.1, 1.2]]
    >>> layer.b = [0.1, 0.2, 0.3, 0.4]
    >>> layer(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    array([[ 3.9,  4.6,  5.3,  6. ],
           [ 8.4, 10. , 11.6, 13.2]])
    """

    parameter_names = ("W", "b")
    decay_names = ("W",)

    W: Array
    b: Array
    dW: Array
    db: Array

    def __init__(
        self,
        in_features: int | None = None,
        out_features: int | None = None,
        *,
        initializer: Initializer | str = "he",
        bias: float = 0.0,
    ) -> None:
        if in_features is not None:
            in_features = number("Linear", "in_features", in_features, "[1, inf)", whole=True)
        if out_features is None:
            raise ConfigurationError("Linear: say both widths, Linear(784, 128), or Linear(out_features=128).")
        self.in_features = in_features
        self.out_features = number("Linear", "out_features", out_features, "[1, inf)", whole=True)
        by_name("initializer", initializer, INITIALIZERS, Initializer)  # a misspelt name is found here, not at build
        self.initializer = initializer
        self.bias = number("Linear", "bias", bias, "(-inf, inf)")

    def known_in_shape(self) -> Shape | None:
        return None if self.in_features is None else (self.in_features,)

    def build(self, in_shape: Shape, rng: np.random.Generator) -> Shape:
        D_in, D_out = in_shape[-1], self.out_features
        if self.in_features not in (None, D_in):
            advice = f"The layer before gives {D_in} features: change its width or this layer's input."
            if math.prod(in_shape) == self.in_features:
                advice = "Put Flatten() before it."
            raise ShapeError(
                f"{self.title()} ({self.in_features} -> {D_out}): expected x of shape (N, {self.in_features}), "
                f"received (N, {', '.join(map(str, in_shape))}). {advice}"
            )
        self.W = by_name("initializer", self.initializer, INITIALIZERS, Initializer)(rng, (D_in, D_out))
        self.b = np.full(D_out, float(self.bias))
        return (*in_shape[:-1], D_out)

    def forward(self, x: Array, train: bool = False, rng: np.random.Generator | None = None) -> tuple[Array, Cache]:
        y = x @ self.W  # (N, D_in) @ (D_in, D_out) -> (N, D_out)
        y += self.b
        return y, (x,)

    def backward(self, dy: Array, cache: Cache, need_dx: bool = True) -> Array | None:
        (x,) = cache
        if x.ndim > 2:  # (N, T, D): every position is a row like any other
            x, rows = x.reshape(-1, x.shape[-1]), dy.reshape(-1, dy.shape[-1])
        else:
            rows = dy
        if isinstance(x, np.ndarray):
            np.matmul(x.T, rows, out=self.dW)  # y = x W   =>  dL/dW = x^T dy
        else:
            self.dW[...] = x.T @ rows  # a SciPy sparse matrix knows no out=
        rows.sum(axis=0, out=self.db)  # b is added to every row  =>  sum over rows
        return dy @ self.W.T if need_dx else None  # y = x W   =>  dL/dx = dy W^T
