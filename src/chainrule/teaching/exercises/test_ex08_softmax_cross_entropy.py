"""Checks ex08_softmax_cross_entropy.py: run `pytest test_ex08_softmax_cross_entropy.py` in this folder."""

import numpy as np
from ex08_softmax_cross_entropy import loss, loss_slope

from chainrule.teaching import agree, examine, points

rng = np.random.default_rng(8)
z, labels = rng.normal(size=(7, 3)), np.array([0, 1, 2, 2, 1, 0, 1])


@points(1)
def test_rows_add_up_to_zero():
    mistakes = {
        "this is softmax alone: 1 is to be taken away at the right class": np.full(7, 1 / 7),
        "1 is added at the right class: it is to be taken away": np.full(7, 2 / 7),
    }
    agree(loss_slope(z, labels).sum(axis=1), np.zeros(7), mistakes)


@points(4)
def test_slope():
    examine(loss, loss_slope, x=z, y=labels)
