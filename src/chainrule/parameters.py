"""One vector for all parameters: how the layers' arrays are moved into it, and the table that says what lies where.

Everything that does not care about layers then works on 1-D arrays: optimizers, gradient checks, model files, averages.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from chainrule.errors import ConfigurationError
from chainrule.layers.layer import Array, Layer, Shape


class Parameter(NamedTuple):
    """One row of `network.parameters`: where an array of a layer lies in the flat vector."""

    name: str  # "1.W": the layer's place, then the array's name
    layer: Layer
    attribute: str  # "W"
    slice: slice  # of network.params and network.grads; for running statistics, of network.state
    shape: Shape
    decays: bool  # does weight decay shrink it? weights yes, biases and gains no
    trainable: bool


def number_layers(layers: Iterable[Layer], prefix: str = "") -> None:
    """Give every layer its place, "3" or "2.0"; refuse a layer that has two."""
    for i, layer in enumerate(layers):
        layer.path = f"{prefix}{i}"
        number_layers(layer.children(), f"{layer.path}.")


def check_each_once(layers: Iterable[Layer]) -> None:
    """A layer in two places would overwrite its first gradient with its second."""
    seen: dict[int, Layer] = {}
    for layer in (inner for top in layers for inner in top.walk()):
        if id(layer) in seen:
            raise ConfigurationError(
                f"{layer!r} stands in two places of one network: the second would overwrite the gradient of the first. "
                "Make a layer object for each place, for instance with layer.clone()."
            )
        seen[id(layer)] = layer


def parameter_table(layers: Sequence[Layer]) -> list[Parameter]:
    """The trained arrays: those that decay lie first, so that decay is one slice."""
    arrays = [(layer, name, name in layer.decay_names) for layer in layers for name in layer.parameter_names]
    return _table(sorted(arrays, key=lambda array: not array[2]))


def state_table(layers: Sequence[Layer]) -> list[Parameter]:
    """The arrays that are saved but not trained."""
    return _table([(layer, name, False) for layer in layers for name in layer.state_names])


def _table(arrays: Iterable[tuple[Layer, str, bool]]) -> list[Parameter]:
    table, end = [], 0
    for layer, name, decays in arrays:
        start, shape = end, getattr(layer, name).shape
        end += math.prod(shape)
        table.append(Parameter(f"{layer.path}.{name}", layer, name, slice(start, end), shape, decays, trainable=True))
    return table


def flat_vector(table: Sequence[Parameter], dtype: str) -> Array:
    """A new vector that holds a copy of every array in the table."""
    vector = np.empty(table[-1].slice.stop if table else 0, dtype)
    for row in table:
        vector[row.slice] = getattr(row.layer, row.attribute).ravel()
    return vector


def bind(table: Iterable[Parameter], vector: Array, prefix: str = "") -> None:
    """Let the layers' arrays be views into the vector from now on; prefix "d" for gradients."""
    for row in table:
        row.layer.__dict__[prefix + row.attribute] = vector[row.slice].reshape(row.shape)


def with_trainable(table: Sequence[Parameter], names: Sequence[str], trainable: bool) -> list[Parameter]:
    """The table with some rows frozen or thawed: "1" names a layer, "1.W" one array, no name all of them."""

    def named(row: Parameter, name: str) -> bool:
        return row.name == name or row.name.startswith(f"{name}.")

    for name in names:
        if not any(named(row, name) for row in table):
            raise ConfigurationError(f"no parameter is named {name!r}. Known: {', '.join(row.name for row in table)}.")
    return [
        row._replace(trainable=trainable) if not names or any(named(row, name) for name in names) else row
        for row in table
    ]


def trainable_slices(table: Iterable[Parameter]) -> list[slice]:
    """The stretches of the vector that training may change, neighbours joined."""
    joined: list[slice] = []
    for row in table:
        if row.trainable and joined and joined[-1].stop == row.slice.start:
            joined[-1] = slice(joined[-1].start, row.slice.stop)
        elif row.trainable:
            joined.append(row.slice)
    return joined
