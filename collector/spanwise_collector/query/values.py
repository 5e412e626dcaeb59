"""Between stored values and the API's: times, ids, durations, money."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from spanwise_schemas.attributes import KINDS

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
STATUSES: Final = ("unset", "ok", "error")
NO_SPAN: Final = bytes(8)


def micros(time: datetime) -> int:
    """Microseconds since the epoch, exactly (floats are not exact at this size)."""
    return (time - EPOCH) // timedelta(microseconds=1)


def time_of(microseconds: int) -> datetime:
    """UTC time from microseconds since the epoch."""
    return EPOCH + timedelta(microseconds=microseconds)


def milliseconds(microseconds: int) -> float:
    """Duration for the API."""
    return microseconds / 1000


def hex_id(stored: bytes) -> str:
    """An id as lower-case hex; the id that is all zeros means none and becomes empty."""
    return stored.hex() if stored.strip(b"\0") else ""


def kind_bits(kinds: Iterable[str]) -> int:
    """A set of span kinds as the bits that `trace_agg.kinds` holds."""
    return sum(1 << KINDS.index(kind) for kind in set(kinds))


def known_cost(nanousd: int, priced: int) -> int | None:
    """A sum of costs, or None when nothing in it had a price."""
    return nanousd if priced else None
