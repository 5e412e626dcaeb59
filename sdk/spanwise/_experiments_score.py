"""Evaluators of an experiment: their names, and what they say as scores, labels and errors."""

import inspect
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from spanwise._experiments_model import ExperimentError, Item, as_text
from spanwise_evaluators import registry
from spanwise_evaluators.model import Document, Evaluator, Sample, UserEvaluator, Verdict
from spanwise_evaluators.parameters import EvaluatorError

AnyEvaluator = str | Evaluator | UserEvaluator | Callable[[Sample], Awaitable[Any]]
RESERVED: Final = ("errors", "duration_ms")
MAX_EXPLANATION: Final = 10_000


@dataclass(frozen=True, slots=True)
class Named:
    """An evaluator.

    Attributes:
        name: of its score.
        version: of the evaluator; "" where it has none.
        call: scores a sample; may return something to await.
    """

    name: str
    version: str
    call: Callable[[Sample], Any]


@dataclass(slots=True)
class Scored:
    """What evaluators said of one output."""

    scores: dict[str, float] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    explanations: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def take(self, name: str, verdict: object) -> None:
        """Write down a verdict; None is none.

        Raises:
            TypeError: it is nothing that an evaluator may return.
            ValueError: it is not a finite number.
        """
        if verdict is None:
            return
        if isinstance(verdict, Verdict):
            if verdict.explanation:
                self.explanations[name] = verdict.explanation[:MAX_EXPLANATION]
            if verdict.label:
                self.labels[name] = verdict.label
            if verdict.value is not None:
                self.take(name, verdict.value)
        elif isinstance(verdict, str):
            self.labels[name] = verdict
        elif isinstance(verdict, bool | int | float):
            if not math.isfinite(verdict):
                raise ValueError(f"{verdict} is no score")
            self.scores[name] = float(verdict)
        else:
            kind = type(verdict).__name__
            raise TypeError(f"an evaluator returns a number, True or False, a label, a Verdict or None, not {kind}")


def named(evaluators: Sequence[AnyEvaluator]) -> tuple[Named, ...]:
    """Evaluators with their names.

    Raises:
        ExperimentError: one is not in the registry, cannot be called, has no name, or two have the same.
    """
    if isinstance(evaluators, str) or callable(evaluators):
        raise ExperimentError(f"evaluators must be a list: write evaluators=[{evaluators!r:.80}].")
    found: dict[str, Named] = {}
    for given in evaluators:
        one = _of_the_registry(given) if isinstance(given, str) else given
        if not callable(one):
            raise ExperimentError(f"{one!r} is no evaluator: give a function of a Sample, or one of the registry.")
        name = getattr(one, "name", None) or getattr(one, "__name__", "")
        if not isinstance(name, str) or not name or name == "<lambda>":
            raise ExperimentError("An evaluator needs a name: write it with `def`, not as a lambda.")
        if name in RESERVED:
            raise ExperimentError(f"{name!r} is measured in every experiment; give the evaluator another name.")
        if name in found:
            raise ExperimentError(f"Two evaluators are named {name!r}; give one of them another name.")
        version = getattr(one, "version", "")
        found[name] = Named(name, version if isinstance(version, str) else "", one)
    return tuple(found.values())


def _of_the_registry(name: str) -> Evaluator:
    try:
        return registry.make(name)
    except EvaluatorError as error:
        raise ExperimentError(f"{error} Parameters are given with spanwise.evaluator({name!r}, …).") from error


def is_async(function: object) -> bool:
    """Whether calling it gives something to await."""
    kind: Any = type(function)
    return inspect.iscoroutinefunction(function) or (callable(function) and inspect.iscoroutinefunction(kind.__call__))


def sample_of(item: Item, output: Any, latency_ms: float) -> Sample:
    """What evaluators see. Documents under `context` in the item's metadata are the retrieved context."""
    return Sample(
        input=as_text(item.input),
        output=as_text(output),
        expected=None if item.expected is None else as_text(item.expected),
        context=_documents(item.metadata.get("context")),
        latency_ms=latency_ms,
        attributes=item.metadata,
    )


def _documents(value: object) -> tuple[Document, ...]:
    if isinstance(value, str):
        return (Document(value),)
    if not isinstance(value, list | tuple):
        return ()
    return tuple(
        Document(str(one.get("text", "")), str(one.get("id", ""))) if isinstance(one, Mapping) else Document(str(one))
        for one in value
    )
