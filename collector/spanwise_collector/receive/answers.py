"""What a sender is told, in the form in which it asked. Pure functions."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from spanwise_collector.normalise.problems import REFUSALS
from spanwise_collector.receive.errors import NotTakenError, Reason
from spanwise_collector.receive.signals import Signal

Form = Literal["protobuf", "json"]
MEDIA_TYPES: Final[Mapping[Form, str]] = {"protobuf": "application/x-protobuf", "json": "application/json"}
_FORMS: Final[Mapping[str, Form]] = {
    "application/x-protobuf": "protobuf",
    "application/protobuf": "protobuf",
    "application/json": "json",
}
_RETRY_INFO: Final = "type.googleapis.com/google.rpc.RetryInfo"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a request that was taken.

    Attributes:
        items: spans or log records that Kafka has acknowledged.
        refused: how many were refused, by reason, a key of `problems.REFUSALS`.
    """

    items: int
    refused: Mapping[str, int]

    @property
    def refusals(self) -> int:
        """How many were refused."""
        return sum(self.refused.values())


def form_of(content_type: str) -> Form:
    """Protobuf or JSON; parameters such as `charset` are not looked at.

    Raises:
        NotTakenError: another type.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    form = _FORMS.get(media_type)
    if form is None:
        raise NotTakenError(
            Reason.WRONG_TYPE,
            f"Content-Type {media_type[:60]!r} is not supported. Send application/x-protobuf or application/json.",
        )
    return form


def answer_form(content_type: str) -> Form:
    """The form of an answer to a request with any content type."""
    try:
        return form_of(content_type)
    except NotTakenError:
        return "json"


def sentence(signal: Signal, taken: Taken) -> str:
    """What was refused and why; empty when nothing was."""
    if not taken.refused:
        return ""
    reasons = " ".join(f"{reason} ({count}): {REFUSALS[reason]}" for reason, count in sorted(taken.refused.items()))
    return f"Refused {taken.refusals} of {taken.items + taken.refusals} {signal.noun}. {reasons}"


def success(signal: Signal, taken: Taken, form: Form) -> bytes:
    """The body of an answer with status 200; it has a partial success where something was refused."""
    message = sentence(signal, taken)
    if form == "json":
        rejected = "".join(part.title() if at else part for at, part in enumerate(signal.rejected.split("_")))
        partial = {"partialSuccess": {rejected: str(taken.refusals), "errorMessage": message}} if message else {}
        return json.dumps(partial).encode()
    return success_message(signal, taken)


def success_message(signal: Signal, taken: Taken) -> bytes:
    """The same as a protobuf message."""
    answer = signal.response()
    if taken.refused:
        setattr(answer.partial_success, signal.rejected, taken.refusals)
        answer.partial_success.error_message = sentence(signal, taken)
    encoded: bytes = answer.SerializeToString()
    return encoded


def failure(error: NotTakenError, form: Form) -> bytes:
    """The body of an answer with an error status: a `google.rpc.Status`."""
    status = failure_status(error)
    if form == "json":
        body: dict[str, object] = {"code": status.code, "message": status.message}
        if error.reason.value.retry_after_s is not None:
            body["details"] = [{"@type": _RETRY_INFO, "retryDelay": f"{error.reason.value.retry_after_s}s"}]
        return json.dumps(body).encode()
    encoded: bytes = status.SerializeToString()
    return encoded


def failure_status(error: NotTakenError) -> Status:
    """The error as gRPC carries it; with `RetryInfo` where trying again is of use."""
    codes = error.reason.value
    status = Status(code=codes.grpc, message=error.detail)
    if codes.retry_after_s is not None:
        info = RetryInfo()
        info.retry_delay.seconds = codes.retry_after_s
        status.details.add().Pack(info)
    return status
