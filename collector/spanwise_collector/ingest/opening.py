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
        first: where the next batch begins: before `offset` when Kafka has deleted the head of a pinned batch.
        offset: the first record to read.
        redo_to: last offset of the pinned batch that starts at `first`, or None.
        lost: what is skipped, if anything.
        erasures: version of the list of what was erased by which the pinned batch was built.
    """

    first: int
    offset: int
    redo_to: int | None = None
    lost: LostOffsets | None = None
    erasures: int = 0


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
        return Start(log.start, log.start)
    first, pinned_to = position.next_offset, position.pinned_to
    if outside and first > log.end:
        raise IngestError(
            f"{partition} ends at offset {log.end}, before offset {first} where ingest stands: Kafka has lost records "
            "that it had acknowledged (an unclean leader election, or a restored disk). New records under old offsets "
            "would be taken for old ones. Delete the topic and make it anew; its stored rows stay."
        )
    if first >= log.start:
        return Start(first, first, pinned_to, erasures=position.erasures)
    lost = LostOffsets(first, log.start - 1)
    if lost_offsets == "stop":
        raise IngestError(
            f"Kafka has deleted offsets {lost.first} to {lost.last} of {partition} before they were stored (its "
            "retention is shorter than the collector was behind). To go on with the oldest record there is, set "
            "SPANWISE_LOST_OFFSETS=skip; what is skipped is counted. To keep more, raise the topic's retention.ms."
        )
    if pinned_to is None or pinned_to < log.start:
        return Start(log.start, log.start, lost=lost)
    # The rest of a pinned batch is stored under the tokens of the whole. Each table then has the whole, if that landed,
    # or the rest; and of a collector that was replaced and whose insert is still on its way nothing is stored twice.
    return Start(first, log.start, pinned_to, lost, position.erasures)
