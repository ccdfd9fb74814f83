"""How a network is made and taught, as one set of numbers, so that command, benchmarks and tests mean the same run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from chainrule.augmentation import RandomAffine, RandomElastic
from chainrule.datasets.dataset import Dataset
from chainrule.errors import unknown_name
from chainrule.history import Callback
from chainrule.losses import CrossEntropy
from chainrule.mlp import MLP
from chainrule.optimizers import L2, SGD, Adam, AdamW, Optimizer, RMSProp
from chainrule.schedules import Constant, Cosine, OneCycle, Schedule
from chainrule.training import Trainer

SCHEDULES: dict[str, Callable[[Recipe], Schedule]] = {
    "one-cycle": lambda recipe: OneCycle(recipe.learning_rate, warmup=recipe.warmup),
    "cosine": lambda recipe: Cosine(recipe.learning_rate),
    "constant": lambda recipe: Constant(recipe.learning_rate),
}
OPTIMIZERS: dict[str, Callable[[Recipe, Schedule], Optimizer]] = {
    "sgd": lambda recipe, rate: SGD(rate, momentum=recipe.momentum),
    "rmsprop": lambda recipe, rate: RMSProp(rate),
    "adam": lambda recipe, rate: Adam(rate),
    "adamw": lambda recipe, rate: AdamW(rate),
}


@dataclass(frozen=True)
class Recipe:
    """A classifier of images and its training. The defaults were chosen by benchmarks/recipe_mnist.py.

    What other recipes reach is in docs/recipes.md.

    Arguments   hidden         widths of the hidden layers
                activation     after each of them, by name
                epochs         passes over the training images
                batch_size     images a step
                learning_rate  the peak of the one-cycle schedule, or the constant rate
                momentum       of SGD, in [0, 1)
                schedule       "one-cycle", "cosine" or "constant"
                warmup         share of the steps in which the one-cycle rises
                optimizer      "sgd", "rmsprop", "adam" or "adamw"
                dropout        share of each hidden layer's outputs that is silenced in training
                l2             strength of the penalty on the squares of the weights
                augment        move, turn, scale and bend the images in training?
                seed           of the starting weights and of the shuffling

    >>> from chainrule.datasets import mnist
    >>> Recipe(seed=3).trainer(mnist()).network
    Network(Rescale(0.00392156862745098), Linear(784, 128), ReLU(), Linear(128, 10), in_shape=(784,),
            output='softmax', class_names=('0', '1', '2', '3', '4', '5', '6', '7', '8', '9'), seed=3)
    """

    hidden: tuple[int, ...] = (128,)
    activation: str = "relu"
    epochs: int = 5
    batch_size: int = 32
    learning_rate: float = 0.05
    momentum: float = 0.9
    schedule: str = "one-cycle"
    warmup: float = 0.3
    optimizer: str = "sgd"
    dropout: float = 0.0
    l2: float = 0.0
    augment: bool = False
    seed: int = 0

    def trainer(self, data: Dataset, callbacks: Sequence[Callback] = ()) -> Trainer:
        """A network for such images, untrained, and the trainer that will teach it."""
        if self.schedule not in SCHEDULES:
            raise unknown_name("schedule", self.schedule, SCHEDULES)
        if self.optimizer not in OPTIMIZERS:
            raise unknown_name("optimizer", self.optimizer, OPTIMIZERS)
        network = MLP(
            [data.train.x.shape[1], *self.hidden, len(data.class_names)],
            self.activation,
            output="softmax",
            scale=1 / 255,
            dropout=self.dropout,
            class_names=data.class_names,
            seed=self.seed,
        )
        options: dict[str, Any] = {"batch_size": self.batch_size, "seed": self.seed, "callbacks": callbacks}
        if self.l2:
            options["penalty"] = L2(self.l2)
        if self.augment:
            options["augment"] = (RandomAffine(data.image_shape), RandomElastic(data.image_shape, alpha=20))
        return Trainer(
            network, CrossEntropy(), OPTIMIZERS[self.optimizer](self, SCHEDULES[self.schedule](self)), **options
        )


RECIPES = {
    "default": Recipe(),
    "fast": Recipe(hidden=(256,), epochs=4, batch_size=256, learning_rate=0.3, warmup=0.2),
    "mlp": Recipe(
        hidden=(800, 800), epochs=20, batch_size=256, learning_rate=0.2, warmup=0.2, dropout=0.1, augment=True
    ),
}
