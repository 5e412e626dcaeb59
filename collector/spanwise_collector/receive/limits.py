"""Bounds of what is received."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveLimits:
    """How much and how long.

    Attributes:
        body_bytes: of a request as it travels, compressed or not.
        decoded_bytes: of a request after decompression.
        in_flight_bytes: of all requests together from their first byte to their answer.
        body_seconds: for a request's body to arrive.
        ack_seconds: for Kafka to acknowledge; below the 10 s after which OpenTelemetry exporters give up by default.
    """

    body_bytes: int = 16 << 20
    decoded_bytes: int = 64 << 20
    in_flight_bytes: int = 256 << 20
    body_seconds: float = 10.0
    ack_seconds: float = 8.0
