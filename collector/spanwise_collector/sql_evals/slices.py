"""Cutting spans into slices that one statement can score: bounded in spans and in bytes of text."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from spanwise_collector.query.window import HOUR, MINUTE
from spanwise_collector.sql_evals.columns import MAX_TEXT_BYTES
from spanwise_collector.store.database import Reader

DAY: Final = 24 * HOUR
MAX_SPANS: Final = 150_000
MAX_BYTES: Final = 256 << 20
_TIMEOUT_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Slice:
    """Spans that start from `start` (inside) to `end` (outside), microseconds since the epoch, about so many."""

    start: int
    end: int
    spans: int

    def halves(self) -> tuple["Slice", ...]:
        """Two that begin and end at whole minutes; none where it is too short for that."""
        middle = (self.start + self.end) // 2 // MINUTE * MINUTE
        if not self.start < middle < self.end:
            return ()
        half = self.spans // 2
        return Slice(self.start, middle, half), Slice(middle, self.end, self.spans - half)


def plan(reader: Reader, project: str, start_us: int, end_us: int, condition: str = "1") -> list[Slice]:
    """Slices of a project's spans in a range, in order of time.

    Args:
        reader: the store.
        project: whose.
        start_us: spans that start here or later.
        end_us: and before.
        condition: more SQL on a span `s`, of ours.

    Raises:
        StoreError: as the store says.
    """
    rows = reader.query(
        "SELECT toInt64(toUnixTimestamp(toStartOfHour(s.start_time))) * 1000000 AS hour, count(), "
        f"sum(least(s.input_bytes, {MAX_TEXT_BYTES}) + least(s.output_bytes, {MAX_TEXT_BYTES})) "
        "FROM spans AS s WHERE s.project_id = {project:String} "
        "AND s.start_time >= fromUnixTimestamp64Micro({from:Int64}, 'UTC') "
        "AND s.start_time < fromUnixTimestamp64Micro({to:Int64}, 'UTC') "
        f"AND ({condition}) GROUP BY hour ORDER BY hour",
        {"project": project, "from": start_us, "to": end_us},
        timeout_s=_TIMEOUT_S,
    ).rows
    return cut([(int(hour), int(spans), int(size)) for hour, spans, size in rows], start_us, end_us)


def cut(hours: Sequence[tuple[int, int, int]], start_us: int, end_us: int) -> list[Slice]:
    """Slices from hours (start, spans, bytes): several hours of one day together, or parts of one."""
    return [
        Slice(max(one.start, start_us), min(one.end, end_us), one.spans)
        for one in _joined(_split(hours))
        if max(one.start, start_us) < min(one.end, end_us)
    ]


def _split(hours: Iterable[tuple[int, int, int]]) -> Iterator[tuple[Slice, int]]:
    for hour, spans, size in hours:
        parts = min(60, max(1, -(-spans // MAX_SPANS), -(-size // MAX_BYTES)))
        step = -(-60 // parts) * MINUTE
        for start in range(hour, hour + HOUR, step):
            end = min(start + step, hour + HOUR)
            share = (end - start) / HOUR
            yield Slice(start, end, round(spans * share)), round(size * share)


def _joined(pieces: Iterable[tuple[Slice, int]]) -> Iterator[Slice]:
    held: Slice | None = None
    held_size = 0
    for piece, size in pieces:
        if (
            held is not None
            and held.start // DAY == piece.start // DAY
            and held.spans + piece.spans <= MAX_SPANS
            and held_size + size <= MAX_BYTES
        ):
            held = Slice(held.start, piece.end, held.spans + piece.spans)
            held_size += size
            continue
        if held is not None:
            yield held
        held, held_size = piece, size
    if held is not None:
        yield held
