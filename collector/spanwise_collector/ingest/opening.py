"""Where to begin reading a partition, from what was committed and what the log still holds."""

from dataclasses import dataclass
from typing import Literal

from spanwise_collector.ingest.errors import IngestError
from spanwise_collector.ingest.pins import Position
from spanwise_collector.ingest.source import LogRange, Partition


@dataclass(frozen=True, slots=True)
class LostOffsets:
    """Offsets that Kafka deleted before they were read."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Start:
    """Where reading begins.

    Attributes:
        offset: the first record to read.
        redo_to: last offset of the pinned batch that starts there, or None.
        compare_before: spans stored from offsets before this one are in the duplicate filter.
        lost: what is skipped, if anything.
    """

    offset: int
    redo_to: int | None
    compare_before: int
    lost: LostOffsets | None = None


def start_of(
    partition: Partition,
    position: Position | None,
    log: LogRange,
    *,
    outside: bool,
    lost_offsets: Literal["stop", "skip"],
) -> Start:
    """Decide where to begin.

    Args:
        partition: for messages.
        position: where it stands; None begins with the oldest record there is.
        log: what the log holds.
        outside: the broker has just refused to read on because the position lies outside of the log.
        lost_offsets: what to do about records that were deleted unread.

    Raises:
        IngestError: records were deleted unread and `lost_offsets` is `stop`; or the log ends before the position, so
            that it was cut and new records come under old offsets.
    """
    if position is None:
        return Start(log.start, None, log.start)
    first, pinned_to = position.next_offset, position.pinned_to
    if outside and first > log.end:
        raise IngestError(
            f"{partition} ends at offset {log.end}, before offset {first} where ingest stands: Kafka has lost records "
            "that it had acknowledged (an unclean leader election, or a restored disk). New records under old offsets "
            "would be taken for old ones. Delete the topic and make it anew; its stored rows stay."
        )
    if first >= log.start:
        return Start(first, pinned_to, first)
    lost = LostOffsets(first, log.start - 1)
    if lost_offsets == "stop":
        raise IngestError(
            f"Kafka has deleted offsets {lost.first} to {lost.last} of {partition} before they were stored (its "
            "retention is shorter than the collector was behind). To go on with the oldest record there is, set "
            "SPANWISE_LOST_OFFSETS=skip; what is skipped is counted. To keep more, raise the topic's retention.ms."
        )
    # Of a pinned batch that is partly deleted, spans may be stored already: they go into the filter, so that the rest
    # of its records stores only what is missing.
    return Start(log.start, None, max(log.start, 0 if pinned_to is None else pinned_to + 1), lost)
