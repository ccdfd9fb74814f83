"""`chainrule explore`: what a setting does, tried from several seeds, before anyone believes it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
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
from chainrule.recipes import Recipe
from chainrule.terminal import Progress, say
from chainrule.training import Trainer

DEFAULTS = {"learning_rate": "0.001,0.01,0.1,1.0", "hidden": "32,64,128,256,512", "activation": "relu,sigmoid,tanh"}

explore = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="See what a setting does, from several seeds.")


@explore.callback()
def _group() -> None:
    """See what a setting does, from several seeds."""


def _values(factor: str, example: str) -> Any:
    return typer.Option(metavar="LIST", show_default=DEFAULTS[factor], help=example)


@explore.command(
    epilog="""Examples:

    \b
    chainrule explore mnist
    chainrule explore mnist --learning-rate 0.01,0.03,0.1,0.3 --momentum 0
    chainrule explore mnist --hidden 128,256-128,512-256-128 --examples 55000 --epochs 5"""
)
def mnist(
    learning_rate: Annotated[str | None, _values("learning_rate", "Constant rates to try.")] = None,
    hidden: Annotated[
        str | None, _values("hidden", "Widths of the hidden layers to try; 256-128 are two layers.")
    ] = None,
    activation: Annotated[
        str | None, _values("activation", f"Activations to try, of {', '.join(ACTIVATIONS)}.")
    ] = None,
    seeds: Annotated[int, typer.Option(metavar="N", min=1, help="Trainings of each value.")] = 3,
    epochs: Annotated[int, typer.Option(metavar="N", min=1, help="Passes over the training images.")] = 2,
    examples: Annotated[
        int, typer.Option(metavar="N", min=1, max=55_000, help="Training images: the first so many.")
    ] = 20_000,
    momentum: Annotated[
        float, typer.Option(metavar="SHARE", help="Share of each step's velocity kept for the next; 0: plain descent.")
    ] = Recipe.momentum,
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
    """Train digit readers with several learning rates, widths and activations, and compare them.

    One setting moves at a time; the others stay as in `chainrule train mnist`. If a list is given, only that setting
    is explored; if none is, all three are. Every value is tried from several seeds, because one alone may be luck.
    Judged is by the 5,000 validation images; the test images are not looked at.

    Ctrl-C keeps the trainings that are finished; a second Ctrl-C quits at once.
    """
    given = {"learning_rate": learning_rate, "hidden": hidden, "activation": activation}
    asked = {factor: text for factor, text in given.items() if text is not None} or DEFAULTS
    values = {factor: _read(factor, text) for factor, text in asked.items()}
    chosen = explorations.settings(values, Recipe(epochs=epochs, momentum=momentum))
    folder = output or runs.free_folder(Path("runs/explore-mnist"))
    runs.check_free(folder, overwrite)
    data = datasets.mnist(validation=VALIDATION)
    data = replace(data, train=Split(data.train.x[:examples], data.train.y[:examples]))
    seconds = explorations.expected_seconds(data, chosen, seeds)
    with runs.made(folder), Interruption() as interruption:
        say(
            f"{len(chosen)} settings x {seeds} seeds x {epochs} epochs on {examples:,} training images: about "
            f"{math.ceil(seconds)} s"
        )
        _explore(data, chosen, seeds, folder, interruption)


def _read(factor: str, text: str) -> list[Any]:
    """The values in a list such as 0.001,0.01 or 32,256-128 or relu,tanh."""
    read: dict[str, Callable[[str], Any]] = {
        "learning_rate": float,
        "hidden": lambda widths: tuple(int(width) for width in widths.split("-")),
        "activation": str.strip,
    }
    try:
        return [read[factor](part) for part in text.split(",")]
    except ValueError:
        raise typer.BadParameter(
            f"expected a list such as {DEFAULTS[factor]}, received {text!r}.",
            param_hint=f"'--{factor.replace('_', '-')}'",
        ) from None


def _explore(data: Dataset, chosen: list[Setting], seeds: int, folder: Path, interruption: Interruption) -> None:
    trials: list[Trial] = []
    found = explorations.explore(data, chosen, seeds, [Progress(lines=0), StopWhenAsked(interruption)])
    for i, setting in enumerate(chosen):
        if i == 0 or chosen[i - 1].factor != setting.factor:
            say("")
            say(f"{FACTORS[setting.factor].title:>16}  {'validation accuracy':>19}  diverged  seconds each")
        of_setting = list(itertools.islice(found, seeds))
        trials += of_setting
        if of_setting:
            say(_row(setting, of_setting))
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


def _row(setting: Setting, trials: list[Trial]) -> str:
    mean, deviation = (100 * value for value in explorations.mean_and_deviation(trials))
    spread = "" if math.isnan(deviation) else f" +- {deviation:.2f}"
    accuracy = "-" if math.isnan(mean) else f"{mean:.2f}{spread} %"
    diverged = f"{sum(trial.diverged for trial in trials)} of {len(trials)}"
    seconds = sum(trial.seconds for trial in trials) / len(trials)
    return f"{setting.label:>16}  {accuracy:>19}  {diverged:>8}  {seconds:>12.2f}"


def _draw(trials: list[Trial], path: Path) -> None:
    """A panel for each factor: the mean of each value with its deviation, and every single training."""
    panels: dict[str, dict[str, list[Trial]]] = {}
    for trial in trials:
        panels.setdefault(trial.factor, {}).setdefault(trial.value, []).append(trial)
    with runs.figure(path, 5.5 * len(panels), 4, panels=len(panels)) as axes:
        for ax, (factor, by_value) in zip(axes, panels.items(), strict=True):
            title = FACTORS[factor].title
            accuracies = [[trial.accuracy for trial in trials] for trials in by_value.values()]
            numbers = _numbers(by_value)
            places = numbers or range(len(by_value))
            plots.learning_rates(dict(zip(places, accuracies, strict=True)), setting=title, ax=ax)
            if not numbers:
                ax.set_xticks(places, list(by_value))
                ax.set_title(f"Best: {title} {max(by_value, key=lambda value: _mean(by_value[value]))}")


def _numbers(texts: Iterable[str]) -> list[float]:
    """The texts as numbers; none if one of them is a name, or two widths."""
    try:
        return [float(text) for text in texts]
    except ValueError:
        return []


def _mean(trials: list[Trial]) -> float:
    mean, _ = explorations.mean_and_deviation(trials)
    return -math.inf if math.isnan(mean) else mean
