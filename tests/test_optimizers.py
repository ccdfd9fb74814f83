"""Optimizers: the formulas by hand and against plain loops; blocks, frozen stretches, state.

PyTorch has its say in test_optimizers_against_torch.py.
"""

import inspect
import math
import pickle

import numpy as np
import pytest

import chainrule as cr
from chainrule.configurable import from_json, to_json
from chainrule.optimizers import OPTIMIZERS, optimizer as contract

CASES = [
    "SGD(0.05)",
    "SGD(0.05, momentum=0.9)",
    "SGD(0.05, momentum=0.9, nesterov=True)",
    "SGD(0.05, momentum=0.9, velocity='steps')",
    "SGD(0.05, momentum=0.9, nesterov=True, velocity='steps')",
    "SGD(0.05, momentum=0.9, weight_decay=0.1)",
    "RMSProp(0.05)",
    "RMSProp(0.05, rho=0.8, epsilon=0.001, epsilon_inside=True, momentum=0.5, centered=True, weight_decay=0.1)",
    "Adagrad(0.5)",
    "Adagrad(0.5, initial_accumulator=0.1, epsilon=0, weight_decay=0.1)",
    "Adam(0.05)",
    "Adam(0.05, beta1=0.8, beta2=0.99, epsilon=0.001)",
    "Adam(0.05, epsilon=0.001, epsilon_hat=True, amsgrad=True, weight_decay=0.1)",
    "AdamW(0.05)",
    "AdamW(0.05, beta1=0.8, epsilon_hat=True, amsgrad=True, weight_decay=0.1)",
]


@pytest.fixture(autouse=True)
def _nothing_overflows():
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        yield


@pytest.fixture(params=CASES)
def case(request):
    return request.param


def make(case):
    return eval(case, vars(cr))


def gradients(steps, size=7, dtype="float64", seed=0):
    return np.random.default_rng(seed).standard_normal((steps, size)).astype(dtype)


def walk(optimizer, gs, start=1.0):
    """The weights after every step."""
    w, trail = np.full(gs.shape[1], start, gs.dtype), []
    for g in gs:
        optimizer.step(w, g)
        trail.append(w.copy())
    return np.array(trail)


# The formulas ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        # Going down w^2 from w = 1, g = 2 w, rate 1/8, m = 1/2.
        # v = 2, w = 1 - 1/4 = 3/4;  v = 3/2, w = 3/4 - 3/16 = 9/16 without momentum
        ("SGD(0.125)", [3 / 4, 9 / 16]),
        # v = 2, w = 3/4;  v = 1 + 3/2 = 5/2, w = 3/4 - 5/16 = 7/16
        ("SGD(0.125, momentum=0.5)", [3 / 4, 7 / 16]),
        # v = -1/4, w = 3/4;  v = -1/8 - 3/16 = -5/16, w = 7/16
        ("SGD(0.125, momentum=0.5, velocity='steps')", [3 / 4, 7 / 16]),
        # v = 2, w = 1 - (2 + 1)/8 = 5/8;  g = 5/4, v = 1 + 5/4 = 9/4, w = 5/8 - (5/4 + 9/8)/8 = 40/64 - 19/64
        ("SGD(0.125, momentum=0.5, nesterov=True)", [5 / 8, 21 / 64]),
        # v = -1/4, w = 1 - 1/8 - 1/4 = 5/8;  v = -1/8 - 5/32 = -9/32, w = 40/64 - 9/64 - 10/64
        ("SGD(0.125, momentum=0.5, nesterov=True, velocity='steps')", [5 / 8, 21 / 64]),
    ],
)
def test_two_steps_by_hand(case, expected):
    w, optimizer = np.array([1.0]), make(case)
    for value in expected:
        optimizer.step(w, 2 * w)
        assert w[0] == value


