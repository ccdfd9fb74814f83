"""Checks ex12_xor.py: run `pytest test_ex12_xor.py` in this folder."""

import numpy as np
from ex12_xor import train

from chainrule.teaching import points

x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
labels = np.array([0, 1, 1, 0])
CHANCE = np.log(2)


def trained(seed):
    with np.errstate(all="ignore"):  # a loss that explodes is met below
        return train(x.copy(), labels.copy(), np.random.default_rng(seed))


@points(3)
def test_the_loss_falls():
    losses, _ = trained(12)
    assert len(losses) > 1, "the list of losses has no two entries: add the loss of every step"
    first, last = losses[0], losses[-1]
    stuck = np.ptp(losses) < 1e-9
    assert not (stuck and abs(first - CHANCE) < 1e-9), (
        "the loss stays at log 2 = 0.693, a coin toss, from the first step: with all weights 0 to start with, all "
        "hidden neurons do the same, and none ever learns"
    )
    assert not stuck, "the loss never changes: the weights are not moved, or the slopes are not used"
    assert np.isfinite(last) and (last < first or last < CHANCE / 2), (
        f"the loss goes from {first:.3f} to {last:.3f}: the steps go uphill, or are too long"
    )
    assert last < CHANCE - 0.05, (
        f"the loss ends at {last:.3f}; a coin toss has log 2 = 0.693. Is there a bend between the layers? Without one, "
        "two layers are one, and one cannot do XOR"
    )


@points(4)
def test_nearly_every_start_gets_there():
    solved = 0
    for seed in range(10):
        _, predict = trained(seed)
        answers = np.asarray(predict(x))
        assert answers.shape == (4,), f"predict gives shape {answers.shape}, expected (4,): one label for each row"
        solved += (answers == labels).all()
    assert solved > 0, "none of 10 starts gets all four corners right"
    assert solved >= 9, (
        f"only {solved} of 10 starts get all four corners right: with few hidden neurons a start can be unlucky, and "
        "ReLU neurons can die. Take more of them, or more steps"
    )
