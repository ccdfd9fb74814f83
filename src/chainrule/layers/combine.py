"""Layers that rearrange, and layers that hold other layers: what the chain rule does where a value goes several ways.

Where a value is used twice, its gradient comes back twice, and the two are summed: skip connections and branches are no
more than that. But `backward` may reuse the memory of `dy`, so where two want the same `dy`, one of them gets a copy.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Iterable
from functools import reduce

import numpy as np

from chainrule.configurable import number
from chainrule.errors import ConfigurationError, ShapeError
from chainrule.layers.layer import Array, Cache, Layer, Pieces, Shape


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


class Reshape(Layer):
    """Gives each example another shape with the same entries: a row becomes an image again.

    Shapes      x any (N, ...)    y (N, *shape)    cache: the shape of x
    Forward     y = the entries of x, last axis fastest
    Backward    dx = dy in the shape of x
    Arguments   shape: of one example, without the batch axis; one of them may be -1, which takes what is left
    Raises      ConfigurationError for a shape that cannot be; ShapeError if x has another number of entries

    >>> Reshape(28, 28, -1)(np.zeros((2, 784))).shape
    (2, 28, 28, 1)
    """

    def __init__(self, *shape: int) -> None:
        self.shape = tuple(number("Reshape", "shape", width, "[-1, inf)", whole=True) for width in shape)
        if not shape or 0 in self.shape or self.shape.count(-1) > 1:
            raise ConfigurationError(
                f"Reshape: expected the shape of one example, Reshape(28, 28, 1), with at most one -1 in it, received "
                f"{self.shape}."
            )

    def build(self, in_shape: Shape, rng: np.random.Generator) -> Shape:
        entries, given = math.prod(in_shape), math.prod(width for width in self.shape if width != -1)
        if entries % given or (entries != given and -1 not in self.shape):
            raise ShapeError(
                f"{self.title()}: {entries:,} entries of shape {in_shape} do not fill {self.shape}. "
                "Choose widths with that product, or put -1 for one of them."
            )
        return tuple(entries // given if width == -1 else width for width in self.shape)

    def forward(self, x: Array, train: bool = False, rng: np.random.Generator | None = None) -> tuple[Array, Cache]:
        return x.reshape(len(x), *self.shape), (x.shape,)

    def backward(self, dy: Array, cache: Cache, need_dx: bool = True) -> Array | None:
        (shape,) = cache
        return dy.reshape(shape)


class Chain(Layer):
    """Several layers in a row as one, to stand where one is expected: as a branch of Concatenate, for instance.

    A network's last Softmax or Sigmoid belongs into the network itself, which looks for it there.

    Shapes      x as the first layer takes it    y as the last gives it    cache: those of the layers, in order
    Forward     y = f_k(... f_2(f_1(x)))
    Backward    dx = dy through the layers, last to first
    Arguments   layers: in order of the forward pass, at least one

    >>> from chainrule.layers import Rescale
    >>> Chain(Rescale(2.0), Rescale(5.0))(np.array([[1.0, -1.0]]))
    array([[ 10., -10.]])
    """

    def __init__(self, *layers: Layer) -> None:
        self.layers = _some_layers("Chain", layers)
        self.any_shape = all(layer.any_shape for layer in layers)

    def children(self) -> tuple[Layer, ...]:
        return self.layers

    def known_in_shape(self) -> Shape | None:
        return next((layer.known_in_shape() for layer in self.layers if not layer.any_shape), None)

    def build(self, in_shape: Shape, rng: np.random.Generator) -> Shape:
        for layer in self.layers:
            in_shape = layer.build(in_shape, rng)
        return in_shape

    def adapt(self, pieces: Iterable[Array]) -> None:
        for layer in self.layers:
            layer.adapt(pieces)
            pieces = Pieces(layer, pieces)  # what it hands on

    def forward(self, x: Array, train: bool = False, rng: np.random.Generator | None = None) -> tuple[Array, Cache]:
        caches = []
        for layer in self.layers:
            x, cache = layer.forward(x, train, rng)
            caches.append(cache)
        return x, tuple(caches)

    def backward(self, dy: Array, cache: Cache, need_dx: bool = True) -> Array | None:
        learns = (any(inner.parameter_names for inner in layer.walk()) for layer in self.layers)
        stop = 0 if need_dx else next((i for i, learning in enumerate(learns) if learning), len(self.layers))
        for i in reversed(range(stop, len(self.layers))):
            dy = self.layers[i].backward(dy, cache[i], need_dx or i > stop)  # type: ignore[assignment]
        return dy if need_dx else None

    def update_state(self, cache: Cache) -> None:
        for layer, its_cache in zip(self.layers, cache, strict=True):
            layer.update_state(its_cache)


class Residual(Layer):
    """Adds to x what the layers inside make of it: a path on which the gradient reaches the layers below undamped.

    Shapes      x, y: any, the same, and f must keep it    cache: those of the layers inside
    Forward     y = x + f(x), f being the layers in a row
    Backward    dx = dy + dy through f: x is used twice, so its two gradients are summed
    Arguments   layers: f, in order of the forward pass, at least one
    Raises      ShapeError when built if f(x) has another shape than x
    Source      He, Zhang, Ren, Sun 2016, ECCV, arXiv:1603.05027 (nothing is done after the sum)

    >>> from chainrule.layers import Rescale
    >>> Residual(Rescale(2.0))(np.array([[1.0, -1.0]]))
    array([[ 3., -3.]])
    """

    def __init__(self, *layers: Layer) -> None:
        self.layers = _some_layers("Residual", layers)
        self.inside = Chain(*layers)
        self.any_shape = self.inside.any_shape

    def children(self) -> tuple[Layer, ...]:
        return self.layers

    def known_in_shape(self) -> Shape | None:
        return self.inside.known_in_shape()

    def build(self, in_shape: Shape, rng: np.random.Generator) -> Shape:
        out_shape = self.inside.build(in_shape, rng)
        if out_shape != in_shape:
            raise ShapeError(
                f"{self.title()}: x of shape {in_shape} and f(x) of shape {out_shape} cannot be added. Let the last "
                "layer inside give back the shape of x."
            )
        return in_shape

    def adapt(self, pieces: Iterable[Array]) -> None:
        self.inside.adapt(pieces)

    def forward(self, x: Array, train: bool = False, rng: np.random.Generator | None = None) -> tuple[Array, Cache]:
        y, cache = self.inside.forward(x, train, rng)
        return x + y, cache

    def backward(self, dy: Array, cache: Cache, need_dx: bool = True) -> Array | None:
        through = self.inside.backward(dy.copy(), cache, need_dx)  # a copy: dy itself is needed again
        return None if through is None else dy + through  # y = x + f(x)   =>  dL/dx = dy + (dL/dx through f)

    def update_state(self, cache: Cache) -> None:
        self.inside.update_state(cache)


class Concatenate(Layer):
    """Gives the same x to several branches and joins what they make of it, side by side.

    Shapes      x: the same for all branches    y (..., D_1 + D_2 + ...)    cache: those of the branches, where to cut
    Forward     y = [f_1(x), f_2(x), ...] along the last axis
    Backward    dy is cut where y was joined; dx = the sum of what each part becomes on its way back
    Arguments   branches: one layer each, at least one; several in a row are Chain(...), x itself is Identity()
    Raises      ShapeError when built if the branches' outputs differ in more than the last axis

    >>> from chainrule.layers import Identity, Rescale
    >>> Concatenate(Identity(), Rescale(2.0))(np.array([[1.0, 3.0]]))
    array([[1., 3., 2., 6.]])
    """

    def __init__(self, *branches: Layer) -> None:
        self.branches = _some_layers("Concatenate", branches)

    def children(self) -> tuple[Layer, ...]:
        return self.branches

    def known_in_shape(self) -> Shape | None:
        known = (branch.known_in_shape() for branch in self.branches)
        return next((shape for shape in known if shape is not None), None)

    def build(self, in_shape: Shape, rng: np.random.Generator) -> Shape:
        shapes = [branch.build(in_shape, rng) for branch in self.branches]
        if len({shape[:-1] for shape in shapes}) > 1:
            raise ShapeError(
                f"{self.title()}: the branches give shapes {', '.join(map(str, shapes))}, which differ in more than "
                "the last axis and cannot be joined along it. Flatten() or Reshape() at the end of a Chain mends that."
            )
        return (*shapes[0][:-1], sum(shape[-1] for shape in shapes))

    def adapt(self, pieces: Iterable[Array]) -> None:
        for branch in self.branches:
            branch.adapt(pieces)

    def forward(self, x: Array, train: bool = False, rng: np.random.Generator | None = None) -> tuple[Array, Cache]:
        parts, caches = zip(*(branch.forward(x, train, rng) for branch in self.branches), strict=True)
        cuts = tuple(itertools.accumulate(part.shape[-1] for part in parts[:-1]))
        return np.concatenate(parts, axis=-1), (caches, cuts)

    def backward(self, dy: Array, cache: Cache, need_dx: bool = True) -> Array | None:
        caches, cuts = cache
        parts = np.split(dy, cuts, axis=-1)  # no entry stands in two of them, so nothing is copied
        dxs = [
            branch.backward(part, its_cache, need_dx)
            for branch, part, its_cache in zip(self.branches, parts, caches, strict=True)
        ]
        return reduce(operator.add, dxs) if need_dx else None  # each branch had x  =>  dL/dx is summed over them

    def update_state(self, cache: Cache) -> None:
        for branch, its_cache in zip(self.branches, cache[0], strict=True):
            branch.update_state(its_cache)


def _some_layers(owner: str, layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    if not layers or not all(isinstance(layer, Layer) for layer in layers):
        raise ConfigurationError(
            f"{owner}: expected layers one by one, {owner}(Linear(8, 8), Tanh()), received {layers!r}."
        )
    return layers
