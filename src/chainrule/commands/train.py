"""`chainrule train`: teach a network, show how it goes, and keep what came of it."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from chainrule import datasets, runs
from chainrule.datasets.dataset import Dataset
from chainrule.errors import DivergenceError
from chainrule.interruption import Interruption
from chainrule.layers import ACTIVATIONS
from chainrule.metrics import most_confused
from chainrule.recipes import SCHEDULES, Recipe
from chainrule.terminal import Progress, say

VALIDATION = 1 / 12  # of the training images: 5,000 of MNIST's 60,000

train = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Teach a network.")


@train.callback()
def _group() -> None:
    """Teach a network."""


@train.command(
    epilog="""Examples:

    \b
    chainrule train mnist
    chainrule train mnist --hidden 256,128 --epochs 10 --output runs/deeper
    chainrule train mnist --data my-images --seed 1"""
)
def mnist(
    hidden: Annotated[str, typer.Option(metavar="WIDTHS", help="Widths of the hidden layers: 128, or 256,128.")] = (
        ",".join(map(str, Recipe.hidden))
    ),
    activation: Annotated[
        str, typer.Option(metavar="NAME", help=f"After each hidden layer: {', '.join(ACTIVATIONS)}.")
    ] = Recipe.activation,
    epochs: Annotated[int, typer.Option(metavar="N", min=1, help="Passes over the training images.")] = Recipe.epochs,
    batch_size: Annotated[int, typer.Option(metavar="N", min=1, help="Images a step.")] = Recipe.batch_size,
    learning_rate: Annotated[
        float,
        typer.Option(metavar="RATE", min=0, help="Size of the steps: the peak of one-cycle, or the constant rate."),
    ] = Recipe.learning_rate,
    schedule: Annotated[
        str, typer.Option(metavar="NAME", help=f"How the rate moves: {' or '.join(SCHEDULES)}.")
    ] = Recipe.schedule,
    momentum: Annotated[
        float, typer.Option(metavar="SHARE", help="Share of each step's velocity kept for the next.")
    ] = Recipe.momentum,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="Of the starting weights and the shuffling.")
    ] = Recipe.seed,
    output: Annotated[
        Path | None,
        typer.Option(metavar="DIR", show_default="runs/mnist-WIDTHS-seedN, numbered", help="Folder of the run."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run in that folder.")] = False,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            exists=True,
            file_okay=False,
            show_default="the bundled MNIST",
            help="Own images: a folder with IDX files named as those of MNIST.",
        ),
    ] = None,
) -> None:
    """Teach a network to read handwritten digits.

    The network sees 55,000 of MNIST's training images again and again, in small batches. After every epoch it is
    measured on the 5,000 others (validation), which it never learns from; at the end, once, on the 10,000 test images.

    Ctrl-C ends training after the step in hand and keeps what was learned; a second Ctrl-C quits at once.
    """
    recipe = Recipe(
        hidden=_widths(hidden),
        activation=activation,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        momentum=momentum,
        schedule=schedule,
        seed=seed,
    )
    folder = output or runs.free_folder(Path("runs") / f"mnist-{'-'.join(map(str, recipe.hidden))}-seed{seed}")
    runs.check_free(folder, overwrite)
    source = "the bundled MNIST" if data is None else str(data.resolve())
    _train(recipe, datasets.mnist(data, validation=VALIDATION), source, folder)


def _widths(text: str) -> tuple[int, ...]:
    try:
        widths = tuple(int(width) for width in text.split(","))
    except ValueError:
        widths = ()
    if not widths or min(widths) < 1:
        raise typer.BadParameter(
            f"expected widths of 1 or more such as 128 or 256,128, received {text!r}.", param_hint="'--hidden'"
        )
    return widths


def _train(recipe: Recipe, data: Dataset, source: str, folder: Path) -> None:
    trainer = recipe.trainer(data, callbacks=[Progress()])
    steps = trainer.steps(*data.train, epochs=recipe.epochs, validation=data.validation)
    with runs.made(folder), Interruption() as interruption:
        widths = [data.train.x.shape[1], *recipe.hidden, len(data.class_names)]
        sizes = ", ".join(f"{rows:,} {part}" for part, rows in runs.sizes(data).items())
        say(f"{'-'.join(map(str, widths))} network, {trainer.network.params.size:,} parameters, on {source}: {sizes}")

        start, diverged = time.perf_counter(), None
        try:
            for _ in steps:
                if interruption.signal:
                    trainer.stop()
        except DivergenceError as error:
            if trainer.epoch == 0:
                raise
            diverged = error
        seconds = time.perf_counter() - start
        status = "diverged" if diverged else "finished" if trainer.epoch == recipe.epochs else "interrupted"
        if status != "finished":
            say(f"{status} in epoch {trainer.epoch + 1}: {trainer.epoch} of {recipe.epochs} epochs finished")

        command = shlex.join(["chainrule", *sys.argv[1:]])
        probabilities = trainer.network.predict_proba(data.test.x)
        run = runs.Run(command, recipe, data, source, trainer, status, seconds, probabilities)
        _report(run)
        say(f"{folder}: {', '.join(runs.write(run, folder))}")
        if diverged:
            raise diverged
        if interruption.signal:
            raise typer.Exit(128 + interruption.signal)


def _report(run: runs.Run) -> None:
    total = len(run.data.test.y)
    say(f"test accuracy {100 * run.correct / total:.2f} %: {run.correct:,} / {total:,} correct")
    confused = most_confused(run.data.test.y, run.answers)
    if confused:
        say("most confused:")
    for true, predicted, times in confused:
        names = run.data.class_names
        say(f"  true {names[true]} -> predicted {names[predicted]}: {times} time{'s' if times > 1 else ''}")
