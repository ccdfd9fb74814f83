"""Training data, checked once as a whole, then handed out in batches of the network's dtype."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule import border
from chainrule.errors import ConfigurationError, ShapeError, noting
from chainrule.layers import Sigmoid, Softmax
from chainrule.layers.layer import Array
from chainrule.losses import BinaryCrossEntropy, CrossEntropy, Loss
from chainrule.losses.loss import check_weights
from chainrule.network import Network
from chainrule.tasks import classifies
from chainrule.weighting import class_weights

SHUFFLE, CHANCE, AUGMENT = 1, 2, 3  # streams of random numbers, each with its own branch of the seed


def stream(seed: int, *branch: int) -> np.random.Generator:
    """A generator made from integers alone: the same integers, the same numbers, whatever was drawn before."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=branch))


class Batches:
    """The rows of (x, y), ready for a network and its loss.

    Everything that can be wrong with the data is found here, before any work is lost: shapes, types, NaN, labels,
    weights. x stays as it is (uint8 images stay uint8); only the rows of a batch are cast to the network's dtype.
    Neither is copied: do not change them while training runs. Rows of weight 0 are left out as if they were not there.
    x may be a source, whose rows are read and checked when a batch needs them; y is held as a whole.

    Raises      ShapeError, DataError or LabelError, naming the row
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        network: Network,
        loss: Loss,
        *,
        name: str = "x",
        sample_weight: Any = None,
        class_weight: Any = None,
    ) -> None:
        x, y = border.as_rows(x, name), border.as_targets(y)
        border.check_rows(x, y, name)
        border.check_finite(x, name, network.dtype)
        if not network.out_shapes:
            probe = network.copy()
            probe.build(x.shape[1:])
            loss.check(y, (x.shape[0], *probe.out_shapes[-1]))
            network.build(x.shape[1:])  # only now that nothing can fail
        self.x: Any = network.enter(x, name)
        self.dtype = network.params.dtype
        self.out_shape = network.out_shapes[-1]
        self.y = y
        self.teach(loss)
        self.weights = None if sample_weight is None else check_weights(sample_weight, len(y)).astype(np.float64)
        if class_weight is not None:
            of_class = class_weights(class_weight, self.y, max(2, self.out_shape[-1]), self.weights)
            self.weights = of_class if self.weights is None else self.weights * of_class
        self.kept = None if self.weights is None else np.flatnonzero(self.weights)

    def teach(self, loss: Loss) -> None:
        """Read the targets as this loss wants them."""
        self.y, self.loss = loss.check(self.y, (len(self.y), *self.out_shape)), loss

    def __len__(self) -> int:
        return len(self.y) if self.kept is None else len(self.kept)

    def take(self, rows: Array) -> tuple[Array, Array, Array | None]:
        """x, cast, y and weights of the given rows."""
        x = _gather(self.x, rows)
        weights = None if self.weights is None else self.weights[rows].astype(self.dtype)
        cast = x.astype(self.dtype, copy=False)
        if cast is not x and border.is_source(self.x) and not np.isfinite(cast).all():  # an array is checked beforehand
            for row, values in zip(rows.tolist(), x, strict=True):
                border.check_finite(values[None], "x", self.dtype, row)
        return cast, _gather(self.y, rows), weights

    def total(self, rows: Array) -> float:
        """What the loss of the given rows is divided by: how many they are, or the sum of their weights."""
        return len(rows) if self.weights is None else float(self.weights[rows].sum())

    def order(self, seed: int, epoch: int) -> Array:
        """The shuffled order of the rows in an epoch: a function of seed and epoch alone."""
        rng = stream(seed, SHUFFLE, epoch)
        if border.is_source(self.x):
            order = self.x.order(rng)
            return order if self.weights is None else order[self.weights[order] != 0]
        order = rng.permutation(len(self))
        return order if self.kept is None else self.kept[order]


def _gather(x: Any, rows: Array) -> Any:
    """The given rows of x. take is faster than indexing, but would first copy all of an array not laid out by rows."""
    if border.is_sparse(x):
        return x[rows]
    if isinstance(x, np.ndarray) and not (x.flags.c_contiguous and x.flags.aligned):
        return np.ascontiguousarray(x[rows])
    return x.take(rows, axis=0)


def held_out_batches(validation: Any, network: Network, loss: Loss) -> Batches:
    """Examples kept out of training, from (x, y) or (x, y, sample_weight)."""
    if not isinstance(validation, (tuple, list)) or len(validation) not in (2, 3):
        raise ConfigurationError(
            "validation: expected a pair (x, y) of examples kept out of training, such as digits.validation, or "
            f"(x, y, sample_weight), received {type(validation).__name__}."
        )
    x, y, *weights = validation
    with noting("the validation data"):
        if border.is_source(x):  # read once before any work is lost: it will be every epoch
            for rows in border.pieces(x):
                border.check_finite(x[rows], "validation x", network.dtype, rows.start)
        return Batches(x, y, network, loss, name="validation x", sample_weight=weights[0] if weights else None)


def check_pair(network: Network, loss: Loss) -> None:
    """Raise ConfigurationError unless the network's last layer and task go with the loss."""
    last = network.layers[-1] if network.layers else None
    if isinstance(loss, CrossEntropy) and loss.from_probabilities != isinstance(last, Softmax):
        raise ConfigurationError(
            "the network ends in Softmax and CrossEntropy applies softmax again: drop the layer, or say "
            "CrossEntropy(from_probabilities=True)."
            if isinstance(last, Softmax)
            else "CrossEntropy(from_probabilities=True) needs a network that ends in Softmax(): add it."
        )
    if isinstance(loss, CrossEntropy):
        wants_raw = not loss.from_probabilities
    else:
        wants_raw = isinstance(loss, BinaryCrossEntropy) or loss.output == "exp"
    if wants_raw and isinstance(last, (Sigmoid, Softmax)):
        raise ConfigurationError(
            f"the network ends in {last!r}, but {loss!r} expects raw outputs (logits, log rates): drop the layer."
        )
    values_for_classes = loss.output == "identity" and classifies(network.output)  # yes or no, by squared error
    if network.task_is_given and network.output != loss.output and not values_for_classes:
        raise ConfigurationError(
            f"the network has output={network.output!r}, but {loss!r} teaches {loss.output!r}: change one of them."
        )


