"""What waits, encoded and compressed, until the receiver takes it.

Bounded in bytes; the oldest goes first, and is dropped first.
"""

import threading
from collections import deque
from dataclasses import dataclass

import lz4.frame


@dataclass(frozen=True, slots=True)
class Chunk:
    """One encoded batch.

    Attributes:
        topic: where it goes.
        items: spans or scores inside.
        raw_bytes: size before compression.
        data: the serialised OTLP request, LZ4.
    """

    topic: str
    items: int
    raw_bytes: int
    data: bytes

    @classmethod
    def of(cls, topic: str, items: int, request: bytes) -> "Chunk":
        """Compress a serialised request."""
        return cls(topic, items, len(request), lz4.frame.compress(request))

    def request(self) -> bytes:
        """The serialised request."""
        data: bytes = lz4.frame.decompress(self.data)
        return data


# Python's own cost of a chunk beside its data.
_CHUNK_OVERHEAD = 256


class Outbox:
    """Filled by the encoding thread, emptied by the delivering thread; never touched by the application's threads."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._chunks: deque[Chunk] = deque()
        self._bytes = 0
        self._closed = False
        self._changed = threading.Condition()

    def put(self, chunk: Chunk) -> int:
        """Add a chunk; make room by dropping the oldest.

        Returns:
            How many items were dropped.
        """
        dropped = 0
        with self._changed:
            self._chunks.append(chunk)
            self._bytes += len(chunk.data) + _CHUNK_OVERHEAD
            while self._bytes > self._max_bytes and len(self._chunks) > 1:
                oldest = self._chunks.popleft()
                self._bytes -= len(oldest.data) + _CHUNK_OVERHEAD
                dropped += oldest.items
            self._changed.notify()
        return dropped

    def take(self, max_raw_bytes: int) -> list[Chunk]:
        """Wait for chunks and take some of one topic, oldest first.

        Args:
            max_raw_bytes: stop before this is exceeded; one chunk is always taken.

        Returns:
            The chunks; empty when the outbox was closed.
        """
        with self._changed:
            while not self._chunks and not self._closed:
                self._changed.wait()
            taken: list[Chunk] = []
            size = 0
            while self._chunks:
                chunk = self._chunks[0]
                if taken and (chunk.topic != taken[0].topic or size + chunk.raw_bytes > max_raw_bytes):
                    break
                taken.append(self._chunks.popleft())
                size += chunk.raw_bytes
                self._bytes -= len(chunk.data) + _CHUNK_OVERHEAD
            return taken

    def close(self) -> None:
        """Wake a waiting `take`."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
