"""Learners name and order the arguments of their functions as they like; here the values find their places.

A function is called by the names of its arguments: `dout`, `grad_output` and `delta` all mean the upstream gradient.
What no name tells is filled in by position, in the order that the caller gives.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

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


def arguments(function: Function) -> list[inspect.Parameter]:
    """The arguments of a function as they are declared; of one that cannot be asked (np.tanh) a single one."""
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return [inspect.Parameter("x", inspect.Parameter.POSITIONAL_ONLY)]


def required(function: Function) -> list[str]:
    """The names of the arguments that have no default."""
    return [
        a.name for a in arguments(function) if a.default is a.empty and a.kind not in (a.VAR_KEYWORD, a.VAR_POSITIONAL)
    ]


def roles_of(name: str) -> Iterator[str]:
    """Every role that an argument of this name may play, likeliest first.

    >>> [list(roles_of(name)) for name in ("dout", "A_prev", "learning_rate", "y_hat")]
    [['upstream'], ['x'], ['rate'], ['outputs']]
    """
    return (role for role, pattern in ROLES.items() if re.fullmatch(pattern, name, re.IGNORECASE))


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
    extra = dict(extra or {})
    declared = [a for a in arguments(function) if a.kind is not a.VAR_KEYWORD]
    names = {a.name for a in declared}
    plays = (
        {"y": ["outputs"]} if "y" in names and any(n.startswith("t") for n in names) else {}
    )  # (y, t): y is the answer
    chosen: dict[str, Any] = {}
    used: set[str] = set()

    def take(argument: inspect.Parameter, role: str) -> None:
        chosen[argument.name] = values[role]
        used.add(role)

    for argument in declared:
        if argument.name in extra:
            chosen[argument.name] = extra.pop(argument.name)
    for argument in declared:  # what must be given has the first choice among the roles
        optional = argument.default is not argument.empty
        for role in plays.get(argument.name, roles_of(argument.name)):
            fits = role in ("train", "rate", "targets") if optional else True
            if fits and role in values and role not in used and argument.name not in chosen:
                take(argument, role)
    left = [role for role in order if role in values and role not in used]
    for argument in declared:
        if argument.kind is argument.VAR_POSITIONAL or argument.name in chosen:
            continue
        if argument.default is argument.empty and left:
            take(argument, left.pop(0))
        elif argument.default is argument.empty and extra:
            chosen[argument.name] = extra.pop(next(iter(extra)))
    positional = []
    for argument in declared:
        if argument.kind is argument.VAR_POSITIONAL:
            positional += [*(values[role] for role in left), *extra.values()]
        elif argument.kind is not argument.KEYWORD_ONLY and argument.name in chosen:
            positional.append(chosen.pop(argument.name))
        elif argument.kind is not argument.KEYWORD_ONLY:
            break  # from the first one left to its default on, by name
    try:
        return function(*positional, **chosen)
    except Exception as error:
        raise LearnerError(getattr(function, "__name__", type(function).__name__), error) from error
