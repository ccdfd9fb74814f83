"""The contract that every layer keeps. Read it once, and every other file in this folder reads itself.

1. `forward` writes neither to `x` nor to anything on the layer. What `backward` will need goes into the cache,
   a plain tuple that belongs to the caller.
2. Chance comes in through `rng`, never from a generator kept on the layer.
3. `backward` never changes the cache and never returns an array of it: calling it twice gives the same answer. It
   overwrites the gradients (`out=`), and it may reuse the memory of `dy`, so whoever fans out makes copies.
4. `backward` is the true derivative for any `dy`. Dividing by the batch is the loss's business, and nobody else's.
5. With `need_dx=False` nobody wants the derivative with respect to `x`: a layer that would work for it returns None.
6. dtype in = dtype out. Constants come from `math`: a NumPy scalar such as np.sqrt(2.0) makes float64 of float32.
7. Constructor arguments are kept unmodified under their own names (see configurable.py).
8. A class is abstract or final: no layer inherits from another layer.

`d<name>` is always the derivative of the loss with respect to `<name>`, and has its shape.
Letters: N batch, D features, K classes, H W image rows and columns, C channels, T time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from chainrule.border import as_array
from chainrule.configurable import Configurable
from chainrule.errors import NotBuiltError, ShapeError

Array: TypeAlias = NDArray[Any]
Shape: TypeAlias = tuple[int, ...]
Cache: TypeAlias = tuple[Any, ...]


class Pieces:
    """What a function makes of each piece of something long, made anew every time that it is walked, and never held."""

    def __init__(self, function: Callable[[Any], Array], pieces: Iterable[Any]) -> None:
        self.function, self.pieces = function, pieces

    def __iter__(self) -> Iterator[Array]:
        return map(self.function, self.pieces)


class Layer(Configurable):
    """Base of all layers: y, cache = forward(x) and dx = backward(dy, cache).

    A layer without parameters needs `forward` and `backward` only. One with parameters names them in `parameter_names`
    and makes them in `build`; each parameter `W` then has its gradient `dW` beside it.

    >>> class Double(Layer):
    ...     def forward(self, x, train=False, rng=None):
    ...         return 2 * x, ()
    ...     def backward(self, dy, cache, need_dx=True):
    ...         return 2 * dy
    >>> Double()(np.array([[1.0, 2.0]]))
    array([[2., 4.]])
    """

    parameter_names: ClassVar[tuple[str, ...]] = ()  # trained, for instance ("W", "b")
    decay_names: ClassVar[tuple[str, ...]] = ()  # those of them that weight decay shrinks: weights, not biases or gains
    state_names: ClassVar[tuple[str, ...]] = ()  # saved but not trained, for instance running statistics
    draws: ClassVar[bool] = False  # does forward draw random numbers in training?
    adapts: ClassVar[bool] = False  # does it take statistics of the training inputs before the first step?
    any_shape: bool = False  # does it take every input shape and keep it?
    min_rows: int = 1  # how many rows a training batch needs; `build` may raise it
    path: str = ""  # its place in the network, "3" or "2.0"; set when a network takes it in

    def children(self) -> tuple[Layer, ...]:
        """The layers inside this one, in order."""
        return ()

    def known_in_shape(self) -> Shape | None:
        """The input shape (without batch axis) if the constructor arguments fix it, else None."""
        return None

    def build(self, in_shape: Shape, rng: np.random.Generator) -> Shape:
        """Make the parameters for inputs of shape (N, *in_shape); return the output's shape without N."""
        return in_shape

    def forward(self, x: Array, train: bool = False, rng: np.random.Generator | None = None) -> tuple[Array, Cache]:
        """The output, and what backward will need."""
        raise NotImplementedError(f"{type(self).__name__} must define forward(x, train, rng) -> (y, cache)")

    def backward(self, dy: Array, cache: Cache, need_dx: bool = True) -> Array | None:
        """Given dL/dy, overwrite the parameters' gradients and return dL/dx."""
        raise NotImplementedError(f"{type(self).__name__} must define backward(dy, cache, need_dx) -> dx")

    def update_state(self, cache: Cache) -> None:
        """Fold what a training forward saw (its cache) into the running state; called once a step."""

    def adapt(self, pieces: Iterable[Array]) -> None:
        """Learn fixed statistics from the training inputs, before the first step. The pieces can be walked again."""

    def __call__(self, x: Array) -> Array:
        """The output alone, as in use after training."""
        x, expected = as_array(x), self.known_in_shape()
        x = x if x.dtype.kind == "f" else x.astype(np.float64)
        if expected is not None and x.shape[-1:] != expected[-1:]:
            raise ShapeError(f"{self!r}: expected x of shape (..., {expected[-1]}), received {x.shape}.")
        return self.forward(x)[0]

    def title(self) -> str:
        """How messages name this layer: `Linear #3`."""
        return f"{type(self).__name__} #{self.path}" if self.path else type(self).__name__

    def walk(self) -> Iterator[Layer]:
        """This layer and all layers inside it, in order."""
        yield self
        for child in self.children():
            yield from child.walk()

    def array_names(self) -> tuple[str, ...]:
        """The names of all arrays that building makes."""
        return (*self.parameter_names, *(f"d{name}" for name in self.parameter_names), *self.state_names)

    def __getattr__(self, name: str) -> Any:
        if name in type(self).array_names(self):
            raise NotBuiltError(
                f"{self!r} is not built and has no {name} yet: put it into a Network that knows its input's width, "
                "or call layer.build(in_shape, np.random.default_rng(0))."
            )
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        """Assigning to an existing array copies into it: the network's flat vectors stay the one place of the truth."""
        if name in self.__dict__ and name in self.array_names():
            old = self.__dict__[name]
            if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiub":
                value = as_array(value, f"{self.title()}: {name}")
            if value.shape != old.shape:
                raise ShapeError(
                    f"{self.title()}: {name} has shape {old.shape}, received {value.shape}, which is not copied "
                    "by broadcasting. Give an array of the same shape."
                )
            old[...] = value
        else:
            object.__setattr__(self, name, value)
            if name in self.parameter_names:
                object.__setattr__(self, f"d{name}", np.zeros(np.shape(value), np.asarray(value).dtype))
