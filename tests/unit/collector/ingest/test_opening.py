"""Where reading begins."""

from typing import Literal

import pytest

from spanwise_collector.ingest.errors import IngestError
from spanwise_collector.ingest.opening import LostOffsets, Start, start_of
from spanwise_collector.ingest.pins import Position
from spanwise_collector.ingest.source import LogRange, Partition

PARTITION = Partition("otlp_spans", 3)


@pytest.mark.parametrize(
    ("position", "log", "expected"),
    [
        (None, LogRange(0, 10), Start(0, 0)),
        (None, LogRange(4, 10), Start(4, 4)),
        (Position(7), LogRange(0, 10), Start(7, 7)),
        (Position(10), LogRange(10, 10), Start(10, 10)),
        (Position(7, 9), LogRange(0, 10), Start(7, 7, 9)),
    ],
    ids=["new topic", "new group on an old topic", "released", "at the end", "pinned"],
)
def test_reading_begins_where_it_stood(position: Position | None, log: LogRange, expected: Start) -> None:
    """At the oldest record for a new group, else at the position; a pinned range is read again."""
    assert start_of(PARTITION, position, log, outside=False, lost_offsets="stop") == expected


def test_deleted_records_stop_ingest_by_name() -> None:
    """The message has the offsets, the reason and both remedies."""
    with pytest.raises(IngestError) as caught:
        start_of(PARTITION, Position(7), LogRange(9, 20), outside=False, lost_offsets="stop")

    assert str(caught.value) == (
        "Kafka has deleted offsets 7 to 8 of otlp_spans[3] before they were stored (its retention is shorter than the "
        "collector was behind). To go on with the oldest record there is, set SPANWISE_LOST_OFFSETS=skip; what is "
        "skipped is counted. To keep more, raise the topic's retention.ms."
    )


def test_deleted_records_are_skipped_when_asked() -> None:
    """The rest of a pinned batch that is half deleted is stored as that batch, so that nothing of it lands twice."""
    found = [
        start_of(PARTITION, position, LogRange(9, 20), outside=True, lost_offsets="skip")
        for position in (Position(7), Position(7, 8), Position(7, 12, erasures=4))
    ]

    assert found == [
        Start(9, 9, lost=LostOffsets(7, 8)),
        Start(9, 9, lost=LostOffsets(7, 8)),
        Start(7, 9, 12, LostOffsets(7, 8), 4),
    ]


def test_a_log_that_was_cut_stops_ingest() -> None:
    """New records under old offsets would be taken for old ones, with either setting."""
    settings: tuple[Literal["stop", "skip"], ...] = ("stop", "skip")
    for setting in settings:
        with pytest.raises(IngestError, match=r"ends at offset 5, before offset 7"):
            start_of(PARTITION, Position(7), LogRange(0, 5), outside=True, lost_offsets=setting)