def test_adam_by_hand():
    """Going along g = 1, then g = -3, rate 1, beta1 = 1/2, beta2 = 3/4, epsilon 1/4.

    t = 1: m = 1/2, v = 1/4, corrected 1 and 1, w = 0 - 1 / (1 + 1/4)
    t = 2: m = 1/4 - 3/2 = -5/4, v = 3/16 + 9/4 = 39/16, corrected -5/3 and (39/16) / (7/16) = 39/7
    """
    w, optimizer = np.array([0.0]), cr.Adam(1.0, beta1=0.5, beta2=0.75, epsilon=0.25)
    optimizer.step(w, np.array([1.0]))
    assert w[0] == pytest.approx(-4 / 5, rel=1e-15)
    optimizer.step(w, np.array([-3.0]))
    assert w[0] == pytest.approx(-4 / 5 + (5 / 3) / (math.sqrt(39 / 7) + 1 / 4), rel=1e-15)


@pytest.mark.parametrize("nesterov", [False, True])
def test_velocity_of_steps_is_the_form_of_keras(nesterov):
    """The loop of keras.optimizers.SGD, written out, with a rate that moves at every step."""
    gs, m = gradients(100), 0.9
    optimizer = cr.SGD(0.1, momentum=m, nesterov=nesterov, velocity="steps")
    w, w_keras, velocity = np.ones(7), np.ones(7), np.zeros(7)
    for step, g in enumerate(gs):
        rate = 0.1 * (1 - step / 100)
        velocity = m * velocity - rate * g
        w_keras = w_keras + m * velocity - rate * g if nesterov else w_keras + velocity
        optimizer.learning_rate = rate
        optimizer.step(w, g)
        assert np.linalg.norm(w - w_keras) <= 1e-12 * np.linalg.norm(w_keras)


@pytest.mark.parametrize("nesterov", [False, True])
def test_both_velocities_agree_at_a_constant_rate_up_to_scale(nesterov):
    gs = gradients(100)
    of_gradients, of_steps = (cr.SGD(0.1, momentum=0.9, nesterov=nesterov, velocity=v) for v in ("gradients", "steps"))
    np.testing.assert_allclose(walk(of_gradients, gs), walk(of_steps, gs), rtol=0, atol=1e-12)
    np.testing.assert_allclose(of_steps.slots["velocity"], -0.1 * of_gradients.slots["velocity"], rtol=1e-10)


def test_the_velocities_differ_when_the_rate_moves():
    """At rate 0 a velocity of gradients stands still, a velocity of steps rolls on by m, m^2, ... of its last step."""
    ends = {}
    for velocity in ("gradients", "steps"):
        w, optimizer = np.zeros(1), cr.SGD(1.0, momentum=0.5, velocity=velocity)
        optimizer.step(w, np.ones(1))
        assert w[0] == -1
        optimizer.learning_rate = 0
        for _ in range(2):
            optimizer.step(w, np.ones(1))
        ends[velocity] = w[0]
    assert ends == {"gradients": -1, "steps": -1 - 1 / 2 - 1 / 4}


def test_every_optimizer_gets_down_a_long_valley(case):
    """w^T A w / 2 with curvatures 1 and 100; from (1, 1) the bottom is reached to 1 %.

    Steps divided by the size of the gradient do not get shorter near the bottom: for them the rate has to fall.
    """
    curvature, w, optimizer = np.array([1.0, 100.0]), np.ones(2), make(case)
    rate = 0.015 if isinstance(optimizer, cr.SGD) else optimizer.learning_rate
    optimizer.learning_rate = cr.Cosine(rate, length=1000)
    for _ in range(1000):
        optimizer.step(w, curvature * w)
    assert np.abs(w).max() < 0.01


@pytest.mark.parametrize(
    "case",
    [
        "SGD(0.0005, momentum=0.9)",
        "SGD(0.0005, momentum=0.9, nesterov=True, velocity='steps')",
        "RMSProp(Cosine(0.01, length=10_000))",
        "RMSProp(Cosine(0.01, length=10_000), momentum=0.5, centered=True)",
        "Adagrad(0.5)",
        "Adam(0.02)",
        "Adam(0.02, amsgrad=True, epsilon_hat=True)",
        "AdamW(0.02, weight_decay=0)",
    ],
)
def test_every_optimizer_walks_the_curved_valley_of_rosenbrock(case):
    """(1 - x)^2 + 100 (y - x^2)^2 from (-1.2, 1): along a parabola with steep sides to (1, 1)."""
    w, optimizer = np.array([-1.2, 1.0]), make(case)
    for _ in range(10_000):
        x, y = w
        optimizer.step(w, np.array([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)]))
    np.testing.assert_allclose(w, 1, atol=0.02)


