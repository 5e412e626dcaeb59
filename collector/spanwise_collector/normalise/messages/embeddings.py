"""Requests for embeddings and their answers: OpenAI's API, which others copy, and texts in objects of their own."""

from typing import Final

from spanwise_collector.normalise.messages import openai
from spanwise_collector.normalise.messages.content import Content, Side, text_member
from spanwise_collector.normalise.values import Value

_TEXTS: Final = ("input", "texts", "text", "query")
"""Where a request has what it embeds: OpenAI's name, then LlamaIndex's."""
_NO_PARAMETER: Final = frozenset({"model", *_TEXTS})


def read(body: Value, side: Side) -> Content | None:
    """A request, or what it embeds alone, or an answer. Its vectors are no content."""
    if side == "output":
        return _answer(body) if isinstance(body, dict) and isinstance(body.get("data"), list) else None
    name = next((one for one in _TEXTS if one in body), "") if isinstance(body, dict) else ""
    if isinstance(body, dict) and _are_texts(body.get(name)):
        return Content(
            texts=body[name],
            params={key: value for key, value in body.items() if key not in _NO_PARAMETER},
            model=text_member(body, "model"),
        )
    texts: list[Value] = [text_member(one, "content") for one in body] if isinstance(body, list) else []
    return Content(texts=texts[0] if len(texts) == 1 else texts) if texts and all(texts) else None


def _are_texts(given: Value) -> bool:
    return isinstance(given, str) or (
        isinstance(given, list) and bool(given) and all(isinstance(one, str) for one in given)
    )


def _answer(body: dict[str, Value]) -> Content:
    return Content(model=text_member(body, "model"), counts=openai.counts(body.get("usage")))
