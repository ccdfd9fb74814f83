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
