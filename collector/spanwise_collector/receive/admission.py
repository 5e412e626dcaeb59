"""Bounds what is in memory: every request pays for its bytes from their arrival to its answer."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from spanwise_collector.receive.errors import NotTakenError, Reason

REQUEST_BYTES: Final = 16_384
"""What a request costs before its first byte: a connection's buffers and objects."""


class Admission:
    """The bytes in flight. Used by several threads."""

    def __init__(self, limit: int) -> None:
        """Nothing is in flight.

        Args:
            limit: bytes of all requests together.
        """
        self._limit = limit
        self._held = 0
        self._lock = threading.Lock()
        self._closed = False

    @property
    def held(self) -> int:
        """Bytes in flight now."""
        return self._held

    @contextmanager
    def request(self) -> Iterator["Lease"]:
        """What one request holds; given back at the end of the block.

        Raises:
            NotTakenError: too much is in flight, or the receiver is stopping.
        """
        lease = Lease(self)
        lease.grow(REQUEST_BYTES)
        try:
            yield lease
        finally:
            lease.release()

    def close(self) -> None:
        """Take no more requests; those in flight go on."""
        self._closed = True

    def _take(self, count: int, *, first: bool) -> None:
        if first and self._closed:
            raise NotTakenError(Reason.AWAY, "The collector is stopping; send the request again in a moment.")
        with self._lock:
            if self._held + count > self._limit:
                raise NotTakenError(
                    Reason.BUSY,
                    f"{self._held:,} bytes of requests are waiting for Kafka, the limit is {self._limit:,} "
                    "(SPANWISE_OTLP_IN_FLIGHT_BYTES). Send the request again in a moment.",
                )
            self._held += count

    def _give(self, count: int) -> None:
        with self._lock:
            self._held -= count


class Lease:
    """The bytes of one request."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._held = 0

    def grow(self, count: int) -> None:
        """Hold so many bytes more.

        Raises:
            NotTakenError: too much is in flight.
        """
        self._admission._take(count, first=not self._held)
        self._held += count

    def release(self) -> None:
        """Give all back."""
        held, self._held = self._held, 0
        self._admission._give(held)
