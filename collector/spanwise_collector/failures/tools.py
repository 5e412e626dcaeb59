"""Tool calls against the tools that were offered.

Definitions are those of OpenAI (chat and responses), Anthropic, Gemini, Bedrock and the Vercel AI SDK.
"""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from pydantic_core import from_json

from spanwise_collector.failures.asked import MAX_TEXT, parsed
from spanwise_collector.failures.failure import Found
from spanwise_collector.normalise.values import Value
from spanwise_evaluators.reading.json_schema import Violation, explained, violation
from spanwise_evaluators.reading.short import short

MAX_CALLS: Final = 32
"""Calls of one answer that are looked at."""
_CLOSE: Final = 0.6
_SCHEMAS: Final = ("parameters", "input_schema", "inputSchema", "parameters_json_schema", "parametersJsonSchema")
_LISTS: Final = ("function_declarations", "functionDeclarations", "tools")
_WRAPPERS: Final = ("function", "toolSpec", "tool_spec", "json_schema")


def offered(tool_defs: str) -> Mapping[str, object] | None:
    """Names of the tools offered, with the schemas of their arguments (None where a tool has none).

    Args:
        tool_defs: as stored.

    Returns:
        None where not every definition can be read: then nothing is known of a name that is not among the others.
    """
    return _offered(tool_defs) if len(tool_defs) <= MAX_TEXT else None


@lru_cache(maxsize=128)
def _offered(tool_defs: str) -> Mapping[str, object] | None:
    told = parsed(tool_defs)
    found: dict[str, object] = {}
    for one in _listed(told):
        name, schema = _definition(one)
        if not name:
            return None
        found[name] = schema
    return MappingProxyType(found) if found else None


def _listed(told: Value) -> Iterable[Value]:
    """The definitions, out of the lists that some APIs put around them."""
    for one in told if isinstance(told, list) else [told]:
        value = parsed(one) if isinstance(one, str) else one
        inner = (
            next((value[key] for key in _LISTS if isinstance(value.get(key), list)), None)
            if isinstance(value, dict)
            else None
        )
        if isinstance(inner, list):
            yield from inner
        else:
            yield value


def _definition(one: Value) -> tuple[str, object]:
    if not isinstance(one, dict):
        return "", None
    inside = next((one[key] for key in _WRAPPERS if isinstance(one.get(key), dict)), one)
    found: dict[str, Any] = inside if isinstance(inside, dict) else one
    name = found.get("name")
    schema = next((found[key] for key in _SCHEMAS if found.get(key)), None)
    if isinstance(schema, str):
        schema = parsed(schema)
    if isinstance(schema, dict):
        schema = next((schema[key] for key in ("json", "jsonSchema") if isinstance(schema.get(key), dict)), schema)
    return name if isinstance(name, str) else "", schema


def call_failure(parts: Sequence[Value], tool_defs: str) -> Found | None:
    """The first call in an answer that does not fit what was offered.

    Args:
        parts: of the answer, in the one form.
        tool_defs: tools offered, as stored.
    """
    calls = [part for part in parts if isinstance(part, dict) and part.get("type") == "tool_call"]
    tools = offered(tool_defs) if calls else None
    if tools is None:
        return None
    for call in calls[:MAX_CALLS]:
        name = call.get("name")
        if not isinstance(name, str) or not name:
            continue
        if name not in tools:
            return unknown_tool(name, list(tools))
        found = _arguments_failure(name, call.get("arguments"), tools[name])
        if found is not None:
            return found
    return None


def unknown_tool(name: str, known: Sequence[str]) -> Found:
    """A call of a tool that was not offered, with the closest one that was."""
    near = get_close_matches(name[:256], sorted(known), 1, _CLOSE)
    closest = f"; the closest one is {short(near[0])}" if near else ""
    return Found("hallucinated_tool", "", f"Called {short(name)}, which was not offered{closest}", (name,))


def _arguments_failure(name: str, arguments: Value, schema: object) -> Found | None:
    try:
        given: Value = from_json(arguments) if isinstance(arguments, str) and arguments.strip() else arguments
    except ValueError:
        return Found("wrong_arguments", "not_json", f"Arguments of {short(name)} are not JSON", (name, "not_json"))
    wrong = violation(schema, given or {})
    if wrong is None:
        return None
    title = f"Arguments of {short(name)} do not fit: {explained(wrong)}"
    return Found("wrong_arguments", "", title, (name, wrong.path, wrong.keyword, _named(wrong)))


def _named(wrong: Violation) -> str:
    """The detail where the schema gives it; the name of a member too much comes from the model and varies."""
    return "" if wrong.keyword == "additionalProperties" else wrong.detail
