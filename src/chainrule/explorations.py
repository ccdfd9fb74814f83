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
from dataclasses import asdict, dataclass, fields, replace
from os import PathLike
from typing import Any

from chainrule.datasets.dataset import Dataset
from chainrule.errors import ConfigurationError, DivergenceError
from chainrule.history import Callback
from chainrule.recipes import Recipe

PROBE = 10  # steps that tell how long a step takes


@dataclass(frozen=True)
class Factor:
    """A setting that can be explored.

    Arguments   title  what the values are
                vary   the recipe with another value of it
                write  a value as text
    """

    title: str
    vary: Callable[[Recipe, Any], Recipe]
    write: Callable[[Any], str] = str


FACTORS = {
    # A schedule would lower a rate that is too high, and show less of what the rate does.
    "learning_rate": Factor(
        "learning rate", lambda recipe, rate: replace(recipe, learning_rate=rate, schedule="constant"), "{:g}".format
    ),
    "hidden": Factor(
        "hidden units",
        lambda recipe, widths: replace(recipe, hidden=widths),
        lambda widths: "-".join(map(str, widths)),
    ),
    "activation": Factor("activation", lambda recipe, name: replace(recipe, activation=name)),
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
    """A setting for each value of each factor, all else as in the recipe."""
    return [
        Setting(factor, value, FACTORS[factor].vary(recipe, value))
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
    """Train in each setting from each seed; each trial as it ends, and no more once a callback has stopped one."""
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


def write_csv(trials: Iterable[Trial], path: str | PathLike[str]) -> None:
    """A line for each trial."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=[column.name for column in fields(Trial)])
        writer.writeheader()
        writer.writerows(asdict(trial) for trial in trials)
