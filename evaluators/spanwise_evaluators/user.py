"""Evaluators of users: a Python function of a sample becomes an evaluator."""

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from spanwise_evaluators.model import Sample, Verdict
from spanwise_evaluators.parameters import EvaluatorError


@dataclass(frozen=True, slots=True)
class CallableEvaluator:
    """A user's function as an `Evaluator`.

    Attributes:
        name: of the score.
        version: as the user gave it.
    """

    name: str
    version: str
    _function: Callable[[Sample], Any]

    def __call__(self, sample: Sample) -> Verdict | None:
        """The function's verdict.

        Raises:
            TypeError: the function returned what is no verdict.
            ValueError: it returned a number that is not finite.
            Exception: whatever the function raises.
        """
        return as_verdict(self._function(sample))


def from_callable(
    function: Callable[[Sample], Any], *, name: str | None = None, version: str = "1"
) -> CallableEvaluator:
    """An evaluator out of a function.

    Args:
        function: takes a `Sample` and returns a number, True or False, a label, a `Verdict`, or None where it does not
            apply.
        name: of the score; by default the function's.
        version: raise it whenever the function may score the same sample otherwise: scores of both are kept.

    Raises:
        EvaluatorError: it cannot be called with a sample, has no name, or is a coroutine function.
    """
    if not callable(function) or isinstance(function, type):
        raise EvaluatorError(
            f"an evaluator is a name of the registry, an Evaluator, or a function of a Sample; got {function!r:.80}"
        )
    found = getattr(function, "__name__", None) if name is None else name
    if not isinstance(found, str) or found in {"", "<lambda>"}:
        raise EvaluatorError(f"evaluator {function!r:.80} has no name of its own; give name=")
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None)):  # noqa: B004 - it is looked at, not called
        raise EvaluatorError(f"evaluator {found!r} is a coroutine function; give a plain function")
    if not isinstance(version, str):
        raise EvaluatorError(f"evaluator {found!r}: version must be text, got {version!r}")
    _check_takes_a_sample(function, found)
    return CallableEvaluator(found, version, function)


def _check_takes_a_sample(function: Callable[[Sample], Any], name: str) -> None:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some functions written in C have no signature
        return
    try:
        signature.bind(Sample())
    except TypeError as error:
        raise EvaluatorError(f"evaluator {name!r} must take one argument, the Sample: {error}") from error


def as_verdict(value: Any) -> Verdict | None:
    """What a user's evaluator returned, as a verdict.

    Raises:
        TypeError: it is none.
        ValueError: a number is not finite.
    """
    if value is None:
        return None
    if isinstance(value, Verdict):
        if value.value is not None:
            return Verdict(_finite(value.value), str(value.label), str(value.explanation))
        return value if value.label else None
    if isinstance(value, str):
        return Verdict(label=value)
    return Verdict(_finite(value))


def _finite(value: Any) -> float:
    # NumPy's numbers are numbers, too.
    try:
        found = float(value)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"an evaluator returns a number, True or False, a label, a Verdict or None; got {type(value).__name__}"
        ) from error
    if not math.isfinite(found):
        raise ValueError(f"an evaluator returns a finite number; got {found}")
    return found
