"""Penalties: values by hand, gradients against differences of the values, the kink of L1."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.configurable import from_json, to_json

CASES = ["L1(0.3)", "L2(0.3)"]


@pytest.fixture(params=CASES)
def penalty(request):
    return eval(request.param, vars(cr))


def test_values_by_hand():
    w = np.array([3.0, -4.0, 0.0])
    assert cr.L1(0.5).add(w, np.zeros(3)) == 0.5 * 7
    assert cr.L2(0.5).add(w, np.zeros(3)) == 0.25 * 25


def test_the_gradient_is_the_slope_of_the_value_and_is_added(penalty):
    chance = np.random.default_rng(0)
    w, before, h = chance.standard_normal(13), chance.standard_normal(13), 1e-6
    g, kept = before.copy(), w.copy()
    penalty.add(w, g)
    np.testing.assert_array_equal(w, kept)
    for i, shift in enumerate(h * np.eye(13)):
        slope = (penalty.add(w + shift, np.zeros(13)) - penalty.add(w - shift, np.zeros(13))) / (2 * h)
        assert g[i] - before[i] == pytest.approx(slope, rel=1e-7)


def test_a_weight_of_zero_is_left_in_peace(penalty):
    g = np.zeros(2)
    assert penalty.add(np.array([0.0, -0.0]), g) == 0
    np.testing.assert_array_equal(g, 0)


def test_float32_stays_float32_and_the_value_is_a_plain_number(penalty):
    g = np.ones(3, np.float32)
    value = type(penalty)(np.float64(0.3)).add(np.full(3, 2.0, np.float32), g)
    assert type(value) is float
    assert g.dtype == np.float32
    assert g[0] == pytest.approx(1.3 if isinstance(penalty, cr.L1) else 1.6)


def test_l1_brings_weights_to_zero_that_l2_only_shrinks():
    """Descent on (w - 0.1)^2 / 2: L1 of 0.2 holds w within a step of 0, L2 of 0.2 ends at 0.1 / 1.2."""
    ends = {}
    for penalty in (cr.L1(0.2), cr.L2(0.2)):
        w, optimizer = np.ones(1), cr.SGD(0.01)
        for _ in range(1500):
            g = w - 0.1
            penalty.add(w, g)
            optimizer.step(w, g)
        ends[type(penalty)] = w[0]
    assert abs(ends[cr.L1]) <= 0.01 * 0.3
    assert ends[cr.L2] == pytest.approx(0.1 / 1.2, rel=1e-3)


def test_a_penalty_is_the_code_that_makes_it(penalty):
    known = {"L1": cr.L1, "L2": cr.L2}
    for again in (eval(repr(penalty), vars(cr)), penalty.clone(), from_json(to_json(penalty), known)):
        assert type(again) is type(penalty)
        assert again.config() == penalty.config()


@pytest.mark.parametrize("cls", [cr.L1, cr.L2])
@pytest.mark.parametrize("strength", [-1, "a", float("nan"), True])
def test_a_strength_that_makes_no_sense_is_refused(cls, strength):
    with pytest.raises(cr.ConfigurationError, match=rf"{cls.__name__}: strength must be a number in \[0, inf\)"):
        cls(strength)


def test_the_base_has_no_formula():
    with pytest.raises(NotImplementedError):
        cr.Penalty(0.1).add(np.ones(1), np.ones(1))
