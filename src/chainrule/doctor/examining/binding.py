"""Learners name and order the arguments of their functions as they like; here the values find their places.

A function is called by the names of its arguments: `dout`, `grad_output` and `delta` all mean the upstream gradient.
What no name tells is filled in by position, in the order that the caller gives.
"""

from __future__ import annotations

import inspect
import linecache
import re
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import FrameType, FunctionType, MethodType
from typing import Any, NamedTuple

import numpy as np

Function = Callable[..., Any]

# A role, and the names under which learners write it. The first role whose pattern fits and whose value is there wins.
ROLES = {
    "rate": r"lr|l_r|learning_?rate|alpha|eta|step_?size|rate",
    "train": r"train|training|is_train(ing)?|train_?fl?a?g|mode|phase",
    "cache": r"cache[sd]?|.*_cache|ctx|context|memory|saved|tape|mem|memo|store|intermediates?",
    "upstream": r"d[A-Za-z]?\d*|d_?(out|outputs?|y|z|a|l|x|h|p|s|loss|values|next|pred|act|hidden|scores?)(_?\w*)?"
    r"|.*grad.*|upstream.*|delta.*|g|gout|g_out|gy|.*_bar|err(or)?s?|dl_?d\w+|output_error|.*_delta|dvalues",
    "targets": r"y|t|tt|targets?|labels?|y_?(true|batch|train|onehot|t)|true(_?\w+)?|truth|expected|one_?hot|gold"
    r"|answers?|tgt|classes|correct|desired",
    "outputs": r"y_?(pred|hat|p)|pred(s|ictions?|icted)?|outputs?|out|p|probs?|probabilities|scores|logits?|al|a\d|q|z"
    r"|a|guess(es)?|o|f|s|activations?|sm",
    "x": r"x|xs|x_?(in|batch|train)|inp(uts?)?|input_?data|data|batch|features|[ahx]_?(prev|in|0)|prev(ious)?|z|a|h|v|u"
    r"|t|values|images?|imgs?|vec|arr|signal",
    "parameters": r"params?|parameters|weights|theta|p|model|net|layer",
}


class LearnerError(Exception):
    """The learner's own code raised: where, and what."""

    def __init__(self, where: str, error: BaseException) -> None:
        super().__init__(f"{where} raised {type(error).__name__}: {error}")
        self.where, self.error = where, error

    def line(self) -> str:
        """The line of the learner's own code, in which it happened or from which NumPy was called; and its arrays."""
        frames = [(frame, number) for frame, number in traceback.walk_tb(self.error.__traceback__) if _is_own(frame)]
        if not frames:
            return ""
        frame, number = frames[-1]
        path = frame.f_code.co_filename
        source = linecache.getline(path, number, frame.f_globals).strip()
        names = dict.fromkeys(re.findall(r"[A-Za-z_][\w.]*\w|[A-Za-z_]", source))
        shapes = [f"{name} is {value.shape}" for name in names if (value := _array(frame, name)) is not None]
        return f"{Path(path).name}:{number}: {source}" + (f"    # {', '.join(shapes)}" if shapes else "")


def _is_own(frame: FrameType) -> bool:
    package = str(frame.f_globals.get("__name__", "")).split(".")[0]
    return package not in ("numpy", "chainrule")


def _array(frame: FrameType, name: str) -> np.ndarray[Any, Any] | None:
    """The array of this name in the frame, such as x or self.W.T."""
    first, *rest = name.split(".")
    value = frame.f_locals.get(first)
    for part in rest:
        value = getattr(value, part, None)
    return value if isinstance(value, np.ndarray) else None


class Argument(NamedTuple):
    """An argument of a function as it is declared."""

    name: str
    kind: Any
    optional: bool

    @property
    def starred(self) -> bool:
        """Is it *args or **kwargs?"""
        return self.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def arguments(function: Function) -> tuple[Argument, ...]:
    """The arguments of a function as they are declared; of one that cannot be asked (np.tanh) a single one."""
    if isinstance(function, FunctionType):
        return _declared(function)
    if isinstance(function, MethodType) and isinstance(function.__func__, FunctionType):
        declared = _declared(function.__func__)
        return declared if declared and declared[0].starred else declared[1:]  # without self
    return _inspected(function)


