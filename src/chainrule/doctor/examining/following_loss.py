"""The loss that follows a network's outputs: the learner's own function, object or method, and its gradient."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from chainrule.configurable import by_name
from chainrule.doctor.examining.binding import call
from chainrule.doctor.examining.intake import BACKWARDS, FORWARDS, LOSSES, is_object, method, numerical, split
from chainrule.errors import ConfigurationError
from chainrule.losses import LOSSES as LIBRARY, CrossEntropy, Loss
from chainrule.losses.cross_entropy import first_that_is_no_distribution


def loss_after(thing: Any, loss: Any, x: Any, y: Any) -> tuple[Callable[[Any], float], Callable[[Any], Any]]:
    """(outputs -> loss, outputs -> its gradient): the learner's own gradient where there is one, else a numerical one.

    Arguments   thing  the network, whose method or attribute `loss` is taken where loss is None
                loss   a function of (outputs, targets), an object with forward and backward, or a pair of functions
    """
    pull = None
    if loss is None:
        within = (getattr(thing, name, None) for name in LOSSES)
        loss = method(thing, LOSSES) or next((part for part in within if is_object(part)), None)
    if isinstance(loss, (tuple, list)) and len(loss) == 2:
        loss, pull = loss
    if is_object(loss):
        loss, pull = method(loss, ("calculate", *FORWARDS, *LOSSES)), method(loss, BACKWARDS)
    if isinstance(loss, str):
        loss = by_name("loss", loss, LIBRARY, Loss)
    if isinstance(loss, Loss):
        ours = loss
        loss, pull = partial(_value, ours), lambda outputs, targets: ours(outputs, targets)[1]
    if loss is not None and not callable(loss):
        raise ConfigurationError(
            f"doctor.gradients: loss must be a function or an object with forward, received {loss!r}."
        )
    if loss is None:
        raise ConfigurationError(
            "doctor.gradients: a network with targets y needs its loss: pass loss=, a function of (outputs, targets) "
            "or an object with forward and backward. Without y the network is examined as a layer."
        )

    def judge(outputs: Any) -> float:
        values = {"x": x, "outputs": outputs, "targets": y}
        return float(np.asarray(split(call(loss, values, ("outputs", "targets")))[0]).sum())

    def slope(outputs: Any) -> Any:
        if pull is None:
            return numerical(judge, outputs)
        judge(outputs)  # it may keep what its backward needs
        return call(pull, {"outputs": outputs, "targets": y, "upstream": outputs}, ("outputs", "targets"))

    return judge, slope


def _value(loss: Loss, outputs: Any, targets: Any) -> float:
    """The library's formula alone: outputs that are moved on purpose are probabilities no longer."""
    outputs = np.asarray(outputs, np.float64)
    return loss.compute(outputs, loss.check(targets, outputs.shape), None, len(outputs))[0]


def as_read(loss: Any, run: Callable[[], Any]) -> Any:
    """The loss as it reads what the run gives: the library's cross-entropy may meet probabilities."""
    ours = by_name("loss", loss, LIBRARY, Loss) if isinstance(loss, str) else loss
    if not isinstance(ours, CrossEntropy):
        return loss
    outputs = np.asarray(run(), np.float64)
    if not ours.from_probabilities and outputs.ndim == 2 and first_that_is_no_distribution(outputs) is None:
        return CrossEntropy(label_smoothing=ours.label_smoothing, from_probabilities=True)
    ours.admit(outputs)
    return loss
