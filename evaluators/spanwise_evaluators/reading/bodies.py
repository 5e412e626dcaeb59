"""Recorded inputs and outputs as what evaluators take: the question, the answer, documents, tool calls.

A body is text or JSON. Conversations are those of the GenAI conventions (`role` and `parts`), and of OpenAI's and
Anthropic's clients (`role` and `content`).
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from spanwise_evaluators.model import Document, ToolCall
from spanwise_evaluators.reading.json_answers import read_json

MAX_DOCUMENTS: Final = 200
"""Documents of one output that are read."""
_TEXT_KEYS: Final = ("content", "text", "page_content", "document.content", "document")
_ID_KEYS: Final = ("id", "document_id", "document.id", "source")
_USERS: Final = frozenset({"user", "human"})


def asked(body: str) -> str:
    """What was asked: the last user message, of any role where none is a user's; an only argument; else the body."""
    found = _parsed(body)
    messages = _messages(found)
    if messages:
        of_users = [one for one in messages if one.get("role") in _USERS]
        return _text((of_users or messages)[-1]) or body
    if isinstance(found, dict) and len(found) == 1:
        only = next(iter(found.values()))
        return only if isinstance(only, str) else body
    return body


def answered(body: str) -> str:
    """What was answered: the texts of all messages; else the body."""
    messages = _messages(_parsed(body))
    return "\n".join(text for one in messages if (text := _text(one))) if messages else body


def tool_calls_in(body: str) -> tuple[ToolCall, ...]:
    """Tools that the messages of an answer ask for."""
    found = []
    for message in _messages(_parsed(body)):
        for part in (*_list(message, "parts"), *_list(message, "tool_calls"), *_list(message, "content")):
            if not isinstance(part, dict) or part.get("type", "function") not in {"tool_call", "function", "tool_use"}:
                continue
            inner = part.get("function")
            call = inner if isinstance(inner, dict) else part
            if isinstance(call.get("name"), str):
                arguments = call.get("arguments", call.get("input", ""))
                found.append(ToolCall(call["name"], arguments if isinstance(arguments, str) else _dumped(arguments)))
    return tuple(found)


def tools_in(definitions: str) -> dict[str, Mapping[str, Any]]:
    """JSON schemas of the parameters of tools, by name; of OpenAI's and Anthropic's definitions."""
    told = _parsed(definitions)
    tools: dict[str, Mapping[str, Any]] = {}
    for one in told if isinstance(told, list) else ():
        inner = one.get("function") if isinstance(one, dict) else None
        tool = inner if isinstance(inner, dict) else one
        if isinstance(tool, dict) and isinstance(tool.get("name"), str):
            schema = tool.get("parameters", tool.get("input_schema"))
            tools[tool["name"]] = schema if isinstance(schema, dict) else {}
    return tools


def documents_in(output: str) -> tuple[Document, ...]:
    """Documents in a retriever's output: a list of texts or of objects with one, or an object that has such a list."""
    found = _parsed(output)
    if isinstance(found, dict):
        found = next((value for value in found.values() if isinstance(value, list)), [found])
    if not isinstance(found, list):
        return (Document(output),) if output.strip() else ()
    return tuple(document for one in found[:MAX_DOCUMENTS] if (document := _document(one)) is not None)


def _document(value: Any) -> Document | None:
    if isinstance(value, str):
        return Document(value)
    if not isinstance(value, dict):
        return None
    inner = value.get("document")
    if isinstance(inner, dict):
        value = inner
    text = next((value[key] for key in _TEXT_KEYS if isinstance(value.get(key), str)), None)
    if text is None:
        return None
    metadata = value.get("metadata")
    places = (value, metadata) if isinstance(metadata, dict) else (value,)
    found = (place[key] for place in places for key in _ID_KEYS if isinstance(place.get(key), str | int))
    return Document(text, str(next(found, "")))


def _messages(found: Any) -> list[dict[str, Any]]:
    listed = found if isinstance(found, list) else [found]
    return (
        listed if listed and all(isinstance(one, dict) and isinstance(one.get("role"), str) for one in listed) else []
    )


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = (*_list(message, "parts"), *_list(message, "content"))
    texts = [
        part.get("content", part.get("text"))
        for part in parts
        if isinstance(part, dict) and part.get("type", "text") == "text"
    ]
    return "".join(one for one in texts if isinstance(one, str))


def _list(message: Mapping[str, Any], key: str) -> list[Any]:
    found = message.get(key)
    return found if isinstance(found, list) else []


def _dumped(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _parsed(text: str) -> Any:
    """The value of JSON text; None for other text."""
    if text.lstrip()[:1] not in {"{", "["}:
        return None
    try:
        return read_json(text)
    except ValueError:
        return None