def test_rmsprop_by_hand():
    """Going along g = 1, then g = -2, rate 1, rho = 3/4, epsilon 1/2, momentum 1/2.

    v = 1/4, b = 1 / (1/2 + 1/2) = 1, w = -1
    v = 3/16 + 1 = 19/16, b = 1/2 - 2 / (sqrt(19)/4 + 1/2)
    """
    w, optimizer = np.array([0.0]), cr.RMSProp(1.0, rho=0.75, epsilon=0.5, momentum=0.5)
    optimizer.step(w, np.array([1.0]))
    assert w[0] == -1
    optimizer.step(w, np.array([-2.0]))
    assert w[0] == pytest.approx(-1 - (1 / 2 - 2 / (math.sqrt(19) / 4 + 1 / 2)), rel=1e-15)


def test_adagrad_by_hand():
    """g = 3, then g = -2, rate 1, the sum starting from 7: 7 + 9 = 16, 16 + 4 = 20."""
    w, optimizer = np.array([0.0]), cr.Adagrad(1.0, initial_accumulator=7.0, epsilon=0.0)
    optimizer.step(w, np.array([3.0]))
    assert w[0] == -3 / 4
    optimizer.step(w, np.array([-2.0]))
    assert w[0] == pytest.approx(-3 / 4 + 2 / math.sqrt(20), rel=1e-15)


class Keras:
    """The updates of keras.optimizers, written out: m and v from differences, epsilon where it stands there."""

    def __init__(self, size):
        self.t, self.m, self.v, self.top, self.mean, self.velocity = 0, *(np.zeros(size) for _ in range(5))

    def adam(self, w, g, rate, beta1, beta2, epsilon, amsgrad=False, weight_decay=0.0):
        w = w - w * weight_decay * rate
        self.t += 1
        alpha = rate * math.sqrt(1 - beta2**self.t) / (1 - beta1**self.t)
        self.m = self.m + (g - self.m) * (1 - beta1)
        self.v = self.v + (g**2 - self.v) * (1 - beta2)
        self.top = np.maximum(self.top, self.v)
        return w - self.m * alpha / (np.sqrt(self.top if amsgrad else self.v) + epsilon)

    def rmsprop(self, w, g, rate, rho, epsilon, momentum=0.0, centered=False):
        self.v = rho * self.v + (1 - rho) * g**2
        self.mean = rho * self.mean + (1 - rho) * g
        increment = rate * g / np.sqrt(self.v - self.mean**2 + epsilon if centered else self.v + epsilon)
        self.velocity = momentum * self.velocity + increment
        return w - (self.velocity if momentum > 0 else increment)

    def adagrad(self, w, g, rate, initial, epsilon):
        self.v = self.v + g**2
        return w - rate * g / np.sqrt(initial + self.v + epsilon)


@pytest.mark.parametrize(
    ("case", "formula", "options"),
    [
        ("Adam(0.1, beta2=0.9, epsilon=0.3, epsilon_hat=True)", "adam", (0.1, 0.9, 0.9, 0.3)),
        ("Adam(0.1, epsilon=0.3, epsilon_hat=True, amsgrad=True)", "adam", (0.1, 0.9, 0.999, 0.3, True)),
        ("AdamW(0.1, beta2=0.9, epsilon=0.3, epsilon_hat=True)", "adam", (0.1, 0.9, 0.9, 0.3, False, 0.01)),
        ("RMSProp(0.1, epsilon=0.3, epsilon_inside=True)", "rmsprop", (0.1, 0.9, 0.3)),
        (
            "RMSProp(0.1, rho=0.8, epsilon=0.3, epsilon_inside=True, momentum=0.5, centered=True)",
            "rmsprop",
            (0.1, 0.8, 0.3, 0.5, True),
        ),
        ("Adagrad(0.1, initial_accumulator=0.1 + 1e-7, epsilon=0)", "adagrad", (0.1, 0.1, 1e-7)),
    ],
)
def test_the_forms_of_keras(case, formula, options):
    optimizer, keras, w, expected = make(case), Keras(7), np.ones(7), np.ones(7)
    for g in gradients(100) * 10.0 ** np.arange(-5, 2):
        optimizer.step(w, g)
        expected = getattr(keras, formula)(expected, g, *options)
        assert np.linalg.norm(w - expected) <= 1e-12 * np.linalg.norm(expected)


