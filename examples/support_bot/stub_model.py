"""A stand-in for a language model: answers, embeddings and token counts made by plain rules, the same every time."""

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

DIMENSIONS = 256
_WORD = re.compile(r"[a-z0-9]+")
_ORDER = re.compile(r"\b(\d{5})\b")
_STOP_WORDS = frozenset(
    [
        *(
            "a",
            "an",
            "and",
            "are",
            "be",
            "can",
            "do",
            "does",
            "for",
            "from",
            "have",
            "how",
            "i",
            "if",
            "in",
            "is",
            "it",
        ),
        *(
            "my",
            "not",
            "of",
            "on",
            "or",
            "that",
            "the",
            "this",
            "to",
            "what",
            "when",
            "where",
            "will",
            "with",
            "you",
            "your",
        ),
    ]
)


@dataclass(frozen=True, slots=True)
class Completion:
    """What the model says: text, or the wish to call a tool."""

    text: str
    tool_name: str = ""
    tool_arguments: str = ""

    @property
    def finish_reason(self) -> str:
        """As the API names it."""
        return "tool_calls" if self.tool_name else "stop"


def tokens(text: str) -> int:
    """About as many tokens as a real tokenizer counts in English text: one for every four characters, at least one."""
    return max(1, math.ceil(len(text) / 4))


def embed(text: str) -> list[float]:
    """A bag-of-words embedding of unit length: texts that share words are close."""
    vector = [0.0] * DIMENSIONS
    for word in _words(text):
        digest = hashlib.blake2b(word.encode(), digest_size=4).digest()
        vector[int.from_bytes(digest[:2], "big") % DIMENSIONS] += 1.0 if digest[2] & 1 else -1.0
    length = math.sqrt(sum(value * value for value in vector)) or 1.0
    return [round(value / length, 6) for value in vector]


def complete(messages: Sequence[Mapping[str, object]], tool_names: Sequence[str], *, json_mode: bool) -> Completion:
    """Answer a conversation.

    Args:
        messages: as in the request: role and content.
        tool_names: tools that may be called.
        json_mode: whether the answer must be a JSON object.
    """
    question = next((_text(message) for message in reversed(messages) if message.get("role") == "user"), "")
    if json_mode:
        return Completion(json.dumps(_judgement(question)))
    results = [_text(message) for message in messages if message.get("role") == "tool"]
    if results:
        return Completion(f"I looked it up: your order is {results[-1]}. You get a message as soon as that changes.")
    order = _ORDER.search(question)
    if order and tool_names:
        return Completion("", tool_names[0], json.dumps({"order_id": order.group(1)}))
    system = next((_text(message) for message in messages if message.get("role") == "system"), "")
    return Completion(_from_context(question, system))


def _judgement(question: str) -> dict[str, object]:
    risky = any(word in question.lower() for word in ("ignore", "password of", "system prompt"))
    topic = "order" if _ORDER.search(question) else "help"
    return {"allowed": not risky, "topic": topic, "reason": "asks for secrets" if risky else "a customer's question"}


def _from_context(question: str, context: str) -> str:
    wanted = set(_words(question))
    sentences = [
        part.strip() for part in re.split(r"(?<=[.!?])\s+", context.rpartition("Articles:")[2]) if part.strip()
    ]
    ranked = sorted(sentences, key=lambda sentence: -len(wanted & set(_words(sentence))))
    best = ranked[:2]
    if not best:
        return "I do not know that. A colleague will write to you within one working day."
    return (
        " ".join(sentence for sentence in sentences if sentence in best) + " Is there anything else I can do for you?"
    )


def _words(text: str) -> list[str]:
    # A plural and its singular are one word.
    return [word.rstrip("s") for word in _WORD.findall(text.lower()) if word not in _STOP_WORDS]


def _text(message: Mapping[str, object]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return " ".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return ""
