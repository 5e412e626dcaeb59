"""Whether the true value of a field stands in what was sent, in any form."""

import re
from collections.abc import Callable
from typing import Final

from tests.golden.clients.evaluate.expected import FINISH, Truth, finish
from tests.golden.clients.evaluate.found import STATUS_ERROR
from tests.golden.clients.evaluate.payload import Payload
from tests.golden.clients.evaluate.rows import Span

IsSent = Callable[[Truth, list[Span], Payload], bool]
"""Asks for an answer: by its truth entry, the spans that speak of it, and everything that the client sent."""

_STREAMS: Final = re.compile(r"""["']stream(ing)?["']: ?[Tt]rue""")
_FINISH_NAME: Final = re.compile(r"(?i)(finish|stop)[._]?reason")
_FINISH_MEMBER: Final = re.compile(r"(?i)(?:finish|stop)_?reasons?\W{1,8}(\w+)")


def finish_is_sent(truth: Truth, spans: list[Span], payload: Payload) -> bool:
    """Whether an attribute, or a member of JSON in one, that is named for the finish reason has a right word."""
    right = {word for word, meaning in FINISH.items() if meaning in finish(truth)}
    for span in spans:
        for key, values in payload.spans[span.key].pairs:
            if _FINISH_NAME.search(key) and right.intersection(values):
                return True
        if right.intersection(_FINISH_MEMBER.findall(payload.text[span.key])):
            return True
    return False


def says_text(texts: Callable[[Truth], list[str]]) -> IsSent:
    """Whether the spans of an answer say one of some texts."""

    def is_sent(truth: Truth, spans: list[Span], payload: Payload) -> bool:
        wanted = [one for one in texts(truth) if one]
        return any(one in payload.text[span.key] for span in spans for one in wanted)

    return is_sent


def says_number(*forms: Callable[[dict[str, int]], int]) -> IsSent:
    """Whether the payload says a number, or all parts of it."""

    def is_sent(truth: Truth, spans: list[Span], payload: Payload) -> bool:
        tokens = truth["answer"]["tokens"]
        whole, *parts = (form(tokens) for form in forms)
        if whole in payload.all_numbers:
            return True
        present = [part for part in parts if part]
        return len(present) > 1 and payload.all_numbers.issuperset(present)

    return is_sent


def says_key(*words: str) -> IsSent:
    """Whether an attribute or event of the answer's spans has a name with one of some words in it."""

    def is_sent(truth: Truth, spans: list[Span], payload: Payload) -> bool:
        keys = [key.lower() for span in spans for key in payload.spans[span.key].keys]
        return any(word in key for key in keys for word in words)

    return is_sent


def says_images(truth: Truth, spans: list[Span], payload: Payload) -> bool:
    """Whether the spans of an answer have all its images."""
    wanted = [image for one in truth["asked"]["messages"] for image in one["images"]]
    texts = [payload.text[span.key] for span in spans]
    return all(any(image in text for text in texts) for image in wanted)


def says_provider(truth: Truth, spans: list[Span], payload: Payload) -> bool:
    """Whether an attribute that is named for the provider has a value; system instructions are something else."""
    keys = [key.lower().replace("system_instructions", "") for span in spans for key in payload.spans[span.key].keys]
    return any(word in key for key in keys for word in ("provider", "system", "vendor"))


def says_streaming(truth: Truth, spans: list[Span], payload: Payload) -> bool:
    """Whether an attribute, event or member of JSON that is named for streaming says yes, or anything but no."""
    for span in spans:
        for key, values in payload.spans[span.key].pairs:
            if "stream" in key.lower() and not {value.lower() for value in values} & {"false", "none", ""}:
                return True
        if _STREAMS.search(payload.text[span.key]):
            return True
    return False


def error_is_sent(truth: Truth, spans: list[Span], payload: Payload) -> bool:
    """Whether an attribute or event of the spans is named for an error, or one has failed."""
    says = says_key("exception", "error")(truth, spans, payload)
    return says or any(span.row["status"] == STATUS_ERROR for span in spans)


def params_are_sent(truth: Truth, spans: list[Span], payload: Payload) -> bool:
    """Whether a parameter is named by an attribute or inside one."""
    return says_key("temperature", "max_tokens", "max_output_tokens")(truth, spans, payload) or says_text(
        lambda _: ['"temperature"', '"max_tokens"', '"max_output_tokens"', "'temperature'", "'max_tokens'"]
    )(truth, spans, payload)


def says_response_model(truth: Truth, spans: list[Span], payload: Payload) -> bool:
    """Whether the model that answered is named; where it is the one asked for, a single name means that one."""
    model = truth["answer"]["model"]
    if model == truth["asked"]["model"]:
        return says_key("response.model", "response_model")(truth, spans, payload)
    return says_text(lambda _: [model])(truth, spans, payload)
