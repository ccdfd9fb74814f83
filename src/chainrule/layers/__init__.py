"""Layers: `layer.py` is the contract, `linear.py` the first to read."""

from chainrule.layers.activations import (
    ACTIVATIONS as ACTIVATIONS,
    Identity as Identity,
    LeakyReLU as LeakyReLU,
    ReLU as ReLU,
    Sigmoid as Sigmoid,
    Softmax as Softmax,
    Tanh as Tanh,
)
from chainrule.layers.combine import Flatten as Flatten
from chainrule.layers.dropout import Dropout as Dropout
from chainrule.layers.layer import Layer as Layer
from chainrule.layers.linear import Linear as Linear
from chainrule.layers.normalization import BatchNorm as BatchNorm
from chainrule.layers.preprocessing import Rescale as Rescale, Standardize as Standardize
