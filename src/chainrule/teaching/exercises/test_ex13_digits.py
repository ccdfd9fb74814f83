"""Checks ex13_digits.py: run `pytest test_ex13_digits.py` in this folder."""

from functools import cache

import numpy as np
from ex13_digits import train

from chainrule import datasets
from chainrule.teaching import points

digits = datasets.mnist()
x, labels = digits.train.x[:3000], digits.train.y[:3000]
new, truth = digits.test.x[:1000], digits.test.y[:1000]


@cache
def trained(scale=1.0):
    with np.errstate(all="ignore"):  # numbers that explode end in wrong answers, which are met below
        return train(x * scale, labels.copy(), np.random.default_rng(13))


def share_right(predict, images, truth):
    answers = np.asarray(predict(images))
    assert answers.shape == truth.shape, (
        f"predict gives shape {answers.shape}, expected {truth.shape}: one label for each image, the class with the "
        "largest output"
    )
    return (answers == truth).mean()


@points(2)
def test_it_learns():
    right = share_right(trained(), x, labels)
    if right < 0.5:
        scaled = share_right(trained(1 / 255), x / 255, labels)
        assert scaled < 0.9, (
            f"with pixels of 0..1 the same code gets {scaled:.0%} right, with 0..255 {right:.0%}: scale them"
        )
    assert right > 0.5, (
        f"{right:.0%} of the training images are right; guessing gets 10 %. Do the steps go downhill, and are they "
        "short enough? Are images and labels shuffled in the same order?"
    )


@points(6)
def test_nine_of_ten_new_digits():
    right = share_right(trained(), new, truth)
    assert right >= 0.9, (
        f"{right:.1%} of the new images are right, 90 % are asked for: train longer, try other learning rates, "
        "smaller starting weights, or add momentum"
    )
