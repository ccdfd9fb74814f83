"""Any state as JSON and arrays: every value comes back exactly as it was, and nothing is ever found by name.

None, True, False, whole numbers, finite floats, text, lists and dictionaries are JSON already. What JSON lacks is a
dictionary with one key that begins with a dollar sign:

    {"$array": name}               an array: the tensor of that name
    {"$floats": name}              a long list of floats, kept as a tensor too; {"$ints": name} one of whole numbers
    {"$empty": [dtype, shape]}     an array that holds nothing, which no tensor of ours can be
    {"$number": [dtype, value]}    a NumPy scalar
    {"$float": "nan"}              nan, inf, -inf
    {"$tuple": [...]}
    {"$items": [[key, value]]}     a dictionary with keys that are not text, or begin with a dollar sign
    {"$object": {"type": name}}    a Configurable by its constructor arguments, in which a list comes back as a tuple
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.configurable import Configurable, from_json, to_json
from chainrule.errors import CheckpointError, ConfigurationError
from chainrule.files import Known, check_known, classes, reason
from chainrule.history import History
from chainrule.layers.layer import Array
from chainrule.safetensors_format import DTYPES, brief

LONG = 32  # a list of so many numbers is shorter as a tensor
NAMED_DTYPES = {dtype.name: dtype for dtype in DTYPES.values()}
NOT_FINITE = {repr(value): value for value in (math.nan, math.inf, -math.inf)}


def pack(value: Any, name: str, arrays: dict[str, Array]) -> Any:
    """The value as strict JSON; its arrays are put into `arrays`, under names that begin with `name`.

    Raises      ConfigurationError for what could not be read back: a set, a function, an array of text

    >>> arrays = {}
    >>> pack({"rate": 0.1, "shape": (2, 3), "velocity": np.zeros(5)}, "trainer", arrays)
    {'rate': 0.1, 'shape': {'$tuple': [2, 3]}, 'velocity': {'$array': 'trainer.velocity'}}
    >>> arrays
    {'trainer.velocity': array([0., 0., 0., 0., 0.])}
    """
    if type(value) is float and not math.isfinite(value):
        return {"$float": repr(value)}
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, Configurable):
        return {"$object": pack(_described(value, name), name, arrays)}
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.name in NAMED_DTYPES:
        if isinstance(value, np.generic):
            return {"$number": [value.dtype.name, pack(value.item(), name, arrays)]}
        if not value.size:
            return {"$empty": [value.dtype.name, list(value.shape)]}
        return {"$array": _lifted(value, name, arrays)}
    if type(value) is list:
        kinds = set(map(type, value)) if len(value) >= LONG else ()
        if kinds == {float}:
            return {"$floats": _lifted(np.array(value), name, arrays)}
        if kinds == {int} and min(value) >= -(2**63) and max(value) < 2**63:
            return {"$ints": _lifted(np.array(value, np.int64), name, arrays)}
    if type(value) in (list, tuple):
        items = [pack(item, f"{name}.{i}", arrays) for i, item in enumerate(value)]
        return items if type(value) is list else {"$tuple": items}
    if type(value) is dict:
        if all(type(key) is str and not key.startswith("$") for key in value):
            return {key: pack(item, f"{name}.{key}", arrays) for key, item in value.items()}
        pairs = [[pack(key, name, arrays), pack(item, f"{name}.{key}", arrays)] for key, item in value.items()]
        return {"$items": pairs}
    raise ConfigurationError(
        f"{name}: cannot write {brief(value)} ({type(value).__name__}) into a checkpoint. Keep it in numbers, text, "
        f"None, arrays ({', '.join(NAMED_DTYPES)}), chainrule objects, and lists, tuples or dictionaries of these."
    )


def unpack(data: Any, arrays: dict[str, Array], known: Known) -> Any:
    """The value that `pack` wrote down. Arrays are copies of one's own, and each is taken out of `arrays`.

    Raises      CheckpointError for a class that is not known; for JSON that `pack` never wrote, whatever comes of it
    """
    if isinstance(data, list):
        return [unpack(item, arrays, known) for item in data]
    if not isinstance(data, dict):
        return data
    if len(data) == 1:
        ((marker, content),) = data.items()
        if marker == "$array":
            array = arrays.pop(content)
            return array.astype(array.dtype.newbyteorder("="))
        if marker in ("$floats", "$ints"):
            return arrays.pop(content).tolist()
        if marker in MARKERS:
            return MARKERS[marker](unpack(content, arrays, known), known)
    return {key: unpack(item, arrays, known) for key, item in data.items()}


def pack_history(history: History, name: str, arrays: dict[str, Array]) -> Any:
    """The history packed column by column, which long ones need little room for."""
    columns = {}
    for column in history.columns:
        rows = [i for i, row in enumerate(history) if column in row]
        values = [history.rows[i][column] for i in rows]
        columns[column] = {"rows": None if len(rows) == len(history) else rows, "values": values}
    return pack({"columns": columns, "steps": history.steps}, name, arrays)


def unpack_history(data: Any, arrays: dict[str, Array], known: Known) -> History:
    """The history that `pack_history` wrote down."""
    history, table = History(), unpack(data, arrays, known)
    history.steps = table["steps"]
    history.rows = [{} for _ in max((column["values"] for column in table["columns"].values()), key=len, default=())]
    for name, column in table["columns"].items():
        rows = range(len(history)) if column["rows"] is None else column["rows"]
        for i, value in zip(rows, column["values"], strict=True):
            history.rows[i][name] = value
    return history


def _empty(content: Any, known: Known) -> Array:
    name, shape = content
    if 0 not in shape:
        raise CheckpointError(f"it says of an array without numbers that its shape is {brief(shape)}.")
    return np.zeros(shape, NAMED_DTYPES[name])


def _object(content: Any, known: Known) -> Any:
    check_known(content, known)
    return from_json(content, known)


MARKERS: dict[str, Callable[[Any, Known], Any]] = {
    "$empty": _empty,
    "$number": lambda content, known: NAMED_DTYPES[content[0]].type(content[1]),
    "$float": lambda content, known: NOT_FINITE[content],
    "$tuple": lambda content, known: tuple(content),
    "$items": lambda content, known: dict(content),
    "$object": _object,
}


def _lifted(array: Array, name: str, arrays: dict[str, Array]) -> str:
    while name in arrays:  # {"a.b": ...} beside {"a": {"b": ...}}
        name += "'"
    arrays[name] = array
    return name


def _described(value: Configurable, name: str) -> Any:
    """The object as plain data, once it is certain that the same object can be made of it."""
    try:
        data = to_json(value)
        again = from_json(data, {kind.__name__: kind for kind in classes(value)})
        if repr(to_json(again)) != repr(data):
            raise ConfigurationError(f"it would come back as {again!r}")
    except Exception as error:  # whatever a class of one's own raises
        raise ConfigurationError(
            f"{name}: {brief(value)} could not be loaded again ({reason(error)}). It must keep its constructor's "
            "arguments, unmodified, under their own names: numbers, text, chainrule objects, or lists of these."
        ) from error
    return data
