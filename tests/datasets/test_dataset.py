"""Splits and data sets say what they hold, and one-hot rows are exact or refused with the fix."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.datasets import Dataset, Split, one_hot
from chainrule.errors import ConfigurationError, LabelError

SPLIT = Split(np.zeros((7, 6), "uint8"), np.zeros(7, "int64"))


def test_a_split_unpacks_into_x_and_y():
    x, y = SPLIT
    assert x is SPLIT.x
    assert y is SPLIT.y


def test_a_split_shows_sizes_not_numbers():
    assert repr(SPLIT) == "Split(x=uint8 (7, 6), y=int64 (7,))"


def test_a_dataset_shows_its_parts():
    dataset = Dataset(train=SPLIT, validation=None, test=SPLIT, class_names=("no", "yes"), image_shape=(2, 3))
    assert repr(dataset).splitlines() == [
        "Dataset of 2 x 3 images in 2 classes (no, yes)",
        "  train       Split(x=uint8 (7, 6), y=int64 (7,))",
        "  validation  None",
        "  test        Split(x=uint8 (7, 6), y=int64 (7,))",
    ]


def test_a_dataset_of_many_classes_shows_the_first():
    names = tuple(map(str, range(100)))
    dataset = Dataset(train=SPLIT, validation=None, test=SPLIT, class_names=names, image_shape=(2, 3))
    assert "in 100 classes (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ...)" in repr(dataset)


@pytest.mark.parametrize(
    "labels", [[2, 0, 1, 2], (2, 0, 1, 2), np.array([2, 0, 1, 2], "uint8"), np.array([2, 0, 1, 2])]
)
def test_one_hot_puts_a_one_where_the_label_says(labels):
    rows = one_hot(labels)
    np.testing.assert_array_equal(rows, np.eye(3)[[2, 0, 1, 2]])
    assert rows.dtype == np.float32


@pytest.mark.parametrize("dtype", ["float64", "int8", bool])
def test_one_hot_has_the_classes_and_dtype_asked_for(dtype):
    rows = one_hot([1], classes=4, dtype=dtype)
    assert rows.tolist() == [[0, 1, 0, 0]]
    assert rows.dtype == dtype


def test_one_hot_takes_bools():
    assert one_hot([True, False]).tolist() == [[0, 1], [1, 0]]


def test_one_hot_of_no_labels_has_no_rows():
    assert one_hot([], classes=3).shape == (0, 3)


@pytest.mark.parametrize(
    ("labels", "classes", "text"),
    [
        (["5", "0"], None, r"labels are text \('5'\): say labels\.astype\(int\)"),
        (
            ["cat", "dog"],
            None,
            r"labels are text \('cat'\): number the classes from 0: np\.unique\(labels, return_inverse",
        ),
        (["0", "n/a"], None, r"labels are text \('n/a'\): number the classes"),
        (np.array(["5"], object), None, r"labels are text \('5'\): say labels\.astype\(int\)"),
        (np.array([b"5"]), None, r"labels are text \(b'5'\): say labels\.astype\(int\)"),
        (np.array([5, 0], object), None, r"labels are object \(5\): say labels\.astype\(int\)"),
        (np.array([5, None], object), None, r"labels are object \(None\): number the classes"),
        ([5.0, 0.0], None, r"labels are float64 \(5\.0\): say labels\.astype\(int\)"),
        ([0.0, 0.5], None, r"labels are float64 \(0\.5\): number the classes"),
        ([0.0, np.nan], None, r"labels are float64 \(nan\): number the classes"),
        ([0.0, np.inf], None, r"labels are float64 \(inf\): number the classes"),
        ([1j], None, r"labels are complex128 \(1j\): number the classes"),
        ([3, -1], None, r"expected labels from 0 to 3, received -1 in row 1\. Number the classes from 0"),
        ([-1], None, r"received -1 in row 0"),
        ([1, 10], 10, r"expected labels from 0 to 9, received 10 in row 1"),
        ([[1], [0]], None, r"expected labels of shape \(N,\), received \(2, 1\).*labels\.ravel\(\)"),
        (3, None, r"received \(\)"),
        ([], None, r"no labels to count the classes of\. Say how many there are: classes=10"),
    ],
)
def test_one_hot_refuses_other_labels(labels, classes, text):
    with pytest.raises(LabelError, match=text):
        one_hot(labels, classes)


@pytest.mark.parametrize("classes", [0, -3, 2.0, "10", True])
def test_one_hot_refuses_other_numbers_of_classes(classes):
    with pytest.raises(ConfigurationError, match=r"expected a whole number above 0"):
        one_hot([0], classes)
