"""What the bodies of a model call tell: messages in one form, and fields that no attribute gave."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic_core import from_json

from spanwise_collector.normalise.bodies import preview_of
from spanwise_collector.normalise.limits import MAX_COUNT, PREVIEW
from spanwise_collector.normalise.messages import (
    Content,
    Side,
    embeddings,
    litellm,
    mlflow_chunks,
    nested,
    pydantic_ai,
    read_content,
)
from spanwise_collector.normalise.messages.content import Message, text_part
from spanwise_collector.normalise.messages.genai import is_genai
from spanwise_collector.normalise.plan import SLOT, Plan, Step, assemble
from spanwise_collector.normalise.readings import read_finish_reason
from spanwise_collector.normalise.values import Value, to_json, to_text

_INPUT: Final = SLOT["input"]
_OUTPUT: Final = SLOT["output"]
_SYSTEM: Final = SLOT["system_instructions"]
_TOOLS: Final = SLOT["tool_defs"]
_PARAMS: Final = SLOT["params"]
_FINISH: Final = SLOT["finish_reason"]
_SIDES: Final[tuple[tuple[int, Side], ...]] = ((_INPUT, "input"), (_OUTPUT, "output"))
_RESPONSE_ID: Final = SLOT["response_id"]
_MODEL_REQUEST: Final = SLOT["model_request"]
_MODEL_RESPONSE: Final = SLOT["model_response"]
_STREAMING: Final = SLOT["streaming"]
_SAYS_NOTHING: Final = re.compile(r'"parts": ?\[\]')
_SPEAKERS: Final[Mapping[Side, str]] = {"input": "user", "output": "assistant"}
_SAYS_SYSTEM: Final = re.compile(r'"role":"(?:system|developer)"')


def understand(
    values: list[Any], plan: Plan, raw: dict[str, str], changes: dict[int, str]
) -> tuple[str, str, list[Any] | None]:
    """Read both bodies; what they tell fills the fields that have no value yet.

    Args:
        values: of the fields, in the table's order; changed in place.
        plan: of the span.
        raw: content attributes kept as sent; receives a body whose form was changed.
        changes: receives the fields that a body filled: slot to `@input` or `@output`.

    Returns:
        Previews of input and output, and the messages of the output; None where it has none.
    """
    preview_in, _ = _side(values, _INPUT, "input", plan, raw, changes)
    preview_out, answer = _side(values, _OUTPUT, "output", plan, raw, changes)
    if _INPUT in plan.others:
        _told_besides(values, _INPUT, "input", plan, raw, changes)
    if _OUTPUT in plan.others:
        before = values[_OUTPUT]
        _told_besides(values, _OUTPUT, "output", plan, raw, changes)
        if values[_OUTPUT] is not before:
            answer = _parsed(values[_OUTPUT] or "")
    return preview_in, preview_out, answer


def _told_besides(
    values: list[Any], slot: int, side: Side, plan: Plan, raw: dict[str, str], changes: dict[int, str]
) -> None:
    """What only bodies tell that lost to a better one, such as the whole answer beside its messages."""
    for step in plan.others[slot]:
        if step.keys:
            if side == "output":
                _output_besides(values, step, raw, changes)
            _system_besides(values, step, raw, changes)
            continue
        parsed = _parsed(raw.get(step.key, ""))
        found = None if parsed is None else read_content(parsed, side)
        if found is None:
            continue
        if _SAYS_SYSTEM.search(values[slot] or ""):
            found.system = None
        for filled in _fill(values, found, side):
            changes[filled] = "@" + side


def _output_besides(values: list[Any], step: Step, raw: dict[str, str], changes: dict[int, str]) -> None:
    """Numbered messages in place of a list of messages that say nothing: LiteLLM's tool calls."""
    body: str = values[_OUTPUT] or ""
    if step.source.reading != "indexed_messages" or not _SAYS_NOTHING.search(body):
        return
    messages = from_json(body)
    found = str(assemble(step, raw))
    if not any(one["parts"] for one in messages) and any(one["parts"] for one in from_json(found)):
        raw.setdefault(step.key.removesuffix("."), body)
        values[_OUTPUT], changes[_OUTPUT] = found, step.source.attribute


