"""What a demo is: a problem, a way to attack it, a goal, and a promise of how many starts reach it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from chainrule import tasks
from chainrule.configurable import Configurable
from chainrule.datasets.dataset import Dataset
from chainrule.history import Callback
from chainrule.layers.layer import Array
from chainrule.losses import Loss
from chainrule.metrics import r2
from chainrule.network import Network
from chainrule.optimizers import Optimizer
from chainrule.training import Trainer


@dataclass(frozen=True)
class Promise:
    """At least and at most how many of so many starts, the seeds from 0, reach the goal."""

    least: int
    most: int
    starts: int

    def __str__(self) -> str:
        if self.least == self.most:
            return f"{self.most or 'none'} of {self.starts} starts"
        if self.most == self.starts:
            return f"at least {self.least} of {self.starts} starts"
        return f"{self.least} to {self.most} of {self.starts} starts"


@dataclass(frozen=True)
class Demo:
    """One problem and one way to attack it.

    Arguments   name       of the problem, a key of QUESTIONS
                recipe     of the way, unique for the problem
                about      the recipe in a few words
                lesson     what is seen, and why
                data       makes the data set from `options` and a seed
                network    makes the network from a seed
                loss, optimizer, batch_size, epochs: of the training
                goal       the accuracy or R2 on the test set from which a start counts as solved
                promise    how many starts reach it
    """

    name: str
    recipe: str
    about: str
    lesson: str
    data: Callable[..., Dataset]
    network: Callable[[int], Network]
    loss: Loss
    optimizer: Optimizer
    batch_size: int
    epochs: int
    goal: float
    promise: Promise
    options: dict[str, Any] = field(default_factory=dict)

    def run(self, seed: int = 0, *, epochs: int | None = None, callbacks: Sequence[Callback] = ()) -> Outcome:
        """Train once, for the recipe's epochs or so many. The seed decides data, starting weights and shuffling."""
        data, network = self.data(**self.options, seed=seed), self.network(seed)
        trainer = Trainer(
            network, self.loss, self.optimizer.clone(), batch_size=self.batch_size, seed=seed, callbacks=callbacks
        )
        y = data.train.y[:, None] if self._in_a_column(network, data.train.y) else data.train.y
        before = network.copy()
        start = time.perf_counter()
        trainer.fit(data.train.x, y, self.epochs if epochs is None else epochs)
        return Outcome(self, data, before, trainer, time.perf_counter() - start)

    @property
    def classifies(self) -> bool:
        """Is the answer a class, measured by accuracy, or a number, measured by R2?"""
        return tasks.classifies(self.network(0).output)

    def python(self, seed: int = 0, *, epochs: int | None = None) -> str:
        """The lines of Python that do the same as `run`, and draw what came out."""
        network, loss, optimizer = map(_public, (self.network(seed), self.loss, self.optimizer))
        options = ", ".join(f"{name}={value!r}" for name, value in (self.options | {"seed": seed}).items())
        column = "[:, None]" if self._in_a_column(self.network(seed), self.data().train.y) else ""
        measure = "print(network.accuracy(*data.test))"
        picture = 'cr.plots.decision_boundary(network, *data.test).figure.savefig("boundary.png")'
        if not self.classifies:
            measure = "print(cr.metrics.r2(data.test.y, network.predict(data.test.x)))"
            picture = 'cr.plots.surface(network, data.test)[0].figure.savefig("surface.png")'
        return f"""\
import chainrule as cr

data = cr.datasets.{self.data.__name__}({options})
network = {network}
trainer = cr.Trainer(network, {loss}, {optimizer}, batch_size={self.batch_size}, seed={seed})
history = trainer.fit(data.train.x, data.train.y{column}, epochs={epochs or self.epochs})

{measure}
cr.plots.history(history)[0].figure.savefig("loss.png")
{picture}"""

    @staticmethod
    def _in_a_column(network: Network, y: Array) -> bool:
        """Are labels (N,) wanted as (N, 1), as numbers to come close to?"""
        return network.output != "softmax" and y.ndim == 1


@dataclass(frozen=True)
class Outcome:
    """A demo that was run: the networks before and after, and the trainer with its history."""

    demo: Demo
    data: Dataset
    before: Network
    trainer: Trainer
    seconds: float

    @property
    def seed(self) -> int:
        """Of the data, the starting weights and the shuffling."""
        return self.trainer.seed

    @property
    def network(self) -> Network:
        """The trained one."""
        return self.trainer.network

    @property
    def solved(self) -> bool:
        """Does it reach the demo's goal?"""
        return self.score(self.network) >= self.demo.goal

    def score(self, network: Network) -> float:
        """Accuracy or R2 on the test set."""
        x, y = self.data.test
        return network.accuracy(x, y) if self.demo.classifies else r2(y, network.predict(x))


def _public(part: Configurable) -> str:
    """The code that makes it, with every class found in cr."""
    return re.sub(r"\b(?=[A-Z]\w*\()", "cr.", repr(part))
