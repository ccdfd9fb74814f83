"""What a setting does to a recipe: one setting moved at a time, each value tried from several seeds.

Only validation examples are judged by: whoever chooses by the test set has nothing left to report.
"""

from __future__ import annotations

import csv
import itertools
import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from os import PathLike
from typing import Any

from chainrule.datasets.dataset import Dataset
from chainrule.errors import DivergenceError
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
class Trial:
    """One training. `accuracy` is that on the validation examples, None if training diverged."""

    factor: str
    value: str
    seed: int
    accuracy: float | None
    seconds: float


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


def settings(values: Mapping[str, Sequence[Any]], recipe: Recipe) -> list[Setting]:
    """A setting for each value, all else as in the recipe."""
    return [
        Setting(factor, value, FACTORS[factor].vary(recipe, value))
        for factor, several in values.items()
        for value in dict.fromkeys(several)
    ]


def explore(
    data: Dataset, chosen: Sequence[Setting], seeds: int, callbacks: Sequence[Callback] = ()
) -> Iterator[Trial]:
    """Train from each seed in each setting, one trial at a time; ends early when a callback stops a training."""
    assert data.validation is not None
    for setting, seed in itertools.product(chosen, range(seeds)):
        trainer = replace(setting.recipe, seed=seed).trainer(data, callbacks)
        accuracy = None
        try:
            trainer.fit(*data.train, epochs=setting.recipe.epochs)
            if trainer.epoch < setting.recipe.epochs:
                return
            accuracy = trainer.network.accuracy(*data.validation)
        except DivergenceError:
            pass
        yield Trial(setting.factor, setting.label, seed, accuracy, sum(trainer.history["seconds"]))
