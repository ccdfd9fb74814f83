"""The library's own derivatives put to the proof: every layer, every loss, and a network on digits."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule import datasets, layers, losses
from chainrule.gradient_check import GradientReport, check_gradients
from chainrule.mlp import MLP

RNG = np.random.default_rng(0)
X = RNG.standard_normal((7, 5))
# Layers that cannot be made without being told something; every other one is made as it is.
MADE: dict[str, Any] = {
    "Linear": lambda: layers.Linear(5, 3),
    "Dropout": lambda: layers.Dropout(0.3),
    "Rescale": lambda: layers.Rescale(1 / 255),
    "Conv2D": lambda: layers.Conv2D(2, 3),
    "Reshape": lambda: layers.Reshape(5, 1),
    "Chain": lambda: layers.Chain(layers.Linear(5, 3), layers.Tanh()),
    "Residual": lambda: layers.Residual(layers.Linear(5, 5), layers.Tanh()),
    "Concatenate": lambda: layers.Concatenate(layers.Linear(5, 3), layers.Identity()),
}
TARGETS: dict[str, Any] = {
    "CrossEntropy": np.array([0, 1, 2, 3, 4, 0, 1]),
    "BinaryCrossEntropy": RNG.integers(0, 2, (7, 5)),
    "Poisson": RNG.poisson(2.0, (7, 5)),
}
IMAGES = RNG.standard_normal((3, 5, 4, 2))  # for the layers that need rows and columns


def public_layers() -> list[str]:
    """The names of all layers, in alphabetical order."""
    return sorted(
        n for n, v in vars(layers).items() if isinstance(v, type) and issubclass(v, layers.Layer) and n != "Layer"
    )


def proofs() -> list[tuple[str, GradientReport]]:
    """A report for every layer, every loss, and the network that reads digits."""
    reports = []
    for name in public_layers():
        layer = MADE[name]() if name in MADE else getattr(layers, name)()
        reports.append((name, check_gradients(layer, IMAGES if name.endswith("2D") else X, show=False)))
    for cls in dict.fromkeys(losses.LOSSES.values()):  # some have two names
        targets = TARGETS.get(cls.__name__, RNG.standard_normal(X.shape))
        reports.append((cls.__name__, check_gradients(cls(), X, targets, show=False)))
    digits = datasets.mnist().train
    network = MLP([784, 32, 10], scale=1 / 255, seed=0)
    reports.append(("MLP on digits", check_gradients(network, digits.x[:7], digits.y[:7], "cross_entropy", show=False)))
    return reports
