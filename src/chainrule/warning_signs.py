"""What works but hardly as it was meant: looked for once, before the first step, and told as a ChainruleWarning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from chainrule import border
from chainrule.batches import Batches
from chainrule.errors import warn
from chainrule.layers import BatchNorm, Rescale, Standardize
from chainrule.layers.layer import Array
from chainrule.losses import Loss
from chainrule.network import Network
from chainrule.optimizers import Optimizer
from chainrule.schedules import Constant

LARGE = 20  # an input this large deserves a word
ROWS = 32  # that the network is tried on
LARGE_BYTES, WIDE = 8_000_000, 100  # from here on, layout by columns made steps of an MLP 1.2 to 1.8 times as long


def tell(data: Batches, network: Network, optimizer: Optimizer) -> None:
    """Warn of inputs, a learning rate, or outputs that training will not get far with. The network is adapted."""
    x = data.x[border.pieces(data.x)[0]] if border.is_source(data.x) else data.x
    signs = () if border.is_sparse(x) else (*_large_and_unscaled(x, network), *_digits_lost(x, network))
    signs = (*signs, *_column_by_column(data.x))
    for sign in (*_large_targets(data.y, network, data.loss), *signs, *_no_learning(optimizer)):
        warn(sign)
    outputs = network(x[:ROWS])
    if np.isfinite(outputs).all():
        data.loss.admit(outputs)  # or training itself tells at which step and layer


def _large_and_unscaled(x: Array, network: Network) -> Iterator[str]:
    in_front = network.layers[: network.first_learning + 1]
    largest = _largest(x)
    if largest > LARGE and not any(isinstance(layer, (Rescale, Standardize, BatchNorm)) for layer in in_front):
        yield (
            f"x reaches {largest:g}, and nothing scales it: training will crawl or explode. Put "
            f"Rescale({1 / largest:.3g}) or Standardize() in front, or say MLP(..., scale=1/255) for pixels."
        )


def _large_targets(y: Array, network: Network, loss: Loss) -> Iterator[str]:
    if loss.output != "identity" or isinstance(network.layers[-1], Rescale):
        return
    y = y.reshape(len(y), -1)
    mean, deviation = y.mean(axis=0, dtype=np.float64), y.std(axis=0, dtype=np.float64)
    size = np.maximum(np.abs(mean), deviation)
    worst = int(size.argmax())
    if size[worst] > LARGE:
        column = f", column {worst}," if len(size) > 1 else ""
        yield (
            f"targets{column} have mean {mean[worst]:.3g} and deviation {deviation[worst]:.3g}, and the network begins "
            "near 0: it will crawl or explode on its way there. Standardize them, (y - m) / s, and turn predictions p "
            "back by m + s * p."
        )


def _digits_lost(x: Array, network: Network) -> Iterator[str]:
    """Of integers too large, and of floats too long, for the network's dtype."""
    exact = 2 ** (np.finfo(network.dtype).nmant + 1)
    if x.dtype.kind in "iu" and x.dtype.itemsize > 2 and _largest(x) > exact:
        yield (
            f"x reaches {int(_largest(x))}, but {network.dtype} tells whole numbers apart only up to {exact:,}. "
            "Subtract an offset before training."
        )
    if x.dtype.kind == "f" and x.dtype.itemsize > 8:
        yield f"x is {x.dtype}, but the network computes in {network.dtype}: the digits beyond are lost."


def _column_by_column(x: Any) -> Iterator[str]:
    if not isinstance(x, np.ndarray) or x.nbytes < LARGE_BYTES or x[0].size < WIDE:
        return
    within_a_row = min(abs(stride) for stride, size in zip(x.strides[1:], x.shape[1:], strict=True) if size > 1)
    if len(x) > 1 and 0 < abs(x.strides[0]) < within_a_row:
        yield (
            "x lies in memory column by column (Fortran order), so the numbers of a row have to be collected from all "
            "over it at every step. Lay it out row by row, once: x = np.ascontiguousarray(x)."
        )


def _no_learning(optimizer: Optimizer) -> Iterator[str]:
    if isinstance(optimizer.schedule, Constant) and not optimizer.rate:
        yield "learning_rate is 0: no weight will move. To keep some of them as they are: network.freeze(name)."


def _largest(x: Array) -> float:
    return max(abs(float(x.max())), abs(float(x.min())))
