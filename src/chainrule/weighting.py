"""Rare classes made to count: one weight for each class becomes one weight for each row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from chainrule.border import as_array
from chainrule.configurable import number
from chainrule.errors import ConfigurationError, unknown_name
from chainrule.layers.layer import Array

WHERE = "Trainer: class_weight"


def class_weights(given: Any, y: Array, classes: int, sample_weight: Array | None = None) -> Array:
    """The weight of each row of checked targets: that of its class.

    Shapes      y: labels (N,), rows of K classes (N, K), or yes and no (N, 1)    result (N,), float64
    Arguments   given          "balanced": N / (K * rows of the class), so that every class counts the same, as in
                               scikit-learn; or {label: weight}, where a class that is not named has weight 1; or a list
                               of K weights
                classes        K
                sample_weight  counted instead of rows when the classes are balanced (default: every row counts 1)
    Raises      ConfigurationError for other words, unknown classes, weights below 0, or targets that are no classes

    >>> class_weights("balanced", np.array([0, 0, 0, 1]), 2)
    array([0.66666667, 0.66666667, 0.66666667, 2.        ])
    >>> class_weights({1: 5}, np.array([0, 0, 0, 1]), 2)
    array([1., 1., 1., 5.])
    """
    labels = _labels(y, classes)
    weights = np.ones(classes)
    if isinstance(given, str):
        if given != "balanced":
            raise unknown_name("class_weight", given, ["balanced"])
        counts = np.bincount(labels, sample_weight, minlength=classes)
        there = counts > 0  # a class without rows needs no weight, and must not take part of the others'
        weights[there] = counts.sum() / (there.sum() * counts[there])
        return weights[labels]
    if not isinstance(given, Mapping):
        array = as_array(given, WHERE)
        if array.shape != (classes,):
            raise ConfigurationError(
                f'{WHERE}: expected "balanced", {{label: weight}} or a list of {classes} weights, received {given!r}.'
            )
        given = dict(enumerate(array.tolist()))
    for label, weight in given.items():
        if label not in range(classes):
            raise ConfigurationError(f"{WHERE}: class {label!r} is unknown. Known: 0 to {classes - 1}.")
        weights[label] = number("Trainer", f"class_weight of class {label}", weight, "[0, inf)")
    if not np.any(weights[labels] if sample_weight is None else weights[labels] * sample_weight):
        raise ConfigurationError(f"{WHERE}: every row would have weight 0, received {given!r}.")
    return weights[labels]


def _labels(y: Array, classes: int) -> Array:
    """The class of each row; rows of K numbers are classes only if they are shares of one whole."""
    if y.ndim == 2 and y.shape[1] > 1 and (y >= 0).all() and np.allclose(y.sum(axis=1), 1):
        return y.argmax(axis=1)
    labels = y[:, 0] if y.shape[1:] == (1,) else y
    if labels.ndim > 1 or (labels != np.floor(labels)).any() or labels.min() < 0 or labels.max() >= classes:
        raise ConfigurationError(f"{WHERE} needs targets that are classes. Say sample_weight, one for each row.")
    return labels.astype(np.int64)
