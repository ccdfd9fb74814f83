"""The range test finds a rate that works, and leaves no trace on the trainer that it was asked about."""

import math

import numpy as np
import pytest

import chainrule as cr
from chainrule.range_testing import RangeTest
from test_waiting_callbacks import Says
from trainers import X, Y, everything, full_trainer, plain_trainer, walk

pytestmark = pytest.mark.filterwarnings("ignore:range_test")  # ten steps are hardly enough to fall
MOONS = cr.datasets.moons()
DIGITS = cr.datasets.mnist()
IMAGES = DIGITS.train.x[:3000], DIGITS.train.y[:3000]


def trainer(optimizer="sgd", **options):
    return cr.Trainer(cr.MLP([2, 32, 2]), "cross_entropy", optimizer, **options)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", cr.SGD(momentum=0.9), cr.SGD(cr.OneCycle(0.1))])
def test_the_suggested_rate_learns_and_a_hundredth_of_it_hardly_does(optimizer):
    result = cr.range_test(trainer(optimizer), *MOONS.train)
    losses = {}
    for rate in (result.suggestion, result.suggestion / 100):
        taught = trainer(optimizer if isinstance(optimizer, str) else optimizer.clone())
        taught.optimizer.learning_rate = rate
        losses[rate] = taught.fit(*MOONS.train, epochs=10)["loss"][-1]
    good, low = losses.values()
    assert good < 0.6 * low


@pytest.mark.slow
@pytest.mark.filterwarnings("error:range_test")
@pytest.mark.parametrize("seed", [0, 1, 2, 5, 7])
@pytest.mark.parametrize("optimizer", [cr.SGD(), cr.SGD(momentum=0.9), cr.Adam()], ids=repr)
@pytest.mark.parametrize(
    ("make", "data", "held_out", "epochs", "right"),
    [
        (lambda seed: cr.MLP([784, 32, 10], scale=1 / 255, seed=seed), IMAGES, DIGITS.test, 2, 0.82),
        (lambda seed: cr.MLP([2, 16, 2], seed=seed), MOONS.train, MOONS.test, 15, 0.84),
    ],
    ids=["images", "moons"],
)
def test_the_suggested_rate_learns_whatever_the_seed(make, data, held_out, epochs, right, optimizer, seed):
    def trainer():
        return cr.Trainer(make(seed), "cross_entropy", optimizer.clone(), seed=seed)

    taught = trainer()
    taught.optimizer.learning_rate = cr.range_test(trainer(), *data).suggestion
    taught.fit(*data, epochs)
    assert taught.network.accuracy(*held_out) > right


def test_the_rates_are_spaced_evenly_on_a_logarithmic_scale():
    result = cr.range_test(trainer(), *MOONS.train, low=1e-4, high=1e-2, steps=21)
    np.testing.assert_allclose(result.rates, np.logspace(-4, -2, 21))
    assert len(result.losses) == len(result.smoothed) == 21
    assert result.diverges is None
    assert result.suggestion == result.lowest / 4


def test_each_loss_is_that_of_its_step():
    """The same by hand: a batch, a step at this rate, the next."""
    result = cr.range_test(plain_trainer(), X, Y, low=1e-3, high=1.0, steps=12)
    by_hand = plain_trainer(float(result.rates[0]))
    losses = []
    for i, step in enumerate(by_hand.steps(X, Y, 12)):
        losses.append(step.loss)
        if i == 11:
            break
        by_hand.optimizer.learning_rate = float(result.rates[i + 1])
    assert result.losses.tolist() == losses


