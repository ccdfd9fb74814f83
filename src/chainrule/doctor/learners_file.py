"""A learner's file brought to the doctor: loads it, makes the object or finds the functions, makes inputs up."""

from __future__ import annotations

import importlib.util
import inspect
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from chainrule.doctor.examining.binding import required
from chainrule.doctor.examining.intake import BACKWARDS, FORWARDS, LOSSES, is_object, method, wants
from chainrule.doctor.gradients import gradients
from chainrule.doctor.report import Report
from chainrule.errors import ConfigurationError, DataFileError

SLOPES = ("{}_derivative", "{}_prime", "{}_grad", "{}_gradient", "{}_backward", "{}_deriv", "d_{}", "d{}", "grad_{}")
# What an argument of a constructor says of the sizes, by its name.
SIZES = (
    (r".*(sizes|layers|dims|widths)$", lambda shape: [shape.features, shape.hidden, shape.outputs]),
    (r".*(hid|mid).*", lambda shape: shape.hidden),
    (r".*(out|classes|units|neurons|n_y|output).*|K", lambda shape: shape.outputs),
    (r".*(in|feat|dim|n_x|size|width).*|D|n", lambda shape: shape.features),
)


@dataclass(frozen=True)
class Shape:
    """The sizes of the batch that is made up: primes, so that a ratio tells where it comes from."""

    examples: int = 7
    features: int = 5
    hidden: int = 4
    outputs: int = 3


def load(path: Path) -> ModuleType:
    """Run a Python file as a module of its own. Its folder is where it finds its neighbours, as when it is run."""
    if not path.is_file():
        raise DataFileError(f"{path}: there is no such file. Give FILE.py:Name.")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise DataFileError(f"{path}: expected a Python file, FILE.py.")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise DataFileError(f"{path}: running it raised {type(error).__name__}: {error}") from error
    finally:
        sys.path.pop(0)
    return module


def examine_file(
    path: Path, name: str, *, backward: str | None = None, loss: str | None = None, targets: str | None = None,
    shape: Shape = Shape(), seed: int = 0,
) -> Report:  # fmt: skip
    """The report on `name` of a file: a class, an expression such as Linear(5, 3), or a function with its backward.

    Arguments   name      looked up in the file; a class is made with sizes that the names of its arguments call for
                backward  of a function; found by its name if not given (relu: relu_derivative, affine_forward:
                          affine_backward)
                loss      of a network, a name of the file; found if not given
                targets   "labels", "one-hot" or "numbers"; for losses and networks, what fits if not given
    Raises      DataFileError where the file or the name is not there; ConfigurationError where more must be said
    """
    module = load(path)
    subject = _look_up(module, path, name)
    if inspect.isclass(subject):
        subject = _make(subject, shape)
    rng = np.random.default_rng(seed)
    if not is_object(subject):
        pull = _backward_of(module, path, name, backward)
        return _functions(subject, pull, shape, rng, targets, seed)
    forward, pull = method(subject, FORWARDS) or method(subject, LOSSES), method(subject, BACKWARDS)
    is_loss = len(required(forward)) >= 2
    if is_loss:
        return _with_targets(
            subject, None, rng.dirichlet(np.full(shape.outputs, 5.0), shape.examples), shape, targets, seed
        )
    x = rng.standard_normal((shape.examples, shape.features))
    is_network = pull is None or (wants(pull, "targets") and not wants(pull, "upstream")) or loss is not None
    is_network = is_network or method(subject, LOSSES) is not None
    if not is_network:
        report = gradients(subject, x=x, seed=seed, show=False)
        if report.passed or not _losses(module):
            return report
    judge = _look_up(module, path, loss) if loss is not None else _loss_in(module, subject)
    whole = _with_targets(subject, judge() if inspect.isclass(judge) else judge, x, shape, targets, seed)
    return whole if is_network or whole.passed else report  # its backward may begin where the file's loss ends


def _look_up(module: ModuleType, path: Path, name: str) -> Any:
    """A name of the file, or an expression in its terms."""
    try:
        return eval(name, dict(vars(module)))  # the file is the user's own, and it has run already
    except NameError as error:
        known = [key for key, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__]
        raise DataFileError(f"{path}: {error}. It has: {', '.join(sorted(known)) or 'nothing'}.") from None
    except Exception as error:
        raise ConfigurationError(f"{path}: {name} raised {type(error).__name__}: {error}") from error


