"""Record headers and partitioning."""

from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from spanwise_schemas import wire
from spanwise_schemas.wire import Envelope

COUNTS = st.integers(min_value=0, max_value=2**63 - 1)
HEADERS = st.lists(
    st.tuples(st.sampled_from([wire.HEADER_PRODUCER, wire.HEADER_SEQ, wire.HEADER_SPANS, "x"]), st.binary() | st.none())
)


@given(seq=COUNTS, spans=COUNTS, dropped=COUNTS)
def test_an_envelope_survives_the_way_through_record_headers(seq: int, spans: int, dropped: int) -> None:
    """What a producer writes into the headers is what the collector reads."""
    sent = Envelope(producer="0af7651916cd43dd8448eb211c80319c", seq=seq, spans=spans, dropped=dropped)

    assert sent == Envelope.from_headers(sent.to_headers())


def test_headers_are_the_names_and_numbers_of_the_design() -> None:
    """Other programs read these headers: their names and ASCII decimal form are a promise."""
    envelope = Envelope(producer="ab" * 16, seq=7, spans=120, dropped=3)

    assert [
        ("spanwise-producer", b"abababababababababababababababab"),
        ("spanwise-seq", b"7"),
        ("spanwise-spans", b"120"),
        ("spanwise-dropped", b"3"),
    ] == envelope.to_headers()


@given(HEADERS)
def test_headers_of_other_producers_are_no_envelope_and_no_error(headers: list[tuple[str, bytes | None]]) -> None:
    """Records without all four headers, or with nonsense in them, are read as coming from another producer."""
    assert Envelope.from_headers(headers) is None


@given(st.text(st.characters(exclude_categories=["Cs"])), HEADERS)
def test_the_project_of_a_record_is_what_the_last_header_says(
    project: str, others: list[tuple[str, bytes | None]]
) -> None:
    """Any name survives the way through the header; without the header, or with one that is not text, it is empty."""
    header = (wire.HEADER_PROJECT, project.encode("utf-8"))

    assert project == wire.project_from_headers([(wire.HEADER_PROJECT, b"before"), header, *others])
    assert "" == wire.project_from_headers(others)
    assert "" == wire.project_from_headers([header, (wire.HEADER_PROJECT, b"\xff")])


@given(trace_id=st.binary(min_size=16, max_size=16), partitions=st.integers(min_value=1, max_value=512))
def test_a_trace_has_one_partition_within_range(trace_id: bytes, partitions: int) -> None:
    """The partition exists, and depends on nothing but the trace id and the number of partitions."""
    partition = wire.partition_for(trace_id, partitions)

    assert 0 <= partition < partitions
    assert partition == wire.partition_for(bytes(trace_id), partitions)


def test_traces_spread_evenly_also_with_time_ordered_ids() -> None:
    """10,000 ids that share their first eight bytes fill 8 partitions to within 15 % of an equal share."""
    random = Random(1)
    counts = Counter(
        wire.partition_for(b"\x01\x92\xaa\xbb\xcc\xdd\xee\xff" + random.randbytes(8), 8) for _ in range(10_000)
    )

    assert set(range(8)) == set(counts)
    assert all(1062 <= count <= 1438 for count in counts.values())
