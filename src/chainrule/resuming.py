"""All that the next step depends on, taken out of a trainer and put back: what rewinding and resuming consist of.

Every value is an array, a number, a text, None, another chainrule object, or a list or dictionary of these, so that
checkpoints can write a state down without knowing what it means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainrule.configurable import Configurable
from chainrule.errors import CheckpointError

if TYPE_CHECKING:
    from chainrule.training import Trainer


ASSIGNABLE = ("seed", "loss", "batch_size", "accumulate", "penalty", "clip", "max_norm", "average", "class_weight")


def take(trainer: Trainer) -> dict[str, Any]:
    """The state of a trainer, copied."""
    network = trainer.network
    return {name: getattr(trainer, name) for name in ASSIGNABLE} | {
        "augment": tuple(map(_named, trainer.augment)),  # to be compared: a function cannot be written down
        "in_shape": network.in_shape,
        "output": network.output,
        "params": network.params.copy(),
        "state": network.state.copy(),
        "frozen": [row.name for row in network.parameters if not row.trainable],
        "optimizer": trainer.optimizer.state(),
        "averages": None if trainer.averages is None else trainer.averages.copy(),
        "epoch": trainer.epoch,
        "step": trainer.step,
        "rows_done": trainer.rows_done,
        "sums": dict(trainer.sums),
        "history": trainer.history.position(),
        "callbacks": [callback.state() for callback in trainer.callbacks],
    }


def place(state: dict[str, Any]) -> str:
    """When a state was taken, in words."""
    if state["rows_done"]:
        return f"after step {state['sums']['steps']} of epoch {state['epoch'] + 1}"
    return f"after epoch {state['epoch']}" if state["epoch"] else "at the start"


def put_back(trainer: Trainer, state: dict[str, Any]) -> None:
    """Let a trainer go on from a state; CheckpointError, with nothing changed, if it is none of its kind.

    What may fail, as a callback's own code, comes first: an error then leaves the network and the position alone.
    """
    _check_fits(trainer, state)
    trainer.optimizer.restore(state["optimizer"])
    for callback, its_state in zip(trainer.callbacks, state["callbacks"], strict=True):
        callback.restore(its_state)
    trainer.rows_done = 0  # between epochs everything may be assigned
    for name in ASSIGNABLE:
        if name in state:  # one of an older version has fewer
            setattr(trainer, name, state[name])
    trainer.averages = None if state["averages"] is None else state["averages"].copy()
    trainer.epoch, trainer.step, trainer.rows_done = state["epoch"], state["step"], state["rows_done"]
    trainer.sums = dict(state["sums"])
    trainer.history.truncate(state["history"])
    network = trainer.network
    if not network.out_shapes and state["in_shape"] is not None:
        network.build(state["in_shape"])
    network.params[...], network.state[...] = state["params"], state["state"]
    if network.parameters:
        network.unfreeze()
    if state["frozen"]:
        network.freeze(*state["frozen"])
    network.output = state["output"]


def _named(function: Any) -> str:
    return (
        repr(function) if isinstance(function, Configurable) else getattr(function, "__name__", type(function).__name__)
    )


def _check_fits(trainer: Trainer, state: dict[str, Any]) -> None:
    if not isinstance(state, dict) or "params" not in state:
        raise CheckpointError(f"expected what trainer.state() gives, received {type(state).__name__}.")
    network, sizes = trainer.network, (len(state["params"]), len(state["state"]))
    if not network.out_shapes and state["in_shape"] is not None:
        network = network.copy()
        network.build(state["in_shape"])
    if sizes != (len(network.params), len(network.state)):
        raise CheckpointError(
            f"this state belongs to a network of {sizes[0]:,} parameters and {sizes[1]:,} running numbers; "
            f"the trainer's has {len(network.params):,} and {len(network.state):,}. Restore it into one made alike."
        )
    if len(state["callbacks"]) != len(trainer.callbacks):
        raise CheckpointError(
            f"this state was taken with {len(state['callbacks'])} callbacks, the trainer has {len(trainer.callbacks)}."
        )
    if not {row.name for row in network.parameters}.issuperset(state["frozen"]):
        raise CheckpointError(f"this state has frozen parameters that the network lacks: {state['frozen']}.")
