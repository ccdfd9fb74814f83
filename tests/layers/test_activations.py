"""Activations: slopes against differences, both at the far ends of the numbers, every dtype, layers and functions."""

import decimal

import numpy as np
import pytest

import chainrule as cr
from chainrule.layers import ACTIVATIONS

FUNCTIONS = {
    "identity": (cr.identity, cr.identity_slope),
    "relu": (cr.relu, cr.relu_slope),
    "leaky_relu": (cr.leaky_relu, cr.leaky_relu_slope),
    "sigmoid": (cr.sigmoid, cr.sigmoid_slope),
    "tanh": (cr.tanh, cr.tanh_slope),
    "gelu": (cr.gelu, cr.gelu_slope),
    "silu": (cr.silu, cr.silu_slope),
    "elu": (cr.elu, cr.elu_slope),
    "softplus": (cr.softplus, cr.softplus_slope),
}
ENDS = {  # name -> values and slopes at -inf, -1e30, 0, 1e30, inf
    "identity": ([-np.inf, -1e30, 0, 1e30, np.inf], [1, 1, 1, 1, 1]),
    "relu": ([0, 0, 0, 1e30, np.inf], [0, 0, 0, 1, 1]),
    "leaky_relu": ([-np.inf, -1e28, 0, 1e30, np.inf], [0.01, 0.01, 0.01, 1, 1]),
    "sigmoid": ([0, 0, 0.5, 1, 1], [0, 0, 0.25, 0, 0]),
    "tanh": ([-1, -1, 0, 1, 1], [0, 0, 1, 0, 0]),
    "gelu": ([0, 0, 0, 1e30, np.inf], [0, 0, 0.5, 1, 1]),
    "silu": ([0, 0, 0, 1e30, np.inf], [0, 0, 0.5, 1, 1]),
    "elu": ([-1, -1, 0, 1e30, np.inf], [0, 0, 1, 1, 1]),
    "softplus": ([0, 0, np.log(2), 1e30, np.inf], [0, 0, 0.5, 1, 1]),
}
FLOATS = ["float16", "float32", "float64", "longdouble"]
each_function = pytest.mark.parametrize("name", FUNCTIONS)


@pytest.fixture(autouse=True)
def _nothing_overflows():
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        yield


def test_softmax_against_fractions_of_decimals():
    rng = np.random.default_rng(0)
    for row in 10 * rng.standard_normal((20, 7)):
        with decimal.localcontext(prec=60):
            powers = [decimal.Decimal(z).exp() for z in row.tolist()]
            want = [power / sum(powers) for power in powers]
        np.testing.assert_allclose(cr.softmax(row), [float(w) for w in want], rtol=2e-14)


@each_function
def test_slope_is_the_numerical_slope(name):
    function, slope = FUNCTIONS[name]
    z = np.random.default_rng(1).uniform(0.05, 6, 101) * np.resize([1, -1], 101)  # away from the kink at 0
    h = 1e-3
    numerical = (8 * (function(z + h) - function(z - h)) - (function(z + 2 * h) - function(z - 2 * h))) / (12 * h)
    np.testing.assert_allclose(slope(z), numerical, rtol=1e-9, atol=1e-11)


def test_softmax_slope_is_the_numerical_jacobian():
    z, h = np.random.default_rng(2).standard_normal((3, 5)), 1e-3
    jacobian = cr.softmax_slope(z)
    assert jacobian.shape == (3, 5, 5)
    for j in range(5):
        step = h * np.eye(5)[j]
        near, far = (cr.softmax(z + k * step) - cr.softmax(z - k * step) for k in (1, 2))
        np.testing.assert_allclose(jacobian[:, :, j], (8 * near - far) / (12 * h), rtol=1e-9, atol=1e-11)


@each_function
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_and_slopes_at_the_ends(name, dtype):
    z = np.array([-np.inf, -1e30, 0, 1e30, np.inf], dtype)
    for function, expected in zip(FUNCTIONS[name], ENDS[name], strict=True):
        np.testing.assert_allclose(function(z), np.array(expected, dtype), rtol=1e-6)


@each_function
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_largest_numbers_of_every_dtype(name, dtype):
    function, slope = FUNCTIONS[name]
    z = np.array([-np.finfo(dtype).max, np.finfo(dtype).max])
    assert np.isfinite(function(z)).all()
    if name != "tanh":  # below
        assert np.isfinite(slope(z)).all()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_tanh_slope_of_the_largest_number(dtype):
    np.testing.assert_array_equal(cr.tanh_slope(np.array([np.finfo(dtype).max])), 0)


