"""Layers: `layer.py` is the contract, `linear.py` the first to read."""

from chainrule.layers.activations import (
    Identity as Identity,
    LeakyReLU as LeakyReLU,
    ReLU as ReLU,
    Sigmoid as Sigmoid,
    Softmax as Softmax,
    Tanh as Tanh,
)
from chainrule.layers.combine import (
    Chain as Chain,
    Concatenate as Concatenate,
    Flatten as Flatten,
    Reshape as Reshape,
    Residual as Residual,
)
from chainrule.layers.convolution import Conv2D as Conv2D
from chainrule.layers.dropout import Dropout as Dropout
from chainrule.layers.layer import Layer as Layer
from chainrule.layers.linear import Linear as Linear
from chainrule.layers.normalization import BatchNorm as BatchNorm
from chainrule.layers.pooling import (
    AvgPool2D as AvgPool2D,
    GlobalAvgPool2D as GlobalAvgPool2D,
    MaxPool2D as MaxPool2D,
)
from chainrule.layers.preprocessing import Rescale as Rescale, Standardize as Standardize
from chainrule.layers.row_normalization import LayerNorm as LayerNorm, RMSNorm as RMSNorm
from chainrule.layers.smooth_activations import ELU as ELU, GELU as GELU, SiLU as SiLU, Softplus as Softplus

ACTIVATIONS: dict[str, type[Layer]] = {
    "identity": Identity,
    "relu": ReLU,
    "leaky_relu": LeakyReLU,
    "sigmoid": Sigmoid,
    "tanh": Tanh,
    "softmax": Softmax,
    "gelu": GELU,
    "silu": SiLU,
    "elu": ELU,
    "softplus": Softplus,
}
