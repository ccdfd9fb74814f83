"""The folder that a run leaves behind: the model, how it came about, how training went, and pictures of it."""

from __future__ import annotations

import itertools
import json
import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import chainrule
from chainrule import checkpoints, plots
from chainrule.atomic_write import write_atomically
from chainrule.datasets.dataset import Dataset
from chainrule.errors import ConfigurationError
from chainrule.layers.layer import Array
from chainrule.metrics import confusion_matrix
from chainrule.recipes import Recipe
from chainrule.threads import Threads
from chainrule.training import Trainer

DOTS_PER_INCH = 150
CONFIG, CHECKPOINTS = "config.json", "checkpoints"


class Origin(NamedTuple):
    """Where the data of a run came from."""

    name: str  # of the data set, as the command knows it
    source: str  # a folder, or what stands for the usual one


BUNDLED = Origin("mnist", "the bundled MNIST")


@dataclass
class Run:
    """A training that is over, finished or not, and its one look at the test set.

    One that was interrupted may go on, so it has not looked yet: its probabilities are empty, (0, K).
    """

    command: str
    recipe: Recipe
    data: Dataset
    origin: Origin
    trainer: Trainer
    status: str  # "finished", "interrupted" or "diverged"
    seconds: float
    probabilities: Array  # of the test images, (N, K)

    @property
    def measured(self) -> bool:
        """Has it been tested?"""
        return len(self.probabilities) > 0

    @property
    def answers(self) -> Array:
        """The network's label for each test image."""
        return self.probabilities.argmax(axis=1)

    @property
    def correct(self) -> int:
        """How many test images were answered right."""
        return int(np.count_nonzero(self.answers == self.data.test.y))


def free_folder(wanted: Path) -> Path:
    """`wanted`, or with -2, -3, ... behind it, whichever is the first that does not exist."""
    names = (wanted if i == 1 else wanted.with_name(f"{wanted.name}-{i}") for i in itertools.count(1))
    return next(folder for folder in names if not folder.exists())


def check_free(folder: Path, overwrite: bool) -> None:
    """Raise ConfigurationError if something would be overwritten that should not be."""
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(f"{folder} is a file, expected a folder for the run. Choose another with --output.")
    if not overwrite and folder.is_dir() and any(folder.iterdir()):
        raise ConfigurationError(f"{folder} exists already. Choose another folder with --output, or say --overwrite.")