def test_a_leak_of_zero_is_a_relu():
    z = np.array([-2.0, np.inf])
    np.testing.assert_array_equal(cr.leaky_relu(z, 0.0), cr.relu(z))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ([1e30, 0, -1e30], [1, 0, 0]),
        ([-1e30, -1e30], [0.5, 0.5]),
        ([1e30, 1e30, 1e30, 1e30], [0.25] * 4),
        ([-np.inf, 0], [0, 1]),
        ([-np.inf, 3, 3, -np.inf], [0, 0.5, 0.5, 0]),
        ([7], [1]),
    ],
)
def test_softmax_at_the_ends(row, expected, dtype):
    z = np.array([row], dtype)
    np.testing.assert_array_equal(cr.softmax(z), np.array([expected], dtype))
    np.testing.assert_allclose(cr.softmax_slope(z).sum(axis=-1), 0, atol=1e-7)


def test_softmax_rows_sum_to_one_and_a_shift_changes_nothing():
    z = 20 * np.random.default_rng(3).standard_normal((7, 3, 11))
    np.testing.assert_allclose(cr.softmax(z).sum(axis=-1), 1, rtol=1e-14)
    np.testing.assert_allclose(cr.softmax(z + 1024.0), cr.softmax(z), rtol=1e-11)
    assert (cr.softmax(z).argmax(-1) == z.argmax(-1)).all()


def test_at_the_kink():
    assert cr.relu_slope(0.0) == 0 and cr.relu_slope(-0.0) == 0
    assert cr.elu_slope(0.0) == 1 and cr.elu_slope(-0.0, 0.3) == 0.3
    assert cr.leaky_relu_slope(0.0) == 0.01 and cr.leaky_relu_slope(0.0, 0.3) == 0.3
    for layer, at_zero in ((cr.ReLU(), 0), (cr.LeakyReLU(0.3), 0.3), (cr.ELU(0.3), 0.3)):
        _, cache = layer.forward(np.zeros((1, 1)))
        assert layer.backward(np.ones((1, 1)), cache) == at_zero


def test_symmetries():
    z = np.linspace(0, 30, 61)
    np.testing.assert_allclose(cr.sigmoid(z) + cr.sigmoid(-z), 1, rtol=1e-15)
    np.testing.assert_array_equal(cr.sigmoid_slope(z), cr.sigmoid_slope(-z))
    np.testing.assert_array_equal(cr.tanh(z), -cr.tanh(-z))
    np.testing.assert_allclose(cr.tanh(z), 2 * cr.sigmoid(2 * z) - 1, rtol=1e-15, atol=1e-15)


@each_function
@pytest.mark.parametrize("dtype", FLOATS)
def test_float_types_are_kept(name, dtype):
    for function in (*FUNCTIONS[name], cr.softmax, cr.softmax_slope):
        assert function(np.array([[-1.5, 0, 2]], dtype)).dtype == np.dtype(dtype)


@each_function
def test_whole_numbers_lists_and_scalars(name):
    function, slope = FUNCTIONS[name]
    for f in (function, slope):
        expected = f(np.array([-2.0, 0.0, 3.0]))
        np.testing.assert_array_equal(f(np.array([-2, 0, 3])), expected)
        np.testing.assert_array_equal(f([-2, 0, 3]), expected)
        np.testing.assert_array_equal(f(np.array([0, 3], np.uint8)), expected[1:])
        for scalar in (3, 3.0, np.float64(3), np.array(3.0)):
            assert np.shape(f(scalar)) == () and f(scalar) == expected[-1]


@each_function
def test_the_argument_is_left_as_it_is(name):
    z = np.linspace(-3, 3, 7)
    z.flags.writeable = False
    for function in (*FUNCTIONS[name], cr.softmax, cr.softmax_slope):
        function(z)
    np.testing.assert_array_equal(z, np.linspace(-3, 3, 7))


@each_function
def test_the_layer_is_the_function(name):
    function, slope = FUNCTIONS[name]
    layer = ACTIVATIONS[name]
    x, dy = np.random.default_rng(4).standard_normal((2, 5, 3))
    x[0, 0], x[1, 1], x[2, 2] = -np.inf, 1e30, np.inf
    y, cache = layer().forward(x)
    np.testing.assert_array_equal(y, function(x))
    np.testing.assert_allclose(layer().backward(dy, cache), dy * slope(x), rtol=1e-13)
