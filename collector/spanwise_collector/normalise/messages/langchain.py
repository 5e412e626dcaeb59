"""LangChain's messages, requests and results, in each way in which `langchain_core` writes them as JSON.

`dumps` of an object gives `{"lc": 1, "type": "constructor", "id": [..., "HumanMessage"], "kwargs": {...}}`,
`message_to_dict` gives `{"type": "human", "data": {...}}`, a model's own dump has `{"type": "human", "content": ...}`.
"""

from typing import Final

from spanwise_collector.normalise.messages import anthropic, openai
from spanwise_collector.normalise.messages.content import (
    Content,
    Message,
    Part,
    Side,
    call_part,
    member,
    response_part,
    text_member,
    text_part,
    token_counts,
)
from spanwise_collector.normalise.values import Value

_ROLES: Final = {
    "human": "user",
    "HumanMessage": "user",
    "HumanMessageChunk": "user",
    "ai": "assistant",
    "AIMessage": "assistant",
    "AIMessageChunk": "assistant",
    "system": "system",
    "SystemMessage": "system",
    "SystemMessageChunk": "system",
    "tool": "tool",
    "ToolMessage": "tool",
    "ToolMessageChunk": "tool",
    "function": "tool",
    "FunctionMessage": "tool",
}
"""A message's type, or the name of its class, to its author's role."""
_COUNTS: Final = {
    "tok_input": ("input_tokens",),
    "tok_output": ("output_tokens",),
    "tok_cache_read": ("input_token_details", "cache_read"),
    "tok_cache_write": ("input_token_details", "cache_creation"),
    "tok_cache_write_1h": ("input_token_details", "ephemeral_1h_input_tokens"),
    "tok_reasoning": ("output_token_details", "reasoning"),
}
"""Members of `usage_metadata`, which counts cached tokens and reasoning inside, whoever the provider is."""


def read(body: Value, side: Side) -> Content | None:
    """A list of messages, a request, a result (`LLMResult`), or one message."""
    if isinstance(body, dict):
        if isinstance(body.get("generations"), list):
            return _result(body)
        if isinstance(body.get("messages"), list):
            return _listed(_flat(body["messages"]), side)
    return _listed(_flat(body), side)


def message(fields: dict[str, Value], role: str) -> Message:
    """A message by its fields.

    Args:
        fields: of the message's class in `langchain_core.messages`.
        role: of its author.
    """
    content = fields.get("content")
    if role == "tool":
        return {"role": role, "parts": [response_part(fields.get("tool_call_id"), content)]}
    blocks = content if isinstance(content, list) else [content] if content else []
    parts: list[Value] = [_part(one) for one in blocks]
    known = {text_member(one, "id") for one in parts if isinstance(one, dict) and one.get("type") == "tool_call"}
    calls = fields.get("tool_calls")
    parts += [
        call_part(one.get("id"), one.get("name"), one.get("args"))
        for one in (calls if isinstance(calls, list) else [])
        if isinstance(one, dict) and text_member(one, "id") not in known
    ]
    return {"role": role, "parts": parts}


def _flat(found: Value) -> list[Value]:
    """A request's messages; a batch of one comes as a list in a list."""
    if isinstance(found, list) and len(found) == 1 and isinstance(found[0], list):
        return found[0]
    return found if isinstance(found, list) else [found]


def _listed(found: list[Value], side: Side) -> Content | None:
    known: list[tuple[dict[str, Value], str]] = []
    for one in found:
        read_one = _fields(one)
        if read_one is None:
            return None
        known.append(read_one)
    if not known:
        return None
    made = Content(messages=[message(fields, role) for fields, role in known])
    if side == "output":
        _tell(made, known[-1][0])
    return made


def _fields(found: Value) -> tuple[dict[str, Value], str] | None:
    """Fields and role of a message in any of its forms; None when it is none."""
    if not isinstance(found, dict):
        return None
    inner: Value = found
    name = text_member(found, "type")
    if name == "constructor":
        path = found.get("id")
        name, inner = str(path[-1]) if isinstance(path, list) and path else "", found.get("kwargs")
    elif isinstance(found.get("data"), dict):
        inner = found["data"]
    role = _ROLES.get(name)
    return (inner, role) if role and isinstance(inner, dict) and "content" in inner else None


def _result(body: dict[str, Value]) -> Content | None:
    """`LLMResult`: the answers, and what the provider says about them."""
    made: list[Message] = []
    told: list[dict[str, Value]] = []
    for one in _flat(body["generations"]):
        fields = _fields(member(one, "message"))
        if fields is not None:
            made.append(message(*fields))
            told.append(fields[0])
        elif isinstance(one, dict) and isinstance(one.get("text"), str):
            made.append({"role": "assistant", "parts": [text_part(one["text"])]})
    if not made:
        return None
    found = Content(messages=made)
    if told:
        _tell(found, told[0])
    _tell(found, {"response_metadata": body.get("llm_output")})
    return found


def _tell(found: Content, fields: dict[str, Value]) -> None:
    """Note what an answer says about itself, where nothing is noted yet."""
    about = fields.get("response_metadata")
    found.model = found.model or text_member(about, "model_name") or text_member(about, "model")
    found.finish_reason = found.finish_reason or next(
        (word for name in ("finish_reason", "stop_reason", "status") if (word := text_member(about, name))), ""
    )
    if not found.response_id:
        ids = (text_member(about, "id"), text_member(fields, "id"))
        # LangChain's own ids of runs are no answer's.
        found.response_id = next((one for one in ids if one and not one.startswith(("run-", "lc_run-"))), "")
    usage = token_counts(fields.get("usage_metadata"), _COUNTS)
    if not usage.get("tok_cache_write") and usage.get("tok_cache_write_1h") is not None:
        # Where lifetimes are told, `cache_creation` is 0 and the sum is to be made.
        short = member(fields, "usage_metadata", "input_token_details", "ephemeral_5m_input_tokens")
        usage["tok_cache_write"] = usage["tok_cache_write_1h"] + (short if type(short) is int else 0)
    told = member(about, "token_usage")
    counts = usage | (openai.counts(told) if isinstance(told, dict) else {}) | anthropic.counts(member(about, "usage"))
    found.counts = counts | found.counts


def _part(block: Value) -> Part:
    """A content block: LangChain's own, or the provider's as it came."""
    if not isinstance(block, dict):
        return text_part(block)
    if block.get("type") in ("tool_call", "tool_call_chunk"):
        return call_part(block.get("id"), block.get("name"), block.get("args"))
    if block.get("type") in ("image_url", "text", "input_text", "output_text"):
        return openai.part(block)
    return anthropic.part(block)
