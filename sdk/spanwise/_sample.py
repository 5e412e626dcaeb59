"""From a finished span to the sample that evaluators take. Runs in the background."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from spanwise_evaluators.model import Document, Sample
from spanwise_evaluators.reading.bodies import answered, asked, documents_in, tool_calls_in, tools_in
from spanwise_schemas import attributes as names

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

_INPUTS: Final = (names.INPUT_MESSAGES, names.TOOL_ARGUMENTS, names.RETRIEVAL_QUERY, names.INPUT)
_OUTPUTS: Final = (names.OUTPUT_MESSAGES, names.TOOL_RESULT, names.OUTPUT)
_CONTENT: Final = frozenset({*_INPUTS, *_OUTPUTS, names.RETRIEVAL_DOCUMENTS, names.TOOL_DEFINITIONS})
_DOCUMENTS: Final = (names.RETRIEVAL_DOCUMENTS, *_OUTPUTS)


def sample_of(span: "ReadableSpan", retrieved: "Iterable[ReadableSpan]") -> Sample:
    """The sample of a span.

    Args:
        span: has ended.
        retrieved: retriever spans below it that have ended, in order.
    """
    attributes = dict(span.attributes or {})
    output = _first(attributes, _OUTPUTS)
    context = list(_documents(attributes.get(names.RETRIEVAL_DOCUMENTS)))
    for one in retrieved:
        found = dict(one.attributes or {})
        context.extend(_documents(next((found[name] for name in _DOCUMENTS if name in found), None)))
    cost = attributes.get(names.COST)
    return Sample(
        input=asked(_first(attributes, _INPUTS)),
        output=answered(output),
        context=tuple(context),
        tool_calls=tool_calls_in(output),
        tools=tools_in(_first(attributes, (names.TOOL_DEFINITIONS,))),
        latency_ms=(span.end_time - span.start_time) / 1e6 if span.start_time and span.end_time else None,
        cost_nanousd=round(cost * 1e9) if isinstance(cost, int | float) and 0 <= cost < 1e9 else None,
        attributes={name: value for name, value in attributes.items() if name not in _CONTENT},
    )


def _first(attributes: dict[str, Any], wanted: tuple[str, ...]) -> str:
    found = next((attributes[name] for name in wanted if name in attributes), "")
    return found if isinstance(found, str) else str(found)


def _documents(value: Any) -> tuple[Document, ...]:
    return documents_in(value) if isinstance(value, str) else ()
