"""Schedules: the formula's values, what a whole run adds up to, and options that make no sense."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.configurable import from_json, to_json
from chainrule.schedules import SCHEDULES, as_schedule


@pytest.fixture(autouse=True)
def _nothing_overflows():
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        yield


EVERY = [
    cr.Constant(0.1),
    cr.OneCycle(0.15),
    cr.OneCycle(0.1, warmup=0.3, length=7),
    cr.StepDecay(0.1, every=3),
    cr.StepDecay(0.1, every=0.3, factor=0.5),
    cr.Exponential(0.1, factor=0.9),
    cr.Exponential(0.1, factor=0.1, every=0.5),
    cr.Cosine(0.1),
    cr.Cosine(0.1, end=0.01, length=7),
    cr.InverseTime(0.1, decay=0.5),
    cr.InverseSquareRoot(0.1, warmup=3),
    cr.InverseSquareRoot(0.1, warmup=0.2),
    cr.Warmup(0.1, steps=3),
    cr.Warmup(0.1, steps=0.25),
    cr.Warmup(cr.Cosine(0.1, length=7), steps=2),
    cr.Warmup(cr.StepDecay(0.1, every=4), steps=2),
    cr.Warmup(cr.OneCycle(0.1), steps=0.2),
]


def rates(schedule, steps):
    return np.array([schedule(step, steps) for step in range(steps)])


def test_constant_is_constant():
    assert [cr.Constant(0.1)(step, 3) for step in (0, 2, 3, 1000)] == [0.1] * 4
    assert not cr.Constant(0.1).ends


def test_one_cycle_by_hand():
    """Peak 1, a quarter of 8 steps up: t = 1/16, 3/16 | 5/16, ... 15/16; up t / (1/4), down (1 - t) / (3/4)."""
    expected = [1 / 4, 3 / 4, 11 / 12, 9 / 12, 7 / 12, 5 / 12, 3 / 12, 1 / 12]
    np.testing.assert_allclose(rates(cr.OneCycle(1.0, warmup=0.25), 8), expected, rtol=1e-14)


def test_one_cycle_without_warmup_only_falls():
    np.testing.assert_allclose(rates(cr.OneCycle(1.0, warmup=0), 4), [7 / 8, 5 / 8, 3 / 8, 1 / 8], rtol=1e-14)


@pytest.mark.parametrize("steps", [10, 50, 1000])
def test_one_cycle_is_half_its_peak_on_average(steps):
    """The area of a triangle; the half step in t makes the sum exact."""
    assert rates(cr.OneCycle(0.3), steps).mean() == pytest.approx(0.15, rel=1e-12)


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 101])
@pytest.mark.parametrize("warmup", [0.0, 0.2, 0.5, 0.99])
def test_one_cycle_never_wastes_a_step_nor_passes_its_peak(steps, warmup):
    seen = rates(cr.OneCycle(0.3, warmup=warmup), steps)
    assert seen.min() > 0
    assert seen.max() <= 0.3
    top = seen.argmax()
    assert (np.diff(seen[: top + 1]) > 0).all()
    assert (np.diff(seen[top:]) <= 0).all()  # two may stand at equal distance from the peak


def test_one_cycle_is_over_when_it_is_over():
    assert cr.OneCycle(0.3).ends
    assert cr.OneCycle(0.3)(10, 10) == 0
    assert cr.OneCycle(0.3)(1000, 10) == 0


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (cr.StepDecay(1.0, every=2, factor=0.5), [1, 1, 1 / 2, 1 / 2, 1 / 4, 1 / 4, 1 / 8, 1 / 8]),
        (cr.StepDecay(1.0, every=0.4, factor=0.5), [1, 1, 1, 1 / 2, 1 / 2, 1 / 2, 1 / 4, 1 / 4]),  # 3.2 steps are 3
        (cr.StepDecay(1.0, every=0.01, factor=0.5), [0.5**k for k in range(8)]),  # and 0.08 steps are 1
        (cr.Exponential(1.0, factor=1 / 4, every=2), [0.5**k for k in range(8)]),
        (cr.Exponential(1.0, factor=16, every=0.5), [2**k for k in range(8)]),
        (cr.Cosine(1.0), [(1 + np.cos(np.pi * k / 8)) / 2 for k in range(8)]),
        (cr.Cosine(1.0, end=0.5), [0.5 + (1 + np.cos(np.pi * k / 8)) / 4 for k in range(8)]),
        (cr.InverseTime(1.0, decay=0.5), [2 / (2 + k) for k in range(8)]),
        (cr.InverseSquareRoot(1.0, warmup=2), [1 / 2, 1, *((2 / t) ** 0.5 for t in range(3, 9))]),
        (cr.InverseSquareRoot(1.0, warmup=0.25), [1 / 2, 1, *((2 / t) ** 0.5 for t in range(3, 9))]),
        (cr.Warmup(1.0, steps=3), [1 / 4, 1 / 2, 3 / 4, 1, 1, 1, 1, 1]),
        (
            cr.Warmup(cr.Cosine(1.0), steps=0.5),
            [1 / 5, 2 / 5, 3 / 5, 4 / 5, 1, (2 + 2**0.5) / 4, 1 / 2, (2 - 2**0.5) / 4],
        ),
        (cr.Warmup(cr.StepDecay(1.0, every=0.5), steps=6), [k / 7 for k in range(1, 7)] + [1, 0.1]),
        (cr.Warmup(1.0, steps=30), [k / 31 for k in range(1, 9)]),  # a run that ends before the warm-up does
    ],
    ids=repr,
)
def test_eight_steps_by_hand(schedule, expected):
    np.testing.assert_allclose(rates(schedule, 8), expected, rtol=1e-14)


@pytest.mark.parametrize("schedule", EVERY, ids=repr)
def test_what_a_schedule_says_of_itself_is_true(schedule):
    """With needs_length the length moves the rates; with ends they are 0 after it, and without they are not."""
    steps = schedule.length or 40
    same = np.array_equal(rates(schedule, steps), [schedule(step, 3 * steps) for step in range(steps)])
    assert schedule.needs_length == (not same)
    assert schedule.ends == (schedule(steps, steps) == schedule(10 * steps, steps) == 0)
    assert (rates(schedule, steps) > 0).all()
    assert not schedule.ends or schedule.needs_length


@pytest.mark.parametrize("schedule", EVERY, ids=repr)
def test_a_schedule_gives_plain_numbers(schedule):
    assert {type(schedule(step, 40)) for step in (0, 5, 39)} == {float}


def test_a_warm_up_adds_to_a_length_of_its_own():
    assert cr.Warmup(cr.Cosine(0.1, length=90), steps=10).length == 100
    assert cr.Warmup(cr.Cosine(0.1, length=90), steps=0.1).length == 100
    assert cr.Warmup(cr.Cosine(0.1), steps=10).length is None


@pytest.mark.parametrize("share", [0.003, 0.05, 0.1, 0.25, 0.3, 0.5, 0.7, 0.9, 0.95, 0.999])
def test_a_warm_up_of_a_share_leaves_a_length_of_its_own_as_it_is(share):
    for length in [*range(1, 60), 12_345]:
        schedule = cr.Warmup(cr.Cosine(1.0, end=0.5, length=length), steps=share)
        n = max(1, round(share * schedule.length))
        assert schedule.length - n == length
        assert schedule(schedule.length, schedule.length) == 0.5


def test_a_warm_up_meets_the_schedule_without_taking_its_first_rate_twice():
    seen = rates(cr.Warmup(cr.Exponential(1.0, factor=0.9), steps=9), 20)
    np.testing.assert_allclose(np.diff(seen[:10]), 0.1, rtol=1e-12)
    np.testing.assert_allclose(seen[9:], 0.9 ** np.arange(11), rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: cr.OneCycle(-0.1), r"OneCycle: peak must be a number in \[0, inf\), received -0.1"),
        (lambda: cr.OneCycle("0.1"), "OneCycle: peak must be a number"),
        (lambda: cr.OneCycle(float("nan")), "peak must be a number"),
        (lambda: cr.OneCycle(0.1, warmup=1), r"warmup must be a number in \[0, 1\), received 1"),
        (lambda: cr.OneCycle(0.1, length=0), r"length must be a whole number in \[1, inf\), received 0"),
        (lambda: cr.OneCycle(0.1, length=2.5), "length must be a whole number"),
        (lambda: cr.Constant(-1), r"must be a number in \[0, inf\), received -1"),
        (lambda: cr.SGD(float("inf")), r"must be a number in \[0, inf\), received inf"),
        (lambda: cr.SGD(True), "must be a number"),
        (lambda: cr.SGD(None), "must be a number"),
        (
            lambda: cr.StepDecay(0.1, every=0),
            r"StepDecay: every must be a whole number of steps, at least 1, or a share",
        ),
        (lambda: cr.StepDecay(0.1, every=1.5), r"share of all steps in \(0, 1\), received 1.5"),
        (lambda: cr.StepDecay(0.1, every=True), "every must be a whole number"),
        (lambda: cr.StepDecay(0.1, every=2, factor=0), r"StepDecay: factor must be a number in \(0, inf\)"),
        (lambda: cr.Exponential(0.1, factor=-1), "Exponential: factor must be"),
        (lambda: cr.Exponential(0.1, factor=0.5, every=1.0), "Exponential: every must be a whole number"),
        (lambda: cr.Cosine(0.1, end=-1), "Cosine: end must be"),
        (lambda: cr.Cosine(0.1, length=0.5), "Cosine: length must be a whole number"),
        (lambda: cr.InverseTime(0.1, decay=-1), "InverseTime: decay must be"),
        (lambda: cr.InverseSquareRoot(0.1, warmup=0.0), "InverseSquareRoot: warmup must be a whole number"),
        (lambda: cr.InverseSquareRoot(-1, warmup=3), "InverseSquareRoot: rate must be"),
        (lambda: cr.Warmup(0.1, steps="5"), "Warmup: steps must be a whole number"),
        (lambda: cr.Warmup("cosine", steps=5), "expected a number such as 0.1 or a schedule"),
        (lambda: cr.Warmup(-0.1, steps=5), "rate must be a number"),
        (lambda: cr.SGD("one_cycle"), r"expected a number such as 0.1 or a schedule such as OneCycle\(0.15\)"),
    ],
)
def test_options_that_make_no_sense_are_refused(make, text):
    with pytest.raises(cr.ConfigurationError, match=text):
        make()


def test_numpy_numbers_become_plain_ones():
    """float32_array * np.float64(0.1) would be float64."""
    assert type(cr.SGD(np.float64(0.1)).rate) is float
    assert type(cr.SGD(cr.OneCycle(np.float32(0.5), length=5)).rate) is float


@pytest.mark.parametrize("schedule", EVERY, ids=repr)
def test_a_schedule_is_the_code_that_makes_it(schedule):
    known = {cls.__name__: cls for cls in SCHEDULES.values()}
    for again in (eval(repr(schedule), vars(cr)), schedule.clone(), from_json(to_json(schedule), known)):
        assert repr(again) == repr(schedule)
        np.testing.assert_array_equal(rates(again, 9), rates(schedule, 9))


def test_a_number_becomes_constant_and_a_schedule_stays():
    schedule = cr.OneCycle(0.1)
    assert as_schedule(schedule) is schedule
    assert as_schedule(0.25)(3, 5) == 0.25


# In an optimizer ------------------------------------------------------------------------------------------------------


def test_the_first_plan_fixes_the_length():
    optimizer = cr.SGD(cr.OneCycle(1.0, warmup=0))
    optimizer.plan(4)
    optimizer.plan(2)
    seen = []
    for _ in range(4):
        seen.append(optimizer.rate)
        optimizer.step(np.zeros(1), np.zeros(1))
    assert seen == [7 / 8, 5 / 8, 3 / 8, 1 / 8]
    text = r"planned for 4 steps, 4 are taken, and 100 more are wanted.*learning_rate = 0.01"
    with pytest.raises(cr.ConfigurationError, match=text):
        optimizer.plan(100)
    with pytest.raises(cr.ConfigurationError, match="planned for 4 steps, 4 are taken, and 1 more"):
        optimizer.step(np.zeros(1), np.zeros(1))


def test_a_schedule_that_comes_later_begins_with_its_own_first_step():
    optimizer = cr.SGD(0.1)
    for _ in range(6):
        optimizer.step(np.zeros(1), np.zeros(1))
    optimizer.learning_rate = cr.OneCycle(1.0, warmup=0)
    optimizer.plan(4)
    assert [optimizer.step(np.zeros(1), np.zeros(1)) for _ in range(4)] == [7 / 8, 5 / 8, 3 / 8, 1 / 8]
    with pytest.raises(cr.ConfigurationError, match="planned for 4 steps, 4 are taken, and 1 more"):
        optimizer.step(np.zeros(1), np.zeros(1))


@pytest.mark.parametrize("length", [None, 4])
def test_a_plan_longer_than_the_schedule_is_refused_at_once(length):
    optimizer = cr.SGD(cr.OneCycle(1.0, warmup=0, length=length))
    optimizer.plan(4)
    optimizer.step(np.zeros(1), np.zeros(1))
    optimizer.plan(3)
    with pytest.raises(cr.ConfigurationError, match="planned for 4 steps, 1 are taken, and 100 more are wanted"):
        optimizer.plan(100)
    assert optimizer.rate == 5 / 8, "what was refused changed nothing"


def test_a_length_of_its_own_beats_the_plan():
    optimizer = cr.SGD(cr.OneCycle(1.0, warmup=0, length=2))
    assert optimizer.rate == 3 / 4
    optimizer.plan(1)
    assert optimizer.rate == 3 / 4


def test_a_constant_rate_is_never_used_up():
    optimizer = cr.SGD(0.5)
    optimizer.plan(1)
    for _ in range(5):
        optimizer.step(np.zeros(1), np.zeros(1))
    optimizer.plan(1)
    assert optimizer.rate == 0.5


@pytest.mark.parametrize("schedule", EVERY, ids=repr)
def test_a_length_that_is_needed_is_asked_for_and_no_other(schedule):
    optimizer = cr.SGD(schedule.clone())
    if schedule.needs_length and schedule.length is None:
        with pytest.raises(cr.ConfigurationError, match=r"does not know for how many steps: call optimizer.plan"):
            optimizer.step(np.zeros(1), np.zeros(1))
        optimizer.plan(9)
    length = schedule.length or 9
    seen = [optimizer.step(np.zeros(1), np.zeros(1)) for _ in range(length)]
    np.testing.assert_array_equal(seen, rates(schedule, length))
    if schedule.ends:
        with pytest.raises(cr.ConfigurationError, match="its rate would be 0"):
            optimizer.step(np.zeros(1), np.zeros(1))
    else:
        optimizer.plan(100)
        assert optimizer.step(np.zeros(1), np.zeros(1)) == schedule(length, length) > 0


def test_a_schedule_assigned_later_starts_from_there():
    optimizer = cr.SGD(0.5)
    optimizer.plan(10)
    for _ in range(10):
        optimizer.step(np.zeros(1), np.zeros(1))
    optimizer.learning_rate = cr.OneCycle(1.0, warmup=0)
    optimizer.plan(4)
    assert optimizer.rate == 7 / 8


def test_the_place_in_a_schedule_is_restored():
    optimizer = cr.SGD(cr.OneCycle(1.0, warmup=0))
    optimizer.plan(4)
    optimizer.step(np.zeros(1), np.zeros(1))
    again = cr.SGD(cr.OneCycle(1.0, warmup=0))
    again.restore(optimizer.state())
    again.plan(3)
    assert again.rate == 5 / 8


def test_a_schedule_without_a_plan_says_so():
    """In a loop of one's own, too: with a guessed length the rate would be nearly 0 from the second step on."""
    optimizer = cr.SGD(cr.OneCycle(1.0))
    for ask in (lambda: optimizer.rate, lambda: optimizer.step(np.zeros(1), np.zeros(1))):
        with pytest.raises(cr.ConfigurationError, match=r"OneCycle\(1.0\).*call optimizer.plan\(steps\).*length="):
            ask()
    assert optimizer.steps == 0
