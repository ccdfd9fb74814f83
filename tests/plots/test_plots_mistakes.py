"""Mistakes are counted right, written, and never coloured away."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from chainrule import plots
from chainrule.errors import ConfigurationError, DataError, ShapeError
from chainrule.metrics import confusion_matrix, most_confused


def test_confusion_writes_every_count_but_zero_and_colours_only_mistakes(taught, digits, new_ax, texts):
    y, predicted = digits.y, taught.network.predict(digits.x)
    matrix = confusion_matrix(y, predicted)
    ax = plots.confusion(matrix, ax=new_ax())
    counts = [f"{count:,}" for count in matrix.ravel() if count]
    shares = [f"{100 * matrix[k, k] / matrix[k].sum():.1f} %" for k in range(10)]
    assert texts(ax) == ["right", *counts, *shares]
    assert np.isnan(np.diag(ax.images[0].get_array().filled(np.nan))).all()
    assert ax.get_title() == f"{(y == predicted).sum():,} of 10,000 right"
    assert texts(plots.confusion(taught.network, digits.x, y, ax=new_ax())) == texts(ax)
    assert [label.get_text() for label in ax.get_yticklabels()] == [str(k) for k in range(10)]


def test_confusion_of_many_classes_has_no_numbers_and_of_none_wrong_no_division(new_ax, texts):
    assert texts(plots.confusion(np.ones((30, 30), int), ax=new_ax())) == []
    ax = plots.confusion(np.diag([3, 0]), class_names=["a long name", "b"], ax=new_ax())
    ax.figure.canvas.draw()
    assert texts(ax) == ["right", "3", "100.0 %"]


def test_most_confused_is_the_table_of_the_metrics(taught, digits, new_ax, texts):
    y, predicted = digits.y[:2000], taught.network.predict(digits.x[:2000])
    worst = most_confused(y, predicted, 3)
    ax = plots.most_confused(taught.network, digits.x[:2000], y, k=3, ax=new_ax())
    assert [bar.get_width() for bar in ax.patches] == [mistake.times for mistake in worst]
    assert texts(ax) == [str(mistake.times) for mistake in worst]
    words = [label.get_text() for label in ax.get_yticklabels()]
    assert words == [f"<{mistake.true}>, taken for <{mistake.predicted}>" for mistake in worst]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the most frequent on top


def test_most_confused_of_a_network_without_mistakes(new_ax, texts):
    ax = plots.most_confused(np.diag([3, 5]), ax=new_ax())
    assert (ax.get_title(), texts(ax)) == ("No mistakes", [])


@pytest.mark.parametrize(
    ("draw", "error", "text"),
    [
        (lambda network: plots.confusion(network), ConfigurationError, r"confusion\(network, x, y\)"),
        (lambda network: plots.confusion(np.zeros((2, 3))), ShapeError, r"\(K, K\), received \(2, 3\)"),
        (lambda network: plots.confusion(np.zeros((2, 2)), class_names="abc"), ShapeError, "2 class names, received 3"),
        (lambda network: plots.confusion(np.full((2, 2), 0.5)), DataError, "whole numbers, counts, received float64"),
        (lambda network: plots.most_confused(network), ConfigurationError, r"most_confused\(network, x, y\)"),
        (lambda network: plots.most_confused(np.eye(2, dtype=int), k=-1), ConfigurationError, "k must be a whole"),
    ],
)
def test_what_cannot_be_drawn(draw, error, text, taught):
    with pytest.raises(error, match=text):
        draw(taught.network)
    assert not plt.get_fignums()
