"""What a network's raw outputs mean: one of K classes, yes or no, a rate, or plain numbers.

| output                          | predict_proba         | predict               | hits (counted by accuracy) |
|---------------------------------|-----------------------|-----------------------|----------------------------|
| softmax, K columns              | (N, K), rows sum to 1 | label (N,)            | right label                |
| sigmoid, 1 column               | (N, 2)                | 0 or 1 (N,), at 0.5   | right answer               |
| sigmoid, K columns (multilabel) | (N, K)                | 0 or 1 (N, K), at 0.5 | all K answers right        |
| exp (log rates), K columns      | error                 | rates e^raw (N, K)    | error                      |
| identity                        | error                 | the values            | error                      |
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from chainrule.errors import ConfigurationError, DataError, ShapeError, unknown_name
from chainrule.layers.activations import Sigmoid, Softmax, sigmoid, softmax
from chainrule.layers.layer import Array, Layer, Shape
from chainrule.losses import BinaryCrossEntropy, CrossEntropy, Loss

OUTPUTS = ("softmax", "sigmoid", "exp", "identity")


def classifies(output: str | None) -> bool:
    """Can its answers be right or wrong?"""
    return output in ("softmax", "sigmoid")


def probabilities(output: str | None, raw: Array, squashed: bool) -> Array:
    """Probabilities from raw outputs; `squashed` says that the network's last layer has made them already."""
    if output == "softmax":
        return raw if squashed else softmax(raw)
    if output == "sigmoid":
        p = raw if squashed else sigmoid(raw)
        return np.concatenate([1 - p, p], axis=-1) if p.shape[-1] == 1 else p
    raise _not_a_classifier("predict_proba", output)


def decide(output: str | None, raw: Array, squashed: bool) -> Array:
    """What `predict` answers."""
    if output == "softmax":
        return raw.argmax(axis=-1)
    if output == "sigmoid":
        answers = (raw > (0.5 if squashed else 0)).astype(np.int64)  # sigmoid(z) > 0.5 exactly where z > 0
        return answers[..., 0] if answers.shape[-1] == 1 else answers
    if output == "exp":
        return _rates(raw)
    if output is None:
        raise _unknown_task("predict")
    return raw


def to_be_judged(output: str | None, raw: Array, loss: Loss) -> Array:
    """What a loss is to see: raw outputs, but the rates themselves if it compares values, as squared error does."""
    return _rates(raw) if output == "exp" and loss.output == "identity" else raw


def check_targets(output: str | None, targets: Any, shape: tuple[int, ...]) -> Array:
    """Targets that `hits` can count by, read as the loss of the task reads them."""
    if not classifies(output):
        raise _not_a_classifier("accuracy", output)
    return (CrossEntropy() if output == "softmax" else BinaryCrossEntropy()).check(targets, shape)


def hits(output: str | None, raw: Array, targets: Array, squashed: bool) -> Array:
    """Which rows were answered right: booleans (N,). The targets have been checked."""
    answers = decide(output, raw, squashed)
    if output == "softmax" and targets.ndim == raw.ndim:
        targets = targets.argmax(axis=-1)  # one-hot or soft rows
    if targets.ndim > answers.ndim:
        targets = targets[..., 0]
    if output == "sigmoid":
        targets = targets > 0.5  # a soft target counts as the answer it is nearer to
    right: Array = np.equal(answers, targets)
    return right if right.ndim == 1 else np.all(right, axis=-1)


def check_output(output: str | None, layers: Sequence[Layer]) -> str | None:
    """`output`, if it is a known task, or not known yet, that the last layer does not contradict."""
    if output is not None and output not in OUTPUTS:
        raise unknown_name("output", output, OUTPUTS)
    for layer in layers[-1:]:
        made = "softmax" if isinstance(layer, Softmax) else "sigmoid" if isinstance(layer, Sigmoid) else output
        if output not in (None, "identity") and made != output:
            raise ConfigurationError(f"output={output!r} contradicts the last layer, {layer!r}: leave one of them out.")
    return output


def check_class_names(names: Sequence[str]) -> tuple[str, ...]:
    """The names of the classes, each once."""
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise ConfigurationError(f"class_names: expected a list of names, received {names!r}.")
    checked = tuple(map(str, names))
    if len(set(checked)) != len(checked):
        raise ConfigurationError(f"class_names: every class needs a name of its own, received {checked}.")
    return checked


def check_widths(output: str | None, names: tuple[str, ...] | None, out_shape: Shape) -> None:
    """Do the outputs fit the task and the class names?"""
    K = out_shape[-1]
    if output == "softmax" and K == 1:
        raise ShapeError("output='softmax' over 1 output is always 1. Use one output per class, or output='sigmoid'.")
    if names is not None and len(names) not in ((K, 2) if K == 1 else (K,)):
        raise ConfigurationError(f"class_names: {len(names)} names for {K} outputs. Give one name for each class.")


def _rates(log_rates: Array) -> Array:
    with np.errstate(over="ignore"):  # what does not fit is refused below
        rates = np.exp(log_rates)
    if not np.isfinite(rates).all():
        row = int(np.argwhere(~np.isfinite(rates))[0][0])
        raise DataError(
            f"The network's rate e^{log_rates[row].max():g} is not finite in {rates.dtype}, first for row {row}. Is x "
            "scaled as in training? The log rates: network(x)."
        )
    return rates


def _unknown_task(method: str) -> ConfigurationError:
    return ConfigurationError(
        f"{method}: this network does not know its task yet. Train it, or say Network(..., output='softmax') for one "
        "of K classes, 'sigmoid' for yes or no, 'exp' for rates, 'identity' for numbers. Raw outputs: network(x)."
    )


def _not_a_classifier(method: str, output: str | None) -> ConfigurationError:
    if output is None:
        return _unknown_task(method)
    return ConfigurationError(
        f"{method} needs a classifier, but this network gives plain numbers (output={output!r}). Measure its "
        "SquaredError with evaluate(x, y, loss), or R2 on predict(x)."
    )