@pytest.mark.parametrize("make", [plain_trainer, full_trainer])
@pytest.mark.parametrize("cut", [0, 7])
def test_nothing_is_touched(make, cut):
    says = Says(1, 2, 3, 4)
    tested, other = make(callbacks=[says]), make(callbacks=[Says(1, 2, 3, 4)])
    for each in (tested, other):
        walk(each, cut)
    before, grads = everything(tested), tested.network.grads.copy()
    cr.range_test(tested, X, Y)
    assert everything(tested) == before
    np.testing.assert_array_equal(tested.network.grads, grads)
    assert tested.callbacks == [says]
    assert sorted(says.weights) == list(range(1, cut // 5 + 1))
    for each in (tested, other):
        each.fit(X, Y, 2)
    assert everything(tested) == everything(other)


def test_a_network_that_is_not_built_stays_so():
    network = cr.Network(cr.Linear(out_features=3))
    cr.range_test(cr.Trainer(network, "cross_entropy"), X, Y, steps=10)
    assert network.out_shapes == ()
    assert network.output is None


def test_metrics_need_no_validation_data_here():
    cr.range_test(plain_trainer(metrics={"zero": lambda y, answers: 0.0}), X, Y, steps=10)
    with pytest.raises(cr.ConfigurationError, match="metrics"):
        plain_trainer(metrics={"zero": lambda y, answers: 0.0}).fit(X, Y)


class Scripted(cr.Loss):
    """Loses what it is told to, batch by batch."""

    def __init__(self, values):
        self.values, self.calls = values, 0

    def check(self, targets, shape):
        return np.asarray(targets)

    def compute(self, outputs, targets, weights, total):
        self.calls += 1
        return self.values[self.calls - 1], np.zeros_like(outputs)


def scripted(*values, high=1e9):
    loss = Scripted(list(values))
    return cr.range_test(cr.Trainer(cr.MLP([5, 3]), loss, "sgd"), X, Y, low=1, high=high, steps=10)


def test_it_ends_where_the_loss_has_risen_by_half_of_what_it_was_at_first():
    result = scripted(2, 2, 2, 1, 1, 1, 30, 30, 30, 30)
    assert result.diverges == pytest.approx(1e6)
    assert result.losses.tolist() == [2, 2, 2, 1, 1, 1, 30]
    assert scripted(2, 2, 2, 1, 1, 1, 2, 2, 2, 2).diverges is None, "its mean has risen by less"


def test_what_falls_again_after_it_has_risen_is_not_looked_at():
    rises = (3, 3, 2, 1, 1, 2, 9, 9, 9, 9)
    falls = scripted(*rises[:-2], 0.1, 0.1)
    assert falls.diverges is not None
    assert falls.suggestion == scripted(*rises).suggestion < 1e5


def test_a_loss_below_zero_is_no_reason_to_end():
    assert scripted(-1, -1, -2, -2, -2, -2, -2, -1.9, -1.8, -1.7).diverges is None
    assert scripted(-1, -1, -2, -2, -2, -2, 50, 50, 50, 50).diverges == pytest.approx(1e6)


def test_a_loss_that_does_not_fall_is_warned_of():
    with pytest.warns(cr.ChainruleWarning, match="the loss has hardly fallen, so the suggestion means little"):
        scripted(*[2, 2.1] * 5)


@pytest.mark.parametrize("last", [math.nan, math.inf])
def test_it_ends_where_the_loss_is_not_finite(last):
    result = scripted(2, 2, 1, 1, last, 0, 0, 0, 0, 0)
    assert result.diverges == pytest.approx(1e4)
    assert result.losses.tolist() == [2, 2, 1, 1]
    with pytest.raises(cr.DivergenceError):
        scripted(2, last, 0, 0)


def test_the_smoothed_losses_do_not_lag():
    """A fall in the middle of a symmetric course is seen in the middle."""
    result = scripted(2, 2, 2, 2, 2, 1, 1, 1, 1, 1)
    np.testing.assert_allclose(result.smoothed - 1.5, 1.5 - result.smoothed[::-1], atol=1e-12)
    assert result.smoothed[[0, -1]] == pytest.approx([1.88, 1.12], abs=0.02), "and the neighbours alone count"
    assert (np.diff(result.smoothed) < 0).all()


def test_it_prints_what_it_suggests():
    rates = np.logspace(0, 3, 4)
    said = repr(RangeTest(rates, np.array([2.0, 1.0, 2.0, 9.0]), np.array([2.0, 1.0, 2.0, 8.0]), diverges=1000.0))
    assert said == "RangeTest(2.5 suggested; lowest at 10, diverges at 1e+03)"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"low": 0}, r"range_test: low must be a number in \(0, inf\), received 0"),
        ({"low": 1, "high": 0.1}, "expected low < high, received low=1 and high=0.1"),
        ({"steps": 9}, r"steps must be a whole number in \[10, inf\)"),
    ],
)
def test_arguments_that_make_no_sense(options, text):
    with pytest.raises(cr.ConfigurationError, match=text):
        cr.range_test(plain_trainer(), X, Y, **options)
