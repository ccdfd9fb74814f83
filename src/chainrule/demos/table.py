"""The demos, each an entry in a table: what works, what does not, and why.

Some recipes are those of much-copied lessons, with their flaws. The promise of each is how many starts it really
solves, and tests/test_demos.py keeps it. The rates are those of a gradient that is divided by the number of rows: where
a lesson forgot the division and took 0.5 on 4 rows, this is our 2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule import datasets
from chainrule.datasets.dataset import Dataset
from chainrule.demos.demo import Demo, Promise
from chainrule.errors import unknown_name
from chainrule.initializers import Normal
from chainrule.layers import Linear, Sigmoid
from chainrule.losses import CrossEntropy, SquaredError
from chainrule.mlp import MLP
from chainrule.network import Network
from chainrule.optimizers import SGD, Adam
from chainrule.schedules import OneCycle

EARLY: dict[str, Any] = {"initializer": Normal(0.1), "bias": 1.0}  # how early lessons start their neurons

QUESTIONS = {
    "and": "Are both inputs on? One straight line divides the four corners, so a single neuron will do.",
    "xor": "Is exactly one input on? No straight line divides the four corners, so it takes a hidden layer.",
    "circles": "On the inner ring or on the outer one? The boundary must close on itself.",
    "moons": "On the upper half moon or on the lower one? They reach into each other.",
    "spirals": "On which of two arms that wind around each other? The hardest of these.",
    "surface": "How high is the bowl x1^2 + x2^2 here? A number, not a class.",
}


def find(name: str, recipe: str | None = None) -> Demo:
    """The demo of that name, by that recipe or by its first.

    >>> find("xor").recipe, find("xor", "4-relu").epochs
    ('8-tanh', 5000)
    """
    recipes = {demo.recipe: demo for demo in DEMOS if demo.name == name}
    if not recipes:
        raise unknown_name("demo", name, QUESTIONS)
    if recipe is not None and recipe not in recipes:
        raise unknown_name(f"recipe of demo {name}", recipe, recipes)
    return recipes[recipe or next(iter(recipes))]


def _two_classes(data: Callable[..., Dataset], lesson: str) -> Demo:
    return Demo(
        name=data.__name__,
        recipe="32-32-relu",
        about="two hidden layers of 32 ReLU units, Adam",
        lesson=lesson,
        data=data,
        network=lambda seed: MLP([2, 32, 32, 2], "relu", output="softmax", seed=seed),
        loss=CrossEntropy(),
        optimizer=Adam(OneCycle(0.02)),
        batch_size=32,
        epochs=100,
        goal=0.95,
        promise=Promise(5, 5, 5),
    )


DEMOS = (
    Demo(
        name="and",
        recipe="1-sigmoid",
        about="a single sigmoid neuron, squared error, plain descent",
        lesson="The boundary is a straight line: all that one neuron can draw.",
        data=datasets.and_gate,
        network=lambda seed: Network(Linear(2, 1, **EARLY), Sigmoid(), output="sigmoid", seed=seed),
        loss=SquaredError(),
        optimizer=SGD(2.0),
        batch_size=4,
        epochs=1000,
        goal=1.0,
        promise=Promise(10, 10, 10),
    ),
    Demo(
        name="xor",
        recipe="8-tanh",
        about="8 tanh units, cross-entropy, Adam",
        lesson="Eight bent lines are more than the two that are needed, so hardly any start is a bad one.",
        data=datasets.xor,
        network=lambda seed: MLP([2, 8, 2], "tanh", output="softmax", seed=seed),
        loss=CrossEntropy(),
        optimizer=Adam(0.05),
        batch_size=4,
        epochs=100,
        goal=1.0,
        promise=Promise(95, 100, 100),
    ),
    Demo(
        name="xor",
        recipe="4-relu",
        about="a lesson's 4 ReLU units, cross-entropy, plain descent; it expects 100 %",
        lesson="A ReLU that is off in all four corners has slope 0 there and never learns again. Nearly every start "
        "that fails has lost some of its four that way; about 40 of 64 get by.",
        data=datasets.xor,
        network=lambda seed: MLP([2, 4, 2], "relu", output="softmax", seed=seed),
        loss=CrossEntropy(),
        optimizer=SGD(0.5),
        batch_size=4,
        epochs=5000,
        goal=1.0,
        promise=Promise(30, 55, 64),
    ),
    Demo(
        name="xor",
        recipe="2-sigmoid",
        about="a lesson's 2 sigmoid units, squared error, plain descent",
        lesson="Two units are just enough. The sigmoid's small slopes keep them on a plateau for thousands of epochs.",
        data=datasets.xor,
        network=lambda seed: Network(
            Linear(2, 2, **EARLY), Sigmoid(), Linear(2, 1, **EARLY), Sigmoid(), output="sigmoid", seed=seed
        ),
        loss=SquaredError(),
        optimizer=SGD(0.4),
        batch_size=4,
        epochs=10_000,
        goal=1.0,
        promise=Promise(5, 5, 5),
    ),
    Demo(
        name="xor",
        recipe="no-hidden",
        about="no hidden layer, otherwise as 8-tanh",
        lesson="One straight line gets three of the four corners right at best, however long it learns.",
        data=datasets.xor,
        network=lambda seed: MLP([2, 2], output="softmax", seed=seed),
        loss=CrossEntropy(),
        optimizer=Adam(0.05),
        batch_size=4,
        epochs=100,
        goal=1.0,
        promise=Promise(0, 0, 10),
    ),
    _two_classes(datasets.circles, "Straight lines, bent at each ReLU and added up, close into a ring."),
    _two_classes(datasets.moons, "The boundary follows the gap between the moons."),
    _two_classes(datasets.spirals, "Two layers fold the plane so often that the winding gap becomes one boundary."),
    Demo(
        name="surface",
        recipe="linear-output",
        about="10 sigmoid units, a linear output, Adam",
        lesson="Ten S-shaped steps, added up, make a smooth bowl. The test is a grid that it has not seen.",
        data=datasets.surface,
        network=lambda seed: MLP([2, 10, 1], "sigmoid", output="identity", seed=seed, **EARLY),
        loss=SquaredError(),
        optimizer=Adam(OneCycle(0.1)),
        batch_size=10,
        epochs=200,
        goal=0.99,
        promise=Promise(9, 10, 10),
        options={"n": 300},
    ),
    Demo(
        name="surface",
        recipe="30-points",
        about="the same network from 30 points instead of 300",
        lesson="It comes close where it has points, and guesses where it has none: mostly near the corners.",
        data=datasets.surface,
        network=lambda seed: MLP([2, 10, 1], "sigmoid", output="identity", seed=seed, **EARLY),
        loss=SquaredError(),
        optimizer=Adam(OneCycle(0.1)),
        batch_size=10,
        epochs=1000,
        goal=0.9,
        promise=Promise(7, 10, 10),
        options={"n": 30},
    ),
    Demo(
        name="surface",
        recipe="sigmoid-output",
        about="a lesson's sigmoid at the output too, 30 points, plain descent",
        lesson="A sigmoid ends below 1, but the bowl rises to 2: no training mends that. Leave the last one out.",
        data=datasets.surface,
        network=lambda seed: Network(
            Linear(2, 10, **EARLY), Sigmoid(), Linear(10, 1, **EARLY), Sigmoid(), output="identity", seed=seed
        ),
        loss=SquaredError(),
        optimizer=SGD(0.3),
        batch_size=30,
        epochs=5000,
        goal=0.99,
        promise=Promise(0, 0, 5),
        options={"n": 30},
    ),
)
