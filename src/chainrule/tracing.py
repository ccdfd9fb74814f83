"""One pass forwards and backwards with everything kept, for explanations, pictures of gradient flow and the curious."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule.errors import ConfigurationError, ShapeError
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


def trace(network: Network, x: Array, targets: Any, loss: Loss) -> list[Trace]:
    """A row for each layer, in order, for one batch, as in inference. Overwrites the network's gradients."""
    passes = []
    for layer in network.layers:
        y, cache = layer.forward(x)
        passes.append((layer, x, y, cache))
        x = y
    _, dy = loss(x, targets)
    rows = []
    for layer, x, y, cache in reversed(passes):
        dx = layer.backward(dy.copy(), cache)  # a copy: backward may reuse the memory it is given
        assert dx is not None
        gradients = {
            row.name: network.grads[row.slice].reshape(row.shape).copy()
            for row in network.parameters
            if row.name.startswith(f"{layer.path}.")
        }
        rows.append(Trace(layer, x, y, cache, dy, dx, gradients))
        dy = dx
    return rows[::-1]


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
    if np.shape(y) != (x.shape[0], *out_shape):
        raise ShapeError(
            f"{layer.title()}: forward must return y of shape (N, {', '.join(map(str, out_shape))}), as build says, "
            f"received {np.shape(y)}. Mend forward, or let build(in_shape, rng) return the shape of one y."
        )
    return y


def first_not_finite(network: Network, x: Array, rng: np.random.Generator | None) -> str | None:
    """The layer that breaks a training pass, by a second look at it: one that errs only once is not found any more."""
    for layer in network.layers:
        x, _ = layer.forward(x, True, rng)
        if not np.isfinite(x).all():
            return layer.title()
    return None
