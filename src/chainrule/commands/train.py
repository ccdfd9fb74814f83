"""`chainrule train`: teach a network, show how it goes, and keep what came of it."""

from __future__ import annotations

import math
import shlex
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from chainrule import checkpoints, datasets, runs
from chainrule.checkpointing import Checkpoint
from chainrule.datasets.dataset import Dataset
from chainrule.errors import ConfigurationError, DivergenceError, unknown_name
from chainrule.interruption import Interruption
from chainrule.layers import ACTIVATIONS
from chainrule.metrics import most_confused
from chainrule.recipes import OPTIMIZERS, RECIPES, SCHEDULES, Recipe
from chainrule.terminal import Progress, say
from chainrule.training import Trainer

BUNDLED = "the bundled MNIST"
SETTINGS = {field.name for field in fields(Recipe)}
VALIDATION = 1 / 12  # of the training images: 5,000 of MNIST's 60,000

train = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Teach a network.")


@train.callback()
def _group() -> None:
    """Teach a network."""


@train.command(
    epilog="""Examples:

    \b
    chainrule train mnist
    chainrule train mnist --recipe mlp
    chainrule train mnist --hidden 256,128 --epochs 10 --output runs/deeper
    chainrule train mnist --resume runs/deeper
    chainrule train mnist --data my-images --seed 1"""
)
def mnist(
    context: typer.Context,
    recipe: Annotated[
        str, typer.Option(metavar="NAME", help=f"Where the options below start from: {', '.join(RECIPES)}.")
    ] = "default",
    hidden: Annotated[
        str | None,
        typer.Option(
            metavar="WIDTHS", show_default="the recipe's", help="Widths of the hidden layers: 128, or 256,128."
        ),
    ] = None,
    activation: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", show_default="the recipe's", help=f"After each hidden layer: {', '.join(ACTIVATIONS)}."
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, show_default="the recipe's", help="Passes over the training images."),
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(metavar="N", min=1, show_default="the recipe's", help="Images a step.")
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(
            metavar="RATE",
            min=0,
            show_default="the recipe's",
            help="Size of the steps: the peak of a schedule, or the constant rate.",
        ),
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(metavar="NAME", show_default="the recipe's", help=f"How the rate moves: {', '.join(SCHEDULES)}."),
    ] = None,
    warmup: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE", show_default="the recipe's", help="Share of the steps in which the one-cycle rises."
        ),
    ] = None,
    optimizer: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", show_default="the recipe's", help=f"What moves the weights: {', '.join(OPTIMIZERS)}."
        ),
    ] = None,
    momentum: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            show_default="the recipe's",
            help="Of sgd: share of each step's velocity kept for the next.",
        ),
    ] = None,
    dropout: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE", show_default="the recipe's", help="Share of each hidden layer silenced in training."
        ),
    ] = None,
    l2: Annotated[
        float | None,
        typer.Option(
            metavar="STRENGTH", min=0, show_default="the recipe's", help="Of the penalty on the squares of the weights."
        ),
    ] = None,
    augment: Annotated[
        bool | None,
        typer.Option(
            "--augment/--no-augment", show_default="the recipe's", help="Move, turn and bend the images in training?"
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="Of the starting weights, the shuffling and all chance.")
    ] = Recipe.seed,
    resume: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Go on with the run in that folder, by its own options, from its checkpoint."),
    ] = None,
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

    Ctrl-C ends training after the step in hand and keeps what was learned; a second Ctrl-C quits at once. A run that
    was ended or killed goes on with --resume, and ends as one that never was, to the bit.
    """
    if resume is not None:
        _refuse_beside_resume(context)
        plan = runs.read(resume)
        source = plan["data"]["source"]
        chosen = Recipe(**plan["recipe"] | {"hidden": tuple(plan["recipe"]["hidden"])})
        held = datasets.mnist(None if source == BUNDLED else source, validation=VALIDATION)
        _train(chosen, held, source, resume, plan)
        return
    if recipe not in RECIPES:
        raise unknown_name("recipe", recipe, RECIPES)
    given = {name: value for name, value in context.params.items() if name in SETTINGS and value is not None}
    if hidden is not None:
        given["hidden"] = _widths(hidden)
    chosen = replace(RECIPES[recipe], **given)
    label = recipe if recipe != "default" else "-".join(map(str, chosen.hidden))
    folder = output or runs.free_folder(Path("runs") / f"mnist-{label}-seed{seed}")
    runs.check_free(folder, overwrite)
    source = BUNDLED if data is None else str(data.resolve())
    _train(chosen, datasets.mnist(data, validation=VALIDATION), source, folder)


def _refuse_beside_resume(context: typer.Context) -> None:
    """The run's own options are the ones that count: another one would make it another run."""
    other = [
        f"--{name.replace('_', '-')}"
        for name in context.params
        if name != "resume" and getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"
    ]
    if other:
        raise typer.BadParameter(
            f"takes its options from the run: leave out {', '.join(other)}.", param_hint="'--resume'"
        )


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


