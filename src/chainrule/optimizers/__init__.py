"""Optimizers: `optimizer.py` is the contract. Beside them stands what else touches gradients and weights in a step."""

from chainrule.optimizers.adagrad import Adagrad as Adagrad
from chainrule.optimizers.adam import Adam as Adam
from chainrule.optimizers.adamw import AdamW as AdamW
from chainrule.optimizers.averaging import EMA as EMA
from chainrule.optimizers.clipping import (
    Clip as Clip,
    ClipNorm as ClipNorm,
    ClipValue as ClipValue,
    MaxNorm as MaxNorm,
)
from chainrule.optimizers.decay import L1 as L1, L2 as L2, Penalty as Penalty
from chainrule.optimizers.optimizer import Optimizer as Optimizer
from chainrule.optimizers.rmsprop import RMSProp as RMSProp
from chainrule.optimizers.sgd import SGD as SGD

OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "rmsprop": RMSProp,
    "adagrad": Adagrad,
    "adam": Adam,
    "adamw": AdamW,
}
