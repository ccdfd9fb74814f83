"""A learner's file brought to the doctor: loads it, makes the object or finds the functions, makes inputs up."""

from __future__ import annotations

import importlib.util
import inspect
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from chainrule import losses
from chainrule.doctor.examining.binding import required
from chainrule.doctor.examining.intake import BACKWARDS, FORWARDS, LOSSES, is_object, method, wants
from chainrule.doctor.gradients import gradients
from chainrule.doctor.report import Report
from chainrule.errors import ConfigurationError, DataFileError

SLOPES: tuple[str, ...] = ("{}_derivative", "{}_prime", "{}_slope", "{}_grad", "{}_gradient", "{}_backward", "{}_deriv")
SLOPES += ("d_{}", "d{}", "grad_{}")
WEIGHTS, BIASES = r"(w|weights?)\d*", r"(b|bias|biases)\d*"
# What an argument of a constructor says of the sizes, by its name.
SIZES = (
    (r"rng|generator", lambda shape: np.random.default_rng(0)),
    (r".*(sizes|layers|dims|widths)$", lambda shape: [shape.features, shape.hidden, shape.outputs]),
    (r".*(hid|mid).*|H", lambda shape: shape.hidden),
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
    sys.path.insert(0, str(path.parent.resolve()))  # for as long as this process: a forward may import, too
    sys.modules[spec.name] = module  # dataclasses ask for it there
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise DataFileError(f"{path}: running it raised {type(error).__name__}: {error}") from error
    return module


def examine_file(
    path: Path, name: str, *, backward: str | None = None, loss: str | None = None, targets: str | None = None,
    shape: Shape = Shape(), seed: int = 0,
) -> Report:  # fmt: skip
    """The report on `name` of a file: a class, an expression such as Linear(5, 3), or a function with its backward.

    Arguments   name      looked up in the file; a class is made with what the names of its arguments call for
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
    report = None
    if not is_network:
        report = gradients(subject, x=x, seed=seed, show=False)
        if report.passed or "raised" in report.causes or not _losses(module):
            return report
    judge = _loss_named(module, path, loss) if loss is not None else _loss_in(module, subject)
    whole = _with_targets(subject, _make(judge, shape) if inspect.isclass(judge) else judge, x, shape, targets, seed)
    if judge is not None and whole.title == type(subject).__name__:
        whole = replace(whole, title=f"{whole.title} with the loss {getattr(judge, '__name__', judge)}")
    return whole if report is None or whole.passed else report  # its backward may begin where the file's loss ends


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
    """An object of the class, its sizes and arrays made up by the names of its arguments."""
    names = required(cls)
    weights = [name for name in names if re.fullmatch(WEIGHTS, name, re.I)]
    biases = [name for name in names if re.fullmatch(BIASES, name, re.I)]
    made = _made_up([*weights, *biases], weights, shape, np.random.default_rng(0))
    for argument in names:
        size = next((make(shape) for pattern, make in SIZES if re.fullmatch(pattern, argument, re.I)), None)
        if size is None and argument not in made:
            raise ConfigurationError(
                f"{cls.__name__} wants {argument!r}: write how to make it, FILE.py:'{cls.__name__}(...)'."
            )
        made.setdefault(argument, size)
    try:
        return cls(*(made[name] for name in names))
    except Exception as error:
        text = ", ".join(f"{name}={'...' if np.ndim(made[name]) else repr(made[name])}" for name in names)
        raise ConfigurationError(
            f"{cls.__name__}({text}) raised {type(error).__name__}: {error}. "
            f"Write how to make it: FILE.py:'{cls.__name__}(...)'."
        ) from error


def _backward_of(module: ModuleType, path: Path, name: str, backward: str | None) -> Any:
    """The backward function that belongs to a forward function, by its name."""
    if backward is not None:
        return _look_up(module, path, backward)
    stem = re.sub(r"_?forward$", "", name)
    tried = list(dict.fromkeys([f"{stem}_backward".lstrip("_"), *(form.format(name) for form in SLOPES)]))
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
    parameters = _made_up(names[1:], [name for name in names[1:] if name[0].lower() in "wk"], shape, rng)
    report = gradients(subject, pull, x=x, parameters=parameters, seed=seed, show=False)
    if report.causes == ["raised"] and subject.__name__ in report.notes[0][1]:
        shapes = ", ".join(f"{name} {np.shape(value)}" for name, value in parameters.items())
        raise ConfigurationError(
            f"{subject.__name__} does not take the arrays that were made up, x {x.shape}, {shapes} "
            f"({report.notes[0][1].splitlines()[0]}). Use cr.doctor.gradients with your own."
        )
    return report


def _made_up(names: list[str], weights: list[str], shape: Shape, rng: np.random.Generator) -> dict[str, Any]:
    """Arrays by their names: matrices for the weights, that fit one behind the other, and vectors for the rest."""
    widths = [shape.features, *[shape.hidden] * (len(weights) - 1), shape.outputs]
    arrays, layer = {}, 0
    for name in names:
        if name in weights:
            layer = weights.index(name)
            arrays[name] = rng.standard_normal((widths[layer], widths[layer + 1]))
        else:
            number = re.search(r"\d+$", name)
            layer = min(int(number[0]) - 1, len(weights) - 1) if number and weights else layer
            arrays[name] = rng.standard_normal(widths[layer + 1] if weights else shape.features)
    return arrays


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
    return [
        n
        for n in names
        if getattr(getattr(module, n), "__module__", None) == module.__name__
        and callable(getattr(module, n))
        and not (inspect.isclass(getattr(module, n)) and issubclass(getattr(module, n), BaseException))
        and not re.search(r"grad|prime|deriv|backward", n, re.I)
    ]


def _loss_named(module: ModuleType, path: Path, name: str) -> Any:
    """A loss of the file, or one of this library's by its name."""
    return name if name not in vars(module) and name in losses.LOSSES else _look_up(module, path, name)


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
    if not targets and all("raised" in report.causes or "labels" in report.causes for report in reports):
        tried = reports[0].notes[0][1].splitlines()[0] if reports[0].notes else str(reports[0])
        paired = "" if loss is None else f" with the loss {getattr(loss, '__name__', type(loss).__name__)}"
        raise ConfigurationError(
            f"no kind of targets could be made up that this code takes{paired} ({tried}). Say --targets or --loss, or "
            "use cr.doctor.gradients with your own x and y."
        )
    return reports[0]
