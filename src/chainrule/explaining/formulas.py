"""The formulas in a docstring, read with numbers in them: what is written there is computed, and written out.

A layer or loss says under Forward and Backward what it computes. These lines are for people, but they are regular
enough to be read: `dx = dy * y (1 - y)`, `y = x where x > 0, else slope * x`, `y_k = e^x_k / sum of e^x_j`. A capital
or ^T makes a product one of matrices. What cannot be read is left as it stands.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.explaining import terms
from chainrule.explaining.terms import Term

HEADINGS = ("Shapes", "Forward", "Backward", "Arguments")
STATEMENT = re.compile(r"(?<![\w'/(])(dL/\w+|[^\W\d]\w*) = ")
TOKEN = re.compile(
    r"(?P<number>\d+(?:\.\d+)?(?:e-?\d+)?)|(?P<name>[^\W\d]\w*'?)|(?P<sign><=|>=|[-+*/^()|,<>])"
    r"|(?P<gap>\s*\n\s*|\s{2,})|\s|(?P<other>.)"
)
LETTER = re.compile(r"_[ijk]$")  # y_k: entry k of a row


class UnreadableError(Exception):
    """A formula that is meant for people alone."""


def sections(thing: Any) -> dict[str, str]:
    """What stands under Shapes, Forward, Backward and Arguments in the docstring of a thing's class.

    >>> from chainrule.layers import Tanh
    >>> sections(Tanh())["Backward"]
    'dx = dy * (1 - y^2)'
    """
    doc = inspect.cleandoc(type(thing).__dict__.get("__doc__") or "")
    found = re.findall(rf"^({'|'.join(HEADINGS)}):?[ \t]+(.*(?:\n[ \t]+\S.*)*)", doc, re.M)
    return {heading: re.sub(r"\n {1,12}", "\n", text) for heading, text in found}


def statements(text: str) -> list[tuple[str, str]]:
    """Every `name = ...` outside brackets, with all that follows it."""
    outside = [
        match
        for match in STATEMENT.finditer(text)
        if text.count("(", 0, match.start()) == text.count(")", 0, match.start())
    ]
    return [(LETTER.sub("", match[1]), text[match.end() :]) for match in outside]


def read(text: str, look_up: Callable[[str], Term | None], mean_over_rows: bool = True) -> Term:
    """The formula at the beginning of the text, as far as it goes; UnreadableError if there is none.

    `look_up` gives the value of a name. A sum that does not say over what is one over the rows; a mean is one over the
    rows, or over each.
    """
    try:
        with np.errstate(all="ignore"):
            return _Reader(text, look_up, mean_over_rows).formula()
    except (ValueError, IndexError, RecursionError) as error:  # shapes that do not go together
        raise UnreadableError(str(error)) from None


class _Reader:
    """From loose to tight: where, + -, * /, side by side, ^, and what stands alone."""

    def __init__(self, text: str, look_up: Callable[[str], Term | None], mean_over_rows: bool) -> None:
        self.tokens = [(m.lastgroup or "", m[0]) for m in TOKEN.finditer(text) if m.lastgroup] + [("end", "")]
        self.look_up, self.mean_over_rows = look_up, mean_over_rows
        self.position, self.depth, self.in_bars, self.lettered = 0, 0, False, False

    def formula(self) -> Term:
        a = self.sum()
        if not self.take("where"):
            return a
        condition = self.comparison()
        self.expect(",")
        self.expect("else")
        return terms.choice(condition, a, self.formula())

    def comparison(self) -> Term:
        a = self.sum()
        kind, operator = self.next()
        if kind != "sign" or operator not in ("<", "<=", ">", ">="):
            raise UnreadableError(operator)
        return terms.comparison(operator, a, self.sum())

    def sum(self) -> Term:
        a = self.product()
        while sign := self.take("+", "-"):
            a = terms.plus(a, self.product(), sign == "-")
        return a

    def product(self) -> Term:
        a = self.side_by_side()
        while sign := self.take("*", "/"):
            a = terms.times(a, self.side_by_side()) if sign == "*" else terms.over(a, self.side_by_side())
        return a

    def side_by_side(self) -> Term:
        if self.take("-"):
            return terms.minus(self.side_by_side())
        a = self.power()
        while True:
            kind, text = self.peek()
            if not (kind in ("number", "name") or text == "(" or (text == "|" and not self.in_bars)):
                return a
            here = (self.position, self.depth, self.in_bars)
            try:
                a = terms.times(a, self.power())
            except UnreadableError:  # a word, not a factor
                self.position, self.depth, self.in_bars = here
                return a

    def power(self) -> Term:
        a = self.alone()
        if not self.take("^"):
            return a
        if self.take("T"):
            return terms.transposed(a)
        return terms.power(a, terms.minus(self.power()) if self.take("-") else self.power())

    def alone(self) -> Term:
        kind, text = self.next(skip_gap=True)
        if kind == "number":
            return terms.leaf(float(text), name=text)
        if text == "(":
            return self.bracket()
        if text == "|":
            self.in_bars = True
            a = self.sum()
            self.expect("|")
            self.in_bars = False
            return terms.size(a)
        if kind != "name":
            raise UnreadableError(text)
        if text in ("sum", "mean") and (self.take("of") or self.peek()[1] == "("):
            return self.total(mean=text == "mean")
        if text in terms.FUNCTIONS:
            return terms.function(text, self.bracket() if self.take("(") else self.power())
        if text in ("max", "softmax") and self.take("("):
            self.depth += 1
            a = self.sum()
            if text == "max":
                self.expect(",")
                a = terms.larger(a, self.sum())
            self.close()
            return a if text == "max" else terms.softmax_of(a)
        return self.name(text)

    def name(self, text: str) -> Term:
        value = self.look_up(text)
        if value is None and (short := LETTER.sub("", text)) != text:
            value, self.lettered = self.look_up(short), True
        if value is None and text in ("e", "pi"):
            value = terms.leaf(getattr(math, text), name=text)
        if value is None:
            raise UnreadableError(text)
        return value

    def total(self, mean: bool) -> Term:
        before, self.lettered = self.lettered, False
        a = self.product()
        over_rows = (self.mean_over_rows or not mean) and not self.lettered
        self.lettered = before
        if self.take("over"):
            self.take("the", "all", "each")
            over_rows = self.expect("row", "rows") == "rows"
        return terms.total(a, over_rows, mean)

    def bracket(self) -> Term:
        self.depth += 1
        a = self.formula()
        self.close()
        return a

    def close(self) -> None:
        self.expect(")")
        self.depth -= 1

    def peek(self, skip_gap: bool = False) -> tuple[str, str]:
        """The token to come. A gap ends a formula, but not within brackets or before a sign that goes on."""
        kind, text = self.tokens[self.position]
        if kind == "gap" and (self.depth or skip_gap or self.tokens[self.position + 1][1] in ("+", "*", "/")):
            self.position += 1
            kind, text = self.tokens[self.position]
        return kind, text

    def next(self, skip_gap: bool = False) -> tuple[str, str]:
        token = self.peek(skip_gap)
        self.position = min(self.position + 1, len(self.tokens) - 1)
        return token

    def take(self, *texts: str) -> str:
        """The token to come, if it is one of these; otherwise nothing."""
        return self.next()[1] if self.peek()[1] in texts else ""

    def expect(self, *texts: str) -> str:
        kind, text = self.next(skip_gap=True)
        if text not in texts or kind == "end":
            raise UnreadableError(text)
        return text
