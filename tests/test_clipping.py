"""Limits: what is short stays to the bit, what is long ends at the limit, what is not finite is not hidden."""

import math

import numpy as np
import pytest

import chainrule as cr
from chainrule.configurable import from_json, to_json

CASES = ["ClipValue(2.0)", "ClipNorm(2.0)", "MaxNorm(2.0)"]


@pytest.fixture(autouse=True)
def _nothing_overflows():
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        yield


@pytest.fixture(params=["float32", "float64"])
def dtype(request):
    return request.param


def arrays(dtype, *shapes, scale=1.0):
    chance = np.random.default_rng(0)
    return [(scale * chance.standard_normal(shape)).astype(dtype) for shape in shapes]


def norm(parts):
    return math.sqrt(sum(float((part.astype("float64") ** 2).sum()) for part in parts))


# Gradients ------------------------------------------------------------------------------------------------------------


def test_a_value_is_held_within_the_limit_and_infinity_is_a_value():
    g = np.array([0.0, 0.5, -0.5, 2.0, -2.0, np.inf, -np.inf, np.nan])
    cr.ClipValue(0.5).apply([g[:4], g[4:]])
    np.testing.assert_array_equal(g, [0.0, 0.5, -0.5, 0.5, -0.5, 0.5, -0.5, np.nan])


def test_a_long_gradient_ends_at_the_limit_in_its_own_direction(dtype):
    parts = arrays(dtype, 5, 7, 11, scale=10)
    before = [part.copy() for part in parts]
    cr.ClipNorm(2.0).apply(parts)
    assert norm(parts) == pytest.approx(2, rel=1e-6 if dtype == "float32" else 1e-14)
    for part, old in zip(parts, before, strict=True):
        np.testing.assert_allclose(part, old * (2 / norm(before)), rtol=1e-6 if dtype == "float32" else 1e-14)
        assert part.dtype == dtype


def test_a_short_gradient_stays_to_the_bit(dtype):
    parts = arrays(dtype, 5, 7, scale=0.1)
    before = [part.copy() for part in parts]
    for clip in (cr.ClipNorm(norm(parts) * 1.001), cr.ClipValue(10.0)):
        clip.apply(parts)
        for part, old in zip(parts, before, strict=True):
            np.testing.assert_array_equal(part, old)


def test_the_norm_is_that_of_all_stretches_together():
    parts = [np.array([3.0]), np.array([4.0])]
    cr.ClipNorm(4.5).apply(parts)
    assert [part[0] for part in parts] == [pytest.approx(2.7), pytest.approx(3.6)]


def test_squares_that_overflow_are_taken_in_float64():
    g = np.array([3e30, -4e30], np.float32)
    cr.ClipNorm(1.0).apply([g[:1], g[1:]])
    np.testing.assert_allclose(g, [0.6, -0.8], rtol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_gradients_that_are_not_finite_are_left_as_they_are(bad, dtype):
    parts = arrays(dtype, 5, 7, scale=10)
    parts[1][3] = bad
    before = [part.copy() for part in parts]
    cr.ClipNorm(2.0).apply(parts)
    for part, old in zip(parts, before, strict=True):
        np.testing.assert_array_equal(part, old)


def test_nothing_at_all_and_zeros_are_nothing_to_clip():
    cr.ClipNorm(1.0).apply([])
    g = np.zeros(3)
    cr.ClipNorm(1.0).apply([g, g[:0]])
    np.testing.assert_array_equal(g, 0)


# Weights --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(5, 7), (3, 2, 5, 7)])
def test_the_units_that_are_too_long_are_shrunk_and_no_others(shape, dtype):
    (w,) = arrays(dtype, shape)
    w *= np.linspace(0.1, 5, 7, dtype=dtype)
    before, axes = w.copy(), tuple(range(w.ndim - 1))
    lengths = np.sqrt((before.astype("float64") ** 2).sum(axis=axes))
    assert (lengths < 2).any()
    assert (lengths > 2).any()
    cr.MaxNorm(2.0).shrink([w])
    np.testing.assert_array_equal(w[..., lengths < 2], before[..., lengths < 2])
    np.testing.assert_allclose(w, before * np.minimum(1, 2 / lengths), rtol=1e-6 if dtype == "float32" else 1e-14)
    assert w.dtype == dtype


def test_weights_are_shrunk_where_they_lie():
    network = cr.MLP([5, 3, 2])
    network.params[...] = 10
    cr.MaxNorm(1.0).shrink([row.layer.W for row in network.parameters if row.attribute == "W"])
    np.testing.assert_allclose(network.params[:15], 1 / math.sqrt(5), rtol=1e-6)
    np.testing.assert_allclose(network.params[15:21], 1 / math.sqrt(3), rtol=1e-6)
    np.testing.assert_array_equal(network.params[21:], 10)


def test_huge_weights_are_shrunk_and_those_that_are_not_finite_stay_so():
    w = np.array([[3e30, 0.0, 0.1], [4e30, 0.0, np.nan]], np.float32)
    cr.MaxNorm(1.0).shrink([w])
    np.testing.assert_allclose(w[:, :2], [[0.6, 0.0], [0.8, 0.0]], rtol=1e-6)
    assert np.isnan(w[:, 2]).all()


# All of them ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_a_limit_is_the_code_that_makes_it(case):
    made = eval(case, vars(cr))
    for again in (made.clone(), from_json(to_json(made), {type(made).__name__: type(made)})):
        assert repr(again) == repr(made) == case


@pytest.mark.parametrize("cls", [cr.ClipValue, cr.ClipNorm, cr.MaxNorm])
@pytest.mark.parametrize("limit", [0, -1, "a", float("inf"), float("nan")])
def test_a_limit_that_makes_no_sense_is_refused(cls, limit):
    with pytest.raises(cr.ConfigurationError, match=rf"{cls.__name__}: limit must be a number in \(0, inf\)"):
        cls(limit)


def test_the_base_has_no_formula():
    with pytest.raises(NotImplementedError):
        cr.Clip(1.0).apply([])
