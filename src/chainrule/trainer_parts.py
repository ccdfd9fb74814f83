"""What a trainer is made of, checked when it is put in: a mistake is told at the line that makes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from chainrule.border import as_array
from chainrule.configurable import by_name, check_call, number
from chainrule.errors import ConfigurationError
from chainrule.evaluation import named_metrics
from chainrule.history import Callback
from chainrule.losses import LOSSES, Loss
from chainrule.network import Network
from chainrule.optimizers import OPTIMIZERS, Optimizer

if TYPE_CHECKING:
    from chainrule.training import Trainer


def _whole(name: str, value: Any) -> int:
    return int(number("Trainer", name, value, "[1, inf)", whole=True))


def _network(name: str, value: Any) -> Network:
    if not isinstance(value, Network):
        raise ConfigurationError(f"Trainer: expected a network, such as MLP([784, 128, 10]), received {value!r}.")
    return value


def _callbacks(name: str, value: Any) -> list[Callback]:
    callbacks = [] if value is None else list(value) if isinstance(value, (list, tuple)) else [value]
    if not all(isinstance(callback, Callback) for callback in callbacks):
        raise ConfigurationError(f"Trainer: callbacks must be Callback objects, received {value!r}.")
    return callbacks


def _class_weight(name: str, value: Any) -> Any:
    """As plain values, which checkpoints can write down; whether they fit is seen with the targets."""
    if isinstance(value, Mapping):
        return dict(value)
    return value if value is None or isinstance(value, str) else as_array(value, f"Trainer: {name}").tolist()


def _with(method: str, example: str) -> Callable[[str, Any], Any]:
    """A check for None or something that has the method."""

    def check(name: str, value: Any) -> Any:
        if value is not None and (isinstance(value, type) or not hasattr(value, method)):
            raise ConfigurationError(f"Trainer: {name} must be an object such as {example}, received {value!r}.")
        return value

    return check


def _several(method: str, example: str) -> Callable[[str, Any], Any]:
    """A check for None, one thing that has the method, or a sequence of such things; a tuple of them."""
    one = _with(method, example)

    def check(name: str, value: Any) -> tuple[Any, ...]:
        values = () if value is None else value if isinstance(value, (tuple, list)) else (value,)
        return tuple(one(name, each) for each in values)

    return check


def check_exchange(trainer: Trainer, name: str, value: Any) -> None:
    """Raise ConfigurationError for a part that cannot be exchanged for another one now."""
    if name == "network" and trainer.step and value is not trainer.network:
        raise ConfigurationError(
            f"Trainer: the network cannot be exchanged after {trainer.step:,} steps: the optimizer's memory, the "
            "average, the history and what callbacks keep are of the old one. Make a new Trainer."
        )
    if name == "seed" and trainer.rows_done and value != trainer.seed:
        raise ConfigurationError(
            f"Trainer: the seed cannot be exchanged in the middle of an epoch: {trainer.rows_done:,} rows are done, "
            "and in another order some would come twice. Assign it between epochs."
        )


def _augment(name: str, value: Any) -> tuple[Any, ...]:
    changes = _several("__call__", "RandomAffine((28, 28))")(name, value)
    for change in changes:
        check_call(f"Trainer: augment {change!r}", change, "x", "rng")
    return changes


CHECKS: Mapping[str, Callable[[str, Any], Any]] = {
    "network": _network,
    "loss": lambda name, value: by_name(name, value, LOSSES, Loss),
    "optimizer": lambda name, value: by_name(name, value, OPTIMIZERS, Optimizer),
    "batch_size": _whole,
    "accumulate": _whole,
    "seed": lambda name, value: number("Trainer", name, value, "[0, inf)", whole=True),
    "penalty": _several("add", "L2(1e-4)"),
    "clip": _with("apply", "ClipNorm(1.0)"),
    "max_norm": _with("shrink", "MaxNorm(3.0)"),
    "average": _with("update", "EMA(0.999)"),
    "augment": _augment,
    "class_weight": _class_weight,
    "metrics": lambda name, value: named_metrics(value),
    "callbacks": _callbacks,
}
