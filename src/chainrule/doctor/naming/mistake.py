"""A mistake: a wrong piece of a backward, with its name, what happened, and the line to write instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chainrule.doctor.naming.chain import Piece
from chainrule.layers.layer import Array


@dataclass(frozen=True)
class Mistake:
    """A wrong piece (or the same in several steps), the cause's id, what happened, and the line to write."""

    cause: str
    says: str
    write: str
    pieces: dict[tuple[int, str], Piece]


@dataclass(frozen=True)
class Circumstances:
    """What mistakes may have been made with: dy, the weights as backward left them, the targets."""

    dy: Array
    after: dict[str, Array]
    targets: Any
    n: int


def last_word(name: str) -> str:
    """W of layers.0.W."""
    return name.split(".")[-1]


def as_factor(scale: float) -> str:
    """A factor as it is written in a line of code: 1 / 7 rather than 0.142857.

    >>> as_factor(1 / 7), as_factor(1), as_factor(0.3)
    ('1 / 7 * ', '', '0.3 * ')
    """
    if scale == 1:
        return ""
    whole = 1 / scale
    return f"1 / {round(whole)} * " if abs(whole - round(whole)) < 1e-6 and abs(whole) > 1.5 else f"{scale:.4g} * "
