"""AdamW: Adam whose weight decay does not pass through the moments."""

from __future__ import annotations

from chainrule.optimizers.adam import _AdaptiveMoments
from chainrule.schedules import Schedule


class AdamW(_AdaptiveMoments):
    """Adam with decoupled weight decay.

    A penalty's gradient, added to g, is divided by the root of v like the rest of g: weights with large gradients would
    decay less. Here all weights shrink by the same share.

    Update      w = w - rate weight_decay w, on weights, not on biases and gains; then the update of Adam
    Arguments   weight_decay  share of a weight lost in a step, in units of the rate (default 0.01, as in PyTorch; Keras
                              0.004). The paper's own is not multiplied by the rate, only by the schedule.
                the others    as in Adam
    Raises      ConfigurationError for values out of range
    Source      Loshchilov, Hutter 2019, arXiv:1711.05101, algorithm 2

    >>> import numpy as np
    >>> w, optimizer = np.array([10.0, 10.0]), AdamW(0.1, weight_decay=0.5)
    >>> optimizer.step(w, np.array([0.0, 1.0]), decays=1)
    0.1
    >>> w.round(3)                                                     # 10 (1 - 0.1 * 0.5), and 10 - 0.1
    array([9.5, 9.9])
    """

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        epsilon_hat: bool = False,
        amsgrad: bool = False,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(
            learning_rate,
            beta1=beta1,
            beta2=beta2,
            epsilon=epsilon,
            epsilon_hat=epsilon_hat,
            amsgrad=amsgrad,
            weight_decay=weight_decay,
        )