def check_augmented(change: Any, changed: Any, x: Array) -> Array:
    """What an augmentation made of x, in x's dtype; ShapeError if the shape is another one."""
    if not isinstance(changed, np.ndarray):
        changed = border.as_array(changed, repr(change))
    if changed.shape != x.shape:
        raise ShapeError(f"{change!r}: expected an array of the batch's shape {x.shape}, received {changed.shape}.")
    return changed.astype(x.dtype, copy=False)


def check_position(network: Network, n: int, batch_size: int, epoch: int, rows_done: int) -> None:
    """Raise ConfigurationError unless training can go on from there, to batches large enough for every layer."""
    if rows_done > n:
        raise ConfigurationError(
            f"epoch {epoch + 1} was broken off after {rows_done:,} rows, but the data has {n:,}: "
            "go on with the data it began with, or make a new Trainer."
        )
    layers = [inner for layer in network.layers for inner in layer.walk()]
    strictest = max(layers, key=lambda layer: layer.min_rows)
    for rows in {n - rows_done or n, n}:
        last = rows % batch_size or batch_size
        if last < strictest.min_rows:
            raise ConfigurationError(
                f"the last batch of an epoch would have {last} row{'s' * (last > 1)}, but {type(strictest).__name__} "
                f"needs {strictest.min_rows}: {rows:,} rows in batches of {batch_size}. Choose another batch_size, or "
                f"leave {last} out."
            )
