"""Building a network, at once or late, once only, and copying it: equal, bound and independent."""

import copy
import pickle

import numpy as np
import pytest

import chainrule as cr
from small_network import CE, X, Y, digest, make

# Building -------------------------------------------------------------------------------------------------------------


def test_deferred_build_is_the_same_network():
    late = cr.Network(cr.Linear(out_features=5), cr.ReLU(), cr.Linear(out_features=3), seed=2)
    assert (late.params.size, late.parameters, late.in_shape, late.out_shapes) == (0, [], None, ())
    for use in (late, late.predict, late.predict_proba, lambda x: late.trace(x, Y, CE), lambda x: late.accuracy(x, Y)):
        with pytest.raises(cr.NotBuiltError, match=r"not built.*Linear\(784, 128\).*in_shape=\(784,\).*fit"):
            use(X)
    early = cr.MLP([4, 5, 3], seed=2)
    history = [cr.Trainer(network, CE).fit(X, Y)["loss"] for network in (late, early)]
    assert history[0] == history[1] and digest(late) == digest(early)
    assert (late.in_shape, late.out_shapes) == ((4,), ((5,), (5,), (3,)))


def test_build_twice_is_refused():
    network = make()
    before = digest(network)
    with pytest.raises(cr.ConfigurationError, match=r"built already, for examples of shape \(4,\)"):
        network.build((4,))
    assert digest(network) == before


def test_widths_that_do_not_fit():
    with pytest.raises(cr.ShapeError) as caught:
        cr.Network(cr.Linear(4, 64), cr.ReLU(), cr.Dropout(), cr.Linear(128, 10))
    assert str(caught.value) == (
        "Linear #3 (128 -> 10): expected x of shape (N, 128), received (N, 64). The layer before gives 64 features: "
        "change its width or this layer's input."
    )


@pytest.mark.parametrize(
    "layers",
    [
        lambda one: (one, cr.ReLU(), one),
        lambda one: (cr.Chain(one, cr.ReLU()), one),
        lambda one: (cr.Chain(cr.Chain(one), cr.Chain(cr.Tanh(), one)),),
    ],
    ids=["twice", "inside and outside", "inside twice"],
)
def test_a_layer_in_two_places_is_refused(layers):
    with pytest.raises(cr.ConfigurationError, match=r"Linear\(4, 4\) stands in two places.*layer\.clone\(\)"):
        cr.Network(*layers(cr.Linear(4, 4)), in_shape=(4,))


def test_a_second_network_does_not_destroy_the_first():
    first = cr.MLP([4, 5, 3])
    before, answer = digest(first), first(X)
    with pytest.raises(cr.ConfigurationError, match=r"Linear #0, .*another network already.*copy\.deepcopy.*clone\(\)"):
        cr.Network(*first.layers[:-1], cr.Linear(5, 7), seed=9)
    assert digest(first) == before
    np.testing.assert_array_equal(first(X), answer)
    second = cr.Network(*copy.deepcopy(first.layers[:-1]), cr.Linear(5, 7), seed=9)
    np.testing.assert_array_equal(second.layers[0].W, first.layers[0].W)
    second.params += 1
    assert digest(first) == before


@pytest.mark.parametrize(
    "layer", [cr.Standardize, cr.ReLU, lambda: cr.Linear(out_features=4)], ids=["state", "nothing", "unbuilt"]
)
def test_a_layer_without_weights_belongs_to_one_network_too(layer):
    """It would be renumbered in the first, or share its statistics with it."""
    shared = layer()
    first = cr.Network(shared, cr.Linear(out_features=3))
    with pytest.raises(cr.ConfigurationError, match="another network already"):
        cr.Network(cr.Rescale(2.0), shared, cr.Linear(4, 3))
    assert first.summary().splitlines()[2].startswith("0  ")
    del first
    cr.Network(shared, cr.Linear(4, 3), in_shape=(4,))  # nobody is torn apart any more


def test_a_network_that_could_not_be_made_keeps_no_layer():
    layer = cr.Linear(4, 5)
    with pytest.raises(cr.ShapeError):
        cr.Network(layer, cr.Linear(7, 3))
    cr.Network(layer, cr.Linear(5, 3))


def test_a_layer_filled_by_hand_with_a_view_is_taken_in():
    layer = cr.Linear(4, 3)
    layer.W, layer.b = np.arange(12.0).reshape(4, 3), np.zeros(6)[::2]
    np.testing.assert_array_equal(cr.Network(layer, dtype="float64").params[:12], np.arange(12))


