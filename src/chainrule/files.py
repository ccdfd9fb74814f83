"""Model files: a network saved today loads for ever, and a file that lies is refused before it costs memory or trust.

A model file is a safetensors file (safetensors_format.py). Its tensors are the rows of `network.parameters`, then those
of `network.states`; its words hold the architecture: the constructor arguments as JSON, class names and all. Classes
are looked up in a closed table. Nothing is imported by name, nothing is unpickled, no other file is opened.

A checkpoint is a model file too (checkpoints.py), with the trainer's tensors behind the network's.
"""

from __future__ import annotations

import itertools
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from chainrule import layers as public_layers, safetensors_format
from chainrule.configurable import Configurable, from_json, to_json
from chainrule.errors import CheckpointError, ConfigurationError, NotBuiltError
from chainrule.initializers import INITIALIZERS
from chainrule.layers.layer import Array, Layer, Shape
from chainrule.network import Network
from chainrule.parameters import number_layers, parameter_table, state_table
from chainrule.safetensors_format import MOST_DIMENSIONS, brief, strict_json

SPARE = 1 << 16  # numbers that building may ask for beyond what the file explains
FAULTS_LISTED = 5
TRAINER = "trainer"  # the word that makes a model file a checkpoint, and how the names of its further tensors begin

Known: TypeAlias = dict[str, type[Configurable]]
KNOWN: Known = {
    kind.__name__: kind
    for kind in (*vars(public_layers).values(), *INITIALIZERS.values())
    if isinstance(kind, type) and kind is not Layer
}


def save(network: Network, path: str | os.PathLike[str]) -> None:
    """Write a network into one file: weights, running statistics, architecture, class names, what is frozen.

    The file appears whole or not at all; an older one of that name stays until then. Any safetensors reader opens it,
    and the same network gives the same bytes.

    Arguments   path: the file, for instance "digits.safetensors"
    Raises      NotBuiltError; ConfigurationError for a network that `load` could not make again, such as one with a
                function among its arguments; CheckpointError if the file cannot be written

    >>> import tempfile
    >>> import chainrule as cr
    >>> network = cr.MLP([2, 3, 2], class_names=["no", "yes"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(network, f"{folder}/model.safetensors")
    ...     again = load(f"{folder}/model.safetensors")
    >>> repr(again) == repr(network), bool((again.params == network.params).all())
    (True, True)
    """
    if not isinstance(network, Network):
        raise ConfigurationError(f"save: expected a network and a path, received {network!r}.")
    with naming(path):
        safetensors_format.write(path, *describe(network))


def load(path: str | os.PathLike[str], *, layers: Sequence[type[Configurable]] = ()) -> Network:
    """The network in a file that `save` wrote, or in a checkpoint, ready to predict or to train further.

    Hostile files can do no harm.

    Arguments   path    the file
                layers  classes of your own that the network uses, layers and initializers: load(path, layers=[MyLayer])
    Raises      CheckpointError if the file is missing, damaged, hostile, of a newer version or something else
    """
    known = with_own(layers)
    with naming(path):
        return network_from(*safetensors_format.read(path), known)


def describe(network: Network) -> tuple[dict[str, Array], dict[str, str]]:
    """The tensors and the words of the network's file."""
    if not network.out_shapes:
        raise NotBuiltError(
            "save: the network is not built and has no weights yet. Fit it, or call build((784,)), first."
        )
    tensors = {row.name: network.params[row.slice].reshape(row.shape) for row in network.parameters}
    tensors |= {row.name: network.state[row.slice].reshape(row.shape) for row in network.states}
    words = {"architecture": _architecture(network, tensors)}
    frozen = [row.name for row in network.parameters if not row.trainable]
    if frozen:
        words["frozen"] = json.dumps(frozen)
    return tensors, words


def _architecture(network: Network, tensors: Mapping[str, Array]) -> str:
    """The constructor arguments as JSON, once it is certain that `load` can make the same network of them."""
    try:
        own = {kind for layer in network.layers for kind in classes(layer)} - set(KNOWN.values())
        text = json.dumps(to_json(network), separators=(",", ":"))
        _rehearse(text, tensors, with_own(own))
    except Exception as error:  # whatever a layer's own code raises
        raise ConfigurationError(
            f"save: this network could not be loaded again ({reason(error)}). Every layer must keep its constructor's "
            "arguments, unmodified, under their own names: numbers, text, chainrule objects, or lists of these."
        ) from error
    return text


def network_from(tensors: Mapping[str, Array], words: Mapping[str, str], known: Known) -> Network:
    """The network that tensors and words describe; what a checkpoint holds besides is left aside."""
    if TRAINER in words:
        tensors = {name: array for name, array in tensors.items() if not name.startswith(f"{TRAINER}.")}
    try:
        layers, config = _rehearse(words["architecture"], tensors, known)
        network = Network(*layers, **config)
        for table, vector in ((network.parameters, network.params), (network.states, network.state)):
            for row in table:
                vector[row.slice] = tensors[row.name].ravel()
        if "frozen" in words:
            frozen = strict_json(words["frozen"])
            if not frozen or not {row.name for row in network.parameters}.issuperset(frozen):
                raise CheckpointError(f"its list of frozen parameters names others: {brief(frozen)}.")
            network.freeze(*frozen)
    except CheckpointError:
        raise
    except Exception as error:  # whatever constructors raise when their arguments are hostile
        raise CheckpointError(f"the network it describes cannot be made ({reason(error)}).") from error
    return network


