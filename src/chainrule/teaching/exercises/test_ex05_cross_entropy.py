"""Checks ex05_cross_entropy.py: run `pytest test_ex05_cross_entropy.py` in this folder."""

import numpy as np
from ex05_cross_entropy import cross_entropy

import chainrule as cr
from chainrule.teaching import agree, points

rng = np.random.default_rng(5)
p, labels = rng.dirichlet(np.ones(3), size=7), rng.integers(0, 3, 7)
surprise = np.array([cr.CrossEntropy()(np.log(p[i : i + 1]), labels[i : i + 1])[0] for i in range(7)])


@points(1)
def test_one_example():
    mistakes = {
        "the minus is missing: a surprise is not negative": -surprise[0],
        "this is the logarithm to base 2: take the natural one, np.log": surprise[0] / np.log(2),
        "this is the logarithm to base 10: take the natural one, np.log": surprise[0] / np.log(10),
        "divided by the classes too: the mean runs over the examples": surprise[0] / 3,
    }
    agree(cross_entropy(p[:1], labels[:1]), surprise[0], mistakes)


@points(3)
def test_a_batch():
    mistakes = {
        "this is the sum over the batch: the loss is the mean, so that it does not grow with n": surprise.sum(),
        "the minus is missing: a surprise is not negative": -surprise.mean(),
        "divided by the classes too: the mean runs over the examples": surprise.mean() / 3,
        "p[:, labels] takes all labels from every row: take the right one of each": -np.log(p[:, labels]).mean(),
        "all classes are counted: only the right one of each row is": -np.log(p).mean(),
        "all classes are counted and added up: only the right one of each row is": -np.log(p).sum() / 7,
        "one number for each example: the loss is their mean": surprise,
        "the mean is taken before the logarithm: surprises are averaged, not p": -np.log(np.exp(-surprise).mean()),
        "the logarithm is missing": -np.exp(-surprise).mean(),
    }
    agree(cross_entropy(p, labels), surprise.mean(), mistakes)
