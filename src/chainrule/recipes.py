"""How a network is made and taught, as one set of numbers, so that command, benchmarks and tests mean the same run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from chainrule.augmentation import RandomAffine, RandomElastic
from chainrule.configurable import by_name
from chainrule.datasets.dataset import Dataset
from chainrule.errors import ConfigurationError, ShapeError, unknown_name
from chainrule.history import Callback
from chainrule.layers import ACTIVATIONS, BatchNorm, Conv2D, Flatten, Layer, MaxPool2D, Rescale, Reshape
from chainrule.losses import CrossEntropy
from chainrule.mlp import initializer_behind, linear_layers
from chainrule.network import Network
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

    Arguments   convolutions   in front, each with pooling and batch norm, as (channels, kernel size); none: an MLP
                hidden         widths of the hidden layers
                activation     after each convolution and each hidden layer, by name
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
                elastic        how strongly they are bent: the alpha of RandomElastic, 0 for not at all
                seed           of the starting weights and of the shuffling

    >>> from chainrule.datasets import mnist
    >>> Recipe(seed=3).trainer(mnist()).network
    Network(Rescale(0.00392156862745098), Linear(784, 128), ReLU(), Linear(128, 10), in_shape=(784,),
            output='softmax', class_names=('0', '1', '2', '3', '4', '5', '6', '7', '8', '9'), seed=3)
    """

    convolutions: tuple[tuple[int, int], ...] = ()
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
    elastic: float = 20  # not 20.0: checkpoints from before it was a setting say alpha=20
    seed: int = 0

    def trainer(self, data: Dataset, callbacks: Sequence[Callback] = ()) -> Trainer:
        """A network for such images, untrained, and the trainer that will teach it."""
        if self.schedule not in SCHEDULES:
            raise unknown_name("schedule", self.schedule, SCHEDULES)
        if self.optimizer not in OPTIMIZERS:
            raise unknown_name("optimizer", self.optimizer, OPTIMIZERS)
        options: dict[str, Any] = {"batch_size": self.batch_size, "seed": self.seed, "callbacks": callbacks}
        if self.l2:
            options["penalty"] = L2(self.l2)
        if self.augment:
            options["augment"] = [RandomAffine(data.image_shape)]
            if self.elastic:
                options["augment"] += [RandomElastic(data.image_shape, alpha=self.elastic)]
        return Trainer(
            self.network(data),
            CrossEntropy(),
            OPTIMIZERS[self.optimizer](self, SCHEDULES[self.schedule](self)),
            **options,
        )

    def network(self, data: Dataset) -> Network:
        """A network for such images, untrained."""
        width_in = None if self.convolutions else data.train.x.shape[1]
        layers: list[Layer] = [
            Rescale(1 / 255),
            *self.layers_of_images(data),
            *linear_layers([width_in, *self.hidden, len(data.class_names)], self.activation, dropout=self.dropout),
        ]
        in_shape, names = data.train.x.shape[1:], data.class_names
        try:
            return Network(*layers, in_shape=in_shape, output="softmax", class_names=names, seed=self.seed)
        except ShapeError as error:
            raise ConfigurationError(
                f"{self.shape}: each convolution and its pooling shrink the images, until nothing is left. "
                f"Choose fewer of them, or smaller kernels. ({error})"
            ) from None

    def layers_of_images(self, data: Dataset) -> list[Layer]:
        """What stands before the hidden layers: rows become images, each convolution halves them, and rows again."""
        if not self.convolutions:
            return []
        activation = by_name("activation", self.activation, ACTIVATIONS, Layer)
        assert data.image_shape is not None  # recipes are for images
        layers: list[Layer] = [Reshape(*data.image_shape, -1)]
        for channels, size in self.convolutions:
            layers += [
                Conv2D(out_channels=channels, kernel_size=size, initializer=initializer_behind(activation)),
                MaxPool2D(),  # before the next two, which then have a quarter of the pixels to do
                BatchNorm(),
                activation.clone(),
            ]
        return [*layers, Flatten()]

    @property
    def shape(self) -> str:
        """The layers between input and output; 16c5 is a convolution to 16 channels with a kernel of 5 x 5.

        >>> Recipe(convolutions=((16, 5), (32, 3))).shape
        '16c5-32c3-128'
        """
        return "-".join([*(f"{channels}c{size}" for channels, size in self.convolutions), *map(str, self.hidden)])


RECIPES = {
    "default": Recipe(),
    "fast": Recipe(hidden=(256,), epochs=4, batch_size=256, learning_rate=0.3, warmup=0.2),
    "mlp": Recipe(
        hidden=(800, 800), epochs=20, batch_size=256, learning_rate=0.2, warmup=0.2, dropout=0.1, augment=True
    ),
    "cnn-fast": Recipe(convolutions=((16, 5), (32, 3)), epochs=1, batch_size=64, learning_rate=0.006, optimizer="adam"),
    "cnn": Recipe(
        convolutions=((16, 5), (32, 3)),
        epochs=8,
        batch_size=64,
        learning_rate=0.006,
        optimizer="adam",
        augment=True,
        elastic=0,
    ),
}
