"""Activations and slopes against sixty digits of mpmath, in units of the last place, over all floats of two dtypes."""

import math

import mpmath
import numpy as np
import pytest
from mpmath import mpf

import chainrule as cr
from chainrule.layers.erf import FAR, LAST, NEAR, erf, normal_cdf, normal_density


@pytest.fixture(autouse=True)
def _exactly_and_without_overflow():
    with mpmath.workdps(60), np.errstate(over="raise", divide="raise", invalid="raise"):
        yield


def grid(dtype: str) -> np.ndarray:
    """Zeros, subnormals, the largest numbers, both sides of every border in the code, and chance in between."""
    limits, rng = np.finfo(dtype), np.random.default_rng(0)
    last = float(np.log(limits.max))  # where e^z ends
    borders = [NEAR, NEAR * math.sqrt(2), FAR, FAR * math.sqrt(2), LAST, 64, last, 1e4]
    ends = [0, limits.smallest_subnormal, 3 * limits.smallest_subnormal, limits.tiny, 1e-30, 1e-8, 1e30, limits.max]
    near = [np.nextafter(np.asarray(borders, dtype), np.asarray(end, dtype)) for end in (0, np.inf)]
    chance = [rng.uniform(-most, most, n) for most, n in ((1.5, 100), (15, 100), (1.06 * last, 150))]
    z = np.concatenate([np.concatenate([ends, borders, *chance]).astype(dtype), *near, np.linspace(-8, 8, 65)])
    z = z.astype(dtype)
    return np.unique(np.concatenate([z, -z]))


# The formulas ---------------------------------------------------------------------------------------------------------


def exp(z):
    """e^z, but 0 where no float would notice it: mpmath knows no smallest number."""
    return mpmath.exp(z) if z > -2000 else mpf(0)


def sigmoid(z):
    return 1 / (1 + exp(-z)) if z >= 0 else exp(z) / (1 + exp(z))


def sigmoid_slope(z):
    return exp(-abs(z)) / (1 + exp(-abs(z))) ** 2


def cdf(z):
    return mpmath.ncdf(z) if z > -60 else mpf(0)


def density(z):
    return mpmath.npdf(z) if abs(z) < 60 else mpf(0)


# name -> (ours, exact, the unit is at least that of this number, most units off in float64, in float32).
# The bar is 4 units in float64 and 2 in float32. What exceeds it says so:
#   np.exp   float32 may be off by 2.5 units by itself (measured 1.7 with AVX2), and what is made of it adds roundings;
#   slopes   e / (1 + e)^2 has a square, which doubles an error; where a slope crosses 0 its digits cancel, and the unit
#            is that of 1;
#   Phi      far to the left it is the exponential of a square.
EXP = 4  # float32, after np.exp
TABLE = {  # measured: float64, float32
    "sigmoid": (cr.sigmoid, sigmoid, 0, 4, EXP),  # 1.6  2.3
    "sigmoid_slope": (cr.sigmoid_slope, sigmoid_slope, 0, 4, 6),  # 3.1  3.2
    "tanh": (cr.tanh, lambda z: mpmath.tanh(z) if abs(z) < 1000 else mpmath.sign(z), 0, 4, 2),  # 1.1  1.3
    "tanh_slope": (cr.tanh_slope, lambda z: 4 * sigmoid_slope(2 * z), 0, 6, 6),  # 3.4  4.0
    "silu": (cr.silu, lambda z: z * sigmoid(z), 0, 4, EXP),  # 2.1  2.4
    "silu_slope": (cr.silu_slope, lambda z: sigmoid(z) + z * sigmoid_slope(z), 1, 4, EXP),  # 1.1  1.2
    "gelu": (cr.gelu, lambda z: z * cdf(z), 0, 32, 2),  # 4.7  0.5
    "gelu_slope": (cr.gelu_slope, lambda z: cdf(z) + z * density(z), 1, 4, 2),  # 0.9  0.5
    "elu": (cr.elu, lambda z: z if z > 0 else mpmath.expm1(z) if z > -2000 else mpf(-1), 0, 4, 2),  # 0.8  0.7
    "elu_slope": (cr.elu_slope, lambda z: mpf(1) if z > 0 else exp(z), 0, 4, EXP),  # 0.5  1.7
    "softplus": (cr.softplus, lambda z: max(z, 0) + mpmath.log1p(exp(-abs(z))), 0, 4, EXP),  # 1.4  2.3
    "softplus_slope": (cr.softplus_slope, sigmoid, 0, 4, EXP),  # 1.6  2.3
    "erf": (erf, mpmath.erf, 0, 2, 2),  # 0.8  0.5
    "normal_cdf": (normal_cdf, cdf, 0, 6, 2),  # 3.1  0.5
    "normal_density": (normal_density, density, 0, 4, 2),  # 2.7  0.5
}
each_function = pytest.mark.parametrize("name", TABLE)


def test_every_smooth_activation_is_in_the_table():
    from test_activations import FUNCTIONS

    by_comparison = {"identity", "relu", "leaky_relu"}  # no rounding, or one: test_activations.py has their values
    assert set(FUNCTIONS) - by_comparison <= set(TABLE)
    assert {f"{name}_slope" for name in set(FUNCTIONS) - by_comparison} <= set(TABLE)


@each_function
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_accuracy_in_units_of_the_last_place(name, dtype):
    ours, exact, floor, *bars = TABLE[name]
    bar, z = bars[dtype == "float32"], grid(dtype)
    got = ours(z)
    assert got.dtype == np.dtype(dtype)
    wanted = [exact(mpf(value)) for value in z.tolist()]
    sizes = np.maximum(np.abs(np.array([float(want) for want in wanted])), floor)
    units = np.spacing(np.minimum(sizes, np.finfo(dtype).max / 2).astype(dtype)).tolist()
    errors = [float(abs(mpf(g) - w) / u) for g, w, u in zip(got.tolist(), wanted, units, strict=True)]
    worst = int(np.argmax(errors))
    print(f"{name} {dtype}: {errors[worst]:.2f} units at {z[worst]!r}")
    assert errors[worst] <= bar, (errors[worst], z[worst], got[worst], wanted[worst])


def tanh_gelu(z):
    return z * sigmoid(mpmath.sqrt(8 / mpmath.pi) * (z + mpf("0.044715") * z**3)) if abs(z) < 100 else max(z, mpf(0))


def test_the_tanh_form_of_gelu():
    """Its exponent, up to 700, is rounded: hence digits are lost far to the left, where the values are tiny."""
    z = grid("float64")
    z = z[np.abs(z) < 30]
    want = np.array([float(tanh_gelu(mpf(t))) for t in z.tolist()])
    normal = np.abs(want) > np.finfo(float).tiny
    np.testing.assert_allclose(cr.gelu(z, "tanh")[normal], want[normal], rtol=5e-13)
    np.testing.assert_allclose(cr.gelu(z, "tanh"), want, rtol=0, atol=3e-16 * np.maximum(1, np.abs(z)).max())
    slopes = [float(mpmath.diff(tanh_gelu, mpf(t))) for t in np.linspace(-9, 9, 73).tolist()]
    np.testing.assert_allclose(cr.gelu_slope(np.linspace(-9, 9, 73), "tanh"), slopes, rtol=0, atol=2e-15)
    ends = np.array([-np.inf, -1.7e308, 1.7e308, np.inf])
    np.testing.assert_array_equal(cr.gelu(ends, "tanh"), [0, 0, 1.7e308, np.inf])
    np.testing.assert_array_equal(cr.gelu_slope(ends, "tanh"), [0, 0, 1, 1])
