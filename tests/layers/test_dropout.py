"""Dropout by numbers: who survives, how often, and how much larger."""

import numpy as np
import pytest

import chainrule as cr


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.75])
def test_survivors_are_scaled_up_so_that_the_mean_stays(probability):
    layer, x = cr.Dropout(probability), np.full((100, 200), 3.0)
    y, cache = layer.forward(x, train=True, rng=np.random.default_rng(0))
    np.testing.assert_allclose(y[y != 0], 3 / (1 - probability), rtol=1e-15)
    assert (y == 0).mean() == pytest.approx(probability, abs=0.01)
    assert y.mean() == pytest.approx(3, rel=0.02)
    np.testing.assert_array_equal(layer.backward(x, cache), y)
    np.testing.assert_array_equal(layer(x), x)
