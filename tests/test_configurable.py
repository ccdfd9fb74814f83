"""Constructor arguments are the description of a thing: printed, cloned, written as JSON and read back."""

import json
import math

import numpy as np
import pytest

import chainrule as cr
from chainrule.configurable import Configurable, by_name, from_json, number, to_json

KNOWN = {name: cls for name, cls in vars(cr).items() if isinstance(cls, type) and issubclass(cls, Configurable)}
THINGS = [  # every one exactly as it prints
    "ReLU()",
    "LeakyReLU(0.2)",
    "Linear(4, 3)",
    "Linear(out_features=3)",
    "Linear(4, 3, initializer=Glorot('uniform'), bias=0.5)",
    "BatchNorm(epsilon=0.001)",
    "Conv2D(4, 6, (3, 5), stride=(2, 1), padding='same', groups=2)",
    "MaxPool2D(3, stride=(1, 2))",
    "Dropout(0.25)",
    "Rescale(0.1)",
    "Normal(0.01)",
    "CrossEntropy(label_smoothing=0.1)",
    "BinaryCrossEntropy()",
    "SGD(0.1, momentum=0.9, velocity='steps')",
    "SGD(OneCycle(0.15, warmup=0.3))",
    "Adam(beta1=0.8)",
    "Network(Linear(4, 3), ReLU(), in_shape=(4,), output='softmax', class_names=('a', 'b', 'c'), seed=1)",
    "Network()",
]


@pytest.mark.parametrize("code", THINGS)
def test_round_trips(code):
    thing = eval(code, dict(KNOWN))
    written = json.dumps(to_json(thing), allow_nan=False)
    for again in (thing.clone(), from_json(json.loads(written), KNOWN)):
        assert type(again) is type(thing) and again is not thing
        assert repr(again) == repr(thing) == code
        assert json.dumps(to_json(again)) == written


def test_a_clone_shares_nothing_that_learns():
    network = cr.MLP([4, 3], initializer=cr.He("uniform"))
    other = network.clone()
    assert other.layers[0] is not network.layers[0]
    assert other.layers[0].initializer is not network.layers[0].initializer
    assert not np.shares_memory(other.params, network.params)
    optimizer = cr.Adam(cr.OneCycle(0.1))
    optimizer.plan(1)
    optimizer.step(np.ones(3), np.ones(3))
    assert (optimizer.clone().steps, optimizer.clone().slots) == (0, {})
    assert optimizer.clone().learning_rate is not optimizer.learning_rate


class Mixed(Configurable):
    def __init__(self, first, second=2, *, third=3.0, fourth=None):
        self.first, self.second, self.third, self.fourth = first, second, third, fourth


class Many(Configurable):
    def __init__(self, *parts, name="x"):
        self.parts, self.name = parts, name


@pytest.mark.parametrize(
    ("thing", "code"),
    [
        (Mixed(1), "Mixed(1)"),
        (Mixed(1, 5), "Mixed(1, 5)"),
        (Mixed(1, third=4.0), "Mixed(1, third=4.0)"),
        (Mixed("a", 5, fourth=[1, (2,)]), "Mixed('a', 5, fourth=[1, (2,)])"),
        (Mixed(1, 2.0), "Mixed(1, 2.0)"),  # equal to the default, but not the same thing
        (Mixed(1, True), "Mixed(1, True)"),
        (Mixed(1, third=math.nan), "Mixed(1, third=nan)"),
        (Mixed(Mixed(0)), "Mixed(Mixed(0))"),
        (Many(), "Many()"),
        (Many(1, "b", name="y"), "Many(1, 'b', name='y')"),
    ],
)
def test_repr_and_clone(thing, code):
    assert repr(thing) == repr(thing.clone()) == code
    assert from_json(to_json(thing), {"Mixed": Mixed, "Many": Many}).config().keys() == thing.config().keys()


