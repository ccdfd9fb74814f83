"""Normalization within rows: where epsilon stands, what changes nothing, and rows on which it could fail."""

import numpy as np
import pytest

import chainrule as cr

BOTH = [cr.LayerNorm, cr.RMSNorm]


def built(layer, D=5):
    layer.build((D,), np.random.default_rng(0))
    return layer


def rows(dtype="float64"):
    return np.random.default_rng(1).standard_normal((7, 5)).astype(dtype)


@pytest.fixture(autouse=True)
def _nothing_overflows():
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        yield


def test_epsilon_stands_inside_the_root():
    x = np.array([[-3.0, 3.0]])  # mean 0, variance and mean square 9
    for norm in BOTH:
        np.testing.assert_allclose(built(norm(epsilon=16.0), 2)(x), x / 5, rtol=1e-15)


def test_a_row_comes_out_with_mean_0_and_variance_1():
    y = built(cr.LayerNorm(1e-12))(3 + 2 * rows())
    np.testing.assert_allclose(y.mean(axis=-1), 0, atol=1e-15)
    np.testing.assert_allclose(y.var(axis=-1), 1, rtol=1e-10)
    np.testing.assert_allclose((built(cr.RMSNorm(1e-12))(3 + 2 * rows()) ** 2).mean(axis=-1), 1, rtol=1e-10)


def test_a_shift_or_a_stretch_of_a_row_changes_nothing():
    x, by_row = rows(), np.arange(1.0, 8.0)[:, None]
    for norm, shift in ((cr.LayerNorm, 10 * by_row), (cr.RMSNorm, 0)):
        layer = built(norm(1e-12))
        np.testing.assert_allclose(layer(x * by_row + shift), layer(x), rtol=1e-9)


def test_rows_far_from_0_keep_their_digits_in_float32():
    """The mean of x^2 less the square of the mean would leave nothing of a variance of 1 beside 10^8."""
    layer, x = built(cr.LayerNorm()), rows("float32") + np.float32(10_000)
    layer.gamma, layer.beta = layer.gamma.astype("float32"), layer.beta.astype("float32")
    np.testing.assert_allclose(layer(x), built(cr.LayerNorm())(x.astype("float64")), atol=2e-3)


@pytest.mark.parametrize("norm", BOTH)
@pytest.mark.parametrize("row", [[0.0] * 5, [1e-30, 0, 0, 0, 0]], ids=["zeros", "nearly zeros"])
def test_rows_without_size_stay_so(norm, row):
    layer = built(norm())
    y, cache = layer.forward(np.array([row]))
    np.testing.assert_allclose(y, 0, atol=1e-25)
    assert np.isfinite(layer.backward(np.ones((1, 5)), cache)).all()


def test_a_constant_row_is_centred_away():
    np.testing.assert_array_equal(built(cr.LayerNorm())(np.full((1, 5), 7.0)), 0)


@pytest.mark.parametrize("norm", BOTH)
def test_one_row_is_enough_to_train(norm):
    network = cr.Network(cr.Linear(5, 5), norm(), cr.Linear(5, 2))
    before = network.layers[1].gamma.copy()
    cr.Trainer(network, "cross_entropy", "sgd", batch_size=1).fit(rows(), np.arange(7) % 2)
    assert (network.layers[1].gamma != before).all()


@pytest.mark.parametrize("norm", BOTH)
@pytest.mark.parametrize("epsilon", [0, -1e-5, np.inf, "1e-5"])
def test_an_epsilon_out_of_range_is_refused(norm, epsilon):
    with pytest.raises(cr.ConfigurationError, match=f"{norm.__name__}: epsilon"):
        norm(epsilon)
