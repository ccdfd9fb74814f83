"""Rates that fall in steps, along a curve or with a root, and the slow start that can be put before any of them.

`every`, `warmup` and `steps` are numbers of steps where they are whole, and shares of the planned length where they are
fractions: every=1000 is every thousand steps, every=0.25 four times in the run. Steps are counted from 0.
"""

from __future__ import annotations

import math
from itertools import count

import numpy as np

from chainrule.configurable import number
from chainrule.errors import ConfigurationError
from chainrule.schedules.schedule import Schedule, as_schedule


class StepDecay(Schedule):
    """The rate is multiplied by a factor every so many steps.

    With n = every:  rate = rate factor^floor(step / n)
    Arguments   rate    of the first stretch, at least 0
                every   how long a stretch is: a number of steps, or a share of all in (0, 1)
                factor  at each new stretch (default 0.1)
    Source      PyTorch's StepLR, counted in steps instead of epochs

    >>> schedule = StepDecay(0.5, every=2, factor=0.1)
    >>> [round(schedule(step, 5), 4) for step in range(5)]
    [0.5, 0.5, 0.05, 0.05, 0.005]
    """

    ends = False

    def __init__(self, rate: float, *, every: float, factor: float = 0.1) -> None:
        self.rate = number("StepDecay", "rate", rate, "[0, inf)")
        self.every = _duration("StepDecay", "every", every)
        self.factor = number("StepDecay", "factor", factor, "(0, inf)")
        self.needs_length = _is_share(every)

    def __call__(self, step: int, steps: int) -> float:
        return self.rate * self.factor ** (step // _in_steps(self.every, steps))


class Exponential(Schedule):
    """The rate is multiplied by a factor every so many steps, evenly at each of them.

    With n = every:  rate = rate factor^(step / n)
    Arguments   rate    of the first step, at least 0
                factor  per n steps; above 1 the rate grows
                every   n: a number of steps, or a share of all in (0, 1) (default 1)
    Source      PyTorch's ExponentialLR (every=1), Keras's ExponentialDecay

    >>> schedule = Exponential(0.8, factor=0.25, every=2)
    >>> [schedule(step, 5) for step in range(4)]
    [0.8, 0.4, 0.2, 0.1]
    """

    ends = False

    def __init__(self, rate: float, *, factor: float, every: float = 1) -> None:
        self.rate = number("Exponential", "rate", rate, "[0, inf)")
        self.factor = number("Exponential", "factor", factor, "(0, inf)")
        self.every = _duration("Exponential", "every", every)
        self.needs_length = _is_share(every)

    def __call__(self, step: int, steps: int) -> float:
        return self.rate * self.factor ** (step / _in_steps(self.every, steps))


class Cosine(Schedule):
    """Down along half a wave: slowly at first, fast in the middle, slowly at last.

    With t = step / steps, at most 1:  rate = end + (rate - end) (1 + cos(pi t)) / 2. The first step is taken at the
    full rate, and the rate after the last one is `end`, where it stays.

    Arguments   rate    of the first step, at least 0
                end     what it comes down to, at least 0 (default 0: then it is over after the planned steps)
                length  number of steps; None: those of the first fit (default)
    Source      Loshchilov, Hutter 2017, arXiv:1608.03983, equation 5, without restarts

    >>> schedule = Cosine(0.2)
    >>> [round(schedule(step, 4), 4) for step in range(5)]
    [0.2, 0.1707, 0.1, 0.0293, 0.0]
    """

    def __init__(self, rate: float, *, end: float = 0.0, length: int | None = None) -> None:
        self.rate = number("Cosine", "rate", rate, "[0, inf)")
        self.end = number("Cosine", "end", end, "[0, inf)")
        self.length = length if length is None else number("Cosine", "length", length, "[1, inf)", whole=True)
        self.ends = not end

    def __call__(self, step: int, steps: int) -> float:
        return self.end + (self.rate - self.end) * (1 + math.cos(math.pi * min(1, step / steps))) / 2


class InverseTime(Schedule):
    """The rate falls like one over the number of steps taken.

    Formula     rate = rate / (1 + decay step)
    Arguments   rate   of the first step, at least 0
                decay  at least 0; after 1 / decay steps the rate is halved
    Source      Robbins, Monro 1951, Ann. Math. Statist. 22, 400-407; lr_decay of PyTorch's Adagrad

    >>> schedule = InverseTime(0.6, decay=0.5)
    >>> [round(schedule(step, 5), 4) for step in range(5)]
    [0.6, 0.4, 0.3, 0.24, 0.2]
    """

    needs_length = ends = False

    def __init__(self, rate: float, *, decay: float) -> None:
        self.rate = number("InverseTime", "rate", rate, "[0, inf)")
        self.decay = number("InverseTime", "decay", decay, "[0, inf)")

    def __call__(self, step: int, steps: int) -> float:
        return self.rate / (1 + self.decay * step)


class InverseSquareRoot(Schedule):
    """Up in a straight line, then down like one over the root of the number of steps: the schedule of transformers.

    With n = warmup and t = step + 1:  rate = rate min(t / n, sqrt(n / t))
    Arguments   rate    the highest one, reached at t = n; in the paper 1 / sqrt(width n)
                warmup  n: a number of steps, or a share of all in (0, 1)
    Source      Vaswani et al. 2017, arXiv:1706.03762, equation 3

    >>> schedule = InverseSquareRoot(0.3, warmup=4)
    >>> [round(schedule(step, 99), 4) for step in (0, 1, 3, 15)]
    [0.075, 0.15, 0.3, 0.15]
    """

    ends = False

    def __init__(self, rate: float, *, warmup: float) -> None:
        self.rate = number("InverseSquareRoot", "rate", rate, "[0, inf)")
        self.warmup = _duration("InverseSquareRoot", "warmup", warmup)
        self.needs_length = _is_share(warmup)

    def __call__(self, step: int, steps: int) -> float:
        t, n = step + 1, _in_steps(self.warmup, steps)
        return self.rate * min(t / n, math.sqrt(n / t))


class Warmup(Schedule):
    """A straight line up to the first rate of a schedule, then the schedule, planned for the steps that are left.

    With n = steps:  rate = first (step + 1) / (n + 1) while step < n, which neither starts at 0 nor takes the first
    rate twice, then schedule(step - n).

    Arguments   schedule  a Schedule or a number; one with a length of its own has it after the warm-up
                steps     n: a number of steps, or a share of all in (0, 1)
    Source      Goyal et al. 2017, arXiv:1706.02677, section 2.2

    >>> schedule = Warmup(Cosine(0.4), steps=3)
    >>> [round(schedule(step, 7), 4) for step in range(8)]
    [0.1, 0.2, 0.3, 0.4, 0.3414, 0.2, 0.0586, 0.0]
    """

    def __init__(self, schedule: float | Schedule, *, steps: float) -> None:
        self.schedule = schedule
        self.steps = _duration("Warmup", "steps", steps)
        self.then = then = as_schedule(schedule)
        self.needs_length, self.ends = then.needs_length or _is_share(steps), then.ends
        if then.length is not None:
            first = int((then.length - 0.5) / (1 - steps)) if _is_share(steps) else then.length + int(steps)
            self.length = next(n for n in count(first) if n - _in_steps(steps, n) == then.length)

    def __call__(self, step: int, steps: int) -> float:
        n = _in_steps(self.steps, steps)
        left = max(1, steps - n)
        return self.then(step - n, left) if step >= n else self.then(0, left) * (step + 1) / (n + 1)


def _duration(owner: str, name: str, value: float) -> float:
    """A number of steps, or a share of all of them."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool) or not ((isinstance(value, int) and value >= 1) or _is_share(value)):
        raise ConfigurationError(
            f"{owner}: {name} must be a whole number of steps, at least 1, or a share of all steps in (0, 1), "
            f"received {value!r}."
        )
    return value


def _is_share(duration: float) -> bool:
    return isinstance(duration, float) and 0 < duration < 1


def _in_steps(duration: float, steps: int) -> int:
    return max(1, round(duration * steps)) if _is_share(duration) else int(duration)
