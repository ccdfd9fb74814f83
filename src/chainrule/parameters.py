"""One vector for all parameters: how the layers' arrays are moved into it, and the table that says what lies where.

Everything that does not care about layers then works on 1-D arrays: optimizers, gradient checks, model files, averages.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary, ref

import numpy as np

from chainrule.border import as_array
from chainrule.errors import ConfigurationError, NotBuiltError, ShapeError
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


OWNERS: WeakKeyDictionary[Layer, Callable[[], Any]] = WeakKeyDictionary()  # the network that each layer stands in


def claim(layers: Iterable[Layer], network: Any) -> None:
    """Let the layers be the network's own for as long as there is the network."""
    OWNERS.update({inner: ref(network) for layer in layers for inner in layer.walk()})


def _nobody() -> None:
    """The owner of a layer that stands in no network."""


def number_layers(layers: Iterable[Layer], prefix: str = "") -> None:
    """Give every layer its place, "3" or "2.0"; refuse a layer that has two."""
    for i, layer in enumerate(layers):
        layer.path = f"{prefix}{i}"
        number_layers(layer.children(), f"{layer.path}.")


def known_in_shape(layers: Sequence[Layer]) -> Shape | None:
    """The input shape as the constructor arguments tell it: that of the first layer that fixes one."""
    for layer in layers:
        shape = layer.known_in_shape()
        if shape is not None or not layer.any_shape:
            return shape
    return None


def check_layers(layers: Iterable[Layer]) -> None:
    """Are they layers, each in one place? In two it would overwrite its first gradient, in two networks its weights."""
    for layer in layers:
        if not isinstance(layer, Layer):
            raise ConfigurationError(
                f"Network: expected layers such as Linear(784, 128), received {layer!r}."
                + (" Give them one by one, Network(*layers)." if isinstance(layer, (list, tuple)) else "")
                + (" Add brackets to make an object of the class." if isinstance(layer, type) else "")
            )
    seen: dict[int, Layer] = {}
    for layer in (inner for top in layers for inner in top.walk()):
        if OWNERS.get(layer, _nobody)() is not None:
            raise ConfigurationError(
                f"{layer.title()}, {layer!r}, belongs to another network already, and would be torn out of it. Take "
                "copy.deepcopy(layer) for a copy with its weights, layer.clone() for one that starts anew."
            )
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


def build_layers(
    layers: Sequence[Layer], shape: Shape, rng: np.random.Generator, check: Callable[[Shape], None]
) -> tuple[Shape, ...]:
    """Build the layers one behind the other and check the last output's shape; the shape of each output.

    A layer that was built and filled by hand keeps its numbers. If anything fails all layers are as they were before.
    """
    everything = [inner for layer in layers for inner in layer.walk()]
    given = take_arrays(everything)
    try:
        out_shapes = tuple(shape := _built_shape(layer, shape, rng) for layer in layers)
        check(shape)
    except Exception:
        take_arrays(everything)
        for layer, name, array in given:
            layer.__dict__[name] = array
        raise
    for layer, name, array in given:
        setattr(layer, name, array)
    return out_shapes


def _built_shape(layer: Layer, in_shape: Shape, rng: np.random.Generator) -> Shape:
    """Build the layer; the shape of its output."""
    out_shape = layer.build(in_shape, rng)
    if not isinstance(out_shape, tuple):
        raise ConfigurationError(
            f"{layer.title()}: build must return the shape of one output, such as {in_shape}, not {out_shape!r}."
        )
    return out_shape


def take_arrays(layers: Iterable[Layer]) -> list[tuple[Layer, str, Array]]:
    """Remove the arrays that layers already have, so that they can be built; whoever took them may put them back."""
    return [
        (layer, name, layer.__dict__.pop(name))
        for layer in layers
        for name in layer.array_names()
        if name in vars(layer)
    ]


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


def flat_property(name: str, doc: str) -> Any:
    """A vector of the network that cannot be replaced, only filled: the layers' arrays are views into it."""

    def fill(network: Any, value: Any) -> None:
        vector, value = getattr(network, name), as_array(value, f"network.{name[1:]}")
        if value.shape != vector.shape:
            raise ShapeError(f"network.{name[1:]} has shape {vector.shape}, received {value.shape}.")
        vector[...] = value

    return property(operator.attrgetter(name), fill, doc=doc)


def with_trainable(table: Sequence[Parameter], names: Sequence[str], trainable: bool) -> list[Parameter]:
    """The table with some rows frozen or thawed: "1" names a layer, "1.W" one array, no name all of them."""

    def named(row: Parameter, name: str) -> bool:
        return row.name == name or row.name.startswith(f"{name}.")

    if not table:
        raise NotBuiltError("the network is not built and has no parameters yet: fit it, or call build, first.")
    for name in names:
        if not any(named(row, name) for row in table):
            raise ConfigurationError(f"no parameter is named {name!r}. Known: {', '.join(row.name for row in table)}.")
    return [
        row._replace(trainable=trainable) if not names or any(named(row, name) for name in names) else row
        for row in table
    ]


class Stretches(NamedTuple):
    """Which parts of the vector are treated alike in training."""

    trainable: list[slice]  # training may move them
    decaying: list[slice]  # those of them that hold weights, which penalties shrink
    decays: int  # so many numbers at the beginning are weights, frozen or not


def stretches(table: Sequence[Parameter]) -> Stretches:
    """The stretches of the table's vector; neighbours are joined."""
    weights = [row for row in table if row.decays]
    return Stretches(_joined(table), _joined(weights), weights[-1].slice.stop if weights else 0)


def _joined(table: Iterable[Parameter]) -> list[slice]:
    joined: list[slice] = []
    for row in table:
        if row.trainable and joined and joined[-1].stop == row.slice.start:
            joined[-1] = slice(joined[-1].start, row.slice.stop)
        elif row.trainable:
            joined.append(row.slice)
    return joined
