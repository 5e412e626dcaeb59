"""What a record of the rejects topic says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.ingest.records import Record
from spanwise_collector.rejects.model import Origin, Position, Refusal, read_refusal
from spanwise_schemas.wire import Envelope
from tests.support.fake_reject_log import FakeRejectLog
from tests.support.otlp import NOW_MS, record, span, traces


def test_everything_that_ingest_wrote_is_read_back() -> None:
    """Reason, place, time and counts are of the headers, the sender of the header and the bytes."""
    value = traces(span())
    refused = record(value, headers=[*Envelope("p1", 4, 1, 0).to_headers(), ("spanwise-project", b"lab")])

    found = read_refusal(FakeRejectLog().refuse(refused, "too_old", detail="d" * 1_000, items=3, at_ms=99))

    assert found == Refusal(
        at=Position("spanwise_rejects", 0, 0),
        refused_ms=99,
        origin=Origin(Position("otlp_spans", 3, 7), "topic-id", NOW_MS),
        reason="too_old",
        detail="d" * 300,
        items=3,
        size=len(value.SerializeToString()),
        is_kept=True,
        producer="p1",
        project="lab",
        service="bot",
        code_version="1.0",
        replayed_from="",
    )


def test_bytes_that_were_not_kept_are_told() -> None:
    """The rejects topic took the headers alone: the size is that of the original."""
    headers = (("spanwise-reject-reason", b"too_large"), ("spanwise-reject-omitted-bytes", b"3000000"))

    found = read_refusal(FakeRejectLog().add(b"k", None, headers))

    assert (found.is_kept, found.size, found.origin) == (False, 3_000_000, None)


@given(st.lists(st.tuples(st.sampled_from(["partition", "offset", "items", "topic", "timestamp-ms"]), st.binary())))
def test_whatever_somebody_writes_there_is_read(headers: list[tuple[str, bytes]]) -> None:
    """Headers of others never stop the list: they are read as far as they make sense."""
    named = tuple((f"spanwise-reject-{name}", value) for name, value in headers)

    found = read_refusal(Record("spanwise_rejects", "", 0, 1, 5, None, b"\xff\x00", named))

    assert (found.at, found.refused_ms, found.size) == (Position("spanwise_rejects", 0, 1), 5, 2)


@given(st.text(min_size=1), st.integers(0, 99), st.integers(0, 2**62))
def test_positions_are_read_as_they_are_written(topic: str, partition: int, offset: int) -> None:
    """Reading undoes writing."""
    at = Position(topic, partition, offset)

    assert Position.read(str(at)) == at


@pytest.mark.parametrize("text", ["", "t", "t:0", ":0:1", "t:-1:0", "t:0:x", "t:0:1 "])
def test_what_is_no_position_is_refused(text: str) -> None:
    """Half a position, or one with other characters, names nothing."""
    with pytest.raises(ValueError, match="no position"):
        Position.read(text)
