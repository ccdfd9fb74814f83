"""How a learner's forward and backward are called: which values they get, in which order, for each kind of patient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.doctor.examining.binding import LearnerError, arguments, call, first_role, required, roles_of
from chainrule.doctor.examining.patients import Patient
from chainrule.doctor.examining.places import Place
from chainrule.layers.layer import Array

Function = Callable[..., Any]

FORWARDS: tuple[str, ...] = ("forward", "__call__", "feedforward", "forward_pass", "forward_propagation")
FORWARDS += ("predict_proba", "predict", "fwd", "call", "compute", "activate", "apply")
BACKWARDS: tuple[str, ...] = ("backward", "backprop", "backpropagation", "backpropagate", "backward_pass", "bwd")
BACKWARDS += ("backward_propagation", "gradient", "gradients", "compute_gradients", "grad", "grads")
BACKWARDS += ("derivative", "prime", "deriv")
LOSSES: tuple[str, ...] = ("compute_loss", "loss", "cost", "compute_cost", "cross_entropy_loss", "cross_entropy")
LOSSES += ("mse_loss", "mse", "loss_fn", "get_loss", "calc_loss", "criterion", "objective", "error")
OUTPUT_WORDS = ("a", "y", "out", "output", "outputs", "s", "activation", "activations", "fx", "fz")
TRAIN_FLAGS = ("train", "training", "is_train", "is_training", "train_flg", "train_flag")
RATE = 1.0  # handed to a backward that updates at once: (before - after) / RATE is its gradient

# What the unnamed arguments of a forward are, and of a backward, one after the other. A "loss" judges outputs; an
# "objective" runs from x to the loss; a "network" runs from x to outputs, and its loss follows.
FORWARD_ORDER = {
    "layer": ("x",),
    "slope": ("x",),
    "network": ("x",),
    "loss": ("outputs", "targets"),
    "objective": ("x", "targets"),
}
BACKWARD_ORDER = {
    "layer": ("upstream", "cache", "x"),
    "slope": ("x",),
    "network": ("x", "targets", "cache"),
    "loss": ("outputs", "targets", "cache"),
    "objective": ("cache", "x", "targets"),
}


def method(thing: Any, names: tuple[str, ...]) -> Any:
    """The first of these methods that an object has."""
    return next((getattr(thing, name) for name in names if callable(getattr(thing, name, None))), None)


def is_object(subject: Any) -> bool:
    """Is it an object with a forward and a backward (or a loss that gives both), rather than a function?"""
    if subject is None or isinstance(subject, type) or hasattr(subject, "__code__"):
        return False
    both = method(subject, FORWARDS) is not None and method(subject, BACKWARDS) is not None
    return both or (method(subject, LOSSES) is not None and not hasattr(subject, "forward"))


def split(result: Any) -> tuple[Any, Any]:
    """What a forward returned, as (outputs, cache): the first part of a tuple or list, and the rest."""
    if isinstance(result, (tuple, list)) and len(result) >= 2 and not np.isscalar(result[-1]):
        return result[0], result[1] if len(result) == 2 else tuple(result[1:])
    return result, None


def wants(function: Function, role: str) -> bool:
    """Has the function an argument whose name says this role first of all?"""
    return any(first_role(name) == role for name in required(function))


def slope_of(backward: Function, x: Any) -> str | None:
    """Is `backward` f'(x) rather than a backward with an upstream gradient? "x" or "outputs": what it is to be given.

    Its one argument's name tells, or else whether twice the argument gives twice the answer.
    """
    needed = required(backward)
    roles = roles_of(needed[0]) if len(needed) == 1 else ("upstream",)
    if "upstream" in roles or "cache" in roles:
        return None
    if needed[0].lower() in OUTPUT_WORDS:
        return "outputs"
    if "x" in roles:
        return "x"
    v = np.random.default_rng(0).standard_normal(np.shape(x))
    try:
        one, two = (np.asarray(backward(k * v), np.float64) for k in (1.0, 2.0))
    except Exception:  # it is no function of an array alone
        return None
    return None if one.shape != v.shape or np.allclose(two, 2 * one) else "x"


def flags(function: Function, train: bool) -> dict[str, Any]:
    """The training flag, as this function wants it."""
    names = {a.name for a in arguments(function)}
    given: dict[str, Any] = {name: train for name in TRAIN_FLAGS if name in names}
    return given | ({"mode": "train" if train else "test"} if "mode" in names else {})


def as_input(x: Any) -> Any:
    """The learner's input as a float64 array of our own, where it is one of numbers."""
    array = np.asarray(x)
    return np.array(array, np.float64) if array.dtype.kind in "fiub" else x


