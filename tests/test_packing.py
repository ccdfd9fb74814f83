"""Whatever a state may consist of comes back from JSON and arrays as it was; whatever it may not is named."""

import json
import math

import numpy as np
import pytest

import chainrule as cr
from chainrule import files, safetensors_format
from chainrule.packing import LONG, pack, unpack

KNOWN = files.KNOWN | {kind.__name__: kind for kind in (cr.OneCycle, cr.Constant, cr.CrossEntropy, cr.MSE)}


class Bounds(cr.Schedule):
    """Has every kind of constructor argument."""

    def __init__(self, *parts, low=-math.inf, values=(1, 2.5, None, True, "a"), inner=None):
        self.parts, self.low, self.values, self.inner = parts, low, values, inner


def through_a_file(value, folder, known=KNOWN):
    arrays = {}
    text = json.dumps(pack(value, "trainer", arrays), allow_nan=False)
    safetensors_format.write(folder / "a", arrays, {"text": text})
    tensors, words = safetensors_format.read(folder / "a")
    back = unpack(safetensors_format.strict_json(words["text"]), tensors, known)
    assert not tensors, "every array is taken out"
    return back


def exactly(value):
    """Everything that can be told of a value, so that equal means the same in every bit."""
    if isinstance(value, np.ndarray):
        return value.dtype, value.shape, value.tobytes()
    if isinstance(value, np.generic):
        return type(value), value.tobytes()
    if isinstance(value, dict):
        return dict, [(exactly(key), exactly(item)) for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return type(value), [exactly(item) for item in value]
    return type(value), repr(value)


rng = np.random.default_rng(0)
VALUES = {
    "constants": [None, True, False],
    "whole numbers": [0, -1, 2**63, 2**200, -(10**30)],
    "floats": [0.1, -0.0, 5e-324, 1.7976931348623157e308, 1 / 3, 1e16, math.pi],
    "not finite": {"a": math.nan, "b": [math.inf, -math.inf]},
    "text": ["", "dög 🐕", '\0\n"\\', "\ud800", "$array", "nan"],
    "tuples": ((2, 3), [(), []], {"shape": (1, [2, (3,)])}),
    "long floats": [*rng.standard_normal(LONG).tolist(), math.nan, -math.inf, -0.0],
    "long whole numbers": list(range(-LONG, LONG)),
    "long numbers of both kinds": [1.0, *range(LONG)],
    "long truths": [True] * LONG,
    "numbers of 65 bits": [2**64] * LONG,
    "64 bits": [2**63 - 1, -(2**63)] * LONG,
    "dictionaries": {"": {}, "a.b": 1, "a": {"b": 2, "type": "Linear"}},
    "other keys": {0: 0.5, 1: {2: None}, (1, 2): "pair", None: 1, "$array": "text", 1.5: math.inf},
    "a marker's own form": [{"$float": "nan"}, {"$array": "trainer.0"}, {"$tuple": [1]}, {"$": 1}],
    "scalars": [np.float64(0.1), np.float32(0.1), np.int64(-7), np.bool_(True), np.uint8(200), np.float32("nan")],
    "names that meet": {"a.b": np.ones(2), "a": {"b": np.zeros(3)}, 0: np.ones(4), "0": np.zeros(5)},
    **{f"array {dtype}": rng.integers(0, 2, (2, 3, 5)).astype(dtype) for dtype in ("f4", "f8", "i8", "i4", "u1", "?")},
    "array of anything": np.array([math.nan, -0.0, math.inf, 5e-324]),
    "array without axes": np.array(2.5),
    "array that is no block": np.arange(24.0).reshape(4, 6).T[::2, ::-1],
    "arrays of nothing": [np.zeros(0, "f4"), np.zeros((3, 0, 2)), np.zeros((0,), "?")],
    "objects": [cr.OneCycle(0.2, length=7), cr.CrossEntropy(), cr.Linear(3, 4, initializer=cr.He("uniform"))],
    "objects in objects": {"a": Bounds(cr.Constant(0.5), Bounds(), low=math.nan, inner=cr.MSE())},
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_a_value_comes_back_in_every_bit(value, tmp_path):
    assert exactly(through_a_file(value, tmp_path, KNOWN | {"Bounds": Bounds})) == exactly(value)


def test_an_array_of_other_byte_order_comes_back_in_this_machines(tmp_path):
    back = through_a_file(np.arange(3, dtype=">f8"), tmp_path)
    assert back.dtype == np.dtype("=f8")
    np.testing.assert_array_equal(back, [0, 1, 2])


def test_an_array_that_came_back_belongs_to_who_asked(tmp_path):
    back = through_a_file({"a": np.ones(3)}, tmp_path)
    back["a"] += 1
    assert back["a"].tolist() == [2, 2, 2]


class Forgetful(cr.Schedule):
    def __init__(self, rate):
        self.twice = 2 * rate


class Doubling(cr.Schedule):
    def __init__(self, rate):
        self.rate = 2 * rate


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"a": [0, {1, 2}]}, r"trainer\.a\.1: cannot write \{1, 2\} \(set\)"),
        ({"f": len}, r"trainer\.f: cannot write .*builtin_function"),
        (b"bytes", "bytes"),
        (1j, "complex"),
        (np.zeros(2, "f2"), r"ndarray.*arrays \(float32, float64, int64"),
        (np.array(["a"]), "ndarray"),
        (np.array([None]), "ndarray"),
        (np.random.default_rng(0), "Generator"),
        (type("MyList", (list,), {})(), "MyList"),
        ([Forgetful(0.5)], r"trainer\.0: .*could not be loaded again.*under their own names"),
        (Doubling(0.5), "could not be loaded again.*come back as Doubling"),
        (Bounds(low=len), "could not be loaded again.*cannot write"),
    ],
)
def test_what_could_not_be_read_back_is_not_written(value, words):
    with pytest.raises(cr.ConfigurationError, match=f"(?s){words}"):
        pack(value, "trainer", {})


@pytest.mark.parametrize(
    "data",
    [
        {"$array": "missing"},
        {"$array": ["trainer.a"]},
        [{"$array": "trainer.a"}, {"$array": "trainer.a"}],
        {"$empty": ["float64", [10**12]]},
        {"$empty": ["float64", [-1, 0]]},
        {"$empty": ["object", [0]]},
        {"$number": ["object", 1]},
        {"$number": ["float64", [1, "a"]]},
        {"$number": ["float64"]},
        {"$float": "1"},
        {"$tuple": 3},
        {"$items": [1]},
        {"$items": [[{"a": 1}, 2]]},
        {"$object": {"type": "os.system"}},
        {"$object": {"type": "Network", "layers": []}},
        {"$object": {"type": "OneCycle", "peak": "x"}},
        {"$object": {"type": "OneCycle", "__class__": 1}},
        {"$object": {"type": ["OneCycle"]}},
        {"$object": {}},
        {"$object": {"type": "Linear", "out_features": {"$float": "inf"}}},
    ],
    ids=repr,
)
def test_what_pack_never_wrote_is_an_error(data):
    with pytest.raises((cr.CheckpointError, cr.ConfigurationError, LookupError, TypeError, ValueError)):
        unpack(data, {"trainer.a": np.ones(2)}, KNOWN)
