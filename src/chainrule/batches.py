"""Training data, checked once as a whole, then handed out in batches of the network's dtype."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule import border
from chainrule.layers.layer import Array
from chainrule.losses import Loss
from chainrule.network import Network


class Batches:
    """The rows of (x, y), ready for a network and its loss.

    Everything that can be wrong with the data is found here, before any work is lost: shapes, types, NaN, labels.
    x stays as it is (uint8 images stay uint8); only the rows of a batch are cast to the network's dtype.

    Raises      ShapeError, DataError or LabelError, naming the row
    """

    def __init__(self, x: Any, y: Any, network: Network, loss: Loss, *, name: str = "x") -> None:
        self.x = border.as_array(x, name)
        if not network.out_shapes:
            network.build(self.x.shape[1:])
        assert network.in_shape is not None
        border.check_shape(self.x, network.in_shape, "Network")
        border.check_rows(self.x, np.asarray(y))
        border.check_finite(self.x, name, network.dtype)
        self.y = loss.check(y, (self.x.shape[0], *network.out_shapes[-1]))
        self.dtype = network.params.dtype

    def __len__(self) -> int:
        return int(self.x.shape[0])

    def take(self, rows: Array) -> tuple[Array, Array]:
        """x, cast, and y of the given rows."""
        x = self.x[rows] if border.is_sparse(self.x) else self.x.take(rows, axis=0)  # take is faster than indexing
        return x.astype(self.dtype, copy=False), self.y.take(rows, axis=0)

    def order(self, seed: int, epoch: int) -> Array:
        """The shuffled order of the rows in an epoch: a function of seed and epoch alone."""
        return np.random.default_rng((seed, 0, epoch)).permutation(len(self))
