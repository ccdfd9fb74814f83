"""One pass forwards and backwards with everything kept, for explanations, pictures of gradient flow and the curious."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule.errors import ConfigurationError, GradientError, ShapeError
from chainrule.layers.layer import Array, Cache, Layer, Shape
from chainrule.losses import Loss

if TYPE_CHECKING:
    from chainrule.network import Network


class Trace(NamedTuple):
    """One layer's part in a forward and backward pass."""

    layer: Layer
    x: Array
    y: Array
    cache: Cache
    dy: Array
    dx: Array
    gradients: dict[str, Array]  # by parameter name, "1.W"
    inner: tuple[Trace, ...] = ()  # of the layers inside it, in order


def trace(
    network: Network,
    x: Array,
    targets: Any,
    loss: Loss | None,
    train: bool = False,
    rng: np.random.Generator | None = None,
) -> list[Trace]:
    """A row for each layer, in order, for one batch. Overwrites the network's gradients.

    Without a loss nothing depends on anything, and every derivative is 0.
    """
    with _listening([inner for layer in network.layers for inner in layer.walk()]) as heard:
        outputs, caches = network.forward(x, train, rng)
        dy = np.zeros_like(outputs) if loss is None else loss(outputs, targets)[1]
        network.backward(dy, caches, need_dx=True)

    def row(layer: Layer) -> Trace:
        gradients = {
            row.name: network.grads[row.slice].reshape(row.shape).copy()
            for row in network.parameters
            if row.name.startswith(f"{layer.path}.")
        }
        inner = tuple(row(child) for child in layer.children() if len(heard[id(child)]) == 5)  # was it asked?
        x, y, cache, dy, dx = heard[id(layer)]
        return Trace(layer, x, y, cache, dy, dx, gradients, inner)

    return [row(layer) for layer in network.layers]


@contextmanager
def _listening(layers: Sequence[Layer]) -> Iterator[dict[int, list[Any]]]:
    """While it lasts, what this thread sends through a layer is kept: x, y, cache, dy, dx, by the layer's id.

    Containers call the layers inside them on their own, so each layer's `forward` and `backward` are covered, in the
    object, by functions that listen.
    """
    heard: dict[int, list[Any]] = {id(layer): [] for layer in layers}
    me = threading.get_ident()

    def listen(layer: Layer) -> None:
        forward, backward = layer.forward, layer.backward

        def heard_forward(x: Array, train: bool = False, rng: Any = None) -> tuple[Array, Cache]:
            y, cache = forward(x, train, rng)
            if threading.get_ident() == me:
                heard[id(layer)] = [x, y, cache]
            return y, cache

        def heard_backward(dy: Array, cache: Cache, need_dx: bool = True) -> Array | None:
            if threading.get_ident() != me:
                return backward(dy, cache, need_dx)
            kept = dy.copy()  # backward may reuse the memory it is given
            dx = backward(dy, cache, need_dx)
            if dx is not None:
                heard[id(layer)] += [kept, dx.copy()]
            elif need_dx:
                raise GradientError(f"{layer.title()}: backward gave None, expected dL/dx. End it in `return dx`.")
            return dx

        vars(layer).update(forward=heard_forward, backward=heard_backward)

    for layer in layers:
        listen(layer)
    try:
        yield heard
    finally:
        for layer in layers:
            del layer.forward, layer.backward


def checked_forward(layer: Layer, x: Array, out_shape: Shape) -> Array:
    """The layer's output in inference; an error that names the layer if it does not keep the contract."""
    try:
        passed = layer.forward(x)
    except Exception as error:
        error.add_note(f"Raised in {layer.title()}, {layer!r}, by x of shape {x.shape}.")
        raise
    if not (isinstance(passed, tuple) and len(passed) == 2):
        raise ConfigurationError(
            f"{layer.title()}: forward must return (y, cache), such as `return y, (x,)`, received "
            f"{type(passed).__name__}."
        )
    y: Array = passed[0]
    if getattr(y, "shape", None) != (x.shape[0], *out_shape):
        raise ShapeError(
            f"{layer.title()}: forward must return y of shape (N, {', '.join(map(str, out_shape))}), as build says, "
            f"received {y.shape if isinstance(y, np.ndarray) else f'a {type(y).__name__}'}. Mend forward, or let "
            "build(in_shape, rng) return the shape of one y."
        )
    return y


def first_not_finite(network: Network, x: Array, rng: np.random.Generator | None) -> str | None:
    """The layer that breaks a training pass, by a second look at it: one that errs only once is not found any more."""
    for layer in network.layers:
        x, _ = layer.forward(x, True, rng)
        if not np.isfinite(x).all():
            return layer.title()
    return None
