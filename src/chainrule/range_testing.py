"""Which learning rate? One short training in which it rises from far too small to far too large tells the range."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.configurable import number, spelling
from chainrule.errors import ConfigurationError, DivergenceError
from chainrule.history import History
from chainrule.layers.layer import Array
from chainrule.training import Trainer

SMOOTH = 0.8  # share of the old in the running mean of the losses, by which the test ends
WIDTH = 3  # steps: the standard deviation of the bell that smooths the losses afterwards
TOO_MUCH = 4  # times the lowest running mean: there it ends


@dataclass(frozen=True)
class RangeTest:
    """What a range test has seen: the loss of each step, and the rate of the step.

    Shapes      rates, losses, smoothed (steps,): fewer steps than planned if it diverged
    """

    rates: Array = field(repr=False)
    losses: Array = field(repr=False)  # of each batch, before its step
    smoothed: Array = field(repr=False)  # means over the neighbours, weighted by nearness
    diverges: float | None  # the rate at which the loss was out of hand; None if it never was

    @property
    def steepest(self) -> float:
        """The rate at which the smoothed loss falls fastest, on the logarithmic scale."""
        return float(self.rates[np.gradient(self.smoothed, np.log(self.rates)).argmin()])

    @property
    def suggestion(self) -> float:
        """The rate to begin with: the steepest, or a tenth of the one that diverges if that is lower."""
        return self.steepest if self.diverges is None else min(self.steepest, self.diverges / 10)


@spelling
def range_test(
    trainer: Trainer, x: Any, y: Any, *, low: float = 1e-6, high: float = 10.0, steps: int = 100
) -> RangeTest:
    """Train a copy for a few steps, each at a higher rate than the one before, and watch the loss.

    While the rate is too small the loss stands still; then it falls, ever faster; then the steps are too long and it
    rises. A good rate lies where it falls. The trainer, its network and its optimizer are not touched.

    Arguments   trainer    as it would train: its optimizer, batch size and penalties are those of the test
                low, high  first and last rate, above 0; those between are spaced evenly on a logarithmic scale
                           (default 1e-6, 10)
                steps      how many at most, at least 10 (default 100)
    It ends early when the running mean of the loss is more than 4 times its lowest, or the loss not finite.
    Raises      ConfigurationError for rates out of order; DataError and the like as `fit` does; DivergenceError if
                the loss is not finite within the first steps
    Source      Smith 2017, arXiv:1506.01186, section 3.3, where the rate rises in a straight line; by factors, and
                with the steepest fall as the rule, in fastai's lr_find

    >>> from chainrule import MLP, datasets
    >>> moons = datasets.moons()
    >>> result = range_test(Trainer(MLP([2, 16, 2]), "cross_entropy", "sgd"), *moons.train)
    >>> 0.01 < result.suggestion < 5
    True
    """
    low, high = (number("range_test", name, value, "(0, inf)") for name, value in (("low", low), ("high", high)))
    if low >= high:
        raise ConfigurationError(f"range_test: expected low < high, received low={low:g} and high={high:g}.")
    number("range_test", "steps", steps, "[10, inf)", whole=True)
    trial = copy.deepcopy(trainer, {id(trainer.callbacks): [], id(trainer.history): History()})  # without these two
    trial.metrics = ()
    rates = np.geomspace(low, high, steps)
    losses: list[float] = []
    mean, best, diverges = 0.0, math.inf, None
    trial.optimizer.learning_rate = float(rates[0])
    try:
        for step in trial.steps(x, y, epochs=steps):
            losses.append(step.loss)
            mean = SMOOTH * mean + (1 - SMOOTH) * step.loss
            now = mean / (1 - SMOOTH ** len(losses))  # the mean began at 0, which this takes out
            best = min(best, now)
            if now > best + (TOO_MUCH - 1) * abs(best):  # a loss may be negative
                diverges = step.learning_rate
            if diverges is not None or len(losses) == steps:
                break
            trial.optimizer.learning_rate = float(rates[len(losses)])
    except DivergenceError:
        diverges = float(rates[len(losses)])
        if len(losses) < 2:
            raise
    steps_apart = np.subtract.outer(np.arange(len(losses)), np.arange(len(losses)))
    nearness = np.exp(-((steps_apart / WIDTH) ** 2) / 2)
    smoothed = nearness @ losses / nearness.sum(axis=1)
    return RangeTest(rates[: len(losses)], np.array(losses), smoothed, diverges)
