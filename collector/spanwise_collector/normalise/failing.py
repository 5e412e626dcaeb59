"""The columns that say how a span failed, from its values."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from spanwise_collector.failures.answers import Answer
from spanwise_collector.failures.classify import Ended, classify
from spanwise_collector.normalise.columns import Pairs
from spanwise_collector.normalise.plan import SLOT
from spanwise_collector.normalise.values import Value

FailureColumns: TypeAlias = tuple[str, str, str, int]
"""Class, finer class, title and fingerprint."""
NO_FAILURE: Final[FailureColumns] = ("", "", "", 0)
_OUTPUT: Final = SLOT["output"]
_TOOLS: Final = SLOT["tool_defs"]
_TOOL_NAME: Final = SLOT["tool_name"]
_PROVIDER: Final = SLOT["provider"]
_FINISH: Final = SLOT["finish_reason"]
_PARAMS: Final = SLOT["params"]
_FORMAT: Final = SLOT["output_format"]
_TOK_INPUT: Final = SLOT["tok_input"]
_TOK_OUTPUT: Final = SLOT["tok_output"]
_TOK_REASONING: Final = SLOT["tok_reasoning"]
_STREAMING: Final = SLOT["streaming"]
_FINGERPRINT: Final = SLOT["fingerprint"]


def failure_of_answer(
    project: str, kind: str, name: str, values: list[Any], messages: list[Any] | None
) -> FailureColumns:
    """Of a span that did not fail: what is wrong with what came out, if anything.

    Args:
        project: cleaned name.
        kind: of the span.
        name: of the span.
        values: of the fields, in the table's order.
        messages: of a model call's output, in the one form; None where it has none.
    """
    return _columns(_ended(project, kind, name, values, messages, None, (), ((), ())))


def failure_of_error(
    project: str,
    kind: str,
    name: str,
    values: list[Any],
    error: tuple[str, str],
    events: Sequence[Mapping[str, Value]],
    rest: Pairs,
) -> FailureColumns:
    """Of a span that failed.

    Args:
        project: cleaned name.
        kind: of the span.
        name: of the span.
        values: of the fields, in the table's order.
        error: type and message, each perhaps "".
        events: of the span, as stored.
        rest: attributes that fill no column.
    """
    return _columns(_ended(project, kind, name, values, None, error, events, rest))


def _columns(ended: Ended) -> FailureColumns:
    failure = classify(ended)
    if failure is None:
        return NO_FAILURE
    return failure.failure_class, failure.sub, failure.title, failure.fingerprint


def _ended(
    project: str,
    kind: str,
    name: str,
    values: list[Any],
    messages: list[Any] | None,
    error: tuple[str, str] | None,
    events: Sequence[Mapping[str, Value]],
    rest: Pairs,
) -> Ended:
    return Ended(
        project=project,
        kind=kind,
        name=name,
        has_failed=error is not None,
        tool_name=values[_TOOL_NAME] or "",
        provider=values[_PROVIDER] or "",
        error_type=error[0] if error else "",
        message=error[1] if error else "",
        events=events,
        names=rest[0],
        texts=rest[1],
        output=values[_OUTPUT] or "",
        answer=answer_of(name, values, messages) if error is None and kind == "llm" else None,
        override=values[_FINGERPRINT] or "",
    )


def answer_of(name: str, values: list[Any], messages: list[Any] | None) -> Answer:
    """What a model call asked and got; arguments as in `failure_of_answer`."""
    return Answer(
        kind="llm",
        name=name,
        finish_reason=values[_FINISH] or "",
        streaming=values[_STREAMING] or False,
        parts=messages[0]["parts"] if messages else None,
        params=values[_PARAMS],
        output_format=values[_FORMAT] or "",
        tool_defs=values[_TOOLS] or "",
        tok_input=values[_TOK_INPUT],
        tok_output=values[_TOK_OUTPUT],
        tok_reasoning=values[_TOK_REASONING],
    )
