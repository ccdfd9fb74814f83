"""Checks ex11_gradient_check.py: run `pytest test_ex11_gradient_check.py` in this folder."""

import numpy as np
from ex11_gradient_check import numerical_gradient, relative_error

from chainrule.teaching import agree, points

rng = np.random.default_rng(11)
x, c = rng.normal(size=(3, 2)), rng.normal(size=(3, 2))
h = 1e-3


def f(x):
    return np.sum(c * np.sin(2 * x))


@points(4)
def test_both_ways():
    def sides(h):
        return c * np.sin(2 * (x + h)), c * np.sin(2 * (x - h)), c * np.sin(2 * x)

    above, below, here = sides(h)
    right, (above5, below5, _) = (above - below) / (2 * h), sides(1e-5)
    mistakes = {
        "pushed one way only, up: the error falls with h, both ways with h^2": (above - here) / h,
        "pushed one way only, down: the error falls with h, both ways with h^2": (here - below) / h,
        "pushed one way only, yet divided by 2h": (above - here) / (2 * h),
        "divided by h: from x - h to x + h it is 2h": (above - below) / h,
        "the sign is wrong: f(x + h) - f(x - h), in this order": -right,
        "not divided by 2h": above - below,
        "h is not used: another push is taken in its place": (above5 - below5) / 2e-5,
        "all entries are pushed at once: push one, and put it back": np.full_like(x, (f(x + h) - f(x - h)) / (2 * h)),
    }
    agree(numerical_gradient(f, x.copy(), h), right, mistakes)


@points(1)
def test_x_is_left_as_it_was():
    mine = x.copy()
    numerical_gradient(f, mine)
    agree(mine, x, {"x is not put back: it is still pushed": x - 1e-5, "x is not put back: still pushed up": x + 1e-5})


@points(2)
def test_relative_error():
    a, b = 1e-6 * x, 1e-6 * c
    size = np.linalg.norm(a) + np.linalg.norm(b)
    right = np.linalg.norm(a - b) / size
    mistakes = {
        "this is the absolute error: small gradients pass it, however wrong": np.linalg.norm(a - b),
        "this is the largest absolute error: small gradients pass it, however wrong": np.abs(a - b).max(),
        "the differences are added up with their signs, and cancel": np.abs(np.sum(a - b)) / size,
        "the roots are missing": np.sum((a - b) ** 2) / (np.sum(a**2) + np.sum(b**2)),
        "one number for each entry: the formula gives one for all": np.abs(a - b) / (np.abs(a) + np.abs(b)),
    }
    agree(relative_error(a, b), right, mistakes)


@points(1)
def test_two_zeros():
    agree(relative_error(np.zeros(3), np.zeros(3)), 0.0)