def test_epsilon_hat_is_the_form_of_scikit_learn():
    stochastic = pytest.importorskip("sklearn.neural_network._stochastic_optimizers")
    w, expected = np.ones(7), np.ones(7)
    optimizer = cr.Adam(0.1, beta1=0.8, beta2=0.99, epsilon=0.3, epsilon_hat=True)
    theirs = stochastic.AdamOptimizer([expected], 0.1, beta_1=0.8, beta_2=0.99, epsilon=0.3)
    for g in gradients(100) * 10.0 ** np.arange(-5, 2):
        optimizer.step(w, g)
        theirs.update_params([expected], [g])
        assert np.linalg.norm(w - expected) <= 1e-12 * np.linalg.norm(expected)


def test_the_two_places_of_epsilon_differ_while_the_average_is_young():
    """One step along g = 1 with beta2 = 3/4, epsilon = 1: 1 / (1 + 1), or 1/2 * 1 / (1/2 + 1)."""
    for epsilon_hat, length in ((False, 1 / 2), (True, 1 / 3)):
        w = np.zeros(1)
        cr.Adam(1.0, beta2=0.75, epsilon=1.0, epsilon_hat=epsilon_hat).step(w, np.ones(1))
        assert w[0] == pytest.approx(-length, rel=1e-15)


def test_the_variance_of_a_constant_gradient_is_never_negative():
    """v - a^2 is 0 then, but for rounding: its root must not be that of -1e-9."""
    w = np.zeros(50, np.float32)
    optimizer = cr.RMSProp(0.001, centered=True, epsilon=1.0)
    g = np.linspace(0.1, 3, 50, dtype=np.float32)
    for _ in range(300):
        optimizer.step(w, g)
    assert np.isfinite(w).all()


# Weight decay ---------------------------------------------------------------------------------------------------------


def test_the_first_numbers_shrink_before_the_step_and_the_slots_never_see_it(case, monkeypatch):
    """As in a loop that shrinks by hand and steps without decay, for blocks and slices that cut through the border."""
    monkeypatch.setattr(contract, "BLOCK", 3)
    gs, w, expected = gradients(5, size=11), np.ones(11), np.ones(11)
    decaying, plain = make(case), make(case)
    decaying.weight_decay, plain.weight_decay = 0.3, 0.0
    slices = [slice(1, 6), slice(7, 11)]
    for g in gs:
        rate = decaying.step(w, g, slices, decays=8)
        expected[[1, 2, 3, 4, 5, 7]] *= 1 - rate * 0.3
        plain.step(expected, g, slices)
        np.testing.assert_array_equal(w, expected)
    for name, slot in decaying.slots.items():
        np.testing.assert_array_equal(slot, plain.slots[name])


def test_all_numbers_decay_unless_said_otherwise():
    w = np.ones(3)
    cr.SGD(0.5, weight_decay=0.5).step(w, np.zeros(3))
    np.testing.assert_array_equal(w, 0.75)
    cr.SGD(0.5, weight_decay=0.5).step(w, np.zeros(3), decays=0)
    np.testing.assert_array_equal(w, 0.75)