@contextmanager
def made(folder: Path) -> Iterator[None]:
    """Make the folder and try to write there, before time is spent on what goes in; take it away if it stays empty."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ConfigurationError(
            f"{folder} cannot be written to ({error.strerror}). Choose another folder with --output."
        ) from None
    try:
        yield
    finally:
        with suppress(OSError):  # it is not empty
            folder.rmdir()


def write(run: Run, folder: Path) -> list[str]:
    """Write the files of the run in place of those of an earlier one; their names.

    The precious ones come first, and the plan last: a run that it calls finished has all of them.
    """
    files: dict[str, Callable[[Path], None]] = {
        "model.safetensors": lambda path: chainrule.save(run.trainer.network, path),
        "history.csv": run.trainer.history.to_csv,
        "curves.png": lambda path: _draw_curves(path, run),
        "predictions.png": lambda path: _draw_predictions(path, run),
        "weights.png": lambda path: _draw_weights(path, run),
        "feature_maps.png": lambda path: _draw_feature_maps(path, run),
        "confusion.png": lambda path: _draw_confusion(path, run),
        CONFIG: lambda path: _write_json(path, config(run)),
    }
    lacking = ["history.csv", "curves.png"] * (not run.trainer.history)
    lacking += ["feature_maps.png"] * (not run.recipe.convolutions)
    lacking += ["predictions.png", "confusion.png"] * (not run.measured)
    for name in lacking:
        del files[name]
        (folder / name).unlink(missing_ok=True)
    for name, write_to in files.items():
        write_to(folder / name)
    return list(files)


def sizes(data: Dataset) -> dict[str, int]:
    """How many examples each part of the data has."""
    parts = {"train": data.train, "validation": data.validation, "test": data.test}
    return {name: len(part.x) for name, part in parts.items() if part is not None}


def plan(command: str, recipe: Recipe, data: Dataset, origin: Origin, trainer: Trainer) -> dict[str, Any]:
    """All that is needed to repeat the run, or to go on with it."""
    threads = [callback for callback in trainer.callbacks if isinstance(callback, Threads)]
    return {
        "command": command,
        "status": "running",
        "recipe": asdict(recipe),
        "data": origin._asdict() | sizes(data),
        "network": repr(trainer.network),
        "loss": repr(trainer.loss),
        "optimizer": repr(trainer.optimizer),
        "dtype": trainer.network.dtype,
        "versions": {
            "chainrule": chainrule.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "machine": machine(),
        "threads": next((it.used if trainer.step else it.count for it in threads), None),  # None: the BLAS decided
    }


def config(run: Run) -> dict[str, Any]:
    """The plan, and what came out."""
    trainer, history = run.trainer, run.trainer.history
    tested = {"test_accuracy": run.correct / len(run.data.test.y), "test_correct": run.correct} if run.measured else {}
    return plan(run.command, run.recipe, run.data, run.origin, trainer) | {
        "status": run.status,
        "epochs_finished": trainer.epoch,
        "steps": trainer.step,
        "seconds": round(run.seconds, 3),
        "last_epoch": history.rows[-1] if len(history) else None,
        **tested,
    }


def begin(folder: Path, content: dict[str, Any]) -> None:
    """Write down the plan before the first step: a run that is killed can then be gone on with."""
    _write_json(folder / CONFIG, content)


def read(folder: Path) -> dict[str, Any]:
    """The plan of a run that is to be gone on with; ConfigurationError if there is none."""
    try:
        content = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        content["recipe"] = {name: _hashable(value) for name, value in content["recipe"].items()}
        Recipe(**content["recipe"])
        data, versions = content["data"], content["versions"]
        str((content["command"], content["status"], content["machine"], data["source"], versions["numpy"]))
        content = {"threads": None} | content | {"data": {"name": "mnist"} | data}  # as older ones were
    except OSError:
        fault = f"it has no {CONFIG} that can be read" if folder.is_dir() else "there is no such folder"
    except (ValueError, KeyError, TypeError):
        fault = f"its {CONFIG} is damaged, or not of a run"
    else:
        return dict(content)
    raise ConfigurationError(
        f"{folder} holds no run to go on with: {fault}. Name the folder that chainrule train said, such as "
        "runs/mnist-128-seed0."
    )


def _hashable(value: Any) -> Any:
    """A setting as a recipe has it: JSON knows only lists for tuples."""
    return tuple(map(_hashable, value)) if isinstance(value, list) else value


def forget(folder: Path) -> None:
    """Remove the plan and the checkpoints of a run that is begun anew, or came to nothing."""
    for _, path in checkpoints.numbered(folder / CHECKPOINTS):
        path.unlink()
    (folder / CONFIG).unlink(missing_ok=True)
    with suppress(OSError):  # it is not there, or holds something else
        (folder / CHECKPOINTS).rmdir()


def machine() -> dict[str, Any]:
    """What decides the last digits and the seconds, besides the threads: the processor's kind, and NumPy's BLAS."""
    built: Any = np.show_config(mode="dicts")
    blas = built.get("Build Dependencies", {}).get("blas", {})
    return {
        "system": platform.platform(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "blas": {key: blas.get(key) for key in ("name", "version", "openblas configuration") if blas.get(key)},
    }


def _write_json(path: Path, content: dict[str, Any]) -> None:
    write_atomically(path, [f"{json.dumps(content, indent=2)}\n".encode()])


# Pictures -----------------------------------------------------------------------------------------------------------


def _draw_curves(path: Path, run: Run) -> None:
    with figure(path, 9, 3.6, panels=2) as axes:
        plots.history(run.trainer.history, goal=0.95 if run.origin == BUNDLED else None, axes=axes)


def _draw_predictions(path: Path, run: Run) -> None:
    """Mistakes are rare, so the first ten images would seldom show one: half the picture is theirs."""
    x, y = run.data.test
    mistakes = np.flatnonzero(run.answers != y)
    surest = mistakes[np.argsort(-run.probabilities[mistakes].max(axis=1), kind="stable")][:5]
    first = np.arange(min(len(y), 10 - len(surest)))
    rows = np.concatenate([first, surest])
    with figure(path, 7.5, 4.6) as (ax,):
        plots.predictions(run.trainer.network, x[rows], y[rows], image_shape=run.data.image_shape, ax=ax)
        ax.set_title(f"The first {len(first)} test images, and the {len(surest)} surest of {len(mistakes):,} mistakes")


def _draw_weights(path: Path, run: Run) -> None:
    with figure(path, 10, 5) as (ax,):
        plots.features(run.trainer.network, image_shape=run.data.image_shape, ax=ax)


def _draw_feature_maps(path: Path, run: Run) -> None:
    with figure(path, 10, 4) as (ax,):
        plots.feature_maps(run.trainer.network, run.data.train.x[0], ax=ax)


def _draw_confusion(path: Path, run: Run) -> None:
    names = run.data.class_names
    with figure(path, 6.6, 5.8) as (ax,):
        plots.confusion(confusion_matrix(run.data.test.y, run.answers, len(names)), class_names=names, ax=ax)


@contextmanager
def figure(path: Path, width: float, height: float, panels: int = 1) -> Iterator[Any]:
    """Axes of a figure that needs neither pyplot nor a display, saved when drawn."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    yield figure.subplots(1, panels, squeeze=False)[0]
    figure.savefig(path, dpi=DOTS_PER_INCH, bbox_inches="tight")
