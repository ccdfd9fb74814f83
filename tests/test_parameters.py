"""One vector for all parameters, and views into it that nothing can untie; parameters that are frozen."""

import copy

import numpy as np
import pytest

import chainrule as cr
from small_network import CE, X, Y, digest, make, rng

# One vector -----------------------------------------------------------------------------------------------------------


def test_the_table_of_parameters():
    network = make()
    table = {row.name: row for row in network.parameters}
    assert list(table) == ["0.0.W", "1.W", "0.0.b", "0.1.gamma", "0.1.beta", "1.b"]  # what decays lies first
    assert [row.decays for row in network.parameters] == [True, True, False, False, False, False]
    assert all(row.trainable for row in network.parameters)
    ends = np.cumsum([20, 15, 5, 5, 5, 3])
    assert [row.slice for row in network.parameters] == [slice(*pair) for pair in zip([0, *ends], ends, strict=False)]
    assert table["0.0.W"].shape == (4, 5) and table["0.0.W"].layer is network.layers[0].layers[0]
    assert [row.name for row in network.states] == ["0.1.running_mean", "0.1.running_variance"]
    assert network.params.size == network.grads.size == 53 and network.state.size == 10
    assert [layer.path for layer in network.layers[0].walk()] == ["0", "0.0", "0.1", "0.2"]


def test_every_array_is_a_view():
    network = make()
    network.params[:], network.grads[:] = np.arange(53), -np.arange(53)
    for row in network.parameters:
        array, gradient = getattr(row.layer, row.attribute), getattr(row.layer, f"d{row.attribute}")
        np.testing.assert_array_equal(array.ravel(), np.arange(53)[row.slice])
        np.testing.assert_array_equal(gradient.ravel(), -np.arange(53)[row.slice])
        assert np.shares_memory(array, network.params) and np.shares_memory(gradient, network.grads)


@pytest.mark.parametrize("name", ["W", "dW"])
def test_assignment_copies_into_the_view(name):
    network = make()
    layer, vector = network.layers[1], network.params if name == "W" else network.grads
    where = network.parameters[1].slice
    value = rng.standard_normal((5, 3))
    setattr(layer, name, value)
    np.testing.assert_array_equal(vector[where], value.ravel())
    value[:] = 0
    assert vector[where].any()  # a copy, not the array itself
    setattr(layer, name, np.ones((5, 3)).tolist())
    np.testing.assert_array_equal(vector[where], 1)


@pytest.mark.parametrize("name", ["W", "dW"])
@pytest.mark.parametrize("shape", [(3,), (1, 3), (5, 1), (3, 5), (15,), (), (1, 5, 3)], ids=str)
def test_assignment_never_broadcasts(name, shape):
    network = make()
    before = digest(network)
    with pytest.raises(cr.ShapeError) as caught:
        setattr(network.layers[1], name, np.zeros(shape))
    for text in ("Linear #1", f"{name} has shape (5, 3)", f"received {shape}", "Give an array of the same shape"):
        assert text in str(caught.value)
    assert digest(network) == before


def test_a_row_is_refused_for_a_matrix():
    network = cr.Network(cr.Linear(3, 4))
    with pytest.raises(cr.ShapeError, match=r"W has shape \(3, 4\), received \(4,\)"):
        network.layers[0].W = np.ones(4)


def test_in_place_operations_keep_the_link():
    network = make()
    layer, where = network.layers[1], network.parameters[1].slice
    expected = network.params[where].copy()
    layer.W += 1
    layer.W *= 2
    layer.W[...] -= 3
    layer.W[0, 0] = 7
    layer.dW += 5
    expected = (expected + 1) * 2 - 3
    expected[0] = 7
    np.testing.assert_array_equal(network.params[where], expected)
    np.testing.assert_array_equal(network.grads[where], 5)
    network.params -= 1
    network.grads *= 0
    np.testing.assert_array_equal(layer.W.ravel(), expected - 1)
    assert not layer.dW.any()


def test_assigning_the_vector_copies_into_it_too():
    network = make()
    network.params = network.params - 0.1 * np.ones(53)
    assert np.shares_memory(network.layers[1].W, network.params)
    with pytest.raises(cr.ShapeError):
        network.params = np.zeros(54)


# Freezing -------------------------------------------------------------------------------------------------------------


def test_freeze_and_unfreeze():
    network = make()

    def frozen():
        return {row.name for row in network.parameters if not row.trainable}

    network.freeze("0")
    assert frozen() == {"0.0.W", "0.0.b", "0.1.gamma", "0.1.beta"}
    assert network.trainable == [slice(20, 35), slice(50, 53)]
    network.unfreeze("0.1")
    assert frozen() == {"0.0.W", "0.0.b"}
    assert network.trainable == [slice(20, 35), slice(40, 53)]  # neighbours joined
    network.freeze("1.W", "1.b")
    assert frozen() == {"0.0.W", "0.0.b", "1.W", "1.b"}
    network.unfreeze()
    assert network.trainable == [slice(0, 53)]
    network.freeze()
    assert network.trainable == []
    with pytest.raises(cr.ConfigurationError, match=r"no parameter is named '2'. Known: 0.0.W, 1.W"):
        network.freeze("2")


def test_freezing_1_leaves_10_alone():
    network = cr.Network(*(cr.Linear(2, 2) for _ in range(11)))
    network.freeze("1")
    assert [row.name for row in network.parameters if not row.trainable] == ["1.W", "1.b"]


@pytest.mark.parametrize("optimizer", ["adam", cr.SGD(0.1, momentum=0.9)], ids=str)
def test_frozen_parameters_do_not_move(optimizer):
    network = make()
    trainer = cr.Trainer(network, CE, copy.deepcopy(optimizer), batch_size=8)
    trainer.fit(X, Y)  # momentum is under way
    before = network.params.copy()
    network.freeze("1")
    trainer.fit(X, Y)
    moved = {row.name for row in network.parameters if (network.params[row.slice] != before[row.slice]).any()}
    assert {"0.0.W", "0.1.gamma", "0.1.beta"} <= moved <= {"0.0.W", "0.0.b", "0.1.gamma", "0.1.beta"}


@pytest.mark.parametrize("names", [(), ("0",)])
def test_an_unbuilt_network_has_nothing_to_freeze_and_says_so(names):
    network = cr.Network(cr.Linear(out_features=3))
    for method in (network.freeze, network.unfreeze):
        with pytest.raises(cr.NotBuiltError, match="not built and has no parameters yet: fit it, or call build, first"):
            method(*names)
