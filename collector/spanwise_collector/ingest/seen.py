"""The duplicate filter: ids of the spans stored from the last offsets of a partition.

A producer that sends a record twice makes new offsets, so the repeat has to be found by what is inside. The filter for
a batch that starts at offset `a` holds the spans stored from the offsets [a - window, a) and nothing else, so it
depends on the log alone and a batch built again after a crash is compared with the same spans.
"""

from collections import deque
from collections.abc import Callable, Container, Iterable, Mapping
from typing import Final, Protocol

from spanwise_collector.store.database import Result

# A record has thousands of spans at most, and a query may answer a million rows.
OFFSETS_PER_QUERY: Final = 50

StoredIds = Callable[[str, int, int, int], Iterable[tuple[int, bytes]]]
"""(ktopic, partition, first offset, end offset) to (offset, trace id + span id) of stored spans, offsets rising."""


class Queries(Protocol):
    """What reading the filter back needs of the store."""

    def query(self, sql: str, parameters: Mapping[str, object] = ...) -> Result:
        """See `Database.query`."""
        ...


def ktopic(topic: str, topic_id: str) -> str:
    """A topic as the column `ktopic` has it: a topic made anew under the same name is another one."""
    return f"{topic}/{topic_id}"


def stored_ids(database: Queries) -> StoredIds:
    """Reads ids back from the table `spans`."""

    def read(topic: str, partition: int, first: int, end: int) -> Iterable[tuple[int, bytes]]:
        for start in range(first, end, OFFSETS_PER_QUERY):
            yield from read_part(topic, partition, start, min(end, start + OFFSETS_PER_QUERY))

    def read_part(topic: str, partition: int, first: int, end: int) -> Iterable[tuple[int, bytes]]:
        rows = database.query(
            "SELECT koff, toFixedString(concat(trace_id, span_id), 24) FROM spans "
            "WHERE ktopic = {topic:String} AND kpart = {partition:UInt16} "
            "AND koff >= {first:UInt64} AND koff < {end:UInt64} ORDER BY koff",
            {"topic": topic, "partition": partition, "first": first, "end": end},
        ).rows
        return [(int(offset), bytes(ids)) for offset, ids in rows]

    return read


class SeenSpans:
    """Ids by offset, for one partition."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._by_offset: deque[tuple[int, bytes]] = deque()
        self._offset_of: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self._offset_of)

    def first(self, start: int) -> int:
        """The first offset whose spans a batch starting at `start` is compared with."""
        return max(0, start - self._window)

    def add(self, stored: Iterable[tuple[int, bytes]]) -> None:
        """Remember spans by the offset they came from; offsets do not fall."""
        for entry in stored:
            self._by_offset.append(entry)
            self._offset_of[entry[1]] = entry[0]

    def before(self, start: int) -> Container[bytes]:
        """The filter for a batch starting at `start`: forgets what is older than the window.

        It is a view that changes with the next call on this object.
        """
        first = self.first(start)
        while self._by_offset and self._by_offset[0][0] < first:
            self._forget(*self._by_offset.popleft())
        return self._offset_of.keys()

    def rewind(self, start: int) -> None:
        """Forget the spans from `start` on: their batch is built again."""
        while self._by_offset and self._by_offset[-1][0] >= start:
            self._forget(*self._by_offset.pop())

    def drop(self, spans: Container[bytes]) -> None:
        """Forget these spans: the store has refused them, so that they are not stored."""
        self._by_offset = deque(entry for entry in self._by_offset if entry[1] not in spans)
        self._offset_of = {span: offset for span, offset in self._offset_of.items() if span not in spans}

    def _forget(self, offset: int, span: bytes) -> None:
        if self._offset_of.get(span) == offset:
            del self._offset_of[span]