def test_decay_and_penalty_are_the_same_for_plain_descent_only():
    gs = gradients(20)
    ends = {}
    for case in ("SGD(0.1, weight_decay=0.3)", "SGD(0.1)", "Adam(0.1, weight_decay=0.3)", "Adam(0.1)"):
        w, optimizer = np.ones(7), make(case)
        for g in gs:
            g = g.copy()
            cr.L2(0.0 if optimizer.weight_decay else 0.3).add(w, g)
            optimizer.step(w, g)
        ends[case] = w
    np.testing.assert_allclose(ends["SGD(0.1, weight_decay=0.3)"], ends["SGD(0.1)"], rtol=1e-12)
    assert np.linalg.norm(ends["Adam(0.1, weight_decay=0.3)"] - ends["Adam(0.1)"]) > 0.1


# One flat vector ------------------------------------------------------------------------------------------------------


def test_blocks_change_nothing(case, monkeypatch):
    gs = gradients(5, size=23)
    whole = walk(make(case), gs)
    monkeypatch.setattr(contract, "BLOCK", 4)
    np.testing.assert_array_equal(walk(make(case), gs), whole)


def test_only_the_slices_move_and_they_move_as_alone(case):
    """Frozen stretches keep weights and slots to the bit; the others do not notice."""
    gs, optimizer = gradients(5, size=10), make(case)
    w = np.arange(10.0)
    moving = np.r_[2:5, 7:8]
    free, free_optimizer = np.arange(10.0)[moving], make(case)
    for g in gs:
        optimizer.step(w, g, [slice(2, 5), slice(7, 8)])
        free_optimizer.step(free, g[moving])
    np.testing.assert_array_equal(w[moving], free)
    still = np.setdiff1d(np.arange(10), moving)
    np.testing.assert_array_equal(w[still], still)
    for slot in optimizer.slots.values():
        assert not slot[still].any()


def test_no_slices_means_nothing_moves(case):
    w, optimizer = np.ones(3), make(case)
    optimizer.step(w, np.ones(3), [])
    np.testing.assert_array_equal(w, 1)
    assert optimizer.steps == 1


def test_the_gradient_is_left_as_it_is_and_weights_move_in_place(case):
    g, w, optimizer = gradients(1)[0], np.ones(7), make(case)
    before, place = g.copy(), w
    g.flags.writeable = False
    for _ in range(2):
        optimizer.step(w, g)
    np.testing.assert_array_equal(g, before)
    assert place is w
    assert (w != 1).all()
    assert not any(np.shares_memory(slot, other) for slot in optimizer.slots.values() for other in (w, g))


def test_float32_stays_float32(case):
    optimizer = make(case)
    optimizer.learning_rate = np.float64(optimizer.learning_rate)
    trail = walk(optimizer, gradients(20, dtype="float32"))
    assert trail.dtype == np.float32
    assert all(slot.dtype == np.float32 for slot in optimizer.slots.values())
    reference = walk(make(case), gradients(20, dtype="float32").astype("float64"))
    np.testing.assert_allclose(trail[-1], reference[-1], rtol=0, atol=2e-5)


# Memory ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [0, 1, 7])
def test_restored_it_goes_on_to_the_bit(case, cut):
    gs = gradients(12)
    whole = walk(make(case), gs)
    first = make(case)
    w = np.ones(7)
    for g in gs[:cut]:
        first.step(w, g)
    state = pickle.loads(pickle.dumps(first.state()))
    for g in gs:  # what happens to the first one afterwards is no business of the state's
        first.step(w.copy(), g)
    second = make(case)
    second.restore(state)
    w = whole[cut - 1].copy() if cut else np.ones(7)
    for g, expected in zip(gs[cut:], whole[cut:], strict=True):
        second.step(w, g)
        np.testing.assert_array_equal(w, expected)


def test_state_and_restore_share_no_memory(case):
    optimizer = make(case)
    walk(optimizer, gradients(2))
    state = optimizer.state()
    before = {name: slot.copy() for name, slot in state["slots"].items()}
    walk(optimizer, gradients(2))
    optimizer.restore(state)
    walk(optimizer, gradients(3))
    assert state["steps"] == 2
    for name, slot in before.items():
        np.testing.assert_array_equal(state["slots"][name], slot)