def _system_besides(values: list[Any], step: Step, raw: Mapping[str, str], changes: dict[int, str]) -> None:
    """System instructions in numbered messages that lost to a list of messages without them."""
    if step.source.reading != "indexed_messages" or values[_SYSTEM] or _SAYS_SYSTEM.search(values[step.slot] or ""):
        return
    messages = from_json(str(assemble(step, raw)))
    parts = [part for one in messages if one["role"] == "system" for part in one["parts"]]
    if parts:
        values[_SYSTEM] = to_json(parts)
        changes[_SYSTEM] = "@input"


def take_chunks(
    events: Sequence[Mapping[str, Any]], values: list[Any], plan: Plan, raw: dict[str, str], changes: dict[int, str]
) -> None:
    """Put together an answer whose pieces came as events; it says more than the output that the client made of them.

    Args:
        events: of the span, as stored.
        values: of the fields, in the table's order; changed in place.
        plan: of the span.
        raw: content attributes kept as sent; receives the output that it replaces.
        changes: receives the fields that it filled.
    """
    pieces = [one["attributes"] for one in events if one.get("name", "").startswith(mlflow_chunks.EVENT)]
    texts = [one.get(mlflow_chunks.ATTRIBUTE) for one in pieces]
    found = mlflow_chunks.answer([_parsed(text) for text in texts if isinstance(text, str)])
    if found is None:
        return
    if values[_OUTPUT]:
        _keep(_OUTPUT, values[_OUTPUT], plan, raw)
    values[_OUTPUT], changes[_OUTPUT] = to_json(found), mlflow_chunks.ATTRIBUTE
    values[_FINISH] = None


def understand_embedding(values: list[Any], plan: Plan, raw: dict[str, str], changes: dict[int, str]) -> None:
    """Read the bodies of a call for embeddings: of its input the texts remain; arguments as in `understand`."""
    for slot, side in _SIDES:
        body: str = values[slot] or ""
        parsed = _parsed(body)
        found = None if parsed is None or is_genai(parsed) else embeddings.read(parsed, side)
        if found is None:
            continue
        for filled in _fill(values, found, side):
            changes[filled] = "@" + side
        if found.texts is not None:
            _keep(slot, body, plan, raw)
            values[slot] = to_text(found.texts)


def _side(
    values: list[Any], slot: int, side: Side, plan: Plan, raw: dict[str, str], changes: dict[int, str]
) -> tuple[str, list[Any] | None]:
    """Preview and messages of a body, which is put into the one form."""
    body: str = values[slot] or ""
    parsed = _parsed(body)
    if parsed is None:
        if not body:
            return "", None
        # What goes into a model and comes out is said by someone, also where the source wrote only the words.
        said: list[Any] = [{"role": _SPEAKERS[side], "parts": [text_part(body)]}]
        values[slot] = to_json(said)
        return body[:PREVIEW], said
    if is_genai(parsed):
        opened = _mended(parsed, body, plan)
        if opened is not None:
            _keep(slot, body, plan, raw)
            values[slot] = to_json([*opened])
            parsed = opened
        if side == "output" and values[_FINISH] is None:
            _finish(values, parsed, changes)
        return preview_of(parsed, side), parsed
    found = read_content(parsed, side)
    if found is None:
        return body[:PREVIEW], None
    for filled in _fill(values, found, side):
        changes[filled] = "@" + side
    if found.messages is None:
        return body[:PREVIEW], None
    messages: list[Any] = list(found.messages)
    if not found.as_sent:
        _keep(slot, body, plan, raw)
        values[slot] = to_json(messages)
    return preview_of(messages, side) if messages else "", messages


def _mended(messages: list[Message], body: str, plan: Plan) -> list[Message] | None:
    """GenAI messages that are not quite as the conventions have them, put right; None where they are."""
    if plan.convention == "litellm":
        return litellm.mended(messages)
    found = nested.opened(messages) if "\\" in body and nested.MARK in body else None
    if found is None and pydantic_ai.is_own(messages):
        return pydantic_ai.in_standard_words(messages)
    return found


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
        *((SLOT[field], count) for field, count in found.counts.items() if count <= MAX_COUNT),
    )
    for slot, value in told:
        if value is not None and (values[slot] is None or _says_more(slot, value, values)):
            values[slot] = value
            yield slot


def _says_more(slot: int, value: Value, values: list[Any]) -> bool:
    """Whether an answer names its model where an attribute only repeats the one asked for."""
    return slot == _MODEL_RESPONSE and value != values[slot] == values[_MODEL_REQUEST]
