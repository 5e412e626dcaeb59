"""Records of one partition that wait for a batch, and where a batch ends."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from spanwise_collector.ingest.records import Record
from spanwise_schemas import wire

# Where a producer does not say how many spans a record holds: a lean span of an OpenTelemetry exporter. The guess only
# moves the end of a batch.
BYTES_PER_ROW: Final = 600
# No span is smaller on the wire: two ids with their tags.
MIN_BYTES_PER_ROW: Final = 28


def estimated_rows(record: Record) -> int:
    """About how many rows a record makes: as its producer says, within what its size allows, else by its size."""
    size = len(record.value or b"")
    for key, value in record.headers:
        if key == wire.HEADER_SPANS and value is not None and value.isdigit() and len(value) < 10:
            return max(1, min(int(value), size // MIN_BYTES_PER_ROW + 1))
    return size // BYTES_PER_ROW + 1


@dataclass(frozen=True, slots=True)
class _Waiting:
    record: Record
    rows: int
    bytes: int
    since: float


class Buffer:
    """First in, first out; offsets rise."""

    def __init__(self) -> None:
        self._waiting: deque[_Waiting] = deque()
        self.rows = 0
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def since(self) -> float | None:
        """When the oldest record arrived, by the clock given to `add`; None when empty."""
        return self._waiting[0].since if self._waiting else None

    @property
    def last_offset(self) -> int | None:
        """Offset of the newest record; None when empty."""
        return self._waiting[-1].record.offset if self._waiting else None

    def add(self, records: Iterable[Record], now: float) -> None:
        """Append records that arrived at `now`."""
        for record in records:
            entry = _Waiting(record, estimated_rows(record), len(record.value or b""), now)
            self._waiting.append(entry)
            self.rows += entry.rows
            self.bytes += entry.bytes

    def restore(self, records: Sequence[Record], now: float) -> None:
        """Put records back that were cut, before all others."""
        kept = list(self._waiting)
        self._waiting.clear()
        self.rows = self.bytes = 0
        self.add(records, now)
        self._waiting.extend(kept)
        self.rows += sum(entry.rows for entry in kept)
        self.bytes += sum(entry.bytes for entry in kept)

    def cut(self, *, rows: int, size: int, records: int | None = None) -> list[Record]:
        """Take the oldest, up to about `rows` rows, `size` bytes and `records` records, and at least one."""
        taken: list[Record] = []
        taken_rows = taken_bytes = 0
        while self._waiting:
            entry = self._waiting[0]
            if taken and (taken_rows + entry.rows > rows or taken_bytes + entry.bytes > size):
                break
            if len(taken) == records:
                break
            taken_rows += entry.rows
            taken_bytes += entry.bytes
            taken.append(self._pop())
        return taken

    def cut_to(self, offset: int) -> list[Record]:
        """Take all records up to and with `offset`."""
        taken: list[Record] = []
        while self._waiting and self._waiting[0].record.offset <= offset:
            taken.append(self._pop())
        return taken

    def _pop(self) -> Record:
        entry = self._waiting.popleft()
        self.rows -= entry.rows
        self.bytes -= entry.bytes
        return entry.record
