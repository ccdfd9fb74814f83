"""Checks ex04_softmax.py: run `pytest test_ex04_softmax.py` in this folder."""

import numpy as np
from ex04_softmax import softmax

import chainrule as cr
from chainrule.teaching import agree, points

z = np.random.default_rng(4).normal(size=(5, 3))
z -= z.max(axis=1, keepdims=True)  # the largest of each row is 0: with or without the shift, the same
right = cr.softmax(z)


@points(3)
def test_values():
    e = np.exp(z)
    mistakes = {
        "the sum runs down the columns (axis 0): each row must add up to 1": e / e.sum(axis=0),
        "the sum runs over all rows at once: each row must add up to 1": e / e.sum(),
        "nothing is divided by the row's sum": e,
        "the exponentials are missing: this divides z itself": z / z.sum(axis=1, keepdims=True),
        "the exponentials are missing, and so are the sums": z,
        "this is the logarithm of softmax": np.log(right),
    }
    agree(softmax(z), right, mistakes)


@points(2)
def test_large_numbers():
    agree(softmax(z + 1000), right)


@points(1)
def test_rows_of_different_size():
    far = z + np.array([[0.0], [2000.0], [0.0], [-2000.0], [0.0]])
    with np.errstate(invalid="ignore"):
        e = np.exp(far - far.max())
        one_for_all = e / e.sum(axis=1, keepdims=True)
        mistakes = {"the shift is one for all rows: take from each row its own largest": one_for_all}
        agree(softmax(far), right, mistakes)
