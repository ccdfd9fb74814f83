"""An average over the weights of many steps, which often does better than the last weights alone."""

from __future__ import annotations

from chainrule.configurable import Configurable, number
from chainrule.layers.layer import Array
from chainrule.optimizers.optimizer import blocks


class EMA(Configurable):
    """The exponential moving average of the weights, for use beside those that are trained.

    Update      average = average + (1 - decay) (w - average) after each step, the first average being the first w
    Arguments   decay   share of the old average that is kept, in [0, 1): 0.999 looks back over 1,000 steps (default)
                warmup  min(decay, (1 + step) / (10 + step)) in place of decay, step = 1, 2, ...: a short run is not
                        held back by its first weights (default True: decision 15)
    Source      Polyak, Juditsky 1992, SIAM J. Control Optim. 30, 838-855 (a plain mean there); the warm-up is that of
                TensorFlow's ExponentialMovingAverage; without it PyTorch's get_ema_multi_avg_fn

    >>> import numpy as np
    >>> average = np.array([1.0])
    >>> EMA(0.75, warmup=False).update(average, np.array([2.0]), 2)
    >>> average
    array([1.25])
    """

    def __init__(self, decay: float = 0.999, *, warmup: bool = True) -> None:
        self.decay = number("EMA", "decay", decay, "[0, 1)")
        self.warmup = warmup

    def update(self, average: Array, params: Array, step: int) -> None:
        """Move the average towards params, in place, after step 1, 2, ...; at step 1 it must hold a copy of params."""
        decay = min(self.decay, (1 + step) / (10 + step)) if self.warmup else self.decay
        for part in blocks(slice(0, len(params))):
            difference = params[part] - average[part]
            difference *= 1 - decay
            average[part] += difference
