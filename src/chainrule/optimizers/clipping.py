"""Limits: gradients are clipped before the step, weights of a unit held within a norm after it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.configurable import Configurable, number
from chainrule.layers.layer import Array


class Clip(Configurable):
    """Base of what shortens gradients: `apply` is told all stretches that are about to move."""

    def __init__(self, limit: float) -> None:
        self.limit = number(type(self).__name__, "limit", limit, "(0, inf)")

    def apply(self, gradients: Sequence[Array]) -> None:
        """Shorten the gradients in place."""
        raise NotImplementedError


class ClipValue(Clip):
    """Every number of the gradient into [-limit, limit]: simple, and turns its direction.

    Infinity becomes the limit, as in PyTorch; NaN stays NaN.

    Arguments   limit  above 0, in units of the gradient

    >>> g = np.array([3.0, -0.5, -4.0])
    >>> ClipValue(1.0).apply([g])
    >>> g
    array([ 1. , -0.5, -1. ])
    """

    def apply(self, gradients: Sequence[Array]) -> None:
        for g in gradients:
            np.clip(g, -self.limit, self.limit, out=g)


class ClipNorm(Clip):
    """The whole gradient, all layers together, no longer than limit: its direction stays.

    With norm = sqrt(sum of all g^2):  g = g limit / norm where norm > limit, so that the norm is the limit then
    (PyTorch divides by norm + 1e-6). Gradients that are not all finite are left as they are: the weights they make are
    not finite either, which the Trainer notices, and scaled ones would hide that.

    Arguments   limit  above 0, in units of the gradient's norm
    Source      Pascanu, Mikolov, Bengio 2013, arXiv:1211.5063, algorithm 1

    >>> g, h = np.array([3.0, 0.0]), np.array([-4.0])
    >>> ClipNorm(1.0).apply([g, h])
    >>> print(g, h)
    [0.6 0. ] [-0.8]
    """

    def apply(self, gradients: Sequence[Array]) -> None:
        norm = math.hypot(*(float(_norm(g)) for g in gradients))
        if self.limit < norm < math.inf:
            for g in gradients:
                g *= self.limit / norm


class MaxNorm(Configurable):
    """The incoming weights of every unit no longer than limit: they may turn, but not grow for ever.

    Arguments   limit  above 0: the largest norm of one unit's incoming weights; 3 or 4 beside dropout in the paper
    Source      Srivastava et al. 2014, JMLR 15, 1929-1958, section 5.1 (Keras: max_norm with axis=0 for a dense layer)

    >>> W = np.array([[3.0, 0.1], [4.0, 0.1]])                         # the columns are the units
    >>> MaxNorm(1.0).shrink([W])
    >>> W
    array([[0.6, 0.1],
           [0.8, 0.1]])
    """

    def __init__(self, limit: float) -> None:
        self.limit = number("MaxNorm", "limit", limit, "(0, inf)")

    def shrink(self, weights: Sequence[Array]) -> None:
        """Shorten, in place, the units of every array (..., D_out) that are too long."""
        for w in weights:
            norms = _norm(w.reshape(-1, w.shape[-1]), axis=0)
            w *= self.limit / np.maximum(norms, self.limit)  # exactly 1 for those that are not


def _norm(a: Array, axis: int | None = None) -> Array | np.floating[Any]:
    """The Euclidean norm; in float64 where a square is too large for float32."""
    with np.errstate(over="ignore"):
        norm = np.linalg.norm(a, axis=axis)
        return norm if np.isfinite(norm).all() else np.linalg.norm(a.astype(np.float64), axis=axis)
