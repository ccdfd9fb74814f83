"""BatchNorm at the smallest batches: two positions are enough, one is refused."""

import numpy as np
import pytest

import chainrule as cr


@pytest.mark.parametrize("shape", [(1, 5), (1, 1), (1, 1, 5)])
def test_one_position_alone_is_refused_in_training(shape):
    network = cr.Network(cr.BatchNorm(), in_shape=shape[1:])
    with pytest.raises(cr.ShapeError, match=r"expected at least 2 rows in training, received x of shape \(1, "):
        network.forward(np.ones(shape, "float32"), train=True)
    assert network(np.ones(shape)).shape == shape


@pytest.mark.parametrize("shape", [(2, 5), (1, 2, 5)])
def test_two_positions_become_minus_one_and_one(shape):
    network = cr.Network(cr.BatchNorm(epsilon=1e-12), in_shape=shape[1:], dtype="float64")
    x = np.arange(10.0).reshape(shape)
    y, _ = network.forward(x, train=True)
    np.testing.assert_allclose(y.reshape(2, 5), [[-1] * 5, [1] * 5])


def test_images_of_one_pixel_say_before_training_that_one_of_them_is_too_few():
    for shape, rows in (((5,), 2), ((1, 1, 5), 2), ((2, 1, 5), 1)):
        assert cr.Network(cr.BatchNorm(), in_shape=shape).layers[0].min_rows == rows


def test_of_images_every_channel_has_a_mean_and_a_variance_of_its_own():
    network = cr.Network(cr.BatchNorm(epsilon=1e-12), in_shape=(3, 2, 5), dtype="float64")
    x = np.random.default_rng(0).standard_normal((7, 3, 2, 5)) * np.arange(1, 6) + 10
    y, _ = network.layers[0].forward(x, train=True)
    np.testing.assert_allclose(y.mean(axis=(0, 1, 2)), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(axis=(0, 1, 2)), 1, rtol=1e-9)
    assert network.layers[0].running_mean.shape == (5,)