def _make(cls: type, shape: Shape) -> Any:
    """An object of the class, its sizes taken from the names of its arguments."""
    chosen = []
    for argument in required(cls):
        size = next((make(shape) for pattern, make in SIZES if re.fullmatch(pattern, argument, re.I)), None)
        if size is None:
            raise ConfigurationError(
                f"{cls.__name__} wants {argument!r}: write how to make it, FILE.py:'{cls.__name__}(...)'."
            )
        chosen.append(size)
    try:
        return cls(*chosen)
    except Exception as error:
        text = ", ".join(map(repr, chosen))
        raise ConfigurationError(
            f"{cls.__name__}({text}) raised {type(error).__name__}: {error}. "
            f"Write how to make it: FILE.py:'{cls.__name__}(...)'."
        ) from error


def _backward_of(module: ModuleType, path: Path, name: str, backward: str | None) -> Any:
    """The backward function that belongs to a forward function, by its name."""
    if backward is not None:
        return _look_up(module, path, backward)
    stem = re.sub(r"_?forward$", "", name)
    tried = [f"{stem}_backward".lstrip("_"), *(form.format(name) for form in SLOPES)]
    tried += ["backward"] if name == "forward" else []
    found = next((getattr(module, other) for other in tried if hasattr(module, other)), None)
    if found is None:
        raise ConfigurationError(
            f"{path}: the backward of {name} is not found. Say --backward NAME. Looked for: {', '.join(tried)}."
        )
    return found


def _functions(
    subject: Any, pull: Any, shape: Shape, rng: np.random.Generator, targets: str | None, seed: int
) -> Report:
    """A pair of functions: f and its slope, a loss and its gradient, or a forward with weights."""
    names = required(subject)
    x = rng.standard_normal((shape.examples, shape.features))
    if len(names) < 2:
        return gradients(subject, pull, x=x, seed=seed, show=False)
    if wants(subject, "targets"):
        p = rng.dirichlet(np.full(shape.outputs, 5.0), shape.examples)
        return _with_targets((subject, pull), None, p, shape, targets, seed)
    sizes = {"w": (shape.features, shape.outputs), "b": (shape.outputs,), "g": (shape.features,)}
    parameters = {name: rng.standard_normal(sizes.get(name[0].lower(), (shape.features,))) for name in names[1:]}
    return gradients(subject, pull, x=x, parameters=parameters, seed=seed, show=False)


def _loss_in(module: ModuleType, network: Any) -> Any:
    """The loss that stands in the file beside the network: its own method, or what is named like one."""
    if method(network, LOSSES) is not None:
        return None
    if not _losses(module):
        raise ConfigurationError("a network needs its loss: say --loss NAME, a function or class of the file.")
    return getattr(module, _losses(module)[0])


def _losses(module: ModuleType) -> list[str]:
    """The names of what seem to be losses."""
    names = [n for n in vars(module) if re.search(r"loss|entropy|mse|cost|error", n, re.I) and not n.startswith("_")]
    return [n for n in names if callable(getattr(module, n)) and not re.search(r"grad|prime|deriv|backward", n, re.I)]


def _with_targets(subject: Any, loss: Any, x: Any, shape: Shape, targets: str | None, seed: int) -> Report:
    """Try the kinds of targets in turn until the code takes them; what is asked for is tried alone."""
    labels = np.random.default_rng(seed + 1).integers(0, shape.outputs, shape.examples)
    labels[: shape.outputs] = np.arange(shape.outputs)
    kinds = {
        "labels": labels,
        "one-hot": np.eye(shape.outputs)[labels],
        "numbers": np.random.default_rng(seed + 2).standard_normal((shape.examples, shape.outputs)),
    }
    if targets is not None and targets not in kinds:
        raise ConfigurationError(f"targets must be one of {', '.join(kinds)}, received {targets!r}.")
    parts = subject if isinstance(subject, tuple) else (subject,)
    reports = []
    for kind in [targets] if targets else kinds:
        report = gradients(*parts, x=x, y=kinds[kind], loss=loss, seed=seed, show=False)
        if not {"raised", "labels"} & set(report.causes):
            return report
        reports.append(report)
    return reports[0]
