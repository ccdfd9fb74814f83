"""Network: a chain of layers, walked forwards for answers and backwards for gradients.

`network.params`, `network.grads` and `network.state` are three 1-D arrays; `layer.W` and `layer.dW` are views into the
first two (see parameters.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from chainrule import border, summary, tasks
from chainrule.configurable import Configurable, by_name, number
from chainrule.displays import Displayable
from chainrule.errors import ConfigurationError, DataError, NotBuiltError, ShapeError
from chainrule.evaluation import evaluate, named_metrics
from chainrule.layers import Layer, Linear, Sigmoid, Softmax
from chainrule.layers.layer import Array, Cache, Pieces, Shape
from chainrule.losses import LOSSES, Loss
from chainrule.parameters import (
    Parameter,
    bind,
    build_layers,
    check_layers,
    claim,
    flat_property,
    flat_vector,
    known_in_shape,
    number_layers,
    parameter_table,
    state_table,
    stretches,
    with_trainable,
)
from chainrule.tracing import Trace, checked_forward, trace


class Network(Displayable, Configurable):
    """A chain of layers that ends in raw outputs (logits, or plain values).

    Shapes      x (N, *in_shape)    outputs (N, *out_shape)
    Arguments   layers       in order of the forward pass; each object once
                in_shape     of one example; needed only if no layer fixes it, else taken from the first fit
                output       "softmax", "sigmoid", "exp" or "identity": what the outputs mean; None: taken from the loss
                class_names  names of the K classes, saved with the network (default None)
                seed         of the starting weights (default 0)
                dtype        "float32" (default) or "float64"
    Raises      ShapeError if the widths do not fit; ConfigurationError if a layer stands in two places

    >>> from chainrule.layers import ReLU
    >>> network = Network(Linear(2, 3), ReLU(), Linear(3, 1), output="identity")
    >>> network(np.zeros((4, 2))).shape
    (4, 1)
    >>> network.parameters[0].name, network.parameters[0].slice
    ('0.W', slice(0, 6, None))
    """

    def __init__(
        self,
        *layers: Layer,
        in_shape: Sequence[int] | None = None,
        output: str | None = None,
        class_names: Sequence[str] | None = None,
        seed: int = 0,
        dtype: str = "float32",
    ) -> None:
        self.dtype = str(getattr(dtype, "__name__", dtype))  # also np.float64 and np.dtype("float64")
        if self.dtype not in ("float32", "float64"):
            raise ConfigurationError(f"Network: dtype must be 'float32' or 'float64', received {dtype!r}.")
        check_layers(layers)
        number_layers(layers)
        learns = [any(inner.parameter_names for inner in layer.walk()) for layer in layers]
        self.first_learning = learns.index(True) if any(learns) else len(layers)  # backward need not go below it
        if any(inner.adapts for layer in layers[self.first_learning :] for inner in layer.walk()):
            raise ConfigurationError(
                "Standardize takes its statistics before training, so it must stand before every layer that learns, "
                "and inside none. Elsewhere, use BatchNorm."
            )
        self.draws = any(inner.draws for layer in layers for inner in layer.walk())
        self.layers = layers
        self.in_shape = None if in_shape is None else border.example_shape(in_shape)
        self.output = tasks.check_output(output, layers)
        self.task_is_given = output is not None  # or may it be taken from the loss?
        self.class_names = None if class_names is None else tasks.check_class_names(class_names)
        self.seed = number("Network", "seed", seed, "[0, inf)", whole=True)
        self.out_shapes: tuple[Shape, ...] = ()  # of each layer, once built
        self.parameters: list[Parameter] = []
        self.states: list[Parameter] = []
        self.trainable, self.decaying, self.decays = stretches(self.parameters)
        self._params, self._grads, self._state = (np.empty(0, self.dtype) for _ in range(3))
        shape = self.in_shape if in_shape is not None else known_in_shape(layers)
        if shape is not None:
            self.build(shape)
        claim(layers, self)

    def build(self, in_shape: Sequence[int]) -> None:
        """Make all parameters for inputs of shape (N, *in_shape). A network is built once and never made anew."""
        if self.out_shapes:
            raise ConfigurationError(
                f"Network is built already, for examples of shape {self.in_shape}. Make a new one."
            )
        if not self.layers:
            raise ConfigurationError("Network: there is no layer in it. Network(Linear(784, 10)) has one.")
        in_shape = border.example_shape(in_shape)
        rng, fits = np.random.default_rng(self.seed), partial(tasks.check_widths, self.output, self.class_names)
        out_shapes = build_layers(self.layers, in_shape, rng, fits)
        self.in_shape = in_shape
        everything = [inner for layer in self.layers for inner in layer.walk()]
        self.parameters, self.states = parameter_table(everything), state_table(everything)
        self._params = flat_vector(self.parameters, self.dtype)
        self._state = flat_vector(self.states, self.dtype)
        self._grads = np.zeros(self._params.shape, self.dtype)
        bind(self.parameters, self.params)
        bind(self.parameters, self.grads, prefix="d")
        bind(self.states, self.state)
        self.out_shapes = out_shapes
        self.widest = max(map(math.prod, out_shapes))
        self.trainable, self.decaying, self.decays = stretches(self.parameters)

    params = flat_property("_params", "All trained numbers, in one vector; assigning copies into it.")
    grads = flat_property("_grads", "Their gradients, in the same order.")
    state = flat_property("_state", "Running statistics: saved, but not trained.")

    # The chain rule -----------------------------------------------------------------------------------------------

    def forward(
        self, x: Array, train: bool = False, rng: np.random.Generator | None = None
    ) -> tuple[Array, list[Cache]]:
        """Raw outputs for one batch of the network's dtype, and every layer's cache."""
        if getattr(x, "shape", ())[1:] != self.in_shape:
            x = self.enter(x)  # which says what is wrong
        caches = []
        for layer in self.layers:
            x, cache = layer.forward(x, train, rng)
            caches.append(cache)
        return x, caches

    def backward(self, dy: Array, caches: list[Cache], need_dx: bool = False) -> Array | None:
        """Fill `grads` from dL/doutputs. With need_dx return dL/dx; without, stop at the first layer that learns."""
        received = len(caches) if isinstance(caches, (list, tuple)) else type(caches).__name__
        if received != len(self.layers):
            raise ConfigurationError(f"backward: expected {len(self.layers)} caches of a forward, received {received}.")
        if getattr(dy, "shape", ())[1:] != self.out_shapes[-1]:
            expected = ", ".join(map(str, ("N", *self.out_shapes[-1])))
            raise ShapeError(f"backward: expected dy of the outputs' shape ({expected}), received {np.shape(dy)}.")
        stop = 0 if need_dx else self.first_learning
        for i in range(len(self.layers) - 1, stop - 1, -1):
            dy = self.layers[i].backward(dy, caches[i], need_dx or i > stop)  # type: ignore[assignment]
        return dy if need_dx else None

    def update_state(self, caches: list[Cache]) -> None:
        """Let layers with running statistics see what a training forward saw."""
        if self.state.size:
            for layer, cache in zip(self.layers, caches, strict=True):
                layer.update_state(cache)

    def adapt(self, x: Any) -> None:
        """Let layers such as Standardize take their statistics from the training inputs, unless they have them."""
        if all(self.state[row.slice].any() for row in self.states if row.attribute == "rows_seen"):
            return
        x = self.enter(x)
        pieces = Pieces(lambda rows: self._cast(x[rows]), border.pieces(x))
        for layer in self.layers[: self.first_learning]:
            layer.adapt(pieces)
            pieces = Pieces(layer, pieces)  # what it hands on

    def trace(
        self, x: Any, y: Any = None, loss: Loss | str | None = None, *, train: bool = False, seed: int = 0
    ) -> list[Trace]:
        """Every layer's input, output, cache and gradients for one batch. Overwrites `grads`; no loss, all 0."""
        judge = None if loss is None else by_name("loss", loss, LOSSES, Loss)
        return trace(self, self._cast(self.enter(x)[:]), y, judge, train, np.random.default_rng(seed))

    # Use ----------------------------------------------------------------------------------------------------------

    def __call__(self, x: Any) -> Array:
        """Raw outputs (logits, or values) of shape (N, *out_shape), computed in batches. Many threads may call it."""
        return self._infer(self.enter(x))

    def predict(self, x: Any) -> Array:
        """Labels (N,) for softmax; 0/1 (N,) or (N, K) for sigmoid; rates for exp; the values for identity."""
        return tasks.decide(self.output, self._answer(x), self.squashed)

    def predict_proba(self, x: Any) -> Array:
        """Probabilities: (N, K) for softmax, (N, 2) for one sigmoid output, (N, K) for several."""
        return tasks.probabilities(self.output, self._answer(x), self.squashed)

    def accuracy(self, x: Any, y: Any) -> float:
        """The share of rows answered right, in 0..1."""
        outputs = self._answer(x)
        y = tasks.check_targets(self.output, y, outputs.shape)
        border.check_rows(outputs, y)
        return float(tasks.hits(self.output, outputs, y, self.squashed).mean())

    def evaluate(
        self, x: Any, y: Any, loss: Loss | str, *, sample_weight: Any = None, metrics: Any = ()
    ) -> dict[str, float]:
        """{"loss": ...} over all rows, "accuracy" if the network is a classifier, and the metrics by their names."""
        judge, named = by_name("loss", loss, LOSSES, Loss), named_metrics(metrics)
        return evaluate(self.output, self.squashed, self._answer(x), y, judge, sample_weight, named)

    @property
    def squashed(self) -> bool:
        """Does the network end in probabilities instead of logits?"""
        return bool(self.layers) and isinstance(self.layers[-1], (Softmax, Sigmoid))

    def enter(self, x: Any, name: str = "x") -> Array:
        """`x` as an array of the right shape, not yet cast; ShapeError or DataError if it cannot be."""
        if self.in_shape is None or not self.out_shapes:
            raise NotBuiltError(
                "Network is not built: no layer fixes the width of its input. Say it, Linear(784, 128) or "
                "Network(..., in_shape=(784,)), or fit first. Own layers that keep shapes say any_shape = True."
            )
        x = border.as_rows(x, name)
        border.check_shape(x, self.in_shape, "Network", name)
        if border.is_sparse(x) and not isinstance(self.layers[0], Linear):
            raise DataError(f"{name} is sparse, which only Linear takes, but {self.layers[0]!r} is first: x.toarray().")
        return x

    def _cast(self, x: Array) -> Array:
        if x.dtype == self.params.dtype:
            return x
        with np.errstate(over="ignore"):  # what does not fit becomes infinite, and is reported as such
            return x.astype(self.params.dtype)

    def _infer(self, x: Array) -> Array:
        outputs = np.empty((x.shape[0], *self.out_shapes[-1]), self.params.dtype)
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite shows in the outputs
            for rows in border.pieces(x, self.widest):
                y = x[rows].astype(outputs.dtype, copy=False)
                for layer, out_shape in zip(self.layers, self.out_shapes, strict=True):
                    y = checked_forward(layer, y, out_shape)
                outputs[rows] = y
        return outputs

    def _answer(self, x: Any) -> Array:
        """Raw outputs, all finite: a label read off a NaN would be an invention."""
        x = self.enter(x)
        border.check_finite(x, "x", self.dtype)  # an activation may have squashed an infinity
        outputs = self._infer(x)
        if not np.isfinite(outputs).all():
            row = int(np.argwhere(~np.isfinite(outputs))[0][0])
            raise DataError(f"The network's output is not finite, first for row {row}.")
        return outputs

    # Copies, and how it prints --------------------------------------------------------------------------------------

    def freeze(self, *names: str) -> None:
        """Leave parameters as they are in training: "1" for a layer, "1.W" for one array, no name for all."""
        self._set_trainable(names, False)

    def unfreeze(self, *names: str) -> None:
        """Train frozen parameters again."""
        self._set_trainable(names, True)

    def _set_trainable(self, names: Sequence[str], trainable: bool) -> None:
        self.parameters = with_trainable(self.parameters, names, trainable)
        self.trainable, self.decaying, self.decays = stretches(self.parameters)

    def copy(self) -> Network:
        """A network of its own with the same parameters and state."""
        return self.astype(self.dtype)

    def astype(self, dtype: str) -> Network:
        """A copy that computes in "float32" or "float64"."""
        remade, (config, *vectors) = self.__reduce__()
        return remade(config | {"dtype": dtype}, *vectors)

    def __reduce__(self) -> tuple[Any, ...]:
        # Views stop sharing memory when they are pickled one by one: unbuilt layers and the vectors make it anew.
        config = self.config() | {"layers": [layer.clone() for layer in self.layers]}
        trainable = [row.trainable for row in self.parameters]
        return _remade, (config, self.params, self.state, trainable, self.task_is_given)

    def summary(self) -> str:
        """A table of the layers: output shape, parameters, total."""
        return summary.text(self)

    def _repr_html_(self) -> str:
        return summary.html(self)


def _remade(
    config: dict[str, Any], params: Array, state: Array, trainable: Sequence[bool], task_is_given: bool
) -> Network:
    """A network of unbuilt layers, given the vectors of another one. Pickle, copy and astype all come through here."""
    network = Network(*config.pop("layers"), **config)
    network.task_is_given = task_is_given
    if network.out_shapes:
        network.params[...], network.state[...] = params, state
        frozen = [row.name for row, learns in zip(network.parameters, trainable, strict=True) if not learns]
        if frozen:
            network.freeze(*frozen)
    return network
