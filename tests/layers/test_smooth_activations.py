"""Smooth activations and the error function: far ends, symmetries, arguments. How exact they are: test_accuracy.py."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.layers.erf import erf, normal_cdf


@pytest.fixture(autouse=True)
def _nothing_overflows():
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        yield


def test_the_two_forms_of_gelu_differ_by_as_much_as_the_docstring_says():
    z = np.linspace(-6, 6, 2001)
    difference = np.abs(cr.gelu(z) - cr.gelu(z, "tanh")).max()
    assert 4e-4 < difference < 5e-4


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "longdouble"])
def test_erf_and_the_normal_distribution_at_the_ends(dtype):
    z = np.array([-np.inf, -100, -0.0, 100, np.inf, np.nan], dtype)
    for function, expected in ((erf, [-1, -1, 0, 1, 1]), (normal_cdf, [0, 0, 0.5, 1, 1])):
        got = function(z)
        assert got.dtype == np.dtype(dtype)
        np.testing.assert_array_equal(got[:-1], np.array(expected, dtype))
        assert np.isnan(got[-1])
    assert np.signbit(erf(z)[2])
    np.testing.assert_array_equal(erf([[0.5], [-0.5]]), erf(np.array([[0.5], [-0.5]])))
    assert erf(0.5).shape == () and normal_cdf(3).shape == ()


def test_what_is_not_a_number_stays_so():
    for name in ("gelu", "silu", "elu", "softplus"):
        assert np.isnan(getattr(cr, name)(np.nan)) and np.isnan(getattr(cr, f"{name}_slope")(np.nan))


def test_symmetries():
    z = np.linspace(0, 30, 301)
    np.testing.assert_array_equal(erf(-z), -erf(z))
    np.testing.assert_allclose(normal_cdf(z) + normal_cdf(-z), 1, rtol=1e-15)
    for form in ("none", "tanh"):
        np.testing.assert_allclose(cr.gelu(z, form) - cr.gelu(-z, form), z, atol=1e-15)
        np.testing.assert_allclose(cr.gelu_slope(z, form) + cr.gelu_slope(-z, form), 1, rtol=1e-14)
    np.testing.assert_allclose(cr.silu(z) - cr.silu(-z), z, atol=1e-15)
    np.testing.assert_allclose(cr.softplus(z) - cr.softplus(-z), z, atol=1e-14)


def test_an_alpha_of_its_own():
    z = np.array([-2.0, -0.5, 0.0, 3.0])
    np.testing.assert_allclose(cr.elu(z, 0.3), np.where(z > 0, z, 0.3 * np.expm1(z)))
    np.testing.assert_array_equal(cr.elu(np.array([-np.inf, 2]), 0.0), [0, 2])


@pytest.mark.parametrize("form", ["tahn", "sigmoid", None, True])
def test_an_unknown_form_of_gelu_is_refused(form):
    for make in (cr.GELU, lambda form: cr.gelu(1.0, form), lambda form: cr.gelu_slope(1.0, form)):
        with pytest.raises(cr.ConfigurationError, match=r"approximate .* is unknown.*Known: none, tanh"):
            make(form)


@pytest.mark.parametrize("alpha", [-1, np.inf, np.nan, "1"])
def test_an_alpha_out_of_range_is_refused(alpha):
    with pytest.raises(cr.ConfigurationError, match="ELU: alpha"):
        cr.ELU(alpha)


@pytest.mark.parametrize(
    ("activation", "rule"),
    [
        *((name, "he") for name in ("relu", "leaky_relu", "gelu", "silu", "elu", "softplus")),
        *((name, "glorot") for name in ("identity", "sigmoid", "tanh", "softmax")),
    ],
)
def test_the_weights_behind_an_activation(activation, rule):
    assert {layer.initializer for layer in cr.MLP([3, 4, 2], activation).layers[::2]} == {rule}
