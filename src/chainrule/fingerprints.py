"""The fingerprint of training data: training may go on with the data it began with, and with no other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import numpy as np

from chainrule.border import as_rows, is_sparse
from chainrule.errors import DataError
from chainrule.layers.layer import Array

CHUNK = 1 << 22  # bytes read at a time, about


def fingerprint(x: Any, y: Any, sample_weight: Any = None) -> str:
    """dtype, shape and SHA-256 of x, y and the weights in one line of text: what two sets of data must have in common.

    The contents are read in slices of rows, so data on disk are never in memory as a whole. Memory layout and byte
    order do not matter: the same numbers have the same fingerprint.

    Arguments   x, y, sample_weight (default none): arrays, lists, sparse matrices, or whatever has `len` and
                `source[a:b]`
    Raises      DataError for anything but numbers

    >>> fingerprint(np.zeros((2, 3)), np.array([0, 1]))[:33]
    'x float64 (2, 3) 17b0761f87b081d5'
    """
    parts = {"x": x, "y": y} if sample_weight is None else {"x": x, "y": y, "sample_weight": sample_weight}
    return "; ".join(f"{name} {_of(data, name)}" for name, data in parts.items())


def differences(saved: str, given: str) -> list[str]:
    """What differs between two fingerprints, in words."""
    faults = []
    for before, now in zip_longest(saved.split("; "), given.split("; "), fillvalue=""):
        was, kind = before.rpartition(" ")[0], now.rpartition(" ")[0]
        if before != now:
            other = "has other contents" if was == kind else f"was {was or 'not there'}"
            faults.append(f"{kind} {other}" if kind else f"{was} is missing")
    return faults


def _of(data: Any, name: str) -> str:
    digest, rows, kind = hashlib.sha256(), 0, ""
    for chunk in _chunks(data, name):
        if chunk.dtype.kind not in "fiub":
            raise DataError(f"{name}: expected an array of numbers, received {chunk.dtype}. Convert it first.")
        digest.update(np.ascontiguousarray(chunk, chunk.dtype.newbyteorder("<")).data.cast("B") if chunk.size else b"")
        rows += len(chunk)
        kind = f"{chunk.dtype.name} ({{}}{''.join(f', {width}' for width in chunk.shape[1:]) or ','})"
    return f"{kind.format(rows)} {digest.hexdigest()}"


def _chunks(data: Any, name: str) -> Iterator[Array]:
    """The rows in order, some at a time; at least one chunk, though it may be empty."""
    if isinstance(data, (list, tuple)) or is_sparse(data) or not hasattr(data, "__len__"):
        data = as_rows(data, name)
    length, start, rows = int(data.shape[0] if hasattr(data, "shape") else len(data)), 0, 1
    while start < length or not start:
        part = data[start : start + rows]
        part = np.asarray(part.toarray() if is_sparse(part) else part)
        yield part
        start += max(1, len(part))
        rows = max(1, CHUNK * len(part) // max(1, part.nbytes))
