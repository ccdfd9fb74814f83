"""Every question of the checkup is asked a network that is well and one with the illness planted."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.datasets import circles, mnist, moons, spirals, surface, xor
from chainrule.doctor import checkup, training_items

DIGITS = mnist()
X, Y = DIGITS.train.x[:1200], DIGITS.train.y[:1200]
MOONS, BOWL = moons().train, surface().train
CHANCE = np.random.default_rng(0)
NORMAL = CHANCE.standard_normal((500, 5))


def digits_network(*hidden, activation="relu", **options):
    return cr.MLP([784, *(hidden or [32]), 10], activation, **{"scale": 1 / 255} | options)


def small(inputs=2, outputs=2, **options):
    return cr.MLP([inputs, 16, outputs], **options)


def times(factor, network):
    network.params *= factor
    return network


class Crooked(cr.Layer):
    """tanh with the slope 1 - y instead of 1 - y^2, or with no backward at all."""

    any_shape = True

    def __init__(self, slope=True):
        self.slope = slope

    def forward(self, x, train=False, rng=None):
        y = np.tanh(x)
        return y, (y,)

    def backward(self, dy, cache, need_dx=True):
        (y,) = cache
        return dy * (1 - y) if self.slope else dy.nothing


MULTILABEL = np.stack([Y % 2, Y > 4, X[:, 300:500].mean(axis=1) > 60], axis=1)
RARE = (CHANCE.random(1000) < 0.03).astype(int)

HEALTHY = {
    "digits": (digits_network(), X, Y, "cross_entropy"),
    "digits, sgd": (digits_network(), X, Y, "cross_entropy", {"optimizer": cr.SGD(0.1), "batch_size": 64}),
    "digits, one cycle": (digits_network(), X, Y, "cross_entropy", {"optimizer": cr.SGD(cr.OneCycle(0.1))}),
    "images": (
        cr.Network(cr.Rescale(1 / 255), cr.Flatten(), cr.Linear(784, 16), cr.ReLU(), cr.Linear(16, 10)),
        *(X.reshape(-1, 28, 28, 1)[:600], Y[:600], "cross_entropy"),
    ),
    "normalization and dropout": (
        cr.Network(
            *(cr.Standardize(), cr.Linear(784, 32), cr.BatchNorm(), cr.ReLU(), cr.Dropout(0.2), cr.Linear(32, 10))
        ),
        *(X, Y, "cross_entropy"),
    ),
    "two and one": (small(), *MOONS, "cross_entropy", {"validation": moons().test}),
    "residual": (
        cr.Network(cr.Linear(2, 16), cr.Residual(cr.Linear(16, 16), cr.Tanh(), cr.Linear(16, 16)), cr.Linear(16, 2)),
        *(*MOONS, "cross_entropy"),
    ),
    "probabilities": (
        cr.Network(cr.Linear(2, 16), cr.Tanh(), cr.Linear(16, 2), cr.Softmax()),
        *(*MOONS, cr.CrossEntropy(from_probabilities=True)),
    ),
    "xor": (small(outputs=1), *xor().train, "binary_cross_entropy"),
    "noisy xor": (small(), *xor(200, noise=0.1).train, "cross_entropy"),
    "circles": (small(outputs=1), *circles().train, "binary_cross_entropy"),
    "spirals": (cr.MLP([2, 32, 32, 2]), *spirals().train, "cross_entropy"),
    "bowl": (small(outputs=1), *BOWL, "squared_error"),
    "several values": (small(5, 3), NORMAL, np.tanh(NORMAL[:, :3] + NORMAL[:, 1:4]), "huber"),
    "counts": (small(5, 1), NORMAL, CHANCE.poisson(np.exp(NORMAL[:, :1])), "poisson"),
    "multilabel": (cr.MLP([784, 32, 3], scale=1 / 255), X, MULTILABEL, None),
}


def examined(network, x, y, loss, options=None):
    if loss is None:
        network.output, loss = "sigmoid", None
    return checkup(network, x, y, loss, show=False, **options or {})


@pytest.mark.parametrize("name", HEALTHY)
def test_nothing_is_said_against_what_is_well(name):
    report = examined(*HEALTHY[name])
    assert report.passed, str(report)
    assert sum(item.status == "pass" for item in report.items) >= 9


def with_column(column):
    return np.column_stack([MOONS.x, column])


def broken(x, *places):
    x = x.astype(float)
    for place in places:
        x[place] = np.nan
    return x


SORTED = np.argsort(Y, kind="stable")
UNEVEN = BOWL.x * [1, 1e-5]
ILL = {  # what is planted: the arguments, the items that must fail, a text of the evidence, a text of the fix
    "NaN": ((digits_network(), broken(X, (17, 3)), Y), "finite values", "row 17, column 3", "x[good]"),
    "raw pixels": ((digits_network(scale=None), X, Y), "input scale", "0 to 255", "cr.Rescale(1 / 255)"),
    "raw pixels, sgd": (
        (digits_network(scale=None), X, Y, {"optimizer": cr.SGD(0.1)}),
        *("learning rate", "too high", "mend 'input scale' first"),
    ),
    "scaled twice": ((digits_network(), X / 255, Y), "input scale", "0.00392", "cr.Standardize()"),
    "uneven columns": ((small(outputs=1), UNEVEN, BOWL.y), "input scale", "column 1 1.99e-05", "cr.Standardize()"),
    "a constant column": ((small(3), with_column(np.full(300, 3.0)), MOONS.y), "constant columns", "2,", "np.ptp"),
    "a column of zeros": ((small(3), with_column(np.zeros(300)), MOONS.y), "constant columns", "0 in", "np.ptp"),
    "the answer in x": ((small(3), with_column(MOONS.y), MOONS.y), "answer in x", "column 2", "np.delete(x, 2"),
    "the value in x": ((small(3, 1), np.c_[BOWL], BOWL.y), "answer in x", "column 2", "np.delete(x, 2"),
    "leaky validation": (
        (digits_network(), X, Y, {"validation": (X[:100], Y[:100])}),
        *("repeated rows", "100.0% are also here", "np.unique"),
    ),
    "labels from 1": ((digits_network(), X, Y + 1), "targets", "received 1..10", "y = y - 1"),
    "labels one off": ((cr.MLP([784, 32, 11], scale=1 / 255), X, Y + 1), "targets", "no row has label 0", "np.unique"),
    "labels as text": ((digits_network(), X, Y.astype(str)), "targets", "text", "np.unique"),
    "labels -1 and 1": ((small(outputs=1), MOONS.x, 2.0 * MOONS.y[:, None] - 1, "bce"), "targets", "-1.0..", "(y + 1)"),
    "NaN to predict": ((small(outputs=1), BOWL.x, broken(BOWL.y, 5)), "targets", "row 5", "isfinite(y)"),
    "prices": ((small(outputs=1), BOWL.x, 1e5 * BOWL.y), "targets", "deviation 4", "y.std"),
    "years": ((small(outputs=1), BOWL.x, 2000 + BOWL.y), "targets", "mean up to 2e+03", "y.mean"),
    "sorted labels": ((digits_network(), X[SORTED], Y[SORTED]), "row order", "by chance 10", "permutation"),
    "a rare class": (
        (small(5, 1), np.r_[NORMAL, NORMAL] + RARE[:, None], RARE, "bce"),
        *("class balance", "of class 1,", 'class_weight="balanced"'),
    ),
    "large weights": ((times(100, digits_network()), X, Y), "loss at the start", "ln 10 = 2.3", "initializer"),
    "a crooked layer": (
        (cr.Network(cr.Linear(2, 8), Crooked(), cr.Linear(8, 2)), *MOONS),
        *("gradients", "look at the backward of layers 0 to 1", "cr.check_gradients"),
    ),
    "a broken layer": (
        (cr.Network(cr.Linear(2, 8), Crooked(slope=False), cr.Linear(8, 2)), *MOONS),
        *("gradients", "AttributeError", "cr.check_gradients"),
    ),
    "dead units": ((digits_network(bias=-10.0), X, Y), "units at the start", "32 of 32 units of ReLU #2", "bias=0"),
    "saturated units": (
        (times(100, digits_network(activation="sigmoid")), X, Y),
        *("units at the start", "% of the values of Sigmoid #2", "initializer"),
    ),
    "eight sigmoids": ((digits_network(*[16] * 8, activation="sigmoid"), X, Y), "learns by heart", "20 rows", "relu"),
    "a rate of 10": ((digits_network(), X, Y, {"optimizer": cr.SGD(10.0)}), "update ratio", "too large", "cr.SGD(0."),
    "a rate far too high": ((small(), *MOONS, {"optimizer": cr.SGD(100.0)}), "learning rate", "too high", "cr.SGD(0."),
    "units killed": (
        (digits_network(), X, Y, {"optimizer": cr.SGD(10.0)}),
        *("units after steps", "after 50 steps", "mend 'update ratio' first"),
    ),
    "divergence": ((small(outputs=1), *BOWL, {"optimizer": cr.SGD(10.0)}), "update ratio", "became inf", "cr.SGD(0.0"),
    "a rate of 1e-6": ((digits_network(), X, Y, {"optimizer": cr.SGD(1e-6)}), "learning rate", "too low", "cr.SGD(0."),
    "hardly any step": ((digits_network(), X, Y, {"optimizer": cr.Adam(1e-6)}), "update ratio", "hardly", "cr.Adam(0."),
    "no weights": (
        (small(initializer=cr.Normal(1e-9)), *MOONS),
        *("update ratio", "0.W begins so near 0", "initializer"),
    ),
    "shuffled labels": (
        (digits_network(128), X, np.random.default_rng(1).permutation(Y)),
        *("shuffled labels", "as good as shuffled", "print("),
    ),
}
LOSSES = {"bce": "binary_cross_entropy"}


ALONE = {  # illnesses that do not spread: nothing else fails
    *("a constant column", "labels one off", "leaky validation", "sorted labels", "the answer in x", "a rare class"),
    *("a crooked layer", "shuffled labels"),
}
BY_TRAINING = {"learns by heart", "shuffled labels"}


@pytest.mark.parametrize("name", ILL)
def test_a_planted_illness_is_found_with_its_evidence_and_its_mend(name, monkeypatch):
    (network, x, y, *more), item, evidence, fix = ILL[name]
    options = more.pop() if more and isinstance(more[-1], dict) else {}
    loss = LOSSES[more[0]] if more else "squared_error" if np.ndim(y) == 2 else "cross_entropy"
    if item not in BY_TRAINING and name not in ALONE:  # then there is no need to wait for it
        monkeypatch.setattr(training_items, "HEART_STEPS", (20, 20))
        monkeypatch.setattr(training_items, "CONTROL_STEPS", (20, 20))
    report = checkup(network, x, y, loss, show=False, **options)
    assert report[item].status == "fail", str(report)
    assert evidence in report[item].evidence
    assert fix in report[item].fix
    assert not report.passed
    if name in ALONE:
        assert [failed.name for failed in report.failed] == [item]
