"""Which learning rate? One short training in which it rises from far too small to far too large tells the range."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.configurable import number, spelling
from chainrule.errors import ConfigurationError, DivergenceError, warn
from chainrule.history import History
from chainrule.layers.layer import Array
from chainrule.training import Trainer

SMOOTH = 0.8  # share of the old in the running mean of the losses, by which the test ends
WIDTH = 3  # steps: the standard deviation of the bell that smooths the losses afterwards
TOO_MUCH = 0.5  # of the loss at first, above the lowest running mean: there it ends
SAFETY = 4  # the suggestion is so much below the rate of the lowest loss
LITTLE = 0.05  # of the loss at first: a fall so small is noise


@dataclass(frozen=True, repr=False)
class RangeTest:
    """What a range test has seen: the loss of each step, and the rate of the step.

    Shapes      rates, losses, smoothed (steps,): fewer steps than planned if it diverged
    """

    rates: Array
    losses: Array  # of each batch, before its step
    smoothed: Array  # means over the neighbours, weighted by nearness
    diverges: float | None  # the rate at which the loss was out of hand; None if it never was

    @property
    def lowest(self) -> float:
        """The rate at which the smoothed loss is lowest: from there on the steps are too long."""
        return float(self.rates[self.smoothed.argmin()])

    @property
    def suggestion(self) -> float:
        """The rate to begin with: a quarter of the lowest.

        At the lowest itself the steps already undo one another. In 108 tests (3,000 images of MNIST and moons; SGD with
        and without momentum, Adam; batches of 8, 32 and 128) networks trained at a quarter of it came within 0.12 of
        the accuracy of the best of 21 rates, 0.02 on average. At the lowest 0.70 was lost at worst, at a half 0.31, at
        an eighth 0.29, and 0.83 at the steepest fall before it, fastai's choice, which noise moves too far. Where the
        loss hardly falls in so few steps, as for two spirals, none of these says much.
        """
        return self.lowest / SAFETY

    def __repr__(self) -> str:
        diverges = "never" if self.diverges is None else f"at {self.diverges:.3g}"
        return f"RangeTest({self.suggestion:.3g} suggested; lowest at {self.lowest:.3g}, diverges {diverges})"


@spelling
def range_test(
    trainer: Trainer, x: Any, y: Any, *, low: float = 1e-6, high: float = 10.0, steps: int = 100
) -> RangeTest:
    """Train a copy for a few steps, each at a higher rate than the one before, and watch the loss.

    While the rate is too small the loss stands still; then it falls, ever faster; then the steps are too long and it
    rises. A good rate lies before its lowest point. The trainer, its network and its optimizer are not touched.

    Arguments   trainer    as it would train: its optimizer, batch size and penalties are those of the test
                low, high  first and last rate, above 0; those between are spaced evenly on a logarithmic scale
                           (default 1e-6, 10)
                steps      how many at most, at least 10 (default 100)
    It ends early when the running mean of the loss has risen above its lowest by more than half of the first loss, or
    the loss is not finite: a loss that falls again after that, at rates that train nothing, is not looked at. A
    ChainruleWarning says if the loss has hardly fallen.
    Raises      ConfigurationError for rates out of order; DataError and the like as `fit` does; DivergenceError if
                the loss is not finite within the first steps
    Source      Smith 2017, arXiv:1506.01186, section 3.3, where the rate rises in a straight line; by factors in
                fastai's lr_find

    >>> from chainrule import MLP, datasets
    >>> moons = datasets.moons()
    >>> result = range_test(Trainer(MLP([2, 16, 2]), "cross_entropy", "sgd"), *moons.train)
    >>> 0.05 < result.suggestion < 2
    True
    """
    if not isinstance(trainer, Trainer):
        raise ConfigurationError(f"range_test: expected a Trainer, received {trainer!r}.")
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
            if now > best + TOO_MUCH * abs(losses[0]):  # a loss may be negative
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
    if smoothed[0] - smoothed.min() < LITTLE * abs(losses[0]):
        warn(
            "range_test: the loss has hardly fallen, so the suggestion means little. Take larger batches, more steps, "
            "or other rates."
        )
    return RangeTest(rates[: len(losses)], np.array(losses), smoothed, diverges)
