"""A span to its failure. Pure and versioned: the same span always has the same class and fingerprint."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from spanwise_collector.failures.answers import Answer, answer_failure
from spanwise_collector.failures.errors import Error, error_class, error_found, error_key, error_title
from spanwise_collector.failures.failure import Failure, Found, titled
from spanwise_collector.failures.fingerprint import fingerprint
from spanwise_collector.failures.frames import own_frames
from spanwise_collector.failures.masks import mask
from spanwise_collector.failures.retrievals import empty_retrieval, is_empty_retrieval
from spanwise_collector.failures.told import told
from spanwise_collector.normalise.values import Value
from spanwise_evaluators.reading.short import short

STATUS_ATTRIBUTES: Final = ("http.response.status_code", "http.status_code", "error.code", "rpc.grpc.status_code")
"""Attributes that hold an HTTP status; the last one's numbers are too small to be taken for one."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a span ended.

    Attributes:
        project: cleaned name.
        kind: what the span did.
        name: of the span.
        has_failed: whether its status is an error.
        tool_name: tool that ran, or "".
        provider: who ran the model, or "".
        error_type: class of the error, or "".
        message: the error in words, or "".
        events: as stored.
        names: of the attributes that fill no column.
        texts: of these attributes.
        output: what came out, as stored.
        answer: of a model call; None for other kinds.
        override: what the sender wants for a fingerprint, or "".
    """

    project: str
    kind: str
    name: str
    has_failed: bool
    tool_name: str
    provider: str
    error_type: str
    message: str
    events: Sequence[Mapping[str, Value]]
    names: Sequence[str]
    texts: Sequence[str]
    output: str
    answer: Answer | None
    override: str


def classify(ended: Ended) -> Failure | None:
    """The failure of a span; None where nothing failed."""
    found = _found(ended)
    if found is None:
        return None
    key = ("user", ended.override) if ended.override else (found.failure_class, *found.key)
    return Failure(found.failure_class, found.sub, titled(found.title), fingerprint(ended.project, *key))


def _found(ended: Ended) -> Found | None:
    if ended.has_failed:
        error = _error(ended)
        if ended.kind == "tool":
            return _tool_error(ended, error)
        return error_found(error, ended.name)
    if ended.answer is not None:
        return answer_failure(ended.answer)
    if ended.kind == "retriever" and is_empty_retrieval(ended.output):
        return empty_retrieval(ended.name)
    return None


def _error(ended: Ended) -> Error:
    error_type, message, stack = ended.error_type, ended.message, ""
    for event in reversed(ended.events):
        details = event.get("attributes")
        if event.get("name") == "exception" and isinstance(details, dict):
            error_type = error_type or _text(details.get("exception.type"))
            message = message or _text(details.get("exception.message"))
            stack = _text(details.get("exception.stacktrace"))
            break
    return Error(error_type, message, _http_status(ended), ended.provider, own_frames(stack) if stack else ())


def _text(value: Value) -> str:
    return value if isinstance(value, str) else ""


def _http_status(ended: Ended) -> int:
    told_by = dict(zip(ended.names, ended.texts, strict=True))
    for name in STATUS_ATTRIBUTES:
        text = told_by.get(name, "")
        if len(text) == 3 and text.isascii() and text.isdecimal():
            return int(text)
    return 0


def _tool_error(ended: Ended, error: Error) -> Found:
    """A tool's own failure: what is wrong with it is the finer class."""
    said = told(error.error_type, error.message, error.http_status)
    failure_class, sub = error_class(error, said)
    words = mask(said.words)
    tool = ended.tool_name or ended.name
    finer = sub if failure_class in ("exception", "error") else failure_class
    title = f"{short(tool)}: {error_title(error, said, failure_class, words)}"
    return Found("tool_error", finer, title, (tool, finer, *error_key(error, said, failure_class, words)))