def assemble(
    title: str,
    kind: str,
    forward: Function,
    backward: Function,
    x: Any,
    y: Any,
    gather: Callable[[Patient, Any], dict[str, Any]],
    *,
    table: dict[str, Any] | None = None,
    thing: Any = None,
    judge: Callable[[Any], float] | None = None,
    loss_slope: Callable[[Any], Any] | None = None,
    before_forward: Callable[[bool], None] = lambda train: None,
    train: bool = True,
    seed: int = 0,
) -> Patient:
    """A patient of a forward and a backward.

    Arguments   kind    of the patient, or "objective": a loss as a function of x
                gather  takes what backward returned, and gives the gradients by name
                table   parameters that the functions take, by their names or all in one dict
    """
    held = {"x": as_input(x)}
    table = table or {}
    one_dict = bool(table) and not any(a.name in table for a in arguments(forward))
    slope: str | None = None
    one = len(required(backward)) < 2 and not wants(backward, "targets")
    takes_upstream = one or (wants(backward, "upstream") and not wants(backward, "targets"))

    def run(now: bool = train) -> tuple[Any, Any]:
        before_forward(now)
        values = {"x": held["x"]}
        if kind == "loss":
            values["outputs"] = held["x"]
        if kind in ("loss", "objective"):
            values["targets"] = y
        if one_dict:
            values["parameters"] = table
        order = (*FORWARD_ORDER[kind], "parameters")
        values = {role: value for role, value in values.items() if value is not None}
        return split(call(forward, values, order, flags(forward, now) | ({} if one_dict else table)))

    def pull(dy: Any, outputs: Any, cache: Any) -> dict[str, Any]:
        if slope is not None:
            result = call(backward, {"x": held["x"] if slope == "x" else outputs}, ("x",))
            return {"x": np.asarray(result, np.float64) * (1.0 if dy is None else dy)}
        given = {"upstream": dy, "cache": cache, "x": held["x"], "outputs": outputs, "targets": y, "rate": RATE}
        order = BACKWARD_ORDER[kind]
        if kind == "loss":
            given["outputs"] = held["x"]
            order = ("cache",) if cache is not None and len(required(backward)) == 1 else order
        elif kind == "layer" and cache is None:
            order = ("upstream", "x", "cache")
        elif kind == "network" and loss_slope is not None and takes_upstream:
            given["upstream"], order = loss_slope(outputs), ("upstream", "cache", "x")
        if one_dict or any("parameters" in roles_of(a.name) for a in arguments(backward)):
            given["parameters"] = table or None
        extra = {name: table[name] for name in table if any(a.name == name for a in arguments(backward))}
        given = {role: value for role, value in given.items() if value is not None}
        return gather(patient, call(backward, given, (*order, "parameters"), flags(backward, train) | extra))

    places = {"x": Place("x", held, "x")} if x is not None else {}
    if x is not None and np.asarray(x).dtype.kind in "iu":
        try:
            run()
        except LearnerError as error:  # an index (an embedding's) is no number to be moved
            if not isinstance(error.error, (IndexError, TypeError)):
                raise
            held["x"] = np.asarray(x)
            places = {}
    if kind == "layer" and not table:
        slope = slope_of(backward, held["x"])
    kind_told = "slope" if slope else "network" if kind == "objective" and (table or thing is not None) else kind
    patient = Patient(
        title, {"objective": "loss"}.get(kind_told, kind_told), places, run, pull, thing, y, judge, seed=seed
    )
    patient.loss_slope = loss_slope
    patient.evaluate = lambda: run(False)[0]
    patient.wants = tuple(a.name for a in arguments(backward))
    return patient


def numerical(judge: Callable[[Any], float], outputs: Any) -> Array:
    """dL/d(outputs) by differences: what a perfect loss would hand to the network."""
    moved = np.array(outputs, np.float64)
    slope = np.zeros_like(moved)
    for index in np.ndindex(moved.shape):
        kept, h = moved[index], 1e-5
        moved[index] = kept + h
        up = judge(moved)
        moved[index] = kept - h
        slope[index] = (up - judge(moved)) / (2 * h)
        moved[index] = kept
    return slope
