"""What `evals=` takes, and what an open span remembers for its evaluators.

`spanwise_evaluators` is imported only when an application names an evaluator; the others pay nothing for it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from spanwise_evaluators.model import Evaluator, Sample, UserEvaluator

Evals: TypeAlias = "Sequence[str | Evaluator | UserEvaluator]"
"""What `evals=` takes: names of the registry, evaluators, and functions of a sample."""

MAX_RETRIEVED: Final = 32
"""Retriever spans below a span whose documents its evaluators see."""


def evaluator(
    what: "str | Callable[[Sample], Any]",
    /,
    *,
    name: str | None = None,
    version: str | None = None,
    **parameters: Any,
) -> "Evaluator":
    """An evaluator for `evals=[...]`, with parameters, or with a name and a version of your own.

    Args:
        what: a name of the registry (docs/evaluators.md), or a function that takes a `Sample` and returns a number,
            True or False, a label, a `Verdict`, or None where it does not apply.
        name: of the score; by default the registry's or the function's.
        version: of a function: raise it whenever the function may score the same sample otherwise.
        parameters: of an evaluator of the registry; its version is made from them.

    Raises:
        ValueError: it cannot work; the message names the evaluator, the parameter and the remedy.
    """
    if isinstance(what, str):
        from spanwise_evaluators import registry

        if version is not None:
            raise ValueError(f"evaluator {what!r}: the registry makes its version; leave version out")
        return registry.make(what, score_name=name or "", **parameters)
    from spanwise_evaluators.user import from_callable

    if parameters:
        raise ValueError(
            f"evaluator {what!r:.80}: {', '.join(parameters)} cannot be given to a function; bind it there"
        )
    return from_callable(what, name=name, version="1" if version is None else version)


def resolved(evals: Evals) -> "tuple[Evaluator, ...]":
    """The evaluators meant.

    Raises:
        ValueError: one is unknown, lacks a parameter or cannot be called; the message names it and the remedy.
    """
    if isinstance(evals, str) or callable(evals):
        raise ValueError(f"evals must be a list; write evals=[{evals!r:.80}]")
    given: Sequence[Any] = evals
    return tuple(_remembered(one) if _is_hashable(one) else _resolve(one) for one in given)


def _is_hashable(what: object) -> bool:
    try:
        hash(what)
    except TypeError:
        return False
    return True


def _resolve(what: Any) -> "Evaluator":
    from spanwise_evaluators import registry

    return registry.resolve(what)


# `spanwise.span(..., evals=...)` asks with every call.
_remembered: Final = lru_cache(maxsize=256)(_resolve)


@dataclass(frozen=True, slots=True, eq=False)
class Watch:
    """The evaluators of a span that is open, and what has been retrieved below it.

    Attributes:
        evaluators: of the span.
        above: the nearest span above that has evaluators.
        retrieved: retriever spans that ended below it, at most `MAX_RETRIEVED`.
    """

    evaluators: "tuple[Evaluator, ...]"
    above: "Watch | None" = None
    retrieved: "list[ReadableSpan]" = field(default_factory=list)

    def saw(self, span: "ReadableSpan") -> None:
        """A retriever below has ended."""
        watch: Watch | None = self
        while watch is not None:
            if len(watch.retrieved) < MAX_RETRIEVED:
                watch.retrieved.append(span)
            watch = watch.above


@dataclass(frozen=True, slots=True)
class Job:
    """A span that has ended and what is to be said of it.

    Attributes:
        span: ended.
        evaluators: to run.
        retrieved: retriever spans below it.
        is_complete: whether its output was recorded in full; where not, evaluators that read content are left out.
    """

    span: "ReadableSpan"
    evaluators: "tuple[Evaluator, ...]"
    retrieved: "Sequence[ReadableSpan]"
    is_complete: bool


class Evaluation(Protocol):
    """Takes spans that have ended."""

    def submit(self, job: Job) -> None:
        """Have a span scored; never raises, never waits."""
