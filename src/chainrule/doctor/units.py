"""Units that have stopped to learn: an activation whose slope is nearly 0 lets no gradient through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from chainrule.layers import Chain, Concatenate, Identity, Residual, Rescale, Sigmoid, Softmax, Tanh
from chainrule.layers.layer import Array, Cache, Layer
from chainrule.network import Network

CLOSED = 1e-3  # a slope below this share of the steepest lets nothing through
FLAT = 0.1  # below this share of it a sigmoid or tanh is at its ends: |z| > 3.6, |z| > 1.8


class Units(NamedTuple):
    """How the units of one activation fare over a batch."""

    layer: Layer
    count: int
    dead: int  # units without a slope in any row
    saturated: float  # share of the values at the flat ends of a sigmoid or tanh; 0 for others


def examine_units(network: Network, x: Array) -> list[Units]:
    """One row for each activation inside the network, nested ones too, from a batch of the network's dtype."""
    passes = [(layer, y, cache) for layer, y, cache in leaves(network.layers, x) if is_activation(layer)]
    ends = network.squashed  # probabilities at the end are wanted to be sure
    return [_examined(*each) for each in passes if not (ends and each[0] is network.layers[-1])]


def is_activation(layer: Layer) -> bool:
    """Is it a function of each value by itself, with a slope that varies?"""
    fixed = layer.parameter_names or layer.state_names or layer.draws or layer.children() or not layer.any_shape
    return not fixed and not isinstance(layer, (Identity, Rescale, Softmax))


def leaves(layers: Sequence[Layer], x: Array) -> Iterator[tuple[Layer, Array, Cache]]:
    """Every layer that holds no others, with what it gives for x in inference. The generator's value is the output."""
    for layer in layers:
        if isinstance(layer, Residual):
            x = x + (yield from leaves(layer.layers, x))
        elif isinstance(layer, Chain):
            x = yield from leaves(layer.layers, x)
        elif isinstance(layer, Concatenate):
            parts = []
            for branch in layer.branches:
                parts.append((yield from leaves([branch], x)))
            x = np.concatenate(parts, axis=-1)
        else:
            x, cache = layer.forward(x)
            yield layer, x, cache
    return x  # noqa: B901


def _examined(layer: Layer, y: Array, cache: Cache) -> Units:
    slope = layer.backward(np.ones_like(y), cache)
    assert slope is not None
    steepest = 0.25 if isinstance(layer, Sigmoid) else 1.0
    slopes = np.abs(slope).reshape(-1, y.shape[-1])
    dead = int((slopes.max(axis=0) < CLOSED * steepest).sum())
    squashes = isinstance(layer, (Sigmoid, Tanh))
    return Units(layer, slopes.shape[1], dead, float((slopes < FLAT * steepest).mean()) if squashes else 0.0)
