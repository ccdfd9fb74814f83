"""Where a learner's parameters live and where their gradients are left: attributes, dicts, lists, objects in lists."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.layers.layer import Array

INPUTS = ("x", "X", "input", "inputs", "inp", "x_in", "data")  # what forward kept of its input is no parameter
CONTAINERS = ("params", "parameters", "weights", "theta")  # dicts and lists that hold parameters ...
GRADIENTS = (
    "grads",
    "gradients",
    "grad",
    "gradient",
    "dparams",
    "grad_params",
    "d",
)  # ... and those that hold their gradients


@dataclass
class Place:
    """One array that can be moved: `key` of `owner`, which is a dict, a list or any object."""

    name: str
    owner: Any
    key: Any

    @property
    def value(self) -> Any:
        return self.owner[self.key] if isinstance(self.owner, (dict, list)) else getattr(self.owner, self.key)

    @value.setter
    def value(self, new: Any) -> None:
        """Write into the array where that is possible: other names may stand for the same memory."""
        old = self.value
        if isinstance(old, np.ndarray) and old.dtype == np.float64 and old.flags.writeable:
            old[...] = new
            return
        new = float(new) if isinstance(old, (float, int)) else np.array(new)
        if isinstance(self.owner, (dict, list)):
            self.owner[self.key] = new
        else:
            setattr(self.owner, self.key, new)

    @property
    def array(self) -> Array:
        """A copy in float64."""
        return np.array(self.value, np.float64)

    @property
    def leaf(self) -> str:
        """The last word of the name: W of layers.0.W."""
        return self.name.split(".")[-1]


def is_number(value: Any) -> bool:
    """Can it be a parameter or its gradient: a float, or an array of floats?"""
    if isinstance(value, np.ndarray):
        return value.dtype.kind == "f"
    return isinstance(value, (float, np.floating)) and not isinstance(value, bool)


def same_name(key: str, name: str) -> bool:
    """Does a gradient of this key belong to the parameter of this name?

    >>> [same_name(key, "W1") for key in ("dW1", "W1", "grad_W1", "W1_grad", "dw1", "dW2")]
    [True, True, True, True, True, False]
    >>> same_name("dw", "weights"), same_name("dbias", "b"), same_name("d_gamma", "gamma")
    (True, True, True)
    """
    stripped = re.sub(
        r"^(d_?l?_?d?|grads?_|gradients?_|g_|delta_?|nabla_?)(?=\w)|(_?grads?|_?gradients?|_g|_bar)$", "", key
    )
    return key == name or _short(stripped) == _short(name) or (key[:1] == "d" and _short(key[1:]) == _short(name))


def _short(name: str) -> str:
    """weights, weight, W and w are one name, and so are biases, bias and b."""
    name = re.sub(r"^weights?(?=\d|_|$)", "w", name.lower())
    return re.sub(r"^bias(es)?(?=\d|_|$)", "b", name).replace("_", "")


def contents(owner: Any) -> dict[Any, Any]:
    """What an object, dict, list or tuple holds, by attribute, key or index."""
    if isinstance(owner, Mapping):
        return dict(owner)
    if isinstance(owner, (list, tuple)):
        return dict(enumerate(owner))
    if isinstance(
        owner, (type, np.ndarray, np.generic, str, bytes, int, float, complex, np.random.Generator)
    ) or callable(getattr(owner, "__code__", None)):
        return {}
    slots = {name: getattr(owner, name) for name in getattr(type(owner), "__slots__", ()) if hasattr(owner, name)}
    return {**slots, **getattr(owner, "__dict__", {})}


def walk(owner: Any, path: str = "", seen: set[int] | None = None) -> Iterator[tuple[str, Any]]:
    """Every object, dict and list within reach, each once, with its path; caches are passed by."""
    seen = set() if seen is None else seen
    if id(owner) in seen or len(seen) > 10_000:
        return
    seen.add(id(owner))
    inside = contents(owner)
    if inside or path == "":
        yield path, owner
    for key, value in inside.items():
        if isinstance(key, (str, int)) and "cache" not in str(key).lower() and not isinstance(value, np.ndarray):
            yield from walk(value, f"{path}.{key}".lstrip("."), seen)


def found(owner: Any) -> list[tuple[Place, Place]]:
    """Pairs of a parameter and its gradient within an object, in the order in which they stand there."""
    pairs: list[tuple[Place, Place]] = []
    for path, part in walk(owner):
        if isinstance(part, tuple):
            continue
        inside = contents(part)
        for key, value in inside.items():
            name = f"{path}.{key}".lstrip(".")
            if isinstance(key, str) and isinstance(value, (dict, list)):
                pairs += _beside(name, key, value, inside)
            elif _is_boxed(key, inside) and is_number(value):
                pairs.append((Place(path or key, part, key), Place(f"{path}.grad", part, "grad")))
            elif isinstance(key, str) and is_number(value):
                names = [k for k in inside if isinstance(k, str) and k != key and same_name(k, key) and len(k) > 1]
                names = [k for k in names if is_number(inside[k]) or inside[k] is None]
                if names and not _is_gradient(key, inside) and key not in INPUTS:
                    pairs.append((Place(name, part, key), Place(f"{path}.{names[0]}", part, names[0])))
    return _once(pairs)


def _is_boxed(key: Any, inside: Mapping[Any, Any]) -> bool:
    """Is it the array of a Parameter object, which keeps data and grad side by side?"""
    return key in ("data", "value") and "grad" in inside


def _is_gradient(key: str, inside: Mapping[Any, Any]) -> bool:
    """Is this the gradient of something that stands beside it: dW beside W?"""
    return any(
        isinstance(other, str) and other != key and same_name(key, other) and len(key) > len(other) for other in inside
    )


def _beside(name: str, key: str, values: Any, inside: Mapping[Any, Any]) -> list[tuple[Place, Place]]:
    """The pairs of `params` and `grads`, or of `weights` and `grad_weights`: dicts or lists that lie side by side."""
    pairs = []
    alike = [k for k in inside if isinstance(k, str) and k != key and same_name(k, key) and len(k) > len(key)]
    for where in [*(GRADIENTS if key in CONTAINERS else ()), *alike]:
        gradients = inside.get(where)
        if isinstance(values, list) and isinstance(gradients, list):
            pairs += [
                (Place(f"{name}.{i}", values, i), Place(f"{where}.{i}", gradients, i))
                for i in range(min(len(values), len(gradients)))
            ]
        elif isinstance(values, dict) and isinstance(gradients, dict):
            for key in values:
                match = next((k for k in gradients if same_name(str(k), str(key))), None)
                if match is not None:
                    pairs.append((Place(f"{name}.{key}", values, key), Place(f"{where}.{match}", gradients, match)))
    return pairs


def _once(pairs: list[tuple[Place, Place]]) -> list[tuple[Place, Place]]:
    """One pair for each array, however many names lead to it."""
    kept: dict[Any, tuple[Place, Place]] = {}
    for place, gradient in pairs:
        value = place.value
        kept.setdefault(id(value) if isinstance(value, np.ndarray) else place.name, (place, gradient))
    return list(kept.values())


def candidates(owner: Any) -> list[Place]:
    """Every float array or float within an object: parameters whose gradients come back as a dict are among them."""
    places = []
    for path, part in walk(owner):
        inside = {} if isinstance(part, tuple) else contents(part)
        boxed = any(_is_boxed(key, inside) for key in inside)
        for key, value in inside.items():
            if isinstance(key, (str, int)) and is_number(value) and "cache" not in str(key).lower():
                if not boxed:
                    places.append(Place(f"{path}.{key}".lstrip("."), part, key))
                elif _is_boxed(key, inside):
                    places.append(Place(path or str(key), part, key))
    return places


def widen(owner: Any) -> bool:
    """Make float64 of every float32 array within reach, each once, however many names lead to it. Were there any?"""
    wide: dict[int, Array] = {}
    for _, part in walk(owner):
        for key, value in contents(part).items():
            if isinstance(value, np.ndarray) and value.dtype == np.float32 and not isinstance(part, tuple):
                wide.setdefault(id(value), value.astype(np.float64))
                Place(str(key), part, key).value = wide[id(value)]
    return bool(wide)


def generators(owner: Any) -> list[Any]:
    """The random generators that an object keeps."""
    return [
        value
        for _, part in walk(owner)
        for value in contents(part).values()
        if isinstance(value, (np.random.Generator, np.random.RandomState))
    ]
