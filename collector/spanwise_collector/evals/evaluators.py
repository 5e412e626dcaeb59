"""Evaluators without a model, by their names in the registry or as callables of the user's own."""

import hashlib
import importlib
import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from spanwise_evaluators import registry
from spanwise_evaluators.model import Evaluator
from spanwise_evaluators.parameters import EvaluatorError
from spanwise_evaluators.user import from_callable


def make_evaluator(named: str, parameters: Mapping[str, Any]) -> Evaluator:
    """An evaluator.

    Args:
        named: in the registry; with a colon, a callable that can be imported: `package.module:function`.
        parameters: of the evaluator.

    Raises:
        EvaluatorError: there is none, or it does not take its parameters; the message says which.
    """
    return _imported(named, parameters) if ":" in named else registry.make(named, **parameters)


def _imported(named: str, parameters: Mapping[str, Any]) -> Evaluator:
    module, _, name = named.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise EvaluatorError(f"{named} cannot be imported ({error}); is its folder in PYTHONPATH?") from error
    if not callable(function):
        raise EvaluatorError(f"{named} is no function")
    return from_callable(partial(function, **parameters), name=name, version=_version(function, parameters))


def _version(function: Callable[..., Any], parameters: Mapping[str, Any]) -> str:
    """12 hex digits that change with the function's source and its parameters."""
    try:
        source = inspect.getsource(function)
    except (OSError, TypeError):
        source = repr(function)
    return hashlib.sha256(f"{source}\0{sorted(parameters.items())!r}".encode()).hexdigest()[:12]
