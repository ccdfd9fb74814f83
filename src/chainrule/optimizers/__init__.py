"""Optimizers: `optimizer.py` is the contract."""

from chainrule.optimizers.adam import Adam as Adam
from chainrule.optimizers.optimizer import Optimizer as Optimizer
from chainrule.optimizers.sgd import SGD as SGD

OPTIMIZERS: dict[str, type[Optimizer]] = {"sgd": SGD, "adam": Adam}
