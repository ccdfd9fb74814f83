"""Units that have stopped to learn: an activation whose slope is nearly 0 lets no gradient through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from chainrule.layers import Chain, Concatenate, Identity, Rescale, Residual, Sigmoid, Softmax, Tanh
from chainrule.layers.layer import Array, Cache, Layer
from chainrule.network import Network

CLOSED = 1e-3  # a slope below this share of the steepest lets nothing through
SQUASHING = (Sigmoid, Tanh)  # those that can saturate
FLAT = 0.1  # below this share of it a sigmoid or tanh is at its ends: |z| > 3.6, |z| > 1.8


class Units(NamedTuple):
    """How the units of one activation fare over a batch."""

    layer: Layer
    total: int
    dead: int  # units without a slope in any row
    saturated: float  # share of the values at the flat ends of a sigmoid or tanh; 0 for others


def examine_units(network: Network, x: Array) -> list[Units]:
    """One row for each activation inside the network, nested ones too, from a batch of the network's dtype."""
    passes: list[tuple[Layer, Array, Cache]] = []
    _run(network.layers, x, passes)
    if network.squashed:  # probabilities at the end are meant to be sure
        passes.pop()
    return [_examined(layer, y, cache) for layer, y, cache in passes if is_activation(layer)]


def is_activation(layer: Layer) -> bool:
    """Is it a function of each value by itself, with a slope that varies?"""
    fixed = layer.parameter_names or layer.state_names or layer.draws or layer.children() or not layer.any_shape
    return not fixed and not isinstance(layer, (Identity, Rescale, Softmax))


def _run(layers: Sequence[Layer], x: Array, passes: list[tuple[Layer, Array, Cache]]) -> Array:
    """Forward in inference, as the network goes; what every layer without layers in it gives is added to `passes`."""
    for layer in layers:
        if isinstance(layer, Residual):
            x = x + _run(layer.layers, x, passes)
        elif isinstance(layer, Chain):
            x = _run(layer.layers, x, passes)
        elif isinstance(layer, Concatenate):
            x = np.concatenate([_run([branch], x, passes) for branch in layer.branches], axis=-1)
        else:
            x, cache = layer.forward(x)
            passes.append((layer, x, cache))
    return x


def _examined(layer: Layer, y: Array, cache: Cache) -> Units:
    slope = layer.backward(np.ones_like(y), cache)
    assert slope is not None
    steepest = 0.25 if isinstance(layer, Sigmoid) else 1.0
    slopes = np.abs(slope).reshape(-1, y.shape[-1])
    dead = int((slopes.max(axis=0) < CLOSED * steepest).sum())
    squashes = isinstance(layer, SQUASHING)
    return Units(layer, slopes.shape[1], dead, float((slopes < FLAT * steepest).mean()) if squashes else 0.0)
