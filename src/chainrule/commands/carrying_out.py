"""One training as the command does it, from the first step or a checkpoint to the report, told as it goes."""

from __future__ import annotations

import math
import shlex
import sys
from pathlib import Path
from typing import Any, Literal

import numpy as np
import typer

from chainrule import checkpoints, runs
from chainrule.checkpointing import Checkpoint
from chainrule.datasets.dataset import Dataset
from chainrule.errors import ConfigurationError, DivergenceError
from chainrule.interruption import Interruption
from chainrule.metrics import most_confused
from chainrule.recipes import Recipe
from chainrule.terminal import Progress, say
from chainrule.threads import Threads, best_count, limited
from chainrule.training import Trainer


def carry_out(
    recipe: Recipe,
    data: Dataset,
    origin: runs.Origin,
    folder: Path,
    threads: int | Literal["auto"] | None,
    resumed: dict[str, Any] | None = None,
) -> None:
    """Train by the recipe, go on with a run if its plan is given, and leave everything in the folder.

    Arguments   threads  of the BLAS; "auto": measured; None: as many as it likes
    """
    np.empty(31 << 20, np.uint8)  # freed at once: now glibc keeps what a step of convolutions needs, decision 20
    trainer = recipe.trainer(data)
    if threads == "auto":
        threads = best_count(trainer)
        say(f"BLAS threads: {threads}, the fastest here and now")
    saves = Checkpoint(folder / runs.CHECKPOINTS, keep_last=2, fingerprint=checkpoints.fingerprint(*data.train))
    trainer.callbacks = [*([] if threads is None else [Threads(threads)]), Progress(), saves]
    if resumed is not None:
        _go_on(trainer, recipe, data, folder, resumed)
    steps = trainer.steps(*data.train, epochs=recipe.epochs - trainer.epoch, validation=data.validation)
    with runs.made(folder), limited(threads), Interruption() as interruption:
        sizes = ", ".join(f"{rows:,} {part}" for part, rows in runs.sizes(data).items())
        shape = f"{data.train.x.shape[1]}-{recipe.shape}-{len(data.class_names)}"
        parameters = f"{trainer.network.params.size:,} parameters"
        say(f"{shape} network, {parameters}, on {origin.source}: {sizes}")

        command, diverged = shlex.join(["chainrule", *sys.argv[1:]]), None
        if resumed is None:
            runs.forget(folder)
            runs.begin(folder, runs.plan(command, recipe, data, origin, trainer))
        else:
            command = resumed["command"]
        try:
            for _ in steps:
                if interruption.signal:
                    trainer.stop()
        except DivergenceError as error:
            if trainer.epoch == 0:
                runs.forget(folder)
                raise
            diverged = error
        status = "diverged" if diverged else "finished" if trainer.epoch == recipe.epochs else "interrupted"
        if status != "finished":
            say(f"{status} in epoch {trainer.epoch + 1}: {trainer.epoch} of {recipe.epochs} epochs finished")
        if status == "interrupted":
            say(f"to go on: chainrule train {origin.name} --resume {shlex.quote(str(folder))}")

        seconds = sum(trainer.history["seconds"]) + trainer.sums["seconds"]
        probabilities = np.empty((0, len(data.class_names)))
        if status != "interrupted":  # test images are looked at once, and this one may go on
            probabilities = trainer.network.predict_proba(data.test.x)
        run = runs.Run(command, recipe, data, origin, trainer, status, seconds, probabilities)
        if run.measured:
            _report(run)
        say(f"{folder}: {', '.join(runs.write(run, folder))}")
        if diverged:
            raise diverged
        if status == "interrupted":
            raise typer.Exit(128 + interruption.signal)


def _go_on(trainer: Trainer, recipe: Recipe, data: Dataset, folder: Path, plan: dict[str, Any]) -> None:
    """Put the newest checkpoint into the trainer, and say from where it goes on."""
    if plan["status"] == "finished":
        longer = {"--epochs": 2 * recipe.epochs, "--output": runs.free_folder(folder)}
        raise ConfigurationError(
            f"{folder} is finished: all {recipe.epochs} epochs. There is nothing to go on with. To train for longer "
            f"begin anew, in another folder: {changed(plan['command'], longer)}"
        )
    newest = checkpoints.latest(folder / runs.CHECKPOINTS)
    if newest is None:
        raise ConfigurationError(f"{folder} has no checkpoint to go on from. Begin anew: {plan['command']} --overwrite")
    checkpoints.restore(trainer, newest, data=(data.train.x, data.train.y))
    if trainer.epoch < recipe.epochs:
        say(f"going on from {newest.name}, in epoch {trainer.epoch + 1} of {recipe.epochs}")
    else:
        say(f"going on from {newest.name}: all {recipe.epochs} epochs are over, the report is left to do")
    here = runs.machine(), np.__version__
    if (plan["machine"], plan["versions"]["numpy"]) != here or plan["threads"] is None:
        say("note: this machine, its NumPy or its BLAS threads may not be the run's: the last digits may differ")


def changed(command: str, options: dict[str, Any]) -> str:
    """The command with these options, in place of those that it had."""
    words = shlex.split(command)
    for name, value in options.items():
        words = [word for word in words if not word.startswith(f"{name}=")]
        while name in words:
            del words[(place := words.index(name)) : place + 2]
        words += [name, str(value)]
    return shlex.join(words)


def _report(run: runs.Run) -> None:
    total = len(run.data.test.y)
    say(f"test accuracy {100 * run.correct / total:.2f} %: {run.correct:,} / {total:,} correct")
    confused = most_confused(run.data.test.y, run.answers)
    if confused:
        say("most confused:")
    for true, predicted, times in confused:
        names = run.data.class_names
        say(f"  true {names[true]} -> predicted {names[predicted]}: {times} time{'s' if times > 1 else ''}")
    guessing = math.log(len(run.data.class_names))
    if run.trainer.history.rows[-1]["validation_loss"] >= guessing:
        say(f"it has learned nothing: guessing too has a loss of {guessing:.4f}. Lower --learning-rate.")
