"""The learning rate as a function of the step: rate = schedule(step, steps), where `steps` is the planned length."""

from __future__ import annotations

from chainrule.configurable import Configurable, number
from chainrule.errors import ConfigurationError


class Schedule(Configurable):
    """Base of all schedules. `length` is how many steps they plan for, None for the length of the first fit."""

    length: int | None = None
    needs_length: bool = True  # does the rate depend on the planned length?
    ends: bool = True  # is the rate 0 after it, so that there is nothing left to learn with?

    def __call__(self, step: int, steps: int) -> float:
        """The learning rate of step 0, 1, ... steps - 1."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__(step, steps) -> rate")


class Constant(Schedule):
    """The same rate at every step; a plain number means this.

    Arguments   rate: at least 0

    >>> Constant(0.1)(3, 10)
    0.1
    """

    needs_length = ends = False

    def __init__(self, rate: float) -> None:
        self.rate = number("learning_rate", "rate", rate, "[0, inf)")

    def __call__(self, step: int, steps: int) -> float:
        return float(self.rate)


class OneCycle(Schedule):
    """Up in a straight line to the peak, then down in a straight line to zero.

    With t = (step + 1/2) / steps the fraction of the way:  rate = peak t / warmup  while t < warmup, then
    rate = peak (1 - t) / (1 - warmup). The half makes sure that neither the first nor the last step is lost at rate 0.

    Arguments   peak    the highest rate
                warmup  share of the steps spent going up, in [0, 1) (default 0.2)
                length  number of steps; None: those of the first fit (default)
    Source      Smith, Topin 2017, arXiv:1708.07120 (there the way down has two parts, and momentum moves too)

    >>> schedule = OneCycle(0.15)
    >>> [round(schedule(step, 5), 4) for step in range(5)]
    [0.075, 0.1312, 0.0937, 0.0563, 0.0187]
    """

    def __init__(self, peak: float, *, warmup: float = 0.2, length: int | None = None) -> None:
        self.peak = number("OneCycle", "peak", peak, "[0, inf)")
        self.warmup = number("OneCycle", "warmup", warmup, "[0, 1)")
        self.length = length if length is None else number("OneCycle", "length", length, "[1, inf)", whole=True)

    def __call__(self, step: int, steps: int) -> float:
        t = (step + 0.5) / steps
        return self.peak * t / self.warmup if t < self.warmup else self.peak * max(0.0, 1 - t) / (1 - self.warmup)


def as_schedule(rate: float | Schedule) -> Schedule:
    """A plain number is a constant rate."""
    if isinstance(rate, str):
        raise ConfigurationError(
            f"learning_rate: expected a number such as 0.1 or a schedule such as OneCycle(0.15), received {rate!r}."
        )
    return rate if isinstance(rate, Schedule) else Constant(rate)