@pytest.mark.parametrize(
    ("in_shape", "text"),
    [
        (4, "Network: expected the shape of one example, such as (784,), received 4."),
        ("784", "Network: expected the shape of one example, such as (784,), received '784'."),
        ((), "Network: expected the shape of one example, such as (784,), received ()."),
        ((4.5,), "Network: in_shape must be a whole number in [1, inf), received 4.5."),
        ((None, 4), "Network: in_shape must be a whole number in [1, inf), received None."),
        ((0,), "Network: in_shape must be a whole number in [1, inf), received 0."),
    ],
    ids=repr,
)
def test_in_shape_is_checked(in_shape, text):
    late = cr.Network(cr.Linear(out_features=3))
    for build in (lambda: cr.Network(cr.Linear(out_features=3), in_shape=in_shape), lambda: late.build(in_shape)):
        with pytest.raises((cr.ShapeError, cr.ConfigurationError)) as caught:
            build()
        assert str(caught.value).startswith(text)
    late.build((4,))


def test_seeds_and_dtypes():
    def start(**options):
        return cr.MLP([4, 5, 3], **options).params

    np.random.seed(0)  # noqa: NPY002 - the global generator must not matter, nor be touched
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    np.testing.assert_array_equal(start(), start(seed=0))
    assert not np.array_equal(start(), start(seed=1))
    np.testing.assert_array_equal(start(), start(dtype="float64").astype(np.float32))
    cr.Trainer(make(), CE, batch_size=8).fit(X, Y)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_the_printed_network_is_the_network():
    for network in (
        cr.MLP([4, 5, 3], "tanh", scale=0.5, output="softmax", class_names=["a", "b", "c"], seed=3, dtype="float64"),
        cr.Network(cr.Flatten(), cr.Linear(out_features=3, bias=0.5), in_shape=(2, 2)),
        cr.Network(cr.Linear(out_features=3)),
    ):
        again = eval(repr(network), vars(cr).copy())
        assert repr(again) == repr(network) and again.config().keys() == network.config().keys()
        assert digest(again) == digest(network)


def test_class_names_are_kept_as_text():
    assert cr.MLP([4, 3], class_names=np.array(["a", "b", "c"])).class_names == ("a", "b", "c")
    assert cr.MLP([4, 3], class_names=range(3)).class_names == ("0", "1", "2")


@pytest.mark.parametrize("names", [["a", "b"], ["a", "a", "b"], "abc"], ids=repr)
def test_class_names_must_fit(names):
    with pytest.raises(cr.ConfigurationError, match="class_names"):
        cr.MLP([4, 3], class_names=names)


# Copies ---------------------------------------------------------------------------------------------------------------

COPIES = {
    "pickle": lambda network: pickle.loads(pickle.dumps(network)),
    "deepcopy": copy.deepcopy,
    "copy.copy": copy.copy,
    "copy": lambda network: network.copy(),
    "astype": lambda network: network.astype("float64"),
}


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
def test_copies_are_equal_bound_and_independent(copied):
    network = make(class_names=["a", "b", "c"], seed=5)
    cr.Trainer(network, CE).fit(X, Y)
    network.freeze("1.W")
    other, before, answer = copied(network), digest(network), network(X)
    assert repr(other) == repr(network)
    assert digest(other) == before and (other.output, other.class_names) == ("softmax", ("a", "b", "c"))
    assert [row[:1] + row[2:] for row in other.parameters] == [row[:1] + row[2:] for row in network.parameters]
    for row in other.parameters + other.states:
        vector = other.params if row in other.parameters else other.state
        assert np.shares_memory(getattr(row.layer, row.attribute), vector)
    cr.Trainer(other, CE).fit(X, Y)
    other.state += 1
    assert digest(network) == before != digest(other)
    np.testing.assert_array_equal(network(X), answer)


def test_astype():
    network = make("float64")
    small = network.astype("float32")
    assert (small.params.dtype, small.state.dtype, small.grads.dtype, small(X).dtype) == (np.float32,) * 4
    np.testing.assert_allclose(small(X), network(X), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(small.astype("float64").astype("float32").params, small.params)
    with pytest.raises(cr.ConfigurationError, match=r"float32.*float64.*int32"):
        network.astype("int32")


def test_unbuilt_networks_are_copied_too():
    network = cr.Network(cr.Linear(out_features=3), seed=4)
    for copied in COPIES.values():
        other = copied(network)
        other.build((4,))
        assert other.params.size == 15 and network.out_shapes == ()


def test_an_mlp_with_dropout_has_it_behind_every_hidden_activation_and_the_same_start():
    network = cr.MLP([4, 5, 6, 3], "tanh", dropout=0.2)
    kinds = [type(layer).__name__ for layer in network.layers]
    assert kinds == ["Linear", "Tanh", "Dropout", "Linear", "Tanh", "Dropout", "Linear"]
    assert {layer.probability for layer in network.layers if isinstance(layer, cr.Dropout)} == {0.2}
    plain = cr.MLP([4, 5, 6, 3], "tanh")
    np.testing.assert_array_equal(network.params, plain.params)
    assert not any(isinstance(layer, cr.Dropout) for layer in plain.layers)
    with pytest.raises(cr.ConfigurationError, match=r"probability must be a number in \[0, 1\)"):
        cr.MLP([4, 5, 3], dropout=1.0)
