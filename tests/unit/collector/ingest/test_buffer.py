"""Records that wait, and where a batch ends."""

from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.ingest.buffer import Buffer, estimated_rows
from spanwise_collector.ingest.records import Record
from spanwise_schemas import wire


def record(offset: int, size: int = 100, *, spans: bytes | None = None) -> Record:
    """A record of a size, with what its producer says of it."""
    headers = () if spans is None else ((wire.HEADER_SPANS, spans),)
    return Record("t", "id", 0, offset, 0, None, bytes(size), headers)


def test_rows_are_what_the_producer_says_as_far_as_it_can_be_true() -> None:
    """A header that is absent, broken or impossible for the size does not move the end of a batch far."""
    found = [
        estimated_rows(record(0, 2_800, spans=spans))
        for spans in (b"40", None, b"", b"-5", b"many", b"0", b"999999999", b"9" * 5_000)
    ]

    assert found == [40, 5, 5, 5, 5, 1, 101, 5]


def test_a_batch_ends_before_it_would_be_too_large() -> None:
    """By rows, by bytes or by records, and has at least one record."""
    buffer = Buffer()
    buffer.add([record(offset, spans=b"3") for offset in range(8)], now=1.0)

    cuts = [
        [r.offset for r in buffer.cut(rows=7, size=10_000)],
        [r.offset for r in buffer.cut(rows=100, size=250)],
        [r.offset for r in buffer.cut(rows=1, size=1)],
        [r.offset for r in buffer.cut(rows=100, size=10_000, records=2)],
    ]

    assert (cuts, len(buffer), buffer.rows, buffer.bytes) == ([[0, 1], [2, 3], [4], [5, 6]], 1, 3, 100)


def test_a_range_is_cut_exactly() -> None:
    """A pinned range is taken up to its last offset, also where records are missing."""
    buffer = Buffer()
    buffer.add([record(offset) for offset in (3, 4, 8, 9)], now=1.0)

    assert [r.offset for r in buffer.cut_to(7)] == [3, 4]
    assert [r.offset for r in buffer.cut_to(8)] == [8]


@given(st.lists(st.tuples(st.integers(0, 3_000), st.integers(1, 50)), max_size=30), st.integers(1, 60))
def test_cutting_and_restoring_keeps_order_and_sums(sizes: list[tuple[int, int]], rows: int) -> None:
    """Whatever is cut and put back, the buffer holds the same records in order, and their sums."""
    records = [record(n, size, spans=str(spans).encode()) for n, (size, spans) in enumerate(sizes)]
    buffer = Buffer()
    buffer.add(records, now=1.0)
    before = (len(buffer), buffer.rows, buffer.bytes)

    buffer.restore(buffer.cut(rows=rows, size=5_000), now=2.0)

    assert (len(buffer), buffer.rows, buffer.bytes) == before
    assert buffer.cut_to(len(records)) == records
    assert (len(buffer), buffer.rows, buffer.bytes, buffer.since) == (0, 0, 0, None)
