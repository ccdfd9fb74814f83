"""Checks ex13_digits.py."""

from functools import cache

import numpy as np
from ex13_digits import train

from chainrule import datasets
from chainrule.teaching import points

digits = datasets.mnist()
x, labels = digits.train.x[:3000], digits.train.y[:3000]
new, truth = digits.test.x[:1000], digits.test.y[:1000]


@cache
def trained():
    return train(x.copy(), labels.copy(), np.random.default_rng(13))


@points(2)
def test_it_learns():
    answers = np.asarray(trained()(x))
    assert answers.shape == labels.shape, (
        f"predict gives shape {answers.shape}, expected {labels.shape}: one label for each image, the class with the "
        "largest output"
    )
    right = (answers == labels).mean()
    if right < 0.9:
        scaled = (np.asarray(trained()(x / 255)) == labels).mean()
        assert scaled < 0.9, "predict does not scale the pixels as the training does: it is given 0..255"
    most, count = np.unique(answers, return_counts=True)
    assert count.max() < 0.9 * len(x), (
        f"nearly every answer is {most[count.argmax()]}: the hidden neurons have died, or nothing was learned. Are the "
        "pixels scaled? Is the learning rate too large?"
    )
    assert right > 0.2, (
        f"{right:.0%} of the training images are right, no more than by guessing: are images and labels shuffled in the "
        "same order, and do the steps go downhill?"
    )


@points(6)
def test_nine_of_ten_new_digits():
    right = (np.asarray(trained()(new)) == truth).mean()
    assert right >= 0.9, (
        f"{right:.1%} of the new images are right, 90 % are asked for: train for more epochs, try other learning rates, "
        "or add momentum"
    )