# Building what a file describes costs memory before its tensors can be compared with it: Linear(10**9, 10**9) in a file
# of one kilobyte. So it is built once in rehearsal, where everything asked for is metered. A public layer may only ask
# in two ways: it draws numbers, or it makes arrays as long as its input's last axis (or no longer than what it drew).


class _Metered(np.random.Generator):
    """Chance that gives out no more numbers than a file can explain."""

    def __init__(self, room: int) -> None:
        super().__init__(np.random.PCG64(0))
        self.room = room

    def spend(self, count: int) -> None:
        self.room -= count
        if self.room < 0:
            raise CheckpointError("the network it describes needs more numbers than the file holds.")

    def standard_normal(self, size: Any = None, *rest: Any, **named: Any) -> Any:
        self.spend(_count(size))
        return super().standard_normal(size, *rest, **named)

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
        self.spend(_count(size))
        return super().uniform(low, high, size)


def _rehearse(text: str, tensors: Mapping[str, Array], known: Known) -> tuple[list[Layer], dict[str, Any]]:
    """Unbuilt layers and the network's other arguments, once they have been found to ask for just these tensors."""
    data = strict_json(text)
    check_known(data["layers"], known)
    if data.pop("type") != "Network":
        raise CheckpointError("it describes something else than a Network.")
    layers = from_json(data.pop("layers"), known)
    config = {name: from_json(value, {}) for name, value in data.items()}
    shape: Shape = config["in_shape"]
    if len(shape) > MOST_DIMENSIONS or not all(type(width) is int and width >= 1 for width in shape):
        raise CheckpointError(f"it gives the input shape {brief(shape)}, expected whole numbers.")

    number_layers(layers)
    everything = [inner for layer in layers for inner in layer.walk()]
    chance = _Metered(2 * sum(array.size for array in tensors.values()) + SPARE)
    for inner in everything:
        if inner.parameter_names or inner.state_names:
            inner.__dict__["build"] = partial(_build_metered, inner)
    for layer in layers:
        shape = layer.build(shape, chance)
    tables = itertools.chain(parameter_table(everything), state_table(everything))
    expected = {row.name: f"{config['dtype']} {row.shape}" for row in tables}
    faults = differences(expected, {name: f"{array.dtype.name} {array.shape}" for name, array in tensors.items()})
    if faults:
        raise CheckpointError(f"its tensors do not fit the network it describes. {faults}.")
    return [layer.clone() for layer in layers], config


def _build_metered(layer: Layer, in_shape: Shape, rng: _Metered) -> Shape:
    del layer.__dict__["build"]  # this stood in for it
    rng.spend(in_shape[-1])
    return layer.build(in_shape, rng)


def differences(expected: Mapping[str, str], held: Mapping[str, str]) -> str:
    """The first differences between what stands under the same names here and in a file; nothing if there is none."""
    faults = [
        f"{brief(name)}: expected {expected.get(name, 'nothing')}, the file has {held.get(name, 'nothing')}"
        for name in {**expected, **held}
        if expected.get(name) != held.get(name)
    ]
    more = f"; and {len(faults) - FAULTS_LISTED} more" if len(faults) > FAULTS_LISTED else ""
    return "; ".join(faults[:FAULTS_LISTED]) + more


def with_own(own: Any, table: Known = KNOWN) -> Known:
    """The closed table, and the caller's own classes."""
    known = dict(table)
    for kind in own if isinstance(own, Iterable) and not isinstance(own, type) else [own]:
        if not (isinstance(kind, type) and issubclass(kind, Configurable)):
            raise ConfigurationError(f"layers: expected classes, such as layers=[MyLayer], received {kind!r}.")
        if known.setdefault(kind.__name__, kind) is not kind:
            raise ConfigurationError(
                f"layers: two classes are called {kind.__name__}, and files know classes by name: rename one of them."
            )
    return known


def classes(value: Any) -> Iterator[type[Configurable]]:
    """The class of an object and of all that stands among its arguments."""
    if isinstance(value, Configurable):
        yield type(value)
        value = tuple(value.config().values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from classes(item)


def check_known(data: Any, known: Known) -> None:
    """Raise CheckpointError if JSON that describes objects needs a class that is not known."""
    unknown = sorted({brief(name) for name in _class_names(data) if name not in known})
    if unknown:
        raise CheckpointError(
            f"it needs {', '.join(unknown[:FAULTS_LISTED])}, which chainrule does not have. Are they classes of "
            "your own? Then: load(path, layers=[MyLayer])."
        )


def _class_names(data: Any) -> Iterator[Any]:
    """The same, of the JSON that describes it."""
    if isinstance(data, dict):
        yield data.get("type")
        data = list(data.values())
    if isinstance(data, list):
        for item in data:
            yield from _class_names(item)


@contextmanager
def naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """A CheckpointError that passes through says which file it is about."""
    if not isinstance(path, (str, os.PathLike)):
        raise ConfigurationError(f"expected the path of a file, such as 'model.safetensors', received {path!r}.")
    try:
        yield
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error.__cause__


def _count(size: Any) -> int:
    return 1 if size is None else math.prod(size) if isinstance(size, (tuple, list)) else int(size)


def reason(error: Exception) -> str:
    """An error in one short phrase."""
    text = str(error)
    return f"{type(error).__name__}: {text[:500]}{'...' if len(text) > 500 else ''}"
