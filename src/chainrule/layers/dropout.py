"""Dropout: chance inside a layer, which is why the contract hands `rng` to forward."""

from __future__ import annotations

import numpy as np

from chainrule.configurable import number
from chainrule.errors import ConfigurationError
from chainrule.layers.layer import Array, Cache, Layer


class Dropout(Layer):
    """In training, silences each value with the given probability and scales up the rest; in use, does nothing.

    No unit can rely on one other unit being there, so the network learns many ways to be right. Scaling the survivors
    by 1 / (1 - probability) during training keeps the expected size, and inference needs no correction ("inverted").

    Shapes      x, y: any, the same    cache: mask; empty outside training
    Forward     mask = 1 / (1 - probability) with probability 1 - probability, else 0;    y = x * mask;  in use y = x
    Backward    dx = dy * mask;  in use dx = dy
    Arguments   probability: of being silenced, in [0, 1) (default 0.5; Keras's `rate`, PyTorch's `p`)
    Raises      ConfigurationError if the probability is out of range, or if training has no rng
    Source      Srivastava and others 2014, JMLR 15, 1929-1958 (there the weights are scaled afterwards instead)

    >>> y, _ = Dropout(0.5).forward(np.ones((1, 6)), train=True, rng=np.random.default_rng(0))
    >>> y
    array([[2., 2., 2., 0., 0., 0.]])
    """

    draws = True
    any_shape = True

    def __init__(self, probability: float = 0.5) -> None:
        self.probability = number("Dropout", "probability", probability, "[0, 1)")

    def forward(self, x: Array, train: bool = False, rng: np.random.Generator | None = None) -> tuple[Array, Cache]:
        if not train or self.probability == 0:
            return x, ()
        if rng is None:
            raise ConfigurationError(f"{self.title()}: training needs chance, give rng=np.random.default_rng(seed).")
        survives = rng.random(x.shape, dtype=np.float32) >= self.probability
        mask = survives.astype(x.dtype)
        mask *= 1 / (1 - self.probability)
        return x * mask, (mask,)

    def backward(self, dy: Array, cache: Cache, need_dx: bool = True) -> Array | None:
        if not cache:
            return dy  # y = x
        (mask,) = cache
        return dy * mask  # y = x * mask   =>  dL/dx = dy * mask
