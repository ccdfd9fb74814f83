"""What a setting does to a recipe: one setting moved at a time, each value tried from several seeds.

Only validation examples are judged by: whoever chooses by the test set has nothing left to report.
"""

from __future__ import annotations

import csv
import itertools
import math
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from os import PathLike
from typing import Any

from chainrule.datasets.dataset import Dataset
from chainrule.errors import ConfigurationError, DivergenceError, unknown_name
from chainrule.history import Callback
from chainrule.recipes import Recipe

PROBE = 10  # steps that tell how long a step takes


@dataclass(frozen=True)
class Factor:
    """A setting of a recipe that can be explored.

    Arguments   title  what the values are
                write  a value as text
                also   what else must be set, whatever the value
    """

    title: str
    write: Callable[[Any], str] = str
    also: Mapping[str, Any] = field(default_factory=dict)


FACTORS = {
    # A schedule would lower a rate that is too high, and show less of what the rate does.
    "learning_rate": Factor("learning rate", "{:g}".format, {"schedule": "constant"}),
    "hidden": Factor("hidden units", lambda widths: "-".join(map(str, widths))),
    "activation": Factor("activation"),
    "schedule": Factor("schedule"),
    "optimizer": Factor("optimizer"),
    "momentum": Factor("momentum", "{:g}".format),
    "batch_size": Factor("batch size"),
    "dropout": Factor("dropout", "{:g}".format),
    "l2": Factor("L2 penalty", "{:g}".format),
    "augment": Factor("augmentation", {False: "no", True: "yes"}.__getitem__),
}


@dataclass(frozen=True)
class Setting:
    """One value of one factor, and the recipe that has it."""

    factor: str
    value: Any
    recipe: Recipe

    @property
    def label(self) -> str:
        """The value as text."""
        return FACTORS[self.factor].write(self.value)


@dataclass(frozen=True)
class Trial:
    """One training; `accuracy` is that on the validation examples, NaN if training diverged."""

    factor: str
    value: str
    seed: int
    accuracy: float
    seconds: float

    @property
    def diverged(self) -> bool:
        """Did the loss stop being a finite number?"""
        return math.isnan(self.accuracy)


def settings(values: Mapping[str, Iterable[Any]], recipe: Recipe) -> list[Setting]:
    """A setting for each value of each factor, all else as in the recipe.

    Arguments   values  {factor: its values}; the factors are fields of Recipe: learning_rate (at a constant schedule),
                        hidden, activation, schedule, optimizer, momentum, batch_size, dropout, l2, augment
                recipe  where one setting at a time is moved
    Raises      ConfigurationError for a factor that is none

    >>> [setting.label for setting in settings({"hidden": [(32,), (64, 32)], "l2": [1e-4]}, Recipe())]
    ['32', '64-32', '0.0001']
    """
    for factor in values:
        if factor not in FACTORS:
            raise unknown_name("setting", factor, FACTORS)
    return [
        Setting(factor, value, replace(recipe, **{factor: value}, **FACTORS[factor].also))
        for factor, several in values.items()
        for value in dict.fromkeys(several)
    ]


def expected_seconds(data: Dataset, chosen: Iterable[Setting], seeds: int) -> float:
    """How long `explore` will take, from a few steps in each setting; an error at once for a value that is none."""
    total = 0.0
    for setting in chosen:
        recipe = setting.recipe
        steps = recipe.trainer(data).steps(*data.train, epochs=recipe.epochs)
        seconds = [0.0]
        with suppress(DivergenceError):
            seconds.extend(step.seconds for step in itertools.islice(steps, PROBE))
        total += statistics.median(seconds) * math.ceil(len(data.train.y) / recipe.batch_size) * recipe.epochs * seeds
    return total


