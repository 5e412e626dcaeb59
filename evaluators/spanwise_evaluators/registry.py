"""The evaluators that come with Spanwise, by name.

    from spanwise_evaluators import registry

    short = registry.make("length", unit="words", most=200)
    short(Sample(output="Yes."))  # Verdict(value=1.0, ...)

Every value is from 0 to 1, and 1 is always the good end: `no_pii` is 1 where nothing leaks. An evaluator's version is
its revision and, where it has parameters, a hash of them; so scores given under other parameters stay apart.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from hashlib import sha256
from importlib import import_module
from typing import Any, Final

from spanwise_evaluators.definition import Definition, Scorer
from spanwise_evaluators.model import Evaluator, Sample, Verdict
from spanwise_evaluators.parameters import EvaluatorError, ParameterError, UnfitError, read

_NAMES: Final = (
    "valid_json",
    "schema_match",
    "regex",
    "contains",
    "exact_match",
    "length",
    "language_match",
    "not_refused",
    "not_empty",
    "no_pii",
    "numbers_in_context",
    "entities_in_context",
    "groundedness",
    "citations",
    "latency_budget",
    "cost_budget",
    "tool_arguments",
)
"""In the order of the documentation. Each is the module of its name in `built_in`, imported when it is asked for."""


@dataclass(frozen=True, slots=True)
class RegistryEvaluator:
    """An evaluator of the registry, with its parameters. An `Evaluator`.

    Attributes:
        name: of the score.
        version: its revision, and a hash of the parameters where it takes any.
        kind: its name in the registry.
        parameters: all of them, plain JSON.
        reads: fields of `Sample` that it looks at.
    """

    name: str
    version: str
    kind: str
    parameters: Mapping[str, Any]
    reads: frozenset[str]
    _scorer: Scorer

    def __call__(self, sample: Sample) -> Verdict | None:
        """The verdict; None where the evaluator does not apply."""
        return self._scorer(sample)


def names() -> tuple[str, ...]:
    """Of all evaluators of the registry."""
    return _NAMES


def definition(name: str) -> Definition:
    """What an evaluator takes.

    Raises:
        EvaluatorError: there is none of this name.
    """
    if name not in _NAMES:
        near = get_close_matches(str(name), _NAMES, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise EvaluatorError(f"no evaluator is called {name!r}{hint} There are: {', '.join(_NAMES)}")
    found: Definition = import_module(f"spanwise_evaluators.built_in.{name}").DEFINITION
    return found


def make(name: str, /, *, score_name: str = "", **parameters: Any) -> RegistryEvaluator:
    """An evaluator.

    Args:
        name: in the registry.
        score_name: of the score that it gives; not given: the evaluator's own name. Two of one kind with other
            parameters need names that tell them apart.
        parameters: of this evaluator, see docs/evaluators.md.

    Raises:
        EvaluatorError: there is none of this name, or it needs a package that is not installed.
        ParameterError: a parameter is unknown, missing or cannot work.
    """
    found = definition(name)
    if not isinstance(score_name, str):
        raise ParameterError(name, "score_name", f"must be text, got {score_name!r}")
    told = _as_json(name, read(name, found.parameters, parameters))
    # A copy: who changes a schema afterwards changes nothing here.
    values = json.loads(told)
    try:
        scorer = found.prepare(**values)
    except UnfitError as error:
        raise ParameterError(name, error.parameter, str(error)) from error
    return RegistryEvaluator(score_name or name, _version(found, told), name, values, found.reads, scorer)


def resolve(what: "str | Evaluator | Callable[[Sample], Any]") -> Evaluator:
    """The evaluator meant by a name of the registry, an evaluator, or a user's own function.

    Raises:
        EvaluatorError: it is none of these.
    """
    from spanwise_evaluators.user import from_callable

    if isinstance(what, str):
        return make(what)
    if (
        callable(what)
        and isinstance(getattr(what, "name", None), str)
        and isinstance(getattr(what, "version", None), str)
    ):
        return what  # type: ignore[return-value]  # it has all that an Evaluator has
    return from_callable(what)


def _as_json(name: str, values: Mapping[str, Any]) -> str:
    try:
        return json.dumps(values, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise EvaluatorError(f"evaluator {name!r}: a parameter is no plain JSON: {error}") from error


def _version(of: Definition, parameters: str) -> str:
    return f"{of.revision}-{sha256(parameters.encode()).hexdigest()[:8]}" if of.parameters else str(of.revision)