@pytest.mark.parametrize("value", [np.ones(2), {1, 2}, len, object(), 1j, b"a", {"a": 1}])
def test_what_a_file_cannot_hold(value):
    with pytest.raises(cr.ConfigurationError, match="into a file: constructor arguments must be numbers, text"):
        to_json(Mixed(value))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"type": "Rellu"}, "class 'Rellu' is unknown"),
        ({"type": "os.system"}, "class 'os.system' is unknown"),
        ({"type": None}, "class None is unknown"),
        ({"type": 5}, "class 5 is unknown"),
        ({"type": ["ReLU"]}, "is unknown"),
        ({"factor": 2}, "class None is unknown"),
        ({"type": "ReLU", "slope": 1}, "argument of ReLU 'slope' is unknown. Known: none."),
        ({"type": "Dropout", "probability": 7}, "[0, 1)"),
        ({"type": "Network", "layers": [5]}, "expected layers"),
        ({"type": "Network", "layers": [{"type": "Nope"}]}, "class 'Nope' is unknown"),
        ({"type": "Rescale"}, "'factor'"),
        ({"type": "Network", "layers": 5}, "layers"),
        ({"type": "Network", "in_shape": 5}, "expected the shape of one example, such as (784,), received 5"),
    ],
    ids=repr,
)
def test_a_file_that_lies(data, text):
    with pytest.raises((cr.ConfigurationError, cr.ShapeError)) as caught:
        from_json(data, KNOWN)
    assert text in str(caught.value)


@pytest.mark.parametrize(("name", "meant"), [("Rellu", "ReLU"), ("relu", "ReLU"), ("SDG", "SGD")])
def test_misspelt_classes_get_a_hint(name, meant):
    with pytest.raises(cr.ConfigurationError, match=f"Did you mean '{meant}'"):
        from_json({"type": name}, KNOWN)


def test_only_known_classes_are_made():
    with pytest.raises(cr.ConfigurationError, match="class 'Mixed' is unknown"):
        from_json(to_json(Mixed(1)), KNOWN)


def test_by_name():
    table = {"one": Mixed, "two": Many}
    assert isinstance(by_name("thing", "Two", table, Configurable), Many)
    thing = Many()
    assert by_name("thing", thing, table, Configurable) is thing
    with pytest.raises(cr.ConfigurationError, match=r"thing 'tow' is unknown. Did you mean 'two'\? Known: one, two."):
        by_name("thing", "tow", table, Configurable)


@pytest.mark.parametrize("value", [Many, None, 5, len, Mixed(1)], ids=repr)
def test_by_name_takes_names_and_objects_alone(value):
    with pytest.raises(cr.ConfigurationError) as caught:
        by_name("thing", value, {"two": Many}, Many)
    message = str(caught.value)
    assert message.startswith(f"thing: expected an object such as Many() or its name 'two', received {value!r}.")
    assert ("Add brackets" in message) == (value is Many)


@pytest.mark.parametrize(
    ("value", "interval", "whole", "good"),
    [
        (0, "[0, 1)", False, True),
        (0, "(0, 1)", False, False),
        (1, "[0, 1)", False, False),
        (1, "[0, 1]", False, True),
        (-0.0, "[0, 1)", False, True),
        (math.inf, "[0, inf)", False, False),
        (-math.inf, "(-inf, inf)", False, False),
        (math.nan, "(-inf, inf)", False, False),
        (10**400, "[1, inf)", True, True),
        (3.0, "[1, inf)", True, False),
        (True, "[0, 1]", False, False),
        (np.True_, "[0, 1]", False, False),
        ("1", "[0, 1]", False, False),
        (None, "[0, 1]", False, False),
        (1j, "[0, 1]", False, False),
        (np.ones(1), "[0, 1]", False, False),
        (np.float32(0.5), "[0, 1]", False, True),
        (np.int64(3), "[1, inf)", True, True),
    ],
    ids=repr,
)
def test_number(value, interval, whole, good):
    if good:
        plain = number("Thing", "size", value, interval, whole=whole)
        assert plain == value and type(plain) in (int, float)
        return
    kind = "a whole number" if whole else "a number"
    with pytest.raises(cr.ConfigurationError) as caught:
        number("Thing", "size", value, interval, whole=whole)
    assert str(caught.value).startswith(f"Thing: size must be {kind} in {interval}, received ")


def test_an_array_as_a_default():
    class Weighted(Configurable):
        def __init__(self, weights=np.ones(2)):  # noqa: B008
            self.weights = weights

    assert repr(Weighted()) == "Weighted()"
    assert "2." in repr(Weighted(np.array([1.0, 2.0])))
