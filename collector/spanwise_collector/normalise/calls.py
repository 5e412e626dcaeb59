"""What the bodies of a model call tell: messages in one form, and fields that no attribute gave."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic_core import from_json

from spanwise_collector.normalise.bodies import preview_of
from spanwise_collector.normalise.limits import PREVIEW
from spanwise_collector.normalise.messages import Content, Side, read_content
from spanwise_collector.normalise.messages.genai import is_genai
from spanwise_collector.normalise.plan import SLOT, Plan
from spanwise_collector.normalise.readings import read_finish_reason
from spanwise_collector.normalise.values import Value, to_json, to_text

_INPUT: Final = SLOT["input"]
_OUTPUT: Final = SLOT["output"]
_SYSTEM: Final = SLOT["system_instructions"]
_TOOLS: Final = SLOT["tool_defs"]
_PARAMS: Final = SLOT["params"]
_FINISH: Final = SLOT["finish_reason"]
_RESPONSE_ID: Final = SLOT["response_id"]
_MODEL_REQUEST: Final = SLOT["model_request"]
_MODEL_RESPONSE: Final = SLOT["model_response"]
_STREAMING: Final = SLOT["streaming"]
_SAYS_SYSTEM: Final = re.compile(r'"role":"(?:system|developer)"')


def understand(values: list[Any], plan: Plan, raw: dict[str, str], changes: dict[int, str]) -> tuple[str, str]:
    """Read both bodies; what they tell fills the fields that have no value yet.

    Args:
        values: of the fields, in the table's order; changed in place.
        plan: of the span.
        raw: content attributes kept as sent; receives a body whose form was changed.
        changes: receives the fields that a body filled: slot to `@input` or `@output`.

    Returns:
        Previews of input and output.
    """
    previews = (
        _side(values, _INPUT, "input", plan, raw, changes),
        _side(values, _OUTPUT, "output", plan, raw, changes),
    )
    if _INPUT in plan.others:
        _told_besides(values, _INPUT, "input", plan, raw, changes)
    if _OUTPUT in plan.others:
        _told_besides(values, _OUTPUT, "output", plan, raw, changes)
    return previews


def _told_besides(
    values: list[Any], slot: int, side: Side, plan: Plan, raw: Mapping[str, str], changes: dict[int, str]
) -> None:
    """What only bodies tell that lost to a better one, such as the whole answer beside its messages."""
    for step in plan.others[slot]:
        parsed = None if step.keys else _parsed(raw.get(step.key, ""))
        found = None if parsed is None else read_content(parsed, side)
        if found is None:
            continue
        if _SAYS_SYSTEM.search(values[slot] or ""):
            found.system = None
        for filled in _fill(values, found, side):
            changes[filled] = "@" + side


def _side(values: list[Any], slot: int, side: Side, plan: Plan, raw: dict[str, str], changes: dict[int, str]) -> str:
    body: str = values[slot] or ""
    parsed = _parsed(body)
    if parsed is None:
        return body[:PREVIEW]
    if is_genai(parsed):
        if side == "output" and values[_FINISH] is None:
            _finish(values, parsed, changes)
        return preview_of(parsed, side)
    found = read_content(parsed, side)
    if found is None:
        return body[:PREVIEW]
    for filled in _fill(values, found, side):
        changes[filled] = "@" + side
    if found.messages is None:
        return body[:PREVIEW]
    if not found.as_sent:
        _keep(slot, body, plan, raw)
        values[slot] = to_json(list(found.messages))
    return preview_of(list(found.messages), side) if found.messages else ""


def _parsed(body: str) -> Any:
    """A body's JSON list or object; None for anything else."""
    if body[:1] in ("[", "{"):
        try:
            return from_json(body)
        except ValueError:
            return None
    return None


def _finish(values: list[Any], messages: list[Any], changes: dict[int, str]) -> None:
    """The first message's finish reason, where no attribute has one."""
    reason = messages[0].get("finish_reason")
    if reason:
        values[_FINISH] = read_finish_reason(reason)
        changes[_FINISH] = "@output"


def _keep(slot: int, body: str, plan: Plan, raw: dict[str, str]) -> None:
    for at, key, _ in plan.steps:
        if at == slot:
            raw.setdefault(key, body)


def _fill(values: list[Any], found: Content, side: Side) -> Iterator[int]:
    """Fill the fields that only a body tells; yields their slots."""
    model = _MODEL_REQUEST if side == "input" else _MODEL_RESPONSE
    told: tuple[tuple[int, Value], ...] = (
        (_SYSTEM, to_text(found.system) if found.system else None),
        (_TOOLS, to_text(found.tools) if found.tools else None),
        (_PARAMS, found.params or None),
        (_STREAMING, True if found.params.get("stream") is True else None),
        (model, found.model or None),
        (_FINISH, read_finish_reason(found.finish_reason) if found.finish_reason else None),
        (_RESPONSE_ID, found.response_id or None),
        *((SLOT[field], count) for field, count in found.counts.items()),
    )
    for slot, value in told:
        if value is not None and (values[slot] is None or _says_more(slot, value, values)):
            values[slot] = value
            yield slot


def _says_more(slot: int, value: Value, values: list[Any]) -> bool:
    """Whether an answer names its model where an attribute only repeats the one asked for."""
    return slot == _MODEL_RESPONSE and value != values[slot] == values[_MODEL_REQUEST]
