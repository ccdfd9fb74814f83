"""How a network is made and taught, as one set of numbers, so that command, benchmarks and tests mean the same run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chainrule.datasets.dataset import Dataset
from chainrule.errors import unknown_name
from chainrule.history import Callback
from chainrule.losses import CrossEntropy
from chainrule.mlp import MLP
from chainrule.optimizers import SGD
from chainrule.schedules import Constant, OneCycle, Schedule
from chainrule.training import Trainer

SCHEDULES: dict[str, Callable[[Recipe], Schedule]] = {
    "one-cycle": lambda recipe: OneCycle(recipe.learning_rate, warmup=recipe.warmup),
    "constant": lambda recipe: Constant(recipe.learning_rate),
}


@dataclass(frozen=True)
class Recipe:
    """A classifier of images and its training. The defaults were chosen by benchmarks/recipe_mnist.py.

    Arguments   hidden         widths of the hidden layers
                activation     after each of them, by name
                epochs         passes over the training images
                batch_size     images a step
                learning_rate  the peak of the one-cycle schedule, or the constant rate
                momentum       of SGD, in [0, 1)
                schedule       "one-cycle" or "constant"
                warmup         share of the steps in which the one-cycle rises
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
    seed: int = 0

    def trainer(self, data: Dataset, callbacks: Sequence[Callback] = ()) -> Trainer:
        """A network for such images, untrained, and the trainer that will teach it."""
        if self.schedule not in SCHEDULES:
            raise unknown_name("schedule", self.schedule, SCHEDULES)
        network = MLP(
            [data.train.x.shape[1], *self.hidden, len(data.class_names)],
            self.activation,
            output="softmax",
            scale=1 / 255,
            class_names=data.class_names,
            seed=self.seed,
        )
        optimizer = SGD(SCHEDULES[self.schedule](self), momentum=self.momentum)
        return Trainer(
            network, CrossEntropy(), optimizer, batch_size=self.batch_size, seed=self.seed, callbacks=callbacks
        )
