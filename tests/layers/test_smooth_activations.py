"""Smooth activations and the error function against mpmath, in units of the last place, over all floats."""

import math

import mpmath
import numpy as np
import pytest

import chainrule as cr
from chainrule.layers.erf import FAR, NEAR, erf, normal_cdf, normal_density

RNG = np.random.default_rng(0)
SUBNORMALS = [5e-324, 1e-310, 2.2e-308]
EDGES = [*SUBNORMALS, 1e-300, 1e-8, NEAR, NEAR * math.sqrt(2), FAR, FAR * math.sqrt(2), 1e4, 1e30, 1.7e308]
GRID = np.concatenate(
    [
        [0.0, -0.0],
        *[[edge, -edge, np.nextafter(edge, 0), np.nextafter(edge, np.inf)] for edge in EDGES],
        np.linspace(-7, 7, 281),
        RNG.uniform(-1.5, 1.5, 400),
        RNG.uniform(-40, 9, 300),
        RNG.uniform(-750, 750, 200),
    ]
)


@pytest.fixture(autouse=True)
def _nothing_overflows():
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        yield


@pytest.fixture(autouse=True)
def _sixty_digits():
    with mpmath.workdps(60):
        yield


def exp(z):
    """e^z, but nothing where it is too small for any float to notice: mpmath knows no smallest number."""
    return mpmath.exp(z) if z > -2000 else mpmath.mpf(0)


def tanh_gelu(z):
    return z / (1 + exp(-mpmath.sqrt(8 / mpmath.pi) * (z + mpmath.mpf("0.044715") * z**3))) if z > -100 else z * 0


# name -> (ours, exact, most units in the last place by which it may be off); measured 1.2, 4.5, 19, 3.5, 0.5, 1.3
EXACT = {
    "erf": (erf, mpmath.erf, 2),
    "normal_cdf": (normal_cdf, lambda z: mpmath.ncdf(z) if z > -100 else z * 0, 6),
    "gelu": (cr.gelu, lambda z: z * mpmath.ncdf(z) if z > -100 else z * 0, 32),
    "silu": (cr.silu, lambda z: z * exp(z) / (1 + exp(z)) if z < 0 else z / (1 + exp(-z)), 4),
    "elu": (cr.elu, lambda z: z if z > 0 else mpmath.expm1(z) if z > -2000 else mpmath.mpf(-1), 4),
    "softplus": (cr.softplus, lambda z: max(z, 0) + mpmath.log1p(exp(-abs(z))), 4),
}


@pytest.mark.parametrize("name", EXACT)
def test_accuracy_against_mpmath(name):
    ours, exact, bar = EXACT[name]
    for z, got in zip(GRID.tolist(), ours(GRID).tolist(), strict=True):
        want = exact(mpmath.mpf(z))
        error = abs(mpmath.mpf(got) - want) / mpmath.mpf(math.ulp(float(want)))
        assert error <= bar, (z, got, float(error))


SLOPES = {
    "gelu": lambda z: mpmath.ncdf(z) + z * mpmath.npdf(z),
    "silu": lambda z: mpmath.diff(lambda t: t / (1 + mpmath.exp(-t)), z),
    "elu": lambda z: 1 if z > 0 else mpmath.exp(z),
    "softplus": lambda z: 1 / (1 + mpmath.exp(-z)),
}


@pytest.mark.parametrize("name", SLOPES)
def test_slopes_against_mpmath(name):
    """Where a slope passes through 0 it has few digits of its own: the bar is relative to 1."""
    z = np.linspace(-30, 30, 121)
    np.testing.assert_allclose(
        getattr(cr, f"{name}_slope")(z), [float(SLOPES[name](mpmath.mpf(t))) for t in z.tolist()], rtol=0, atol=5e-16
    )


def test_the_density_is_the_slope_of_the_cdf():
    z = np.linspace(-37, 37, 149)
    np.testing.assert_allclose(normal_density(z), [float(mpmath.npdf(t)) for t in z.tolist()], rtol=1e-15)


def test_the_tanh_form_of_gelu():
    """Its exponent, up to 700, is rounded: hence digits are lost far to the left, where the values are tiny."""
    z = GRID[np.abs(GRID) < 30]
    want = np.array([float(tanh_gelu(mpmath.mpf(t))) for t in z.tolist()])
    normal = np.abs(want) > np.finfo(float).tiny
    np.testing.assert_allclose(cr.gelu(z, "tanh")[normal], want[normal], rtol=5e-13)
    np.testing.assert_allclose(cr.gelu(z, "tanh"), want, rtol=0, atol=3e-16 * np.maximum(1, np.abs(z)).max())
    slopes = [float(mpmath.diff(tanh_gelu, mpmath.mpf(t))) for t in np.linspace(-9, 9, 73).tolist()]
    np.testing.assert_allclose(cr.gelu_slope(np.linspace(-9, 9, 73), "tanh"), slopes, rtol=0, atol=2e-15)
    ends = np.array([-np.inf, -1.7e308, 1.7e308, np.inf])
    np.testing.assert_array_equal(cr.gelu(ends, "tanh"), [0, 0, 1.7e308, np.inf])
    np.testing.assert_array_equal(cr.gelu_slope(ends, "tanh"), [0, 0, 1, 1])


def test_the_two_forms_of_gelu_differ_by_as_much_as_the_docstring_says():
    z = np.linspace(-6, 6, 2001)
    difference = np.abs(cr.gelu(z) - cr.gelu(z, "tanh")).max()
    assert 4e-4 < difference < 5e-4


@pytest.mark.parametrize("name", EXACT)
def test_float32_loses_no_more_than_its_own_rounding(name):
    """erf and GELU are computed in float64 and rounded once or twice."""
    z = np.linspace(-12, 12, 961, dtype=np.float32)
    got = EXACT[name][0](z)
    assert got.dtype == np.float32
    want = np.array([float(EXACT[name][1](mpmath.mpf(t))) for t in z.tolist()])
    np.testing.assert_allclose(got, want, rtol=7e-7)


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
