"""The loss that follows a network's outputs: the learner's own function, object or method, and its gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.doctor.examining.binding import call
from chainrule.doctor.examining.intake import BACKWARDS, FORWARDS, LOSSES, is_object, method, numerical, split
from chainrule.errors import ConfigurationError


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
