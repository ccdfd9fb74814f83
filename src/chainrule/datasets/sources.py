"""Rows that memory may not hold: read block by block, shuffled so that few blocks are needed at a time."""

from __future__ import annotations

import copy
import math
import os
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np

from chainrule import border
from chainrule.configurable import number
from chainrule.errors import DataError, DataFileError
from chainrule.layers.layer import Array


class Source:
    """Inputs larger than memory, for `fit`, `predict` and the rest: whatever has `len(rows)` and slices `rows[a:b]`.

    That is an np.memmap, an h5py or Zarr array, or a class of one's own with just these two. An ordinary array will do,
    to train in the order in which its file would be. Targets are small, and stay ordinary arrays.

    Rows are read in blocks. For every epoch the blocks are put into random order and divided into windows; the rows
    within a window are shuffled. So a file is read once an epoch, a block at a time, and no more than one window of it
    is held: `window * block` rows, and for a moment the block that is being read. `repr` says how much that is. What
    was read is kept: do not change the rows, or make a new Source.

    Shapes      (N, ...), as `shape` and `dtype` say; slices and `take` give arrays of them
    Arguments   rows    only ever sliced, from one row to a later one
                block   rows that are read in one go, rounded up to whole chunks if the rows have `chunks`, as those of
                        h5py and Zarr may (default 256)
                window  blocks whose rows are shuffled together (default 64). Many small blocks mix better than few
                        large ones: on MNIST sorted by label the defaults cost 0.1 points of accuracy, windows of 8
                        blocks of 2,048 cost 3.2 (docs/decisions/0014)
    Raises      DataError for no rows, things that are not numbers, NaN and infinity; what a block holds is found when
                it is read. DataFileError if the rows have become fewer or of another shape since

    >>> source = Source(np.arange(20.0).reshape(10, 2), block=2, window=3)
    >>> source
    Source(10 rows of float64 (2,), holding up to 6 of them, 96 bytes)
    >>> source[3:5]
    array([[6., 7.],
           [8., 9.]])
    >>> source.order(np.random.default_rng(0))  # blocks 2, 3 and 4 in some order, then 0 and 1
    array([6, 5, 8, 4, 9, 7, 0, 2, 1, 3])
    """

    def __init__(self, rows: Any, *, block: int = 256, window: int = 64) -> None:
        block = number("Source", "block", block, "[1, inf)", whole=True)
        window = number("Source", "window", window, "[1, inf)", whole=True)
        sliced = hasattr(rows, "__len__") and hasattr(rows, "__getitem__") and not isinstance(rows, Mapping)
        if border.is_sparse(rows) or not sliced:
            raise DataError(
                f"Source: expected rows with a length and slices, such as an np.memmap, received "
                f"{type(rows).__name__}. What memory holds needs no Source: give it to fit as it is."
            )
        if not len(rows):
            raise DataError("Source: Found array with 0 sample(s) while a minimum of 1 is required.")
        self.rows = rows
        first = border.as_array(rows[0:1], "Source")
        self.shape, self.dtype = (len(rows), *first.shape[1:]), first.dtype
        self._file_size = _file_size(rows)
        chunk = (getattr(rows, "chunks", None) or (1,))[0]
        self.block = min(math.ceil(block / chunk) * chunk, len(self))
        self.window = min(window, math.ceil(len(self) / self.block))
        self._held = np.empty((self.window * self.block, *self.shape[1:]), self.dtype)
        self._places = np.full(math.ceil(len(self) / self.block), -1)  # which part of _held each block fills, if any
        self._blocks: list[int] = []  # that are held, the oldest first
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> Array:
        if not isinstance(rows, slice):
            raise TypeError(f"Source: expected a slice such as source[0:100], received {rows!r}.")
        return self.take(np.arange(*rows.indices(len(self))))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return self[:].astype(dtype or self.dtype, copy=False)

    def __repr__(self) -> str:
        held = f"{len(self._held):,} of them, {self._held.nbytes:,} bytes"
        return f"Source({len(self):,} rows of {self.dtype} {self.shape[1:]}, holding up to {held})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _remade, (self.rows, self.block, self.window)  # what is held is read again; a lock cannot be copied

    def __deepcopy__(self, memo: dict[int, Any]) -> Source:
        return copy.copy(self)  # of the same rows: a copy of the file is what memory may not hold

    def order(self, rng: np.random.Generator) -> Array:
        """The order of the rows in an epoch, each once: blocks at random, rows shuffled within windows of blocks."""
        blocks = rng.permutation(math.ceil(len(self) / self.block))
        windows = np.array_split(blocks, math.ceil(len(blocks) / self.window))  # alike in size: none mixes too few
        rows = [(window[:, None] * self.block + np.arange(self.block)).ravel() for window in windows]
        return np.concatenate([rng.permutation(some[some < len(self)]) for some in rows])

    def take(self, rows: Any, axis: int = 0) -> Array:
        """The given rows, in that order. Blocks that are not held are read, in place of the oldest."""
        rows = np.asarray(rows, np.intp)
        if rows.size and not 0 <= rows.min() <= rows.max() < len(self):
            raise IndexError(f"Source: expected rows from 0 to {len(self) - 1}, received {rows.min()} to {rows.max()}.")
        blocks = rows // self.block
        with self._lock:
            missing = blocks[self._places[blocks] < 0]
            if missing.size:
                needed = set(blocks.tolist())
                if len(needed) > self.window:  # the end of one window is done with before the next is begun
                    return np.concatenate([self.take(half) for half in np.array_split(rows, 2)])
                for block in np.unique(missing).tolist():
                    self._hold(block, needed)
            return self._held.take(self._places[blocks] * self.block + rows % self.block, axis=axis)

    def _hold(self, block: int, needed: set[int]) -> None:
        """Read a block, in place of the oldest that is not needed."""
        rows = self._read(block * self.block, min((block + 1) * self.block, len(self)))
        place = len(self._blocks)
        if place == self.window:
            oldest = next(other for other in self._blocks if other not in needed)
            self._blocks.remove(oldest)
            place, self._places[oldest] = self._places[oldest], -1
        self._held[place * self.block :][: len(rows)] = rows
        self._places[block] = place
        self._blocks.append(block)

    def _read(self, start: int, stop: int) -> Array:
        """Rows start to stop, checked."""
        if len(self.rows) < len(self):
            raise _changed(f"{len(self):,} rows", f"{len(self.rows):,}")
        if _file_size(self.rows) < self._file_size:  # to touch what is mapped but no longer there would end the process
            raise _changed(f"a file of {self._file_size:,} bytes", f"{_file_size(self.rows):,}")
        rows = border.as_array(self.rows[start:stop], "Source")
        expected = (stop - start, *self.shape[1:])
        if rows.shape != expected or rows.dtype != self.dtype:
            raise _changed(f"{self.dtype} {expected} in [{start}:{stop}]", f"{rows.dtype} {rows.shape}")
        border.check_finite(rows, "source", self.dtype, start)
        return rows


def _remade(rows: Any, block: int, window: int) -> Source:
    return Source(rows, block=block, window=window)


def _file_size(rows: Any) -> int:
    """Bytes of the file behind a memmap; 0 for anything else."""
    return os.path.getsize(rows.filename) if isinstance(rows, np.memmap) and rows.filename else 0


def _changed(expected: str, received: str) -> DataFileError:
    return DataFileError(
        f"Source: expected {expected}, as there were at first, received {received}. Rows in use must stay as "
        "they are: make a new Source of them."
    )
