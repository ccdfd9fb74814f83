"""What stands in front of a network: statistics of the training data alone, kept with the network, and safe numbers."""

import pickle

import numpy as np
import pytest

import chainrule as cr

rng = np.random.default_rng(0)
X = rng.standard_normal((50, 3)) * [1, 1000, 1e-3] + [0, 5, -7]
Y = np.arange(50) % 2


def test_standardize_is_mean_zero_and_deviation_one():
    network = cr.Network(cr.Standardize(), in_shape=(3,), dtype="float64")
    np.testing.assert_array_equal(network(X), X)  # before adapt it changes nothing
    network.adapt(X)
    np.testing.assert_allclose(network(X).mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(network(X).std(axis=0), 1, rtol=1e-3)
    np.testing.assert_allclose(network(X), (X - X.mean(axis=0)) / X.std(axis=0), rtol=1e-12)
    assert network.layers[0].rows_seen == 50


def test_the_trainer_adapts_once_with_the_training_inputs():
    network = cr.Network(cr.Rescale(2.0), cr.Standardize(), cr.Linear(3, 2), dtype="float64")
    trainer = cr.Trainer(network, "cross_entropy")
    trainer.fit(X, Y, validation=(X + 100, Y))
    statistics = network.state.copy()
    np.testing.assert_allclose(network.layers[1].mean, 2 * X.mean(axis=0))  # of what reaches it, not of x
    np.testing.assert_allclose(network.layers[1].deviation, 2 * X.std(axis=0))
    trainer.fit(X + 50, Y)
    cr.Trainer(network, "cross_entropy").fit(X - 50, Y)  # a loaded or trained network keeps what it learned
    np.testing.assert_array_equal(network.state, statistics)


def test_statistics_travel_with_the_network():
    network = cr.Network(cr.Standardize(), cr.Linear(3, 2), output="softmax")
    cr.Trainer(network, "cross_entropy").fit(X, Y)
    for other in (pickle.loads(pickle.dumps(network)), network.copy()):
        np.testing.assert_array_equal(other(X), network(X))
    fresh = network.layers[0].clone()
    assert not hasattr(fresh, "mean")


def test_a_two_step_standardization_of_two_layers():
    network = cr.Network(cr.Standardize(), cr.Rescale(3.0), cr.Standardize(), cr.Linear(3, 2), dtype="float64")
    network.adapt(X)
    np.testing.assert_allclose(network.layers[2].deviation, 3, rtol=1e-3)


def test_images_share_the_statistics_of_a_channel():
    x = rng.uniform(0, 255, (20, 5, 7, 2)).astype(np.uint8)
    network = cr.Network(cr.Standardize(), in_shape=(5, 7, 2))
    network.adapt(x)
    np.testing.assert_allclose(network.layers[0].mean, x.reshape(-1, 2).mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(network(x).reshape(-1, 2).std(axis=0), 1, rtol=1e-4)


def test_float32_statistics_of_far_away_numbers():
    x = (1e6 + rng.standard_normal((10_000, 1))).astype(np.float32)
    network = cr.Network(cr.Standardize(), in_shape=(1,))
    network.adapt(x)
    assert network.layers[0].deviation == pytest.approx(1, rel=0.02)
    assert network(x).std() == pytest.approx(1, rel=0.02)


def test_pieces_of_any_length_are_joined_as_if_they_were_one():
    """Their means lie far apart: how far the pieces are from each other is most of the deviation."""
    pieces = [X[:1], X[1:4] + 10, X[4:30] - 100, X[30:] * 3]
    layer = cr.Standardize()
    layer.build((3,), np.random.default_rng(0))
    layer.adapt(pieces)
    whole = np.concatenate(pieces)
    np.testing.assert_allclose(layer.mean, whole.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(layer.deviation, whole.std(axis=0), rtol=1e-12)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e30, -7.0])
def test_a_constant_feature_becomes_zero(value):
    network = cr.Network(cr.Standardize(), in_shape=(1,))
    network.adapt(np.full((33, 1), value))
    np.testing.assert_array_equal(network(np.full((4, 1), value)), 0)


def test_a_feature_constant_in_training_may_move_in_use():
    network = cr.Network(cr.Standardize(), in_shape=(2,))
    network.adapt(np.array([[0, 0], [0, 255]]))
    assert np.abs(network(np.array([[1, 0], [255, 0]]))).max() <= 255


def test_rescale():
    x = np.array([[0, 51, 255]], np.uint8)
    y, cache = cr.Rescale(1 / 255).forward(x.astype(np.float32))
    assert y.dtype == np.float32 and cache == ()
    np.testing.assert_allclose(y, [[0, 0.2, 1]], rtol=1e-6)
    np.testing.assert_array_equal(cr.Rescale(-2.0).backward(np.ones((1, 3)), ()), -2)
    assert cr.MLP([3, 2], scale=1 / 255).layers[0].factor == 1 / 255


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), "1/255", None, True])
def test_refused(bad):
    with pytest.raises(cr.ConfigurationError, match="Rescale: factor must be a number"):
        cr.Rescale(bad)


def test_a_constant_that_has_no_exact_binary_form_is_constant_too():
    layer = cr.Standardize()
    layer.build((1,), np.random.default_rng(0))
    layer.adapt([np.full((1000, 1), 0.1)])
    np.testing.assert_allclose(layer(np.array([[0.1], [0.2]])), [[0.0], [0.1]], atol=1e-12)
