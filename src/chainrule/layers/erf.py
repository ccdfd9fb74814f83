"""The error function: NumPy has none, and the exact GELU rests on it.

    erf(z) = 2 / sqrt(pi) * integral of e^(-t^2) from 0 to z        Phi(z) = (1 + erf(z / sqrt(2))) / 2

No finite formula gives that integral, but quotients of polynomials come within rounding of it: one near 0, one in the
middle, one far out. The last two are of e^(t^2) (1 - erf(t)), which varies slowly; the exponential is put back by
itself, so that tiny probabilities keep their digits.

Source      middle and far: Cody 1969, Mathematics of Computation 23, 631-637, coefficients as in his CALERF (1993, ACM
            TOMS 19, 22-30, algorithm 715); near: s_erf.c of fdlibm (Sun Microsystems 1993), which reaches further
"""

from __future__ import annotations

import math

import numpy as np

from chainrule.layers.activations import as_float
from chainrule.layers.layer import Array

NEAR, FAR = 0.84375, 4.0  # where one quotient hands over to the next
LAST = 40.0  # Phi(-40) is smaller than any float

Quotient = tuple[tuple[float, ...], tuple[float, ...]]  # the coefficients above and below, highest power first

# erf(t) / t - 1, in t^2
NEAR_QUOTIENT: Quotient = (
    (-2.37630166566501626084e-05, -5.77027029648944159157e-03, -2.84817495755985104766e-02, -3.25042107247001499370e-01,
     1.28379167095512558561e-01),
    (-3.96022827877536812320e-06, 1.32494738004321644526e-04, 5.08130628187576562776e-03, 6.50222499887672944485e-02,
     3.97917223959155352819e-01, 1.0),
)  # fmt: skip

# e^(t^2) (1 - erf(t)), in t
MIDDLE_QUOTIENT: Quotient = (
    (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1,
     2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
     1.23033935479799725e3),
    (1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
     3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3),
)  # fmt: skip

# t^2 (1 / sqrt(pi) - t e^(t^2) (1 - erf(t))), in 1 / t^2
FAR_QUOTIENT: Quotient = (
    (1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
     1.60837851487422766e-2, 6.58749161529837803e-4),
    (1.0, 2.56852019228982242e0, 1.87295284992346725e0, 5.27905102951428412e-1, 6.05183413124413191e-2,
     2.33520497626869185e-3),
)  # fmt: skip


def erf(z: Array) -> Array:
    """The error function, from -1 to 1, right to 2 units in the last place.

    >>> erf(np.array([-np.inf, 0.0, 0.5])).round(4)
    array([-1.    ,  0.    ,  0.5205])
    """
    z = as_float(z)
    t = np.clip(z.astype(np.float64), -LAST, LAST)
    near = np.abs(t) <= NEAR
    y = np.empty_like(t)
    y[near] = _erf_near(t[near])
    t = t[~near]
    y[~near] = np.copysign(1 - np.exp(-t * t) * _tail(np.abs(t)), t)
    return y.astype(z.dtype)


def normal_cdf(z: Array) -> Array:
    """Phi(z): the share of the normal distribution that lies below z. A tiny share keeps its digits.

    >>> normal_cdf(np.array([-np.inf, 0.0, 1.0])).round(4)
    array([0.    , 0.5   , 0.8413])
    """
    z = as_float(z)
    wide = np.clip(z.astype(np.float64), -LAST, LAST)
    t = wide * math.sqrt(0.5)
    near = np.abs(t) <= NEAR
    y = np.empty_like(t)
    y[near] = 0.5 + 0.5 * _erf_near(t[near])
    tail = 0.5 * _bell(wide[~near]) * _tail(np.abs(t[~near]))
    y[~near] = np.where(t[~near] > 0, 1 - tail, tail)
    return y.astype(z.dtype)


def normal_density(z: Array) -> Array:
    """phi(z) = e^(-z^2 / 2) / sqrt(2 pi), the slope of Phi."""
    z = as_float(z)
    return (_bell(np.clip(z.astype(np.float64), -LAST, LAST)) / math.sqrt(2 * math.pi)).astype(z.dtype)


def _bell(z: Array) -> Array:
    """e^(-z^2 / 2) in two factors: the first square is exact, since 24 digits squared fit into 53."""
    high = z.astype(np.float32).astype(np.float64)
    return np.exp(-high * high / 2) * np.exp((high - z) * (high + z) / 2)


def _erf_near(t: Array) -> Array:
    return t + t * _quotient(NEAR_QUOTIENT, t * t)


def _tail(t: Array) -> Array:
    """e^(t^2) (1 - erf(t)), for t beyond NEAR."""
    far = t > FAR
    y = np.empty_like(t)
    y[~far] = _quotient(MIDDLE_QUOTIENT, t[~far])
    t = t[far]
    s = 1 / (t * t)
    y[far] = (1 / math.sqrt(math.pi) - s * _quotient(FAR_QUOTIENT, s)) / t
    return y


def _quotient(coefficients: Quotient, t: Array) -> Array:
    above, below = coefficients
    return np.polyval(above, t) / np.polyval(below, t)
