"""Checks ex06_mse.py: run `pytest test_ex06_mse.py` in this folder."""

import numpy as np
from ex06_mse import mse, mse_slope

import chainrule as cr
from chainrule.teaching import agree, examine, points

rng = np.random.default_rng(6)
p, y = rng.normal(size=(7, 3)), rng.normal(size=(7, 3))
squares = (p - y) ** 2


@points(2)
def test_value():
    mistakes = {
        "this is the sum: the loss is the mean, so that it does not grow with n": squares.sum(),
        "the sum is divided by the rows alone: the mean runs over all entries": squares.sum() / 7,
        "this is half of it: the 1/2 of some books is not in our formula": squares.mean() / 2,
        "the root of it: the formula has none": np.sqrt(squares.mean()),
        "the square is missing": np.mean(p - y),
        "this is the mean of |p - y|": np.abs(p - y).mean(),
        "the mean is taken before the square": np.mean(p - y) ** 2,
        "one number for each example: the loss is one number": squares.mean(axis=1),
    }
    agree(mse(p, y), cr.MSE()(p, y)[0], mistakes)


@points(3)
def test_slope():
    examine(mse, mse_slope, x=p, y=y)
