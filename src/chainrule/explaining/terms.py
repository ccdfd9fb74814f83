"""A value and how it is written with its numbers: x W is 3.9 at [0, 0], and also 1*0.1 + 2*0.5 + 3*0.9."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.explaining.figures import figure
from chainrule.layers.activations import sigmoid, softmax
from chainrule.layers.erf import normal_cdf
from chainrule.layers.layer import Array

Index = tuple[int, ...]
Written = tuple[str, int]  # the text, and how tightly it binds

SUM, QUOTIENT, PRODUCT, SIGN, POWER, ATOM = range(6)  # from loose to tight
WRITTEN_OUT = 6  # terms of a sum that are all written; of a longer one the largest three are, and what is left

FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "Phi": normal_cdf,
    "log": np.log,
    "sigmoid": sigmoid,
    "sign": np.sign,
    "sqrt": np.sqrt,
    "tanh": np.tanh,
}


@dataclass(frozen=True)
class Term:
    """An array, and what stands for the entry at an index."""

    value: Array
    at: Callable[[Index], Written]
    is_matrix: bool = False  # named by a capital, or transposed: beside it stands a product of matrices
    since: Callable[[Index], str] | None = None  # which way a "where" went

    def text(self, index: Index, binding: int = SUM) -> str:
        """The entry at an index of something that this is broadcast to, in brackets if it binds less tightly."""
        own = index[len(index) - self.value.ndim :]
        text, binds = self.at(tuple(0 if n == 1 else i for i, n in zip(own, self.value.shape, strict=True)))
        return text if binds >= binding else f"({text})"


def leaf(value: Any, is_matrix: bool = False, name: str = "") -> Term:
    """Numbers that are given; a constant can keep its name."""
    array = np.asarray(value, np.float64)

    def at(index: Index) -> Written:
        text = name or figure(array[index])
        return text, SIGN if text.startswith("-") else ATOM

    return Term(array, at, is_matrix and array.ndim >= 2)


def plus(a: Term, b: Term, minus: bool) -> Term:
    """The sum, or the difference."""

    def at(index: Index) -> Written:
        right = b.text(index, QUOTIENT)
        if right.startswith("-") and not minus:
            return f"{a.text(index)} - {right[1:]}", SUM
        return f"{a.text(index)} {'-' if minus else '+'} {_bracketed(right)}", SUM

    return Term(a.value - b.value if minus else a.value + b.value, at)


def times(a: Term, b: Term) -> Term:
    """Entry by entry; of matrices, rows by columns."""
    if (a.is_matrix or b.is_matrix) and min(a.value.ndim, b.value.ndim) >= 2:
        return _matrix_product(a, b)
    return Term(
        a.value * b.value,
        lambda index: (f"{a.text(index, PRODUCT)}*{_bracketed(b.text(index, PRODUCT))}", PRODUCT),
    )


def over(a: Term, b: Term) -> Term:
    """The quotient."""
    return Term(
        a.value / b.value, lambda index: (f"{a.text(index, QUOTIENT)} / {_bracketed(b.text(index, SIGN))}", QUOTIENT)
    )


def minus(a: Term) -> Term:
    """The number with the other sign."""
    return Term(-a.value, lambda index: (f"-{_bracketed(a.text(index, SIGN))}", SIGN))


def power(a: Term, b: Term) -> Term:
    """a to the b."""
    return Term(a.value**b.value, lambda index: (f"{a.text(index, ATOM)}^{b.text(index, SIGN)}", POWER))


def size(a: Term) -> Term:
    """Without the sign."""
    return Term(np.abs(a.value), lambda index: (f"|{a.text(index)}|", ATOM))


def larger(a: Term, b: Term) -> Term:
    """The larger of two."""
    return Term(np.maximum(a.value, b.value), lambda index: (f"max({a.text(index)}, {b.text(index)})", ATOM))


def function(name: str, a: Term) -> Term:
    """A function of one number."""
    return Term(FUNCTIONS[name](a.value), lambda index: (f"{name}({a.text(index)})", ATOM))


def softmax_of(a: Term) -> Term:
    """Softmax over the last axis, written out as what it is: a share of powers of e."""

    def at(index: Index) -> Written:
        row = a.value[index[:-1]]
        powers = [f"e^{a.text((*index[:-1], k), SIGN)}" for k in range(len(row))]
        return f"{powers[index[-1]]} / ({written_sum(np.exp(row), powers.__getitem__)})", QUOTIENT

    return Term(softmax(a.value), at)


def transposed(a: Term) -> Term:
    """A matrix with columns for rows; of more than two axes, all but the last count as rows."""
    value = a.value.reshape(-1, a.value.shape[-1]).T
    return Term(value, lambda index: (figure(value[index]), ATOM), is_matrix=True)


def total(a: Term, over_rows: bool, mean: bool = False) -> Term:
    """The sum or the mean over the rows, (..., D) to (D,), or over each row, (..., D) to (..., 1)."""
    axes = tuple(range(a.value.ndim - 1)) if over_rows else (-1,)
    sums = a.value.sum(axis=axes, keepdims=not over_rows)
    n = a.value.size // max(sums.size, 1)

    def at(index: Index) -> Written:
        parts = [(*i, *index) for i in np.ndindex(a.value.shape[:-1])] if over_rows else []
        parts = parts or [(*index[:-1], k) for k in range(a.value.shape[-1])]
        text = written_sum(np.array([a.value[i] for i in parts]), lambda k: a.text(parts[k], QUOTIENT))
        if mean:
            return f"({text}) / {n}", QUOTIENT
        return text, SUM if n > 1 else QUOTIENT

    return Term(sums / n if mean else sums, at)


def choice(condition: Term, a: Term, b: Term) -> Term:
    """a where the condition holds, else b; the entry is written as the one that was taken."""
    holds, a_value, b_value = np.broadcast_arrays(condition.value, a.value, b.value)

    def at(index: Index) -> Written:
        return (a if holds[index] else b).text(index), SUM

    return Term(np.where(holds, a_value, b_value), at, since=condition.text)


def comparison(operator: str, a: Term, b: Term) -> Term:
    """Whether a > b, a <= b and so on; written as what is true."""
    holds = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}[operator](a.value, b.value)
    opposite = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}[operator]
    return Term(
        holds,
        lambda index: (f"{a.text(index)} {operator if holds[index] else opposite} {b.text(index)}", SUM),
    )


def written_sum(values: Array, text: Callable[[int], str]) -> str:
    """The terms with plus signs between them; of many, the largest and what the others come to."""
    shown: Sequence[int] = range(len(values))
    if len(values) > WRITTEN_OUT:
        shown = sorted(k for k in np.argsort(-np.abs(values), kind="stable")[:3].tolist() if values[k]) or [0]
    written = " + ".join(text(k) for k in shown).replace("+ -", "- ")
    left = len(values) - len(shown)
    rest = values.sum() - values[list(shown)].sum()
    return f"{written} + ({left:,} more: {figure(rest)})" if left else written


def _matrix_product(a: Term, b: Term) -> Term:
    left, right = a.value, b.value.reshape(a.value.shape[-1], -1)

    def at(index: Index) -> Written:
        row, column = left[index[:-1]], right[:, index[-1]]

        def text(k: int) -> str:
            return f"{figure(row[k])}*{_bracketed(figure(column[k]))}"

        return written_sum(row * column, text), SUM if len(row) > 1 else PRODUCT

    return Term(left @ right, at)


def _bracketed(text: str) -> str:
    return f"({text})" if text.startswith("-") else text