def _train(recipe: Recipe, data: Dataset, source: str, folder: Path, resumed: dict[str, Any] | None = None) -> None:
    saves = Checkpoint(folder / runs.CHECKPOINTS, keep_last=2, fingerprint=checkpoints.fingerprint(*data.train))
    trainer = recipe.trainer(data, callbacks=[Progress(), saves])
    if resumed is not None:
        _go_on(trainer, recipe, data, folder, resumed)
    steps = trainer.steps(*data.train, epochs=recipe.epochs - trainer.epoch, validation=data.validation)
    with runs.made(folder), Interruption() as interruption:
        widths = [data.train.x.shape[1], *recipe.hidden, len(data.class_names)]
        sizes = ", ".join(f"{rows:,} {part}" for part, rows in runs.sizes(data).items())
        say(f"{'-'.join(map(str, widths))} network, {trainer.network.params.size:,} parameters, on {source}: {sizes}")

        command, diverged = shlex.join(["chainrule", *sys.argv[1:]]), None
        if resumed is None:
            runs.forget(folder)
            runs.begin(folder, runs.plan(command, recipe, data, source, trainer))
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
            say(f"to go on: chainrule train mnist --resume {shlex.quote(str(folder))}")

        seconds = sum(trainer.history["seconds"]) + trainer.sums["seconds"]
        probabilities = np.empty((0, len(data.class_names)))
        if status != "interrupted":  # test images are looked at once, and this one may go on
            probabilities = trainer.network.predict_proba(data.test.x)
        run = runs.Run(command, recipe, data, source, trainer, status, seconds, probabilities)
        if run.measured:
            _report(run)
        say(f"{folder}: {', '.join(runs.write(run, folder))}")
        if diverged:
            raise diverged
        if status == "interrupted":
            raise typer.Exit(128 + interruption.signal)


def _go_on(trainer: Trainer, recipe: Recipe, data: Dataset, folder: Path, plan: dict[str, Any]) -> None:
    """Put the newest checkpoint into the trainer, and say from where it goes on."""
    newest = checkpoints.latest(folder / runs.CHECKPOINTS)
    if newest is None:
        raise ConfigurationError(f"{folder} has no checkpoint to go on from. Begin anew: {plan['command']} --overwrite")
    checkpoints.restore(trainer, newest, data=(data.train.x, data.train.y))
    if trainer.epoch < recipe.epochs:
        say(f"going on from {newest.name}, in epoch {trainer.epoch + 1} of {recipe.epochs}")
    elif plan["status"] == "finished":
        raise ConfigurationError(
            f"{folder} is finished: all {recipe.epochs} epochs. There is nothing to go on with. To train for longer "
            f"begin anew, in another folder: {plan['command']} --epochs {2 * recipe.epochs}"
        )
    else:
        say(f"going on from {newest.name}: all {recipe.epochs} epochs are over, the report is left to do")
    if plan["machine"] != runs.machine() or plan["versions"]["numpy"] != np.__version__:
        say("note: this machine, its NumPy or its BLAS threads are not the run's: the last digits may differ")


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
