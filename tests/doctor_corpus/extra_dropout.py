"""Dropout that draws from a RandomState, in several wordings."""

import numpy as np

from .case import RIGHT, WRONG, case
from .evidence import Differ, normal, of_layer


class Dropout:
    def __init__(self, p=0.4):
        self.p = p
        self.rng = np.random.RandomState(0)

    def forward(self, x, is_training=True):
        if not is_training:
            return x
        self.mask = (self.rng.random_sample(x.shape) >= self.p) / (1 - self.p)
        return x * self.mask

    def backward(self, grad):
        return grad * self.mask


def dropout(layer):
    x = normal(17, 7, 5)
    reset = layer.rng.get_state()
    evidence = of_layer(layer, x, prepare=lambda: layer.rng.set_state(reset))
    layer.rng.set_state(reset)
    return (layer,), {"x": x}, evidence


@case(RIGHT)
def dropout_with_a_random_state():
    return dropout(Dropout())


@case(WRONG, "dropout-scale")
def dropout_with_a_random_state_forgets_its_mask():
    class Wrong(Dropout):
        def backward(self, grad):
            return grad / (1 - self.p)

    return dropout(Wrong())


@case(WRONG, "dropout-scale")
def dropout_multiplies_by_keep_on_the_way_back():
    class Wrong(Dropout):
        def backward(self, grad):
            return grad * (self.mask > 0) * (1 - self.p)

    return dropout(Wrong())


@case(WRONG, "dropout-scale")
def dropout_draws_a_new_mask_on_the_way_back():
    class Wrong(Dropout):
        def backward(self, grad):
            return grad * (self.rng.random_sample(grad.shape) >= self.p) / (1 - self.p)

    return dropout(Wrong())


@case(WRONG, "dropout-scale")
def dropout_with_a_random_state_never_rescales():
    class Wrong(Dropout):
        def forward(self, x, is_training=True):
            if not is_training:
                return x
            self.mask = self.rng.random_sample(x.shape) >= self.p
            return x * self.mask

    layer, x = Wrong(0.5), np.abs(normal(18, 7, 5)) + 1
    average = Differ(lambda: x.mean(), lambda: np.mean([layer.forward(x).mean() for _ in range(200)]))
    return (layer,), {"x": x}, average
