"""What a network's raw outputs mean: one of K classes, yes or no, or plain numbers.

| output                          | predict_proba         | predict               | hits (counted by accuracy) |
|---------------------------------|-----------------------|-----------------------|----------------------------|
| softmax, K columns              | (N, K), rows sum to 1 | label (N,)            | right label                |
| sigmoid, 1 column               | (N, 2)                | 0 or 1 (N,), at 0.5   | right answer               |
| sigmoid, K columns (multilabel) | (N, K)                | 0 or 1 (N, K), at 0.5 | all K answers right        |
| identity                        | error                 | the values            | error                      |
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.border import as_targets
from chainrule.errors import ConfigurationError, ShapeError, unknown_name
from chainrule.layers.activations import sigmoid, softmax
from chainrule.layers.layer import Array

OUTPUTS = ("softmax", "sigmoid", "identity")


def classifies(output: str | None) -> bool:
    """Can its answers be right or wrong?"""
    return output in ("softmax", "sigmoid")


def probabilities(output: str | None, raw: Array, squashed: bool) -> Array:
    """Probabilities from raw outputs; `squashed` says that the network's last layer has made them already."""
    if output == "softmax":
        return raw if squashed else softmax(raw)
    if output == "sigmoid":
        p = raw if squashed else sigmoid(raw)
        return np.hstack([1 - p, p]) if p.shape[-1] == 1 else p
    raise _not_a_classifier("predict_proba", output)


def decide(output: str | None, raw: Array, squashed: bool) -> Array:
    """What `predict` answers."""
    if output == "softmax":
        return raw.argmax(axis=-1)
    if output == "sigmoid":
        answers = (raw > (0.5 if squashed else 0)).astype(np.int64)  # sigmoid(z) > 0.5 exactly where z > 0
        return answers[..., 0] if answers.shape[-1] == 1 else answers
    return raw


def hits(output: str | None, raw: Array, targets: Any, squashed: bool) -> Array:
    """Which rows were answered right: booleans (N,)."""
    if not classifies(output):
        raise _not_a_classifier("accuracy", output)
    answers, targets = decide(output, raw, squashed), as_targets(targets)
    if output == "softmax" and targets.ndim == raw.ndim:
        targets = targets.argmax(axis=-1)  # one-hot or soft rows
    if targets.shape == (*answers.shape, 1):
        targets = targets[..., 0]
    if targets.shape != answers.shape:
        raise ShapeError(f"accuracy: expected targets of shape {answers.shape}, received {targets.shape}.")
    right: Array = np.equal(answers, targets)
    return right if right.ndim == 1 else np.all(right, axis=-1)


def check_output(output: str | None) -> str | None:
    """`output`, if it is a known task or not known yet."""
    if output is not None and output not in OUTPUTS:
        raise unknown_name("output", output, OUTPUTS)
    return output


def _not_a_classifier(method: str, output: str | None) -> ConfigurationError:
    reason = "gives plain numbers (output='identity')" if output else "does not know its task yet"
    return ConfigurationError(
        f"{method} needs a classifier, but this network {reason}. Say output='softmax' or 'sigmoid', or train it with "
        "CrossEntropy or BinaryCrossEntropy. For numbers, measure SquaredError with evaluate, or R2 on predict."
    )
