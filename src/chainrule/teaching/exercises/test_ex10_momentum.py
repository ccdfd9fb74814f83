"""Checks ex10_momentum.py: run `pytest test_ex10_momentum.py` in this folder."""

import numpy as np
from ex10_momentum import step

from chainrule.teaching import agree, points

rng = np.random.default_rng(10)
start = [rng.normal(size=(5, 3)), rng.normal(size=3)]
slopes = [[rng.normal(size=W.shape) for W in start] for _ in range(3)]


def flat(arrays):
    return np.concatenate([array.ravel() for array in arrays])


def walk(steps, momentum):
    """All parameters after some steps of `step`, at the rate 0.1."""
    parameters, velocities = [W.copy() for W in start], [np.zeros_like(W) for W in start]
    for slope in slopes[:steps]:
        step(parameters, slope, velocities, 0.1, momentum)
    return flat(parameters)


def walk_by(rule, steps=3):
    """The same by a rule that makes the velocity from the one before and the slope."""
    W, v = flat(start), np.zeros_like(flat(start))
    for slope in slopes[:steps]:
        v = rule(v, flat(slope))
        W = W + v
    return W


@points(2)
def test_without_momentum():
    W, g = flat(start), flat(slopes[0])
    right = W - 0.1 * g
    mistakes = {
        "no weight has moved: `W = W + v` makes a new array, `W += v` changes the one that was given": W,
        "the step goes uphill: the slope is to be subtracted": W + 0.1 * g,
        "the learning rate is not multiplied in": W - g,
        "the weights are replaced by the step: it is to be added to them": -0.1 * g,
    }
    agree(walk(1, momentum=0.0), right, mistakes)


@points(3)
def test_with_momentum():
    wrong = {
        "no weight has moved: `W = W + v` makes a new array, `W += v` changes the one that was given": lambda v, g: (
            0 * v
        ),
        "the velocity is forgotten from step to step: change the array that was given": lambda v, g: -0.1 * g,
        "the steps go uphill: the slope is to be subtracted": lambda v, g: 0.9 * v + 0.1 * g,
        "the old velocity stays in full: it is to be multiplied by the momentum": lambda v, g: v - 0.1 * g,
        "the slope is multiplied by 1 - momentum too: that is another formula": lambda v, g: 0.9 * v - 0.01 * g,
    }

    def rule(v, g):
        return 0.9 * v - 0.1 * g

    right = walk_by(rule)
    mistakes = {says: walk_by(wrong_rule) for says, wrong_rule in wrong.items()}
    mistakes["the weights move by the velocity of the step before: make the new one first"] = walk_by(rule, steps=2)
    agree(walk(3, momentum=0.9), right, mistakes)