def test_an_optimizer_is_the_code_that_makes_it(case):
    used = make(case)
    walk(used, gradients(3))
    known = {cls.__name__: cls for cls in (*OPTIMIZERS.values(), cr.OneCycle)}
    for again in (eval(repr(used), vars(cr)), used.clone(), from_json(to_json(used), known)):
        assert repr(again) == repr(used) == case
        assert again.steps == 0, "nothing that was counted comes along"
        np.testing.assert_array_equal(walk(again, gradients(3)), walk(make(case), gradients(3)))


def test_adamw_is_adam_with_a_decay_from_the_start():
    ours, adams = (inspect.signature(cls).parameters for cls in (cr.AdamW, cr.Adam))
    assert list(ours) == list(adams)
    assert {name for name in ours if ours[name].default != adams[name].default} == {"weight_decay"}


def test_a_clone_has_a_schedule_of_its_own():
    optimizer = cr.SGD(cr.OneCycle(0.1))
    assert optimizer.clone().learning_rate is not optimizer.learning_rate
    assert repr(optimizer.clone()) == repr(optimizer)


# What can go wrong ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: cr.SGD(0.1, momentum=1), r"SGD: momentum must be a number in \[0, 1\), received 1"),
        (lambda: cr.SGD(0.1, momentum=-0.1), "momentum must be"),
        (lambda: cr.SGD(0.1, nesterov=True), "nesterov needs momentum, for instance momentum=0.9"),
        (lambda: cr.SGD(0.1, velocity="step"), r"velocity 'step' is unknown. Did you mean 'steps'\?"),
        (lambda: cr.Adam(0.1, beta1=1), r"Adam: beta1 must be a number in \[0, 1\), received 1"),
        (lambda: cr.Adam(0.1, beta2=1.5), "Adam: beta2 must be"),
        (lambda: cr.Adam(0.1, epsilon=0), r"Adam: epsilon must be a number in \(0, inf\), received 0"),
        (lambda: cr.AdamW(0.1, beta1=1), r"AdamW: beta1 must be"),
        (lambda: cr.AdamW(weight_decay=-1), r"AdamW: weight_decay must be a number in \[0, inf\), received -1"),
        (lambda: cr.SGD(weight_decay="l2"), "SGD: weight_decay must be a number"),
        (lambda: cr.RMSProp(rho=1), r"RMSProp: rho must be a number in \[0, 1\), received 1"),
        (lambda: cr.RMSProp(momentum=1), "RMSProp: momentum must be"),
        (lambda: cr.RMSProp(epsilon=0), "RMSProp: epsilon must be"),
        (lambda: cr.Adagrad(initial_accumulator=-1), "Adagrad: initial_accumulator must be"),
        (lambda: cr.Adagrad(epsilon=0), r"epsilon=0 needs an initial_accumulator, for instance 0.1"),
    ],
)
def test_options_that_make_no_sense_are_refused(make, text):
    with pytest.raises(cr.ConfigurationError, match=text):
        make()


def test_an_optimizer_used_on_another_network_is_refused(case):
    optimizer = make(case)
    optimizer.step(np.zeros(3), np.zeros(3))
    if not optimizer.slots:
        pytest.skip("remembers nothing, fits every network")
    with pytest.raises(cr.ConfigurationError, match=r"used on 3 parameters, received 4.*optimizer.clone\(\)"):
        optimizer.step(np.zeros(4), np.zeros(4))


def test_the_base_has_no_formula():
    with pytest.raises(NotImplementedError):
        cr.Optimizer(0.1).step(np.zeros(1), np.zeros(1))


def test_a_state_of_another_optimizer_is_refused():
    sgd, adam = cr.SGD(0.1, momentum=0.9), cr.Adam(0.1)
    walk(sgd, gradients(5))
    with pytest.raises(cr.CheckpointError, match=r"taken from SGD\(.*, and Adam\(0.1\) cannot go on from it"):
        adam.restore(sgd.state())
    assert (adam.steps, adam.slots, adam.learning_rate) == (0, {}, 0.1)


def test_plain_descent_needs_no_memory():
    optimizer = cr.SGD(0.1)
    optimizer.step(np.zeros(3), np.zeros(3))
    assert optimizer.slots == {}
