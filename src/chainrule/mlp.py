"""MLP: the network that everybody starts with, Linear layers and an activation between them, in one call."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from chainrule.configurable import by_name, spelling
from chainrule.errors import ConfigurationError
from chainrule.initializers import Initializer
from chainrule.layers import ACTIVATIONS, Dropout, Identity, Layer, Linear, Rescale, Sigmoid, Softmax, Tanh
from chainrule.network import Network


@spelling
def MLP(
    widths: Sequence[int],
    activation: str | Layer = "relu",
    *,
    output: str | None = None,
    scale: float | None = None,
    dropout: float = 0.0,
    initializer: Initializer | str | None = None,
    bias: float = 0.0,
    class_names: Sequence[str] | None = None,
    seed: int = 0,
    dtype: str = "float32",
) -> Network:
    """A multi-layer perceptron: Linear layers with an activation after each but the last.

    Shapes      x (N, widths[0])    outputs (N, widths[-1])
    Arguments   widths       of input, hidden layers and output, for instance [784, 256, 128, 10]
                activation   name or layer, used after every hidden Linear (default "relu")
                scale        the input is multiplied by this first, for instance 1/255 for pixels (default: not)
                dropout      share of each hidden layer's outputs silenced in training (default 0: no such layer)
                initializer  default: Glorot behind Sigmoid, Tanh, Softmax, Identity; He behind others; last layer too
                bias         starting value of all biases (default 0)
                output, class_names, seed, dtype: as for Network
    Raises      ConfigurationError for fewer than two widths or an unknown activation

    >>> MLP([784, 128, 10], scale=1/255)
    Network(Rescale(0.00392156862745098), Linear(784, 128), ReLU(), Linear(128, 10), in_shape=(784,))
    """
    if isinstance(widths, str) or not isinstance(widths, Iterable) or len(widths := list(widths)) < 2:
        raise ConfigurationError(f"MLP: expected widths such as [784, 10], of input and output, received {widths!r}.")
    front = [] if scale is None else [Rescale(scale)]
    layers = linear_layers(widths, activation, dropout=dropout, initializer=initializer, bias=bias)
    return Network(*front, *layers, output=output, class_names=class_names, seed=seed, dtype=dtype)


def linear_layers(
    widths: Sequence[int | None],
    activation: str | Layer = "relu",
    *,
    dropout: float = 0.0,
    initializer: Initializer | str | None = None,
    bias: float = 0.0,
) -> list[Layer]:
    """The layers of an MLP; a first width of None is taken from the layer before them."""
    between = by_name("activation", activation, ACTIVATIONS, Layer)
    if initializer is None:
        initializer = initializer_behind(between)
    layers: list[Layer] = []
    for i, (width_in, width_out) in enumerate(itertools.pairwise(widths)):
        layers += [between.clone()] if i else []
        layers += [Dropout(dropout)] if i and dropout else []
        layers.append(Linear(width_in, width_out, initializer=initializer, bias=bias))
    return layers


def initializer_behind(activation: Layer) -> str:
    """The name of the initializer whose weights keep the signal as strong as it is, behind such an activation."""
    return "glorot" if isinstance(activation, (Identity, Sigmoid, Softmax, Tanh)) else "he"
