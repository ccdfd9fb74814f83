"""Confusion counts, against a loop that cannot be wrong."""

import numpy as np
import pytest

from chainrule.errors import ConfigurationError, LabelError
from chainrule.metrics import Confusion, confusion_matrix, most_confused


def test_counts_equal_those_of_a_loop():
    rng = np.random.default_rng(0)
    true, predicted = rng.integers(0, 7, (2, 500))
    expected = np.zeros((7, 7), int)
    for i, j in zip(true, predicted, strict=True):
        expected[i, j] += 1
    assert (confusion_matrix(true, predicted) == expected).all()


def test_classes_that_do_not_occur_have_rows_of_zeros():
    assert confusion_matrix([0], [1], classes=3).tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert confusion_matrix([], [], classes=2).tolist() == [[0, 0], [0, 0]]


def test_small_label_types_do_not_overflow():
    labels = np.array([200, 255], "uint8")
    assert confusion_matrix(labels, labels)[255, 255] == 1


def test_most_confused_is_sorted_and_leaves_out_what_is_right():
    true, predicted = [4] * 5 + [3] * 3 + [0], [9] * 4 + [4] + [5] * 3 + [0]
    assert most_confused(true, predicted) == [Confusion(4, 9, 4), Confusion(3, 5, 3)]
    assert most_confused(true, predicted, k=1) == [Confusion(4, 9, 4)]
    assert most_confused([1, 2], [1, 2]) == []


def test_ties_come_in_the_order_of_the_labels():
    assert most_confused([2, 1, 0], [0, 0, 1]) == [Confusion(0, 1, 1), Confusion(1, 0, 1), Confusion(2, 0, 1)]


@pytest.mark.parametrize(
    ("true", "predicted", "options", "error", "text"),
    [
        ([0, 1], [0], {}, LabelError, "one prediction for each label"),
        ([0.0, 1.0], [0, 1], {}, LabelError, "y_true: expected whole numbers"),
        ([0, 1], np.eye(2), {}, LabelError, r"y_pred.argmax\(axis=1\)"),
        ([0, -1], [0, 1], {}, LabelError, "from 0 up, received -1"),
        ([0, 5], [0, 1], {"classes": 3}, LabelError, "from 0 to 2, received 5"),
        ([0, 1], [0, 1], {"classes": 0}, ConfigurationError, "classes must be a whole number"),
    ],
)
def test_labels_that_cannot_be_counted(true, predicted, options, error, text):
    with pytest.raises(error, match=text):
        confusion_matrix(true, predicted, **options)
