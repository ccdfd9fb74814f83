"""Checkpoints: a training that was broken off goes on from its file as if it never had been, to the bit.

    history = Trainer(..., callbacks=[Checkpoint("runs/x")]).fit(x, y, epochs=100)     # and then the power fails
    trainer = Trainer(...)                                                             # made alike
    checkpoints.restore(trainer, checkpoints.latest("runs/x"), data=(x, y))

A checkpoint is a model file (files.py): `cr.load` gives its network. Besides, it holds the trainer's state and history
(packing.py) and the fingerprint of the data (fingerprints.py), all under the one seal.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import chainrule
from chainrule import fingerprints, safetensors_format
from chainrule.configurable import Configurable
from chainrule.errors import CheckpointError, ConfigurationError, warn
from chainrule.files import (
    KNOWN,
    TRAINER,
    Known,
    describe,
    differences,
    naming,
    network_from,
    reason,
    with_own,
)
from chainrule.fingerprints import fingerprint as fingerprint
from chainrule.history import History
from chainrule.layers.layer import Array
from chainrule.network import Network
from chainrule.packing import pack, pack_history, unpack, unpack_history
from chainrule.training import Trainer

NAME = r"step-(\d{8,})\.safetensors"
IN_THE_NETWORK = ("params", "state")  # of a trainer's state: they stand in the file as the network's tensors
MOVING = {  # in a trainer's state, what training moves; all else is how it was set up
    *IN_THE_NETWORK,
    *("in_shape", "output", "frozen", "optimizer", "averages"),
    *("epoch", "step", "rows_done", "sums", "history", "callbacks"),
}


@dataclass(frozen=True, repr=False)
class Contents:
    """What a checkpoint holds. `print` gives it in a few lines."""

    network: Network
    state: dict[str, Any]  # for trainer.restore
    history: History
    fingerprint: str | None  # of the data, if it was given
    callbacks: list[str]  # their classes, in order

    def __repr__(self) -> str:
        state = self.state
        rows = f" and {state['rows_done']:,} rows" if state["rows_done"] else ""
        lines = {
            "after": f"{state['epoch']} epochs{rows}, {state['step']:,} steps",
            "network": repr(self.network),
            "optimizer": state["optimizer"]["optimizer"],
            "history": repr(self.history),
            "callbacks": ", ".join(self.callbacks) or "none",
            "data": self.fingerprint or "no fingerprint",
        }
        return "\n".join(["Checkpoint", *(f"  {name:<10} {line}" for name, line in lines.items())])


def save(trainer: Trainer, path: str | os.PathLike[str], fingerprint: str | None = None) -> None:
    """Write all that training needs to go on into one file: network, optimizer, position, callbacks, history.

    The file appears whole or not at all; an older one of that name stays until then. Equal states give equal bytes.

    Arguments   path         the file, for instance "runs/x/step-00001000.safetensors"
                fingerprint  of the data, from `fingerprint(x, y)` or `fingerprint(x, y, sample_weight)`, so that
                             `restore` can compare (default none)
    Raises      NotBuiltError; ConfigurationError for a state that could not be read back, such as a callback's that
                holds a function; CheckpointError if the file cannot be written

    >>> import tempfile
    >>> import chainrule as cr
    >>> def made():
    ...     return cr.Trainer(cr.MLP([2, 3, 2]), "cross_entropy", "adam")
    >>> first, second, x, y = made(), made(), [[0.0, 1.0], [1.0, 0.0]], [0, 1]
    >>> history = first.fit(x, y, epochs=3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(first, f"{folder}/a.safetensors", fingerprint(x, y))
    ...     contents = restore(second, f"{folder}/a.safetensors", data=(x, y))
    >>> second.epoch, second.history["loss"] == history["loss"]
    (3, True)
    """
    _check_trainer("save", trainer)
    tensors, words = describe(trainer.network)
    state = {name: value for name, value in trainer.state().items() if name not in IN_THE_NETWORK}
    arrays: dict[str, Array] = {}
    content = {
        "state": pack(state, TRAINER, arrays),
        "history": pack_history(trainer.history, f"{TRAINER}.history", arrays),
        "fingerprint": fingerprint,
        "callbacks": _names(trainer),
    }
    words[TRAINER] = json.dumps(content, separators=(",", ":"), allow_nan=False)
    with naming(path):
        safetensors_format.write(path, tensors | arrays, words)


def load(path: str | os.PathLike[str], layers: Sequence[type[Configurable]] = ()) -> Contents:
    """What a checkpoint holds, to look at. Hostile files can do no harm.

    Arguments   path    the file
                layers  classes of your own that stand in it: layers, losses, schedules
    Raises      CheckpointError if the file is missing, damaged, hostile, of a newer version or something else
    """
    known = with_own(layers, _parts())
    with naming(path):
        tensors, words = safetensors_format.read(path)
        _check_checkpoint(words)
        network = network_from(tensors, words, known)
        arrays = {name: array for name, array in tensors.items() if name.startswith(f"{TRAINER}.")}
        try:
            content = safetensors_format.strict_json(words[TRAINER])
            state = unpack(content["state"], arrays, known)
            state |= {"params": network.params.copy(), "state": network.state.copy()}
            history = unpack_history(content["history"], arrays, known)
            contents = Contents(network, state, history, content["fingerprint"], content["callbacks"])
            repr(contents)
        except CheckpointError:
            raise
        except Exception as error:  # whatever comes of a state that `save` never wrote
            raise CheckpointError(f"its trainer's state cannot be read ({reason(error)}).") from error
        if arrays:
            raise CheckpointError(
                f"it has tensors that its trainer's state knows nothing of: {', '.join(arrays)[:200]}."
            )
    return contents


def restore(
    trainer: Trainer,
    path: str | os.PathLike[str] | None,
    *,
    data: tuple[Any, ...] | None = None,
    layers: Sequence[type[Configurable]] = (),
    force: bool = False,
) -> Contents:
    """Let a trainer go on from a checkpoint: what follows is what would have followed there, to the bit.

    Arguments   trainer  made as the one that was saved: same network, optimizer and callbacks
                path     the checkpoint, for instance `latest("runs/x")`
                data     the (x, y) or (x, y, sample_weight) to go on with: they must be those that `save` got the
                         fingerprint of (default: not compared)
                layers   classes of your own that stand in the checkpoint
                force    go on although data or settings differ, with these data and the checkpoint's settings
    Raises      CheckpointError, with the trainer as it was, if there is no checkpoint, the file is none, or one of
                another training: the differences are listed
    Augmentations are compared by their names, as functions cannot be saved.
    """
    _check_trainer("restore", trainer)
    if path is None:
        raise CheckpointError("there is no checkpoint to go on from yet: begin with trainer.fit(...).")
    contents = load(path, layers)
    with naming(path):
        _check_network(trainer.network, contents.network)
        faults = [] if force else [*_other_settings(trainer, contents), *_other_data(contents.fingerprint, data)]
        if faults:
            raise CheckpointError(
                f"was saved by another training. {'; '.join(faults)}. Go on with the data and settings of that one, or "
                "begin anew."
            )
        before, history = trainer.state(), trainer.history
        try:
            trainer.history = contents.history
            trainer.restore(contents.state)
        except Exception as error:  # whatever a callback or a hostile state raises
            trainer.history = history
            with suppress(Exception):  # whoever failed may fail again, and comes after what was changed
                trainer.restore(before)
            raise CheckpointError(f"the trainer cannot go on from it ({reason(error)})") from error
    return contents


def latest(folder: str | os.PathLike[str]) -> Path | None:
    """The newest checkpoint in the folder that is whole, by the step in its name; None if there is none.

    Looks at files named as `Checkpoint` names them, step-00001000.safetensors, and warns of damaged ones.
    """
    for _, path in sorted(numbered(Path(folder)), reverse=True):
        try:
            check(path)
        except CheckpointError as error:
            warn(f"passed over {error}")
        else:
            return path
    return None


def check(path: Path) -> None:
    """Raise CheckpointError unless the file is a checkpoint, and its seal holds."""
    with naming(path):
        _check_checkpoint(safetensors_format.read(path)[1])


def numbered(folder: Path) -> Iterator[tuple[int, Path]]:
    """The files in the folder that are named as checkpoints are, each with its step."""
    for path in folder.iterdir() if folder.is_dir() else ():
        match = re.fullmatch(NAME, path.name)
        if match:
            yield int(match[1]), path


def _check_trainer(doing: str, trainer: Any) -> None:
    if not isinstance(trainer, Trainer):
        raise ConfigurationError(f"checkpoints.{doing}: expected a trainer and a path, received {trainer!r}.")


def _check_checkpoint(words: dict[str, str]) -> None:
    if TRAINER not in words:
        raise CheckpointError(
            "is a model file, with no trainer's state to go on from. cr.load(path) gives its network, to predict or to "
            "train anew; checkpoints.save(trainer, path) writes a checkpoint."
        )


def _parts() -> Known:
    """The closed table: every public part of which a network or a trainer's settings consist."""
    kinds = [kind for kind in vars(chainrule).values() if isinstance(kind, type) and issubclass(kind, Configurable)]
    return {kind.__name__: kind for kind in kinds if not issubclass(kind, Network)} | KNOWN


def _names(trainer: Trainer) -> list[str]:
    return [type(callback).__name__ for callback in trainer.callbacks]


# Is it the same training? ---------------------------------------------------------------------------------------------


def _check_network(here: Network, saved: Network) -> None:
    if not here.out_shapes and saved.in_shape is not None:
        here = here.copy()
        here.build(saved.in_shape)
    faults = differences(_rows(here), _rows(saved))
    if faults:
        raise CheckpointError(f"holds another network than the trainer's. {faults}.")


def _rows(network: Network) -> dict[str, str]:
    return {row.name: f"{network.dtype} {row.shape}" for row in (*network.parameters, *network.states)}


def _other_settings(trainer: Trainer, contents: Contents) -> list[str]:
    state, saved = trainer.state(), contents.state
    pairs = {name: (state.get(name), there) for name, there in saved.items() if name not in MOVING}
    pairs["callbacks"] = _names(trainer), contents.callbacks
    for i, layers in enumerate(zip(trainer.network.layers, contents.network.layers, strict=False)):
        pairs[f"layer {i}"] = layers
    return [
        f"{name}: the trainer has {repr(here)[:200]}, the checkpoint {repr(there)[:200]}"
        for name, (here, there) in pairs.items()
        if _written(here) != _written(there)
    ]


def _written(value: Any) -> tuple[Any, list[bytes]]:
    arrays: dict[str, Array] = {}
    return repr(pack(value, "", arrays)), [array.tobytes() for array in arrays.values()]


def _other_data(saved: str | None, data: tuple[Any, ...] | None) -> list[str]:
    if data is None:
        return []
    if saved is None:
        return ["data: it was saved without a fingerprint to compare with"]
    return [f"data: {fault}" for fault in fingerprints.differences(saved, fingerprint(*data))]
