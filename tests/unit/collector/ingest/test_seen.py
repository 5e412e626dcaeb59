"""The duplicate filter."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.ingest.seen import SeenSpans, stored_ids
from spanwise_collector.store.database import Database

STORED = st.lists(st.tuples(st.integers(0, 30), st.binary(min_size=1, max_size=1)), max_size=40).map(
    lambda entries: sorted({span: (offset, span) for offset, span in entries}.values())
)


@given(STORED, st.integers(0, 35))
def test_the_filter_depends_on_the_window_alone(stored: list[tuple[int, bytes]], start: int) -> None:
    """After running on and rewinding it holds what a fresh one holds that was read back for the same start."""
    window = 7
    running = SeenSpans(window)
    running.add(stored)
    running.rewind(start)
    fresh = SeenSpans(window)
    fresh.add((offset, span) for offset, span in stored if fresh.first(start) <= offset < start)

    kept, read_back = running.before(start), fresh.before(start)

    spans = {span for _, span in stored}
    assert {span for span in spans if span in kept} == {span for span in spans if span in read_back}


def test_refused_spans_are_forgotten() -> None:
    """What the store refused is not stored, so its repeat is no duplicate."""
    seen = SeenSpans(10)
    seen.add([(1, b"a"), (1, b"b"), (2, b"c")])

    seen.drop({b"b"})

    kept = seen.before(3)
    assert ([span for span in (b"a", b"b", b"c") if span in kept], len(seen)) == ([b"a", b"c"], 2)


def test_the_filter_is_read_back_from_the_table(database: Database) -> None:
    """Only spans of the same topic id, partition and offsets, in order, over as many queries as it takes."""
    rows = [(topic, part, offset) for topic in ("t/new", "t/old") for part in (0, 1) for offset in range(0, 120, 7)]
    database.insert(
        "spans",
        pa.RecordBatch.from_pydict(
            {
                "trace_id": pa.array([bytes([number]) * 16 for number in range(len(rows))], pa.binary(16)),
                "span_id": pa.array([bytes([200]) * 8 for _ in rows], pa.binary(8)),
                "start_time": pa.array([1_795_348_800_000_000] * len(rows), pa.timestamp("us", tz="UTC")),
                "ktopic": pa.array([row[0] for row in rows], pa.string()),
                "kpart": pa.array([row[1] for row in rows], pa.uint16()),
                "koff": pa.array([row[2] for row in rows], pa.uint64()),
            }
        ),
        token="seen",
    )

    found = list(stored_ids(database)("t/new", 1, 10, 110))

    expected = [
        (offset, bytes([number]) * 16 + bytes([200]) * 8)
        for number, (topic, part, offset) in enumerate(rows)
        if (topic, part) == ("t/new", 1) and 10 <= offset < 110
    ]
    assert found == expected
