"""What the bodies of a model call tell: messages in one form, and fields that no attribute gave."""

from collections.abc import Iterator
from typing import Any, Final

from spanwise_collector.normalise.messages import Content, Side, read_content
from spanwise_collector.normalise.messages.content import unwrapped
from spanwise_collector.normalise.plan import SLOT, Plan
from spanwise_collector.normalise.readings import read_finish_reason
from spanwise_collector.normalise.values import to_json, to_text

_SYSTEM: Final = SLOT["system_instructions"]
_TOOLS: Final = SLOT["tool_defs"]
_PARAMS: Final = SLOT["params"]
_FINISH: Final = SLOT["finish_reason"]
_RESPONSE_ID: Final = SLOT["response_id"]


def understand(values: list[Any], plan: Plan, raw: dict[str, str], changes: dict[int, str]) -> None:
    """Read both bodies; what they tell fills the fields that have no value yet.

    Args:
        values: of the fields, in the table's order; changed in place.
        plan: of the span.
        raw: content attributes kept as sent; receives a body whose form was changed.
        changes: receives the fields that a body filled: slot to `@input` or `@output`.
    """
    sides: tuple[tuple[Side, int], ...] = (("input", SLOT["input"]), ("output", SLOT["output"]))
    for side, slot in sides:
        body = values[slot]
        if not body:
            continue
        found = read_content(unwrapped(body), side)
        if found is None:
            continue
        if found.messages is not None and not found.as_sent:
            _keep(slot, body, plan, raw)
            values[slot] = to_json(list(found.messages))
        for filled in _fill(values, found, side):
            changes[filled] = "@" + side


def _keep(slot: int, body: str, plan: Plan, raw: dict[str, str]) -> None:
    for at, key, _ in plan.steps:
        if at == slot:
            raw.setdefault(key, body)


def _fill(values: list[Any], found: Content, side: Side) -> Iterator[int]:
    """Fill the fields that only a body tells; yields their slots."""
    model = SLOT["model_request" if side == "input" else "model_response"]
    for slot, value in (
        (_SYSTEM, to_text(found.system) if found.system else None),
        (_TOOLS, to_text(found.tools) if found.tools else None),
        (_PARAMS, found.params or None),
        (model, found.model or None),
        (_FINISH, read_finish_reason(found.finish_reason) if found.finish_reason else None),
        (_RESPONSE_ID, found.response_id or None),
        *((SLOT[field], count) for field, count in found.counts.items()),
    ):
        if values[slot] is None and value is not None:
            values[slot] = value
            yield slot
