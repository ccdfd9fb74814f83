"""What a learner's backward gives back, in any of its forms, as a dict from the name of an array to its gradient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from chainrule.doctor.examining.places import same_name

INPUT_NAMES = ("x", "input", "inputs", "a_prev", "h_prev", "a0", "in", "inp", "data")


def named(result: Any, names: Sequence[str], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    """The gradients in `result`, by the names of the arrays.

    Arguments   result  an array (the input's gradient), a tuple (input first, then the parameters), a dict, or None
                names   of the arrays, the input "x" first where there is one
                shapes  of the arrays; they decide where a tuple leaves something out

    >>> sorted(named({"dW1": 1.0, "db1": 2.0}, ["x", "W1", "b1"], {}))
    ['W1', 'b1']
    >>> list(named((np.ones((2, 3)), np.ones((3, 4))), ["x", "W", "b"], {"x": (2, 3), "W": (3, 4), "b": (4,)}))
    ['x', 'W']
    """
    if result is None:
        return {}
    if isinstance(result, Mapping):
        return _from_dict(result, names)
    if isinstance(result, (tuple, list)):
        flat = list(_flat(result))
        tables = [part for part in flat if isinstance(part, Mapping)]
        rest = [part for part in flat if not isinstance(part, Mapping)]
        given = {} if tables and not rest else _from_tuple(rest, list(names)[:1] if tables else list(names), shapes)
        for table in tables:
            given |= _from_dict(table, names)
        return given
    return {names[0]: result} if names else {}


def _flat(parts: Any) -> Iterator[Any]:
    """The parts of nested tuples and lists, one after the other; a list of numbers is one part."""
    for part in parts:
        if isinstance(part, (tuple, list)) and not all(np.isscalar(p) for p in part):
            yield from _flat(part)
        else:
            yield part


def _from_dict(result: Mapping[Any, Any], names: Sequence[str]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name in names:
        leaf = name.split(".")[-1]
        exact = [key for key in (f"d{leaf}", leaf, f"grad_{leaf}", f"{leaf}_grad") if key in result]
        alike = [key for key in result if isinstance(key, str) and same_name(key, leaf)]
        if name == "x":
            alike += [key for key in result if isinstance(key, str) and any(same_name(key, n) for n in INPUT_NAMES)]
        if exact or alike:
            given[name] = result[(exact or alike)[0]]
    return given


def _from_tuple(result: list[Any], names: list[str], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    if len(result) == 1 or len(names) == 1:
        return {names[0]: result[0]}
    if len(result) < len(
        names
    ):  # something is left out: the input, more often than not, unless the shapes say otherwise

        def fitting(chosen: list[str]) -> int:
            return sum(np.shape(value) == shapes.get(name) for value, name in zip(result, chosen, strict=False))

        choices = [names[: len(result)], names[len(names) - len(result) :]]
        names = max(choices, key=fitting)
    elif any(np.shape(value) != shapes.get(name) for value, name in zip(result, names, strict=False)):
        by_shape = _by_shape(result, names, shapes)  # another order, the biases first: the shapes may tell
        names = by_shape if by_shape is not None else names
    return dict(zip(names, result, strict=False))


def _by_shape(result: list[Any], names: list[str], shapes: Mapping[str, tuple[int, ...]]) -> list[str] | None:
    """For each part the first name of its very shape that is still free; None unless every part finds one."""
    free, order = list(names), []
    for value in result:
        match = next((name for name in free if np.shape(value) == shapes.get(name)), None)
        if match is None:
            return None
        free.remove(match)
        order.append(match)
    return order
