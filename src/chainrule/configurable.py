"""A thing is described by the code that makes it: constructor arguments, kept as given, under their own names.

From that one rule follow `repr`, `config`, `clone`, model files and "give me the Python". Layers, losses, optimizers,
schedules, initializers and callbacks all keep it, and the tests check that they do.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, Self, TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from chainrule.errors import ConfigurationError, unknown_name

P = ParamSpec("P")
Result = TypeVar("Result")
SIGNATURES: WeakKeyDictionary[type, dict[str, inspect.Parameter]] = WeakKeyDictionary()  # slow to find out anew


def spelling(function: Callable[P, Result]) -> Callable[P, Result]:
    """The function; a keyword that it does not take is answered with the one that was meant.

    >>> spelling(lambda *, learning_rate: learning_rate)(lr=0.1)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    chainrule.errors.ConfigurationError: argument of <lambda> 'lr' is unknown. Did you mean 'learning_rate'? ...
    """

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> Result:
        try:
            return function(*args, **kwargs)
        except TypeError:
            parameters = inspect.signature(function).parameters
            unknown = [name for name in kwargs if name not in parameters]
            if not unknown or any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
                raise
        owner = type(args[0]).__name__ if function.__name__ == "__init__" else function.__name__
        raise unknown_name(f"argument of {owner}", unknown[0], [name for name in parameters if name != "self"])

    return checked


def check_call(what: str, function: Any, *arguments: str) -> None:
    """Raise ConfigurationError unless the function can be called with such arguments, one after the other.

    >>> check_call("augment", lambda x: x, "x", "rng")
    Traceback (most recent call last):
    chainrule.errors.ConfigurationError: augment must take (x, rng), but takes (x).
    """
    try:
        signature = inspect.signature(function)
    except ValueError:  # some functions of C do not tell
        return
    try:
        signature.bind(*arguments)
    except TypeError:
        raise ConfigurationError(f"{what} must take ({', '.join(arguments)}), but takes {signature}.") from None


class Spelling:
    """Base of classes whose constructors know what a misspelt argument was meant to be."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "__init__" in vars(cls):
            cls.__init__ = spelling(cls.__init__)  # type: ignore[method-assign]


class Configurable(Spelling):
    """Base of everything that can be printed as code, copied and saved by its constructor arguments.

    A method that a user's class defines anew must take what the one of its base is given.

    >>> class Doubler(Configurable):
    ...     def __init__(self, times, *, exactly=True):
    ...         self.times, self.exactly = times, exactly
    >>> Doubler(2, exactly=False)
    Doubler(2, exactly=False)
    >>> Doubler(2).config()
    {'times': 2, 'exactly': True}
    """

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if cls.__module__.startswith("chainrule."):  # mypy has seen to ours
            return
        for name, method in vars(cls).items():
            old = getattr(super(cls, cls), name, None)
            if (name[0] != "_" or name == "__call__") and inspect.isfunction(method) and inspect.isfunction(old):
                check_call(f"{cls.__name__}.{name}", method, *inspect.signature(old).parameters)

    def __init__(self) -> None:
        pass

    def config(self) -> dict[str, Any]:
        """The constructor's arguments by name, as they were given."""
        return {name: getattr(self, name) for name in _signature(type(self))}

    def clone(self) -> Self:
        """A new object made from the same arguments, with nothing that was learned or counted."""
        copies = {name: _copied(value) for name, value in self.config().items()}
        return _construct(type(self), copies)

    def __repr__(self) -> str:
        arguments, by_position = [], True
        for name, parameter in _signature(type(self)).items():
            value = getattr(self, name)
            if parameter.kind is parameter.VAR_POSITIONAL:
                arguments += [repr(item) for item in value]
                by_position = False
            elif _same(value, parameter.default):
                by_position = False
            elif by_position and parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
                arguments.append(repr(value))
            else:
                arguments.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(arguments)})"


def to_json(value: Any) -> Any:
    """The value as plain JSON data; a Configurable becomes {"type": its class name, **arguments}."""
    if isinstance(value, Configurable):
        return {"type": type(value).__name__} | {name: to_json(item) for name, item in value.config().items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise ConfigurationError(
        f"cannot write {value!r} ({type(value).__name__}) into a file: constructor arguments must be numbers, text, "
        "True, False, None, other chainrule objects, or lists of these."
    )


def from_json(data: Any, known: Mapping[str, type[Configurable]]) -> Any:
    """The object that `to_json` described. Only classes in `known` are made; nothing is ever imported by name."""
    if isinstance(data, list):
        return tuple(from_json(item, known) for item in data)
    if not isinstance(data, dict):
        return data
    arguments = {name: from_json(item, known) for name, item in data.items()}
    name = arguments.pop("type", None)
    if name not in known:
        raise unknown_name("class", name, known)
    try:
        return _construct(known[name], dict(arguments))
    except TypeError as error:
        raise ConfigurationError(f"{name} cannot be made from {arguments}: {error}") from error


def by_name(kind: str, value: Any, table: Mapping[str, type[Configurable]], base: type[Configurable]) -> Any:
    """`value`, an object of class `base`; for a name such as "adam" a new object of that class with its defaults."""
    if isinstance(value, str):
        if value.lower() not in table:
            raise unknown_name(kind, value, table)
        return table[value.lower()]()
    if not isinstance(value, base):
        example = next(iter(table.values())).__name__
        raise ConfigurationError(
            f"{kind}: expected an object such as {example}() or its name {next(iter(table))!r}, received {value!r}."
            + (" Add brackets to make an object of the class." if isinstance(value, type) else "")
        )
    return value


def number(owner: str, name: str, value: Any, interval: str, *, whole: bool = False) -> Any:
    """`value`, a number in the interval (written as in mathematics); a NumPy scalar becomes a plain number.

    >>> number("Dropout", "probability", 1.0, "[0, 1)")
    Traceback (most recent call last):
    chainrule.errors.ConfigurationError: Dropout: probability must be a number in [0, 1), received 1.0.
    """
    if isinstance(value, np.generic):
        value = value.item()  # float32_array * np.float64(2) would be float64
    low, high = (float(end) for end in interval[1:-1].split(","))
    if (
        isinstance(value, bool)
        or not isinstance(value, int if whole else (int, float))
        or not (low <= value if interval[0] == "[" else low < value)
        or not (value <= high if interval[-1] == "]" else value < high)
    ):
        kind = "a whole number" if whole else "a number"
        raise ConfigurationError(f"{owner}: {name} must be {kind} in {interval}, received {value!r}.")
    return value


def _signature(cls: type) -> dict[str, inspect.Parameter]:
    if cls not in SIGNATURES:
        SIGNATURES[cls] = dict(inspect.signature(cls).parameters)
    return SIGNATURES[cls]


def _construct(cls: type[Any], arguments: dict[str, Any]) -> Any:
    positional: list[Any] = []
    for name, parameter in _signature(cls).items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional = list(arguments.pop(name, ()))
    return cls(*positional, **arguments)


def _copied(value: Any) -> Any:
    if isinstance(value, Configurable):
        return value.clone()
    return type(value)(_copied(item) for item in value) if type(value) in (list, tuple) else value


def _same(value: Any, default: Any) -> bool:
    return value is default or (type(value) is type(default) and repr(value) == repr(default))
