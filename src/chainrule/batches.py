"""Training data, checked once as a whole, then handed out in batches of the network's dtype."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from chainrule import border
from chainrule.errors import ChainruleWarning, ConfigurationError
from chainrule.layers import BatchNorm, Rescale, Sigmoid, Softmax, Standardize
from chainrule.layers.layer import Array
from chainrule.losses import BinaryCrossEntropy, CrossEntropy, Loss
from chainrule.network import Network

LARGE = 20  # an input this large deserves a word
SHUFFLE, CHANCE = 1, 2  # streams of random numbers, each with its own branch of the seed


def stream(seed: int, *branch: int) -> np.random.Generator:
    """A generator made from integers alone: the same integers, the same numbers, whatever was drawn before."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=branch))


class Batches:
    """The rows of (x, y), ready for a network and its loss.

    Everything that can be wrong with the data is found here, before any work is lost: shapes, types, NaN, labels.
    x stays as it is (uint8 images stay uint8); only the rows of a batch are cast to the network's dtype. Neither is
    copied: do not change them while training runs.

    Raises      ShapeError, DataError or LabelError, naming the row
    """

    def __init__(self, x: Any, y: Any, network: Network, loss: Loss, *, name: str = "x") -> None:
        x, y = border.as_array(x, name), border.as_targets(y)
        border.check_rows(x, y, name)
        border.check_finite(x, name, network.dtype)
        if not network.out_shapes:
            probe = network.copy()
            probe.build(x.shape[1:])
            loss.check(y, (x.shape[0], *probe.out_shapes[-1]))
            network.build(x.shape[1:])  # only now that nothing can fail
        self.x = network.enter(x, name)
        self.dtype = network.params.dtype
        self.out_shape = network.out_shapes[-1]
        self.y = y
        self.teach(loss)

    def teach(self, loss: Loss) -> None:
        """Read the targets as this loss wants them."""
        self.y, self.loss = loss.check(self.y, (len(self), *self.out_shape)), loss

    def __len__(self) -> int:
        return int(self.x.shape[0])

    def take(self, rows: Array) -> tuple[Array, Array]:
        """x, cast, and y of the given rows."""
        x = self.x[rows] if border.is_sparse(self.x) else self.x.take(rows, axis=0)  # take is faster than indexing
        return x.astype(self.dtype, copy=False), self.y.take(rows, axis=0)

    def order(self, seed: int, epoch: int) -> Array:
        """The shuffled order of the rows in an epoch: a function of seed and epoch alone."""
        return stream(seed, SHUFFLE, epoch).permutation(len(self))


def held_out_batches(validation: Any, network: Network, loss: Loss) -> Batches:
    """Examples kept out of training, from a pair (x, y)."""
    if not isinstance(validation, tuple) or len(validation) != 2:
        raise ConfigurationError(
            "validation: expected a pair (x, y) of examples kept out of training, such as digits.validation, received "
            f"{type(validation).__name__}."
        )
    return Batches(*validation, network, loss, name="validation x")


def warn_unscaled(x: Array, network: Network) -> None:
    """Warn of large inputs that nothing in front of the first weights scales down: training crawls or explodes."""
    scaled = any(
        isinstance(layer, (Rescale, Standardize, BatchNorm)) for layer in network.layers[: network.first_learning + 1]
    )
    largest = 0 if scaled or border.is_sparse(x) else max(abs(float(x.max())), abs(float(x.min())))
    if largest > LARGE:
        warnings.warn(
            f"x reaches {largest:g}, and nothing scales it: training will crawl or explode. Put "
            f"Rescale({1 / largest:.3g}) or Standardize() in front, or say MLP(..., scale=1/255) for pixels.",
            ChainruleWarning,
            stacklevel=4,
        )


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
    wants_logits = isinstance(loss, (CrossEntropy, BinaryCrossEntropy)) and not getattr(
        loss, "from_probabilities", False
    )
    if wants_logits and isinstance(last, (Sigmoid, Softmax)):
        raise ConfigurationError(
            f"the network ends in {last!r}, but {loss!r} expects raw outputs (logits): drop the layer."
        )
    if network.task_is_given and loss.output != "identity" and network.output != loss.output:
        raise ConfigurationError(
            f"the network has output={network.output!r}, but {loss!r} teaches {loss.output!r}: change one of them."
        )


def check_last_batch(network: Network, rows: int, batch_size: int) -> None:
    """Raise ConfigurationError if an epoch would end in a batch too small for a layer that needs several rows."""
    needed = max((inner.min_rows for layer in network.layers for inner in layer.walk()), default=1)
    last = rows % batch_size or batch_size
    if last < needed:
        raise ConfigurationError(
            f"the last batch of an epoch would have {last} row, but BatchNorm needs {needed}: {rows:,} rows in "
            f"batches of {batch_size}. Choose another batch_size, or leave out a row."
        )
