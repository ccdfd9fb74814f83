"""The doctor's verdict on the lessons' own code, run as it stands in them."""

import numpy as np
import pytest

import chainrule as cr
from seeds_code import seed_000, seed_001, seed_003, seed_004

N, D, H, K = 7, 5, 4, 3
RNG = np.random.default_rng(0)
X, LABELS, NUMBERS = RNG.normal(size=(N, D)), RNG.integers(0, K, N), RNG.normal(size=(N, 1))
ONE_HOT, PROBABILITIES = np.eye(K)[LABELS], RNG.dirichlet(np.ones(K), N)
BESIDE = "right only beside its own loss"


def made(make):
    """The lessons draw their weights from the global generator."""
    state = np.random.get_state()  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    try:
        return make()
    finally:
        np.random.set_state(state)  # noqa: NPY002


CASES = {
    "000 network": (
        lambda: seed_000.NeuralNetwork(D, H, K),
        (),
        {"x": X, "y": LABELS, "loss": seed_000.cross_entropy_loss},
    ),
    "000 relu": (lambda: seed_000.relu, (seed_000.relu_derivative,), {"x": X}),
    "001 network": (lambda: seed_001.NeuralNetwork(D, H, K), (), {"x": X, "y": ONE_HOT}),
    "001 sigmoid": (lambda: seed_001.sigmoid, (seed_001.sigmoid_derivative,), {"x": X}),
    "001 tanh": (lambda: seed_001.tanh, (seed_001.tanh_derivative,), {"x": X}),
    "003 identity": (seed_003.Identity, (), {"x": X}),
    "003 sigmoid": (seed_003.Sigmoid, (), {"x": X}),
    "003 neuron": (lambda: seed_003.Neuron(D, seed_003.Sigmoid()), (), {"x": X}),
    "003 layer": (lambda: seed_003.Layer(D, K, seed_003.Sigmoid()), (), {"x": X}),
    "003 loss": (seed_003.MSE, (), {"x": RNG.normal(size=(N, 1)), "y": NUMBERS}),
    "003 network": (
        lambda: seed_003.NeuralNetwork([D, K, 1], seed_003.Sigmoid()),
        (),
        {"x": X, "y": NUMBERS, "loss": seed_003.MSE()},
    ),
    "004 relu": (seed_004.ReLU, (), {"x": X}),
    "004 linear": (lambda: seed_004.Linear(D, K), (), {"x": X}),
    "004 loss": (seed_004.CrossEntropyLoss, (), {"x": PROBABILITIES, "y": LABELS}),
    "004 network": (lambda: seed_004.MLP([D, H, K]), (), {"x": X, "y": LABELS, "loss": seed_004.CrossEntropyLoss()}),
}
# Lesson 003 forgets 1/n in its loss. Lesson 004 leaves it out of the loss too, but takes it in its linear layer: the
# whole is right, and neither part is by itself.
WRONG = {
    "003 loss": ("wrong", "forgot-n"),
    "003 network": ("wrong", "forgot-n"),
    "004 linear": (BESIDE, "beside-loss"),
    "004 loss": (BESIDE, "beside-loss"),
}


@pytest.mark.parametrize("name", CASES)
def test_each_part_of_the_lessons_gets_the_verdict_that_it_deserves(name):
    make, more, given = CASES[name]
    report = cr.doctor.gradients(made(make), *more, **given, show=False)
    verdict, cause = WRONG.get(name, ("right", None))
    assert report.verdict == verdict, str(report)
    assert report.causes == ([] if cause is None else [cause]), str(report)


def test_the_missing_n_is_told_with_its_numbers_and_the_line_to_write():
    text = str(cr.doctor.gradients(seed_003.MSE(), x=RNG.normal(size=(N, 1)), y=NUMBERS, show=False))
    for part in ("the 1/n of the mean was forgotten", "= 7 in every entry", "n = 7 examples", "1 / 7"):
        assert part in text
