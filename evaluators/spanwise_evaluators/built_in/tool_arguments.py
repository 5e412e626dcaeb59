"""Share of the answer's tool calls whose arguments fit the tool's schema.

The label says what is wrong with the first that does not: `unknown_tool` (it was not offered), `not_json`, or the
schema's keyword that is not fulfilled; the explanation says where. Which keywords are judged is told under
`schema_match`. Does not apply to answers without tool calls, and where the tools that were offered are not known.
"""

from collections.abc import Mapping
from typing import Any, Final

from spanwise_evaluators.definition import Definition
from spanwise_evaluators.model import Sample, ToolCall, Verdict
from spanwise_evaluators.reading.json_answers import read_json
from spanwise_evaluators.reading.json_schema import explained, violation
from spanwise_evaluators.reading.short import short

MAX_CALLS: Final = 32
"""Calls of one answer that are looked at."""


def tool_arguments(sample: Sample) -> Verdict | None:
    """How many calls fit."""
    if not sample.tool_calls or not sample.tools:
        return None
    calls = sample.tool_calls[:MAX_CALLS]
    found = [_problem(call, sample.tools) for call in calls]
    problems = [one for one in found if one is not None]
    if not problems:
        return Verdict(1.0)
    label, told = problems[0]
    return Verdict(1 - len(problems) / len(calls), label, told)


def _problem(call: ToolCall, tools: Mapping[str, Mapping[str, Any]]) -> tuple[str, str] | None:
    if call.name not in tools:
        return "unknown_tool", f"{short(call.name)} was not offered"
    try:
        given = read_json(call.arguments) if call.arguments.strip() else {}
    except ValueError:
        return "not_json", f"arguments of {short(call.name)} are not JSON"
    # Some providers write null for no arguments.
    wrong = violation(dict(tools[call.name]), {} if given is None else given)
    return None if wrong is None else (wrong.keyword, f"{short(call.name)}: {explained(wrong)}")


DEFINITION: Final = Definition(
    name="tool_arguments", revision=1, reads=frozenset({"tool_calls", "tools"}), prepare=lambda: tool_arguments
)
