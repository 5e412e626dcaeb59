"""The collector's masking: everything that comes in, before anything of it is read, stored or quoted. Pure."""

from typing import Any, Final, Protocol

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanwise_collector.normalise.masking_bytes import star_message
from spanwise_schemas.masking import Masks
from spanwise_schemas.masking_otlp import MessageMask
from spanwise_schemas.wire import HEADER_DROPPED, HEADER_SEQ, HEADER_SPANS, LOGS_TOPIC

Headers = tuple[tuple[str, bytes | None], ...]
_COUNTERS: Final = frozenset({HEADER_SEQ, HEADER_SPANS, HEADER_DROPPED})
_FORM: Final = "utf-8", "surrogateescape"


class MaskSettings(Protocol):
    """Settings of masking."""

    @property
    def mask_patterns(self) -> str:
        """What to mask by its form."""

    @property
    def mask_keys(self) -> str:
        """What to mask by its name."""


def load_masker(settings: MaskSettings) -> "Masker | None":
    """The masker that the settings ask for; None when they ask for none.

    Raises:
        ValueError: a setting can never work; the message says what to write.
    """
    masks = Masks.of(settings.mask_patterns, settings.mask_keys)
    return None if masks is None else Masker(masks)


class Masker:
    """Masks requests, and what is kept of those that were refused. Deterministic: the same bytes give the same bytes.

    Args:
        masks: patterns and names.
    """

    def __init__(self, masks: Masks) -> None:
        self._masks = masks
        self._message = MessageMask(masks)

    def mask_request(self, message: Any) -> bool:
        """Mask a decoded request in place.

        Args:
            message: an ExportTraceServiceRequest or ExportLogsServiceRequest.

        Returns:
            Whether anything was changed.
        """
        return self._message.apply(message)

    def masked(self, value: bytes, message_type: type[Message]) -> bytes:
        """A serialised request with everything masked; the same bytes when there is nothing to mask.

        Raises:
            google.protobuf.message.DecodeError: the bytes are no such message.
        """
        message = message_type.FromString(value)
        return message.SerializeToString() if self.mask_request(message) else value

    def headers(self, headers: Headers) -> Headers:
        """Headers of a record with their values masked, but for the numbers of our own envelope."""
        return tuple(
            (name, value if value is None or (name in _COUNTERS and value.isdigit()) else self.short(value))
            for name, value in headers
        )

    def short(self, value: bytes) -> bytes:
        """A text as bytes, masked."""
        return self._masks.text(value.decode(*_FORM)).encode(*_FORM)

    def refused(self, value: bytes | None, topic: str) -> bytes | None:
        """The value of a refused record: what is to be masked is overwritten by as many `*`.

        Every length in it stays true, so that the record can be examined and repaired as it came.

        Args:
            value: OTLP protobuf, or anything else.
            topic: where the record came from.
        """
        request = ExportLogsServiceRequest if topic == LOGS_TOPIC else ExportTraceServiceRequest
        return value and star_message(value, request.DESCRIPTOR, self._masks)
