"""Reads a range test with care: beyond the first rise of the loss, a fall tells nothing about good rates."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from chainrule.range_testing import WIDTH, RangeTest

CLEAR = 0.2  # share of the first loss by which it must fall to tell anything
NOISE = 4  # standard deviations of the smoothed loss that a rise or fall must exceed
SMOOTHED = (2 * math.sqrt(math.pi) * WIDTH) ** -0.5 / math.sqrt(2)  # times the deviation from step to step
LOST = 0.75  # share of what was won that a rise gives away, when the rate is out of hand


class Rates(NamedTuple):
    """Where the loss begins to fall, where it falls fastest, and where it is out of hand (infinity: nowhere)."""

    begins: float
    steepest: float
    lost: float
    clear: bool  # does it fall enough to believe the first two?

    @property
    def suggestion(self) -> float:
        """The rate to begin with."""
        return min(self.steepest, self.lost / 10)


def read_rates(test: RangeTest) -> Rates:
    """The part of the test before the loss rises again; there the fall and its steepest place.

    >>> losses = np.array([2.0, 2.0, 2.0, 2.0, 1.9, 1.2, 0.8, 3.0, 0.5])
    >>> read = read_rates(RangeTest(np.geomspace(1e-6, 100, 9), losses, losses, None))
    >>> round(read.steepest, 3), round(read.lost, 3)
    (0.1, 10.0)
    """
    rates, loss = test.rates, test.smoothed
    still = max(3, len(loss) // 4)  # steps at rates so low that only the batches differ
    start = float(loss[:still].mean())
    noise = NOISE * SMOOTHED * float(np.diff(test.losses[:still]).std())
    lowest = np.minimum.accumulate(loss)
    won = start - lowest
    enough = max(CLEAR * abs(start), noise)
    lost = (loss > start + max(abs(start), noise)) | ((won > enough) & (loss > lowest + np.maximum(LOST * won, noise)))
    end = int(lost.argmax()) if lost.any() else len(loss)
    best = int(loss[:end].argmin()) if end else 0
    fall = start - float(loss[best])
    slope = np.gradient(loss, np.log(rates))
    # The test also ends at 4 times its lowest mean, which is soon reached where losses come near 0.
    ended = test.diverges is not None and (test.diverges > rates[-1] or loss[-1] > start)
    out_of_hand = [float(rates[end])] if end < len(loss) else [test.diverges or math.inf] if ended else []
    return Rates(
        begins=float(rates[np.argmax(loss <= start - 0.1 * fall)]),
        steepest=float(rates[slope[: best + 1].argmin()]),
        lost=min(out_of_hand, default=math.inf),
        clear=fall > enough,
    )
