"""chainrule: a neural network you can see through.

Written from scratch in NumPy, every derivative by hand and proven. Start reading with layers/layer.py and
layers/linear.py; the whole core is an evening's work.
"""

from __future__ import annotations

import importlib
from typing import Any

from chainrule.augmentation import (
    Augmentation as Augmentation,
    GaussianNoise as GaussianNoise,
    RandomAffine as RandomAffine,
    RandomElastic as RandomElastic,
)
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
    ELU as ELU,
    GELU as GELU,
    AvgPool2D as AvgPool2D,
    BatchNorm as BatchNorm,
    Chain as Chain,
    Concatenate as Concatenate,
    Conv2D as Conv2D,
    Dropout as Dropout,
    Flatten as Flatten,
    GlobalAvgPool2D as GlobalAvgPool2D,
    Identity as Identity,
    Layer as Layer,
    LayerNorm as LayerNorm,
    LeakyReLU as LeakyReLU,
    Linear as Linear,
    MaxPool2D as MaxPool2D,
    ReLU as ReLU,
    Rescale as Rescale,
    Reshape as Reshape,
    Residual as Residual,
    RMSNorm as RMSNorm,
    Sigmoid as Sigmoid,
    SiLU as SiLU,
    Softmax as Softmax,
    Softplus as Softplus,
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
from chainrule.layers.smooth_activations import (
    elu as elu,
    elu_slope as elu_slope,
    gelu as gelu,
    gelu_slope as gelu_slope,
    silu as silu,
    silu_slope as silu_slope,
    softplus as softplus,
    softplus_slope as softplus_slope,
)
from chainrule.losses import (
    MAE as MAE,
    MSE as MSE,
    AbsoluteError as AbsoluteError,
    BinaryCrossEntropy as BinaryCrossEntropy,
    CrossEntropy as CrossEntropy,
    Huber as Huber,
    Loss as Loss,
    Poisson as Poisson,
    Quantile as Quantile,
    SquaredError as SquaredError,
)
from chainrule.mlp import MLP as MLP
from chainrule.network import Network as Network
from chainrule.neuron import Neuron as Neuron
from chainrule.optimizers import (
    EMA as EMA,
    L1 as L1,
    L2 as L2,
    SGD as SGD,
    Adagrad as Adagrad,
    Adam as Adam,
    AdamW as AdamW,
    Clip as Clip,
    ClipNorm as ClipNorm,
    ClipValue as ClipValue,
    MaxNorm as MaxNorm,
    Optimizer as Optimizer,
    Penalty as Penalty,
    RMSProp as RMSProp,
)
from chainrule.schedules import (
    Constant as Constant,
    Cosine as Cosine,
    Exponential as Exponential,
    InverseSquareRoot as InverseSquareRoot,
    InverseTime as InverseTime,
    OneCycle as OneCycle,
    Schedule as Schedule,
    StepDecay as StepDecay,
    Warmup as Warmup,
)
from chainrule.training import Trainer as Trainer

__version__ = "0.1.0"

LAZY = {  # the shell, imported when first used: `import chainrule` stays NumPy and the standard library
    "Checkpoint": "chainrule.checkpointing",
    "Recipe": "chainrule.recipes",
    "callbacks": "chainrule.callbacks",
    "checkpoints": "chainrule.checkpoints",
    "datasets": "chainrule.datasets",
    "demos": "chainrule.demos",
    "doctor": "chainrule.doctor",
    "explain": "chainrule.explaining",
    "explorations": "chainrule.explorations",
    "metrics": "chainrule.metrics",
    "minimize": "chainrule.minimizing",
    "plots": "chainrule.plots",
    "range_test": "chainrule.range_testing",
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
