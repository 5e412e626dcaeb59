"""Why a request is not taken, with its code in HTTP and in gRPC."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

BUSY_RETRY_S: Final = 1
"""After so long some of the requests in flight have been answered."""
AWAY_RETRY_S: Final = 5
"""A broker that restarts needs some seconds."""


@dataclass(frozen=True, slots=True)
class Codes:
    """One reason in the words of two protocols.

    Attributes:
        http: status code.
        grpc: number of the status code, as in google.rpc.Code.
        retry_after_s: seconds after which the sender should try again; None when trying again is of no use.
    """

    http: int
    grpc: int
    retry_after_s: int | None = None


class Reason(Enum):
    """What is wrong, by remedy. The codes are those of the OTLP specification, "Failures"."""

    BAD_BODY = Codes(400, 3)
    NO_KEY = Codes(401, 16)
    NOT_ALLOWED = Codes(403, 7)
    NOT_FOUND = Codes(404, 12)
    WRONG_METHOD = Codes(405, 12)
    TOO_SLOW = Codes(408, 4)
    TOO_LARGE = Codes(413, 8)
    WRONG_TYPE = Codes(415, 3)
    BUSY = Codes(429, 8, BUSY_RETRY_S)
    FAULT = Codes(500, 13)
    NO_LOG = Codes(501, 12)
    AWAY = Codes(503, 14, AWAY_RETRY_S)


class NotTakenError(Exception):
    """Nothing of the request was stored, or it is not known: the sender has to act as the reason says.

    Attributes:
        reason: the reason.
        detail: a sentence for people: what is wrong and what to do.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(detail)
