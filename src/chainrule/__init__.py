"""chainrule: a neural network you can see through.

Written from scratch in NumPy, every derivative by hand and proven. Start reading with layers/layer.py and
layers/linear.py; the whole core is an evening's work.
"""

from __future__ import annotations

import importlib
from typing import Any

from chainrule.errors import (
    ChainruleError as ChainruleError,
    ChainruleWarning as ChainruleWarning,
    CheckpointError as CheckpointError,
    ConfigurationError as ConfigurationError,
    DataError as DataError,
    DataFileError as DataFileError,
    DivergenceError as DivergenceError,
    GradientError as GradientError,
    LabelError as LabelError,
    MissingExtraError as MissingExtraError,
    NotBuiltError as NotBuiltError,
    ShapeError as ShapeError,
)
from chainrule.gradient_check import check_gradients as check_gradients
from chainrule.history import Callback as Callback, History as History, Step as Step
from chainrule.initializers import (
    Glorot as Glorot,
    He as He,
    Initializer as Initializer,
    LeCun as LeCun,
    Normal as Normal,
    Xavier as Xavier,
)
from chainrule.layers import (
    BatchNorm as BatchNorm,
    Dropout as Dropout,
    Flatten as Flatten,
    Identity as Identity,
    Layer as Layer,
    LeakyReLU as LeakyReLU,
    Linear as Linear,
    ReLU as ReLU,
    Rescale as Rescale,
    Sigmoid as Sigmoid,
    Softmax as Softmax,
    Standardize as Standardize,
    Tanh as Tanh,
)
from chainrule.layers.activations import (
    identity as identity,
    identity_slope as identity_slope,
    leaky_relu as leaky_relu,
    leaky_relu_slope as leaky_relu_slope,
    relu as relu,
    relu_slope as relu_slope,
    sigmoid as sigmoid,
    sigmoid_slope as sigmoid_slope,
    softmax as softmax,
    softmax_slope as softmax_slope,
    tanh as tanh,
    tanh_slope as tanh_slope,
)
from chainrule.losses import (
    MSE as MSE,
    BinaryCrossEntropy as BinaryCrossEntropy,
    CrossEntropy as CrossEntropy,
    Loss as Loss,
    SquaredError as SquaredError,
)
from chainrule.mlp import MLP as MLP
from chainrule.network import Network as Network
from chainrule.neuron import Neuron as Neuron
from chainrule.optimizers import SGD as SGD, Adam as Adam, Optimizer as Optimizer
from chainrule.schedules import Constant as Constant, OneCycle as OneCycle, Schedule as Schedule
from chainrule.training import Trainer as Trainer

__version__ = "0.1.0"

LAZY = {  # the shell, imported when first used: `import chainrule` stays NumPy and the standard library
    "Checkpoint": "chainrule.checkpointing",
    "checkpoints": "chainrule.checkpoints",
    "datasets": "chainrule.datasets",
    "demos": "chainrule.demos",
    "metrics": "chainrule.metrics",
    "plots": "chainrule.plots",
    "save": "chainrule.files",
    "load": "chainrule.files",
}


def __getattr__(name: str) -> Any:
    if name not in LAZY:
        raise AttributeError(f"module 'chainrule' has no attribute {name!r}")
    module = importlib.import_module(LAZY[name])
    return module if LAZY[name] == f"chainrule.{name}" else getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *LAZY} - {"Any", "LAZY", "annotations", "importlib"})