def _inspected(function: Function) -> tuple[Argument, ...]:
    try:
        declared = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return (Argument("x", inspect.Parameter.POSITIONAL_ONLY, False),)
    return tuple(Argument(a.name, a.kind, a.default is not a.empty) for a in declared)


_declared = lru_cache(maxsize=256)(_inspected)  # a function is called thousands of times, and asked once


def required(function: Function) -> list[str]:
    """The names of the arguments that have no default."""
    return [a.name for a in arguments(function) if not a.optional and not a.starred]


@lru_cache(maxsize=1024)
def roles_of(name: str) -> tuple[str, ...]:
    """Every role that an argument of this name may play, likeliest first.

    >>> [roles_of(name) for name in ("dout", "A_prev", "learning_rate", "y_hat")]
    [('upstream',), ('x',), ('rate',), ('outputs',)]
    """
    return tuple(role for role, pattern in ROLES.items() if re.fullmatch(pattern, name, re.IGNORECASE))


def first_role(name: str) -> str:
    """The likeliest role of an argument of this name, or ""."""
    return next(iter(roles_of(name)), "")


def call(
    function: Function, values: Mapping[str, Any], order: Sequence[str], extra: Mapping[str, Any] | None = None
) -> Any:
    """Call the function with the values of the roles, and with `extra` values that arguments of just that name receive.

    Arguments   values  what is there, by role
                order   the roles that fill, one after the other, arguments whose names tell nothing

    >>> call(lambda y_true, y_pred: (y_true, y_pred), {"outputs": 1, "targets": 2}, ("outputs", "targets"))
    (2, 1)
    >>> call(lambda x, w: (x, w), {"x": 1}, ("x",), {"W": 3})
    (1, 3)
    """
    extra = extra or {}
    positional, by_name = _seated(arguments(function), tuple(values), tuple(order), tuple(extra))
    there = {("role", role): value for role, value in values.items()}
    there |= {("extra", name): value for name, value in extra.items()}
    given = [there[source] for source in positional]
    named = {name: there[source] for name, source in by_name.items()}
    if not callable(function):
        raise TypeError(f"expected a function, received {function!r}")  # our mistake, not the learner's
    try:
        return function(*given, **named)
    except Exception as error:
        raise LearnerError(getattr(function, "__name__", type(function).__name__), error) from error


Source = tuple[str, str]  # ("role", one of the roles) or ("extra", a name)


@lru_cache(maxsize=1024)
def _seated(
    declared: tuple[Argument, ...], roles: tuple[str, ...], order: tuple[str, ...], extra: tuple[str, ...]
) -> tuple[list[Source], dict[str, Source]]:
    """What each argument receives: those handed over by position, and those by name."""
    declared = tuple(a for a in declared if a.kind is not inspect.Parameter.VAR_KEYWORD)
    names = {a.name for a in declared}
    more = [name for name in extra if name not in names]
    chosen: dict[str, Source] = {name: ("extra", name) for name in extra if name in names}
    free = list(roles)
    # (y, t): y is the answer
    plays = {"y": ("outputs",)} if "y" in names and any(n.startswith("t") for n in names) else {}

    def take(argument: Argument, role: str) -> None:
        chosen[argument.name] = ("role", role)
        free.remove(role)

    for argument in declared:
        for role in plays.get(argument.name, roles_of(argument.name)):
            fits = role in ("train", "rate", "targets") if argument.optional else True
            if fits and role in free and argument.name not in chosen:
                take(argument, role)
    left = [role for role in order if role in free]
    for argument in declared:
        if argument.starred or argument.name in chosen or argument.optional:
            continue
        if left:
            take(argument, left.pop(0))
        elif more:
            chosen[argument.name] = ("extra", more.pop(0))
    positional: list[Source] = []
    for argument in declared:
        if argument.starred:
            positional += [*(("role", role) for role in left), *(("extra", name) for name in more)]
        elif argument.kind is not inspect.Parameter.KEYWORD_ONLY and argument.name in chosen:
            positional.append(chosen.pop(argument.name))
        elif argument.kind is not inspect.Parameter.KEYWORD_ONLY:
            break  # from the first one left to its default on, by name
    return positional, chosen
