"""The classes of failures, in the order in which the documentation lists them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Level = Literal["error", "answer", "trace"]
"""What a class is told by: a span's error, a model's answer (also of a span that is ok), or the whole trace."""


@dataclass(frozen=True, slots=True)
class FailureClass:
    """One class.

    Attributes:
        name: as stored.
        level: what it is told by.
        meaning: for people, one sentence.
        subs: finer class to its meaning; "" is not listed.
    """

    name: str
    level: Level
    meaning: str
    subs: Mapping[str, str]


_OF_ERRORS: Final[Mapping[str, str]] = {
    "server_error": "HTTP 5xx",
    "bad_request": "HTTP 4xx",
    "not_found": "HTTP 404",
    "connection": "the connection failed or broke",
    "cancelled": "the caller ended it",
}
_ALL: Final = (
    FailureClass(
        "truncation",
        "answer",
        "The answer ends at the token limit.",
        {"parser": "the client raised an exception for it"},
    ),
    FailureClass(
        "content_filter",
        "answer",
        "The provider's filter stopped the prompt or the answer.",
        {"request": "the request was refused", "parser": "the client raised an exception for it"},
    ),
    FailureClass(
        "empty",
        "answer",
        "The answer has no text, no tool call and no medium.",
        {"reasoning": "the model thought and then said nothing"},
    ),
    FailureClass(
        "invalid_json",
        "answer",
        "JSON was asked for, or begun, and the answer does not parse.",
        {
            "truncated": "it ends in the middle",
            "fenced": "it is right inside a code block, where JSON alone was asked for",
            "extra_text": "there is text after it",
            "not_json": "it is plain text",
            "malformed": "anything else",
            "parser": "the framework's parser refused it",
        },
    ),
    FailureClass(
        "schema_violation",
        "answer",
        "The answer is JSON but does not fit the schema in the request.",
        {"validation": "the framework gave up after its own validation"},
    ),
    FailureClass(
        "refusal",
        "answer",
        "The model declines or does not answer. The span's status stays ok.",
        {
            "policy": "it does not want to",
            "capability": "it says that it is not able to",
            "missing_info": "it says that it does not have the information",
        },
    ),
    FailureClass(
        "hallucinated_tool",
        "answer",
        "The model calls a tool that was not offered.",
        {},
    ),
    FailureClass(
        "wrong_arguments",
        "answer",
        "The arguments of a tool call do not fit the tool's schema.",
        {"not_json": "they are no JSON", "malformed": "the provider says that the call is broken"},
    ),
    FailureClass(
        "empty_retrieval",
        "answer",
        "A retriever found nothing.",
        {},
    ),
    FailureClass(
        "tool_error",
        "error",
        "A tool failed. The finer class is what failed in it, named as the classes and finer classes of errors are.",
        {},
    ),
    FailureClass(
        "timeout",
        "error",
        "Nothing came in time.",
        {"gateway": "a server in between says so (504)"},
    ),
    FailureClass(
        "rate_limit",
        "error",
        "Too many requests or tokens at once.",
        {"tokens": "of tokens", "requests": "of requests"},
    ),
    FailureClass("overload", "error", "The provider is overloaded or unavailable (503, 529).", {}),
    FailureClass(
        "authentication",
        "error",
        "The key is missing or wrong.",
        {"permission": "the key may not do this (403)"},
    ),
    FailureClass("quota", "error", "The account's credit or quota is used up.", {}),
    FailureClass(
        "context_overflow",
        "error",
        "The input is longer than the model takes.",
        {"answer": "input and answer together reached the limit, and the answer is cut"},
    ),
    FailureClass("exception", "error", "Any other error with a type.", _OF_ERRORS),
    FailureClass(
        "error",
        "error",
        "The span failed and says no type.",
        {**_OF_ERRORS, "finish_reason": "the answer's finish reason says so"},
    ),
    FailureClass(
        "loop",
        "trace",
        "The same tool is called with the same arguments three times or more.",
        {"same_call": "one call again and again", "cycle": "two to four calls in turn"},
    ),
    FailureClass(
        "retry_storm",
        "trace",
        "The same model call is tried three times or more, and the first tries failed.",
        {"recovered": "the last one was right", "exhausted": "all of them failed"},
    ),
    FailureClass("unfinished_trace", "trace", "The trace's root never ended.", {}),
)

CLASSES: Final[Mapping[str, FailureClass]] = {one.name: one for one in _ALL}
"""Classes by name."""
