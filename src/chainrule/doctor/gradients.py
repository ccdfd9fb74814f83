"""The gradient doctor: is a hand-written backward right, and if it is not, which mistake is it?"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.doctor.examining.binding import LearnerError, call, required
from chainrule.doctor.examining.evidence import Evidence, examine
from chainrule.doctor.examining.following_loss import as_read
from chainrule.doctor.examining.functions import from_arrays, from_functions
from chainrule.doctor.examining.intake import is_object
from chainrule.doctor.examining.objects import from_object
from chainrule.doctor.examining.ours import from_ours
from chainrule.doctor.examining.patients import Patient
from chainrule.doctor.naming import symptoms, wrong_forwards
from chainrule.doctor.naming.diagnosis import acquit, chain_of, diagnose
from chainrule.doctor.naming.recognising import rows_of
from chainrule.doctor.report import WRONG, Report
from chainrule.doctor.writing import written
from chainrule.errors import ConfigurationError
from chainrule.layers import Layer
from chainrule.losses import Loss
from chainrule.network import Network


def gradients(
    subject: Any,
    backward: Any = None,
    *,
    x: Any = None,
    y: Any = None,
    parameters: Mapping[str, Any] | None = None,
    analytic: Mapping[str, Any] | None = None,
    loss: Any = None,
    examples: str | None = None,
    train: bool = True,
    seed: int = 0,
    show: bool = True,
) -> Report:
    """Compare hand-written gradients with numerical ones, and name the mistake if they differ.

    Arguments   subject     an object with forward and backward (a layer, a loss, a network), or a forward function
                backward    the backward (or slope) function that belongs to a forward function
                x, y        a small batch of inputs and, for losses and networks, the targets
                parameters  arrays that a forward function takes by name
                analytic    gradients computed elsewhere, by the names of `parameters`, of which subject is a function
                loss        of a network: a function of (outputs, targets), or an object with forward and backward; the
                            library's cross-entropy reads rows of outputs that sum to 1 as probabilities
                examples    "rows" or "columns"; found from the shapes if not given
                train       pass this to code that has a training flag (default True)
                seed        of all random numbers, those of the learner's code included (default 0)
                show        print the report (default True)
    Returns     a Report: verdict, passed, causes, warnings, rows; str(report) is what is printed
    Raises      ConfigurationError for a subject that cannot be examined

    The learner's code runs on copies, with chance held still. Three to eleven examples are enough, and prime numbers of
    examples, features and outputs are best: a ratio then tells where it comes from.

    >>> def forward(x, W, b):
    ...     return x @ W + b, (x, W)
    >>> def backward(dy, cache):
    ...     x, W = cache
    ...     return dy @ W.T, x.T @ dy, dy.mean(axis=0)
    >>> rng = np.random.default_rng(0)
    >>> arrays = {"W": rng.normal(size=(5, 3)), "b": np.zeros(3)}
    >>> report = gradients(forward, backward, x=rng.normal(size=(7, 5)), parameters=arrays, show=False)
    >>> report.verdict, report.causes
    ('wrong', ['mean-for-sum'])
    """
    if examples not in (None, "rows", "columns"):
        raise ConfigurationError(f"doctor.gradients: examples must be 'rows' or 'columns', received {examples!r}.")
    title = _title(subject)
    try:
        make = _maker(subject, backward, x, y, parameters, analytic, loss, train, seed)
        read = as_read(loss, lambda: make().run()[0])
        if read is not loss:
            make = _maker(subject, backward, x, y, parameters, analytic, read, train, seed)
        report = _examined(make, title, x, y, examples)
        if read is not loss:
            seen = [*filter(None, [report.seen]), f"{read!r}, as every row of the outputs sums to 1"]
            report = replace(report, seen="; ".join(seen))
    except LearnerError as error:
        report = _raised(title, error, y)
    if show:
        print(report)
    return report


def _maker(
    subject: Any, backward: Any, x: Any, y: Any, parameters: Any, analytic: Any, loss: Any, train: bool, seed: int
) -> Callable[..., Patient]:
    """A function that makes the patient, anew each time; with fewer examples if it is asked to."""

    def make(x: Any = x, y: Any = y) -> Patient:
        targets = np.array(y) if y is not None else None
        if analytic is not None:
            return from_arrays(subject, dict(parameters or {}), dict(analytic), seed)
        if isinstance(subject, (Layer, Loss, Network)):
            return from_ours(subject, x, targets, loss, train, seed)
        if is_object(subject):
            return from_object(subject, x, targets, loss, train, seed)
        return from_functions(subject, backward, x, targets, parameters, loss, train, seed)

    is_function = not isinstance(subject, (Layer, Loss, Network)) and not is_object(subject)
    if is_function and not callable(subject):
        missing = [name for name in ("forward", "backward") if not hasattr(subject, name)]
        raise ConfigurationError(
            f"doctor.gradients: expected an object with forward and backward, or a forward function with its backward, "
            f"received {type(subject).__name__}, which has no {' and no '.join(missing)}."
        )
    if loss is not None and y is None:
        raise ConfigurationError("doctor.gradients: a loss was given but no targets: pass y=.")
    if is_function and backward is None and analytic is None and y is None and parameters is None:
        out = _first_forward(subject, x)
        if out is not None:
            raise ConfigurationError(
                f"doctor.gradients: {_title(subject)} has no backward: gradients(forward, backward, x=x); the "
                "derivative of an activation will do."
            )
    values = np.asarray(x if x is not None else 0.0)
    if values.dtype.kind == "f" and (not values.size or not np.isfinite(values).all()):
        raise ConfigurationError(
            f"doctor.gradients: expected x of finite numbers, at least one, received shape {values.shape} with "
            f"{np.count_nonzero(~np.isfinite(values))} that are nan or infinite."
        )
    if isinstance(subject, type):
        raise ConfigurationError(
            f"doctor.gradients: {subject.__name__} is a class: pass an object of it, {subject.__name__}(...)."
        )
    if analytic is None and x is None and parameters is None:
        raise ConfigurationError(
            "doctor.gradients: pass x, a small batch of inputs; for example x=np.random.randn(7, 5)."
        )
    return make


def _first_forward(forward: Callable[..., Any], x: Any) -> Any:
    """What a function gives for x if that is all it wants, and no pair with a cache or a gradient; else None."""
    if x is None or len(required(forward)) != 1:
        return None
    result = call(forward, {"x": np.array(x, np.float64)}, ("x",))
    return None if isinstance(result, tuple) else result


def _title(subject: Any) -> str:
    return getattr(subject, "__name__", type(subject).__name__)


def _examined(make: Callable[..., Patient], title: str, x: Any, y: Any, examples: str | None) -> Report:
    patient = make()
    arrays = patient.arrays()
    outputs = np.array(patient.run()[0], np.float64)
    patient.put(arrays)
    if not np.isfinite(outputs).all():
        bad = np.count_nonzero(~np.isfinite(outputs))
        says = f"forward gave {bad} of {outputs.size} values that are nan or infinite: nothing can be compared there"
        write = "pass x that it takes (a log wants numbers above 0, probabilities lie in 0..1), or mend the forward"
        return Report(title, "", WRONG, [], [("not-compared", says, write)])
    rows = rows_of(patient, outputs, examples)
    shared = symptoms.shared_caches(make)
    trouble = symptoms.overwritten(make)
    evidence = examine(make(), rows)
    evidence.fewer = _fewer(make, x, y, rows, evidence)
    evidence.chain = chain_of(evidence)
    acquit(evidence)
    found = diagnose(evidence)
    for symptom in (
        *symptoms.changed_weights(evidence, found),
        *symptoms.carried_over(make, evidence),
        symptoms.drawn_anew(make, evidence),
        wrong_forwards.mixes_examples(evidence),
        wrong_forwards.broadcast_targets(make, evidence),
        wrong_forwards.labels_across(make, evidence),
        wrong_forwards.unscaled_dropout(make, evidence),
        wrong_forwards.ties(make, evidence),
    ):
        if symptom is not None:
            trouble.append(symptom)
    return written(title, evidence, found, trouble, shared)


def _fewer(
    make: Callable[..., Patient], x: Any, y: Any, rows: bool, evidence: Evidence
) -> Callable[[], Evidence | None]:
    """The same examination with one example less, made when it is first asked for."""
    made: list[Evidence | None] = []

    def fewer() -> Evidence | None:
        if not made:
            made.append(None)
            less_x = np.asarray(x)[:-1] if rows else np.asarray(x)[..., :-1]
            along = y is None or not (np.ndim(y) == 2 and not rows)
            less_y = None if y is None else np.asarray(y)[:-1] if along else np.asarray(y)[..., :-1]
            try:
                if evidence.n > 1:
                    less = examine(make(less_x, less_y), rows)
                    less.chain = chain_of(less) if evidence.exact else None
                    acquit(less)
                    made[0] = less
            except (LearnerError, ValueError, IndexError):
                pass  # code that knows its batch size: then without this evidence
        return made[0]

    return fewer


def _raised(title: str, error: LearnerError, y: Any) -> Report:
    line = error.line()
    cause, says = "raised", f"{error}\n{line}" if line else str(error)
    t = np.asarray(y) if y is not None else None
    mixing = isinstance(error.error, (IndexError, ValueError, TypeError))
    write = "run it by hand with the same x to see the whole traceback"
    of_shapes = isinstance(error.error, ValueError) and re.search("matmul|broadcast|shape|dimensions", str(error.error))
    if line and of_shapes:
        write = "compare the shapes in this line: is one of its arrays to be transposed, or to be another?"
    if t is not None and mixing and t.dtype.kind in "fiu":
        one_hot = t.ndim == 2 and min(t.shape) > 1 and bool(np.isin(t, (0, 1)).all())
        if (
            one_hot
            and isinstance(error.error, (IndexError, ValueError))
            and ("ind" in str(error.error) or "broadcast" in str(error.error))
        ):
            cause, write = "labels", "this code wants integer labels, and got one-hot rows: pass y.argmax(axis=1)"
        elif t.ndim == 1 and "broadcast" in str(error.error):
            cause, write = "labels", "this code wants one-hot rows, and got integer labels: pass np.eye(K)[y]"
    return Report(title, "", WRONG, [], [(cause, says, write)])
