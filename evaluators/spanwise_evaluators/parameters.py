"""Parameters of evaluators: what each takes, and errors that say what to do.

A parameter's value is plain JSON (text, number, true or false, lists and objects of these), so that it can come from
a configuration file as well as from code, and so that an evaluator's version can be made from it.
"""

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final


class EvaluatorError(ValueError):
    """An evaluator cannot be made; the message names it and the remedy."""


class ParameterError(EvaluatorError):
    """A parameter's value can never work; the message names the evaluator, the parameter and the remedy."""

    def __init__(self, evaluator: str, parameter: str, problem: str) -> None:
        super().__init__(f"evaluator {evaluator!r}: parameter {parameter!r} {problem}")


class UnfitError(ValueError):
    """Raised by an evaluator's own code for parameters that do not go together.

    Args:
        parameter: its name.
        problem: what is wrong and what to do; it goes on after the name.
    """

    def __init__(self, parameter: str, problem: str) -> None:
        super().__init__(problem)
        self.parameter = parameter


Reader = Callable[[Any], Any]
"""From a value as given to one as kept, plain JSON; raises ValueError with words that go on after the name."""

REQUIRED: Final = object()
"""Stands where a parameter has no default."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter.

    Attributes:
        name: as given.
        kind: what it holds, in words, for the documentation.
        about: what it means, a sentence for the documentation.
        read: checks a value.
        default: `REQUIRED` where it has to be given.
    """

    name: str
    kind: str
    about: str
    read: Reader
    default: Any = REQUIRED


def read(evaluator: str, parameters: Collection[Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters of an evaluator, with defaults where none is given.

    Raises:
        ParameterError: one is unknown, missing or cannot work.
    """
    known = {one.name: one for one in parameters}
    for name in given:
        if name not in known:
            choice = f"use {_listed(known)}" if known else "it takes none"
            raise ParameterError(evaluator, name, f"is unknown; {choice}")
    found = {}
    for name, one in known.items():
        # None where there may be none, such as the null of a configuration file.
        if name in given and not (given[name] is None and one.default is None):
            try:
                found[name] = one.read(given[name])
            except ValueError as error:
                raise ParameterError(evaluator, name, str(error)) from error
        elif one.default is REQUIRED:
            raise ParameterError(evaluator, name, f"is missing; give {one.kind}: {one.about}")
        else:
            found[name] = one.default
    return found


def text(name: str, about: str, default: Any = REQUIRED) -> Parameter:
    """Any text."""

    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError(f"must be text, got {_shown(value)}")
        return value

    return Parameter(name, "text", about, check, default)


def texts(name: str, about: str, default: Any = REQUIRED) -> Parameter:
    """A list of texts, none of them empty."""

    def check(value: Any) -> list[str]:
        if isinstance(value, str) or not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
            raise ValueError(f"must be a list of texts, got {_shown(value)}")
        if "" in value:
            raise ValueError("has an empty text in it, which is in every text; remove it")
        return list(value)

    return Parameter(name, "list of texts", about, check, default)


def flag(name: str, about: str, default: bool) -> Parameter:
    """True or false."""

    def check(value: Any) -> bool:
        if not isinstance(value, bool):
            raise ValueError(f"must be true or false, got {_shown(value)}")
        return value

    return Parameter(name, "true or false", about, check, default)


def choice(name: str, about: str, choices: Collection[str], default: Any = REQUIRED) -> Parameter:
    """One of some words."""

    def check(value: Any) -> str:
        if value not in choices:
            raise ValueError(f"must be one of {_listed(choices)}, got {_shown(value)}")
        return str(value)

    return Parameter(name, " or ".join(f"`{one}`" for one in choices), about, check, default)


def choices(name: str, about: str, known: Collection[str], default: Any = REQUIRED) -> Parameter:
    """A list of some words."""

    def check(value: Any) -> list[str]:
        if isinstance(value, str) or not isinstance(value, list | tuple):
            raise ValueError(f"must be a list out of {_listed(known)}, got {_shown(value)}")
        for one in value:
            if one not in known:
                raise ValueError(f"has {_shown(one)} in it; use {_listed(known)}")
        return [one for one in known if one in value]

    return Parameter(name, "list out of " + ", ".join(f"`{one}`" for one in known), about, check, default)


def whole(name: str, about: str, default: Any = REQUIRED, *, least: int = 0) -> Parameter:
    """A whole number of at least so much."""

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(f"must be a whole number of at least {least}, got {_shown(value)}")
        return value

    return Parameter(name, "whole number", about, check, default)


def number(
    name: str, about: str, default: Any = REQUIRED, *, above: float = -math.inf, most: float = math.inf
) -> Parameter:
    """A finite number above a bound and not over another."""

    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError(f"must be a number, got {_shown(value)}")
        if not above < value <= most:
            limits = f"above {above:g}" + ("" if most == math.inf else f" and at most {most:g}")
            raise ValueError(f"must be {limits}, got {_shown(value)}")
        # 2.0 and 2 are one value, and have to make one version.
        return int(value) if float(value).is_integer() else value

    return Parameter(name, "number", about, check, default)


def pattern(name: str, about: str, default: Any = REQUIRED) -> Parameter:
    """A regular expression of Python's `re`."""

    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError(f"must be a regular expression as text, got {_shown(value)}")
        try:
            re.compile(value)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"is no regular expression of Python's re: {error}; got {_shown(value)}") from error
        return value

    return Parameter(name, "regular expression", about, check, default)


def schema(name: str, about: str, default: Any = REQUIRED) -> Parameter:
    """A JSON Schema."""

    def check(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict) or not value:
            raise ValueError(f"must be a JSON Schema, an object such as {{'type': 'object'}}, got {_shown(value)}")
        return value

    return Parameter(name, "JSON Schema", about, check, default)


def _listed(names: Collection[str]) -> str:
    return ", ".join(names)


def _shown(value: object) -> str:
    found = repr(value)
    return found if len(found) <= 80 else found[:79] + "…"
