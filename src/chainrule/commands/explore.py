"""`chainrule explore`: what a setting does, tried from several seeds, before anyone believes it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from chainrule import datasets, explorations, plots, runs
from chainrule.commands.train import VALIDATION
from chainrule.datasets.dataset import Dataset, Split
from chainrule.explorations import FACTORS, Setting, Trial
from chainrule.history import Callback, Step
from chainrule.interruption import Interruption
from chainrule.layers import ACTIVATIONS
from chainrule.recipes import OPTIMIZERS, SCHEDULES, Recipe
from chainrule.terminal import Progress, say
from chainrule.threads import default_count, limited
from chainrule.training import Trainer

EXAMPLES = {
    "learning_rate": "0.001,0.01,0.1,1.0",
    "hidden": "32,64,128,256,512",
    "activation": "relu,sigmoid,tanh",
    "schedule": "constant,cosine,one-cycle",
    "optimizer": "sgd,adam",
    "momentum": "0,0.5,0.9",
    "batch_size": "16,64,256",
    "dropout": "0,0.1,0.3,0.5",
    "l2": "0,0.0001,0.001",
    "augment": "no,yes",
}
DEFAULTS = {factor: EXAMPLES[factor] for factor in ("learning_rate", "hidden", "activation")}
READERS: dict[str, Callable[[str], Any]] = {
    "learning_rate": float,
    "hidden": lambda widths: tuple(int(width) for width in widths.split("-")),
    "momentum": float,
    "batch_size": int,
    "dropout": float,
    "l2": float,
    "augment": ("no", "yes").index,
}  # the others are names

explore = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="See what a setting does, from several seeds.")


@explore.callback()
def _group() -> None:
    """See what a setting does, from several seeds."""


def _values(factor: str, meaning: str) -> Any:
    shown = DEFAULTS.get(factor, FACTORS[factor].write(getattr(Recipe, factor)))
    return typer.Option(metavar="VALUES", show_default=shown, help=meaning)


@explore.command(
    epilog="""Examples:

    \b
    chainrule explore mnist
    chainrule explore mnist --learning-rate 0.01,0.03,0.1,0.3 --momentum 0
    chainrule explore mnist --dropout 0,0.1,0.3 --hidden 512 --epochs 20
    chainrule explore mnist --hidden 128,256-128,512-256-128 --examples 55000 --epochs 5"""
)
def mnist(
    context: typer.Context,
    learning_rate: Annotated[
        str | None, _values("learning_rate", "Several are tried at a constant rate, unless --schedule is given.")
    ] = None,
    hidden: Annotated[str | None, _values("hidden", "Widths of the hidden layers; 256-128 are two layers.")] = None,
    activation: Annotated[
        str | None, _values("activation", f"After each hidden layer, of {', '.join(ACTIVATIONS)}.")
    ] = None,
    schedule: Annotated[str | None, _values("schedule", f"How the rate moves, of {', '.join(SCHEDULES)}.")] = None,
    optimizer: Annotated[
        str | None, _values("optimizer", f"What moves the weights, of {', '.join(OPTIMIZERS)}.")
    ] = None,
    momentum: Annotated[
        str | None, _values("momentum", "Of sgd: share of each step's velocity kept for the next; 0: plain descent.")
    ] = None,
    batch_size: Annotated[str | None, _values("batch_size", "Images a step.")] = None,
    dropout: Annotated[str | None, _values("dropout", "Share of each hidden layer silenced in training.")] = None,
    l2: Annotated[str | None, _values("l2", "Strength of the penalty on the squares of the weights.")] = None,
    augment: Annotated[str | None, _values("augment", "Move, turn and bend the images in training: no or yes.")] = None,
    seeds: Annotated[int, typer.Option(metavar="N", min=1, help="Trainings of each value.")] = 3,
    epochs: Annotated[int, typer.Option(metavar="N", min=1, help="Passes over the training images.")] = 2,
    examples: Annotated[
        int, typer.Option(metavar="N", min=1, max=55_000, help="Training images: the first so many.")
    ] = 20_000,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            show_default="runs/explore-mnist, numbered",
            help="Folder of results.csv and exploration.png.",
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the results in that folder.")] = False,
) -> None:
    """Train digit readers with several values of a setting, and compare them.

    A setting with several values, such as 32,64, is explored: each is tried, all else staying as it is. A single value
    holds for all trainings, and what is not given is as in `chainrule train mnist`. If nothing is given, learning
    rate, hidden units and activation are explored. Every value is tried from several seeds, because one alone may be
    luck. Judged is by the 5,000 validation images; the test images are not looked at.

    Ctrl-C keeps the trainings that are finished; a second Ctrl-C quits at once.
    """
    given = {factor: _read(factor, text) for factor in FACTORS if (text := context.params[factor]) is not None}
    fixed = {factor: values[0] for factor, values in given.items() if len(values) == 1}
    several = {factor: values for factor, values in given.items() if len(values) > 1}
    if not given:
        several = {factor: _read(factor, text) for factor, text in DEFAULTS.items()}
    # Where all is fixed there is one setting, named for the first of them.
    chosen = [
        replace(setting, recipe=replace(setting.recipe, **fixed))
        for setting in explorations.settings(several or dict([*given.items()][:1]), Recipe(epochs=epochs))
    ]
    folder = output or runs.free_folder(Path("runs/explore-mnist"))
    runs.check_free(folder, overwrite)
    data = datasets.mnist(validation=VALIDATION)
    data = replace(data, train=Split(data.train.x[:examples], data.train.y[:examples]))
    with limited(default_count()):
        seconds = explorations.expected_seconds(data, chosen, seeds)
        with runs.made(folder), Interruption() as interruption:
            say(
                f"{len(chosen)} settings x {seeds} seeds x {epochs} epochs on {examples:,} training images: about "
                f"{math.ceil(seconds)} s"
            )
            _explore(data, chosen, seeds, folder, interruption)


def _read(factor: str, text: str) -> list[Any]:
    """The values in a list such as 0.001,0.01 or 32,256-128 or relu,tanh; each once."""
    try:
        return list(dict.fromkeys(READERS.get(factor, str.strip)(part) for part in text.split(",")))
    except ValueError:
        raise typer.BadParameter(
            f"expected a list such as {EXAMPLES[factor]}, received {text!r}.",
            param_hint=f"'--{factor.replace('_', '-')}'",
        ) from None


def _explore(data: Dataset, chosen: list[Setting], seeds: int, folder: Path, interruption: Interruption) -> None:
    trials: list[Trial] = []
    found = explorations.explore(data, chosen, seeds, [Progress(lines=0), StopWhenAsked(interruption)])
    for i, setting in enumerate(chosen):
        if i == 0 or chosen[i - 1].factor != setting.factor:
            say("")
            say(explorations.heading(setting.factor))
        of_setting = list(itertools.islice(found, seeds))
        trials += of_setting
        if of_setting:
            say(explorations.line(of_setting))
        if interruption.signal:
            break
    say("")
    if interruption.signal:
        say(f"interrupted: {len(trials)} of {len(chosen) * seeds} trainings finished")
    if trials:
        explorations.write_csv(trials, folder / "results.csv")
        _draw(trials, folder / "exploration.png")
        say(f"{folder}: results.csv, exploration.png")
    if interruption.signal:
        raise typer.Exit(128 + interruption.signal)


class StopWhenAsked(Callback):
    """Ends training after the step in hand once Ctrl-C has been pressed."""

    def __init__(self, interruption: Interruption) -> None:
        self.interruption = interruption

    def on_step(self, trainer: Trainer, step: Step) -> None:
        """See whether to go on."""
        if self.interruption.signal:
            trainer.stop()


def _draw(trials: list[Trial], path: Path) -> None:
    """A panel for each factor."""
    panels = {trial.factor: [other for other in trials if other.factor == trial.factor] for trial in trials}
    with runs.figure(path, 5.5 * len(panels), 4, panels=len(panels)) as axes:
        for ax, (factor, of_factor) in zip(axes, panels.items(), strict=True):
            plots.learning_rates(explorations.accuracies(of_factor), setting=FACTORS[factor].title, ax=ax)
