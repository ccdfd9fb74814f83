"""Checks ex10_momentum.py."""

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


def walk_by(rule, steps=3, use=lambda old, v, g: v):
    """The same by a rule that makes the velocity from the one before and the slope."""
    W, v = flat(start), np.zeros_like(flat(start))
    for slope in slopes[:steps]:
        old, v = v, rule(v, flat(slope))
        W = W + use(old, v, flat(slope))
    return W


@points(2)
def test_without_momentum():
    W, g = flat(start), flat(slopes[0])
    mistakes = {
        "no weight has moved: `W = W + v` makes a new array, `W += v` changes the one that was given": W,
        "the step goes uphill: the slope is to be subtracted": W + 0.1 * g,
        "the learning rate is not multiplied in": W - g,
        "the weights are replaced by the step: it is to be added to them": -0.1 * g,
    }
    agree(walk(1, momentum=0.0), W - 0.1 * g, mistakes)


@points(3)
def test_with_momentum():
    mistakes = {
        "no weight has moved: `W = W + v` makes a new array, `W += v` changes the one that was given": flat(start),
        "the velocity is forgotten from step to step: change the array that was given": walk_by(lambda v, g: -0.1 * g),
        "the steps go uphill: the slope is to be subtracted": walk_by(lambda v, g: 0.9 * v + 0.1 * g),
        "the velocity is added to in full: it is to be multiplied by the momentum first": walk_by(
            lambda v, g: v - 0.1 * g
        ),
        "the slope is taken times 1 - momentum: that is another formula than ours": walk_by(
            lambda v, g: 0.9 * v - 0.1 * 0.1 * g
        ),
        "the weights move by the velocity of the step before: make the new one first": walk_by(
            lambda v, g: 0.9 * v - 0.1 * g, use=lambda old, v, g: old
        ),
        "the weights move by the velocity and by the slope once more": walk_by(
            lambda v, g: 0.9 * v - 0.1 * g, use=lambda old, v, g: v - 0.1 * g
        ),
    }
    agree(walk(3, momentum=0.9), walk_by(lambda v, g: 0.9 * v - 0.1 * g), mistakes)