def explore(
    data: Dataset, chosen: Iterable[Setting], seeds: int, callbacks: Sequence[Callback] = ()
) -> Iterator[Trial]:
    """Train in each setting from each seed; each trial as it ends, and no more once a callback has stopped one.

    Arguments   data       with validation examples, which are all that is judged by
                chosen     of `settings`
                seeds      trainings of each setting, from the seeds 0, 1, 2, ...
                callbacks  of the trainers (default: none)
    Raises      ConfigurationError without validation examples

    >>> from chainrule.datasets import mnist
    >>> chosen = settings({"hidden": [(4,)]}, Recipe(epochs=1))
    >>> [trial.seed for trial in explore(mnist(validation=0.9), chosen, seeds=2)]
    [0, 1]
    """
    if data.validation is None:
        raise ConfigurationError("explore: the data has no validation examples to judge by: mnist(validation=0.1).")
    for setting, seed in itertools.product(chosen, range(seeds)):
        recipe = replace(setting.recipe, seed=seed)
        trainer = recipe.trainer(data, callbacks)
        accuracy, start = math.nan, time.perf_counter()
        with suppress(DivergenceError):
            trainer.fit(*data.train, epochs=recipe.epochs)
            if trainer.epoch < recipe.epochs:
                return
            accuracy = trainer.network.accuracy(*data.validation)
        yield Trial(setting.factor, setting.label, seed, accuracy, time.perf_counter() - start)


def mean_and_deviation(trials: Iterable[Trial]) -> tuple[float, float]:
    """Of the accuracies of those that did not diverge; the deviation, of the sample, is NaN for fewer than two."""
    accuracies = [trial.accuracy for trial in trials if not trial.diverged]
    return (
        statistics.mean(accuracies) if accuracies else math.nan,
        statistics.stdev(accuracies) if len(accuracies) > 1 else math.nan,
    )


def by_setting(trials: Iterable[Trial]) -> dict[tuple[str, str], list[Trial]]:
    """The trials of each (factor, value), in the order in which they came."""
    groups: dict[tuple[str, str], list[Trial]] = {}
    for trial in trials:
        groups.setdefault((trial.factor, trial.value), []).append(trial)
    return groups


def accuracies(trials: Iterable[Trial]) -> dict[Any, list[float]]:
    """{value: accuracies} of the trials of one factor, as plots.learning_rates takes them; numbers where all are.

    >>> accuracies([Trial("hidden", "32", 0, 0.91, 1.0), Trial("hidden", "32", 1, 0.93, 1.0)])
    {32.0: [0.91, 0.93]}
    """
    found = {value: [trial.accuracy for trial in group] for (_, value), group in by_setting(trials).items()}
    try:
        return {float(value): runs for value, runs in found.items()}
    except ValueError:
        return dict(found)


def table(trials: Iterable[Trial]) -> str:
    """A line for each setting: mean and standard deviation of the accuracies, what diverged, seconds of a training.

    >>> print(table([Trial("hidden", "32", 0, 0.91, 1.0), Trial("hidden", "32", 1, 0.93, 2.0)]))
        hidden units  validation accuracy  diverged  seconds each
                  32      92.00 +- 1.41 %    0 of 2          1.50
    """
    groups = by_setting(trials)
    lines = {factor: [heading(factor)] for factor, _ in groups}
    for (factor, _), group in groups.items():
        lines[factor].append(line(group))
    return "\n\n".join("\n".join(block) for block in lines.values())


def heading(factor: str) -> str:
    """Above the lines of this factor."""
    return f"{FACTORS[factor].title:>16}  {'validation accuracy':>19}  diverged  seconds each"


def line(trials: Sequence[Trial]) -> str:
    """The trials of one setting, summed up."""
    mean, deviation = (100 * value for value in mean_and_deviation(trials))
    spread = "" if math.isnan(deviation) else f" +- {deviation:.2f}"
    accuracy = "-" if math.isnan(mean) else f"{mean:.2f}{spread} %"
    diverged = f"{sum(trial.diverged for trial in trials)} of {len(trials)}"
    seconds = statistics.mean(trial.seconds for trial in trials)
    return f"{trials[0].value:>16}  {accuracy:>19}  {diverged:>8}  {seconds:>12.2f}"


def write_csv(trials: Iterable[Trial], path: str | PathLike[str]) -> None:
    """A line for each trial."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=[column.name for column in fields(Trial)])
        writer.writeheader()
        writer.writerows(asdict(trial) for trial in trials)
