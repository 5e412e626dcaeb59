"""Writing refused records to their topics once more."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.ingest.records import Record
from spanwise_collector.rejects.log import Outgoing
from spanwise_collector.rejects.model import Position, read_refusal
from spanwise_collector.rejects.replay import (
    CHUNK_BYTES,
    CHUNK_RECORDS,
    NO_ORIGIN,
    NOT_KEPT,
    REFUSED_AGAIN,
    SAME_RECORD,
    Outcome,
    plan,
    replay,
)
from spanwise_collector.rejects.scan import newest_first
from tests.support.fake_reject_log import FakeRejectLog
from tests.support.otlp import NOW_MS, record


def run(log: FakeRejectLog) -> Outcome:
    """Replay everything."""
    return replay(log, plan(newest_first(log)).chosen, lambda outcome: None)


def test_a_record_comes_back_as_it_was_and_says_from_where() -> None:
    """Topic, partition, key, bytes, time and headers are the original's; ours about the refusal are gone."""
    log = FakeRejectLog()
    original = Record(
        "otlp_logs", "id", 2, 40, NOW_MS, b"key", b"bytes", (("a", b"1"), ("spanwise-seq", b"7"), ("a", b"2"))
    )
    log.refuse(original)

    outcome = run(log)

    assert outcome == Outcome(acknowledged=1, failures=[])
    assert log.written == [
        Outgoing(
            "otlp_logs",
            2,
            b"key",
            b"bytes",
            (("a", b"1"), ("spanwise-seq", b"7"), ("a", b"2"), ("spanwise-replayed", b"spanwise_rejects:0:0")),
            NOW_MS,
        )
    ]


def test_a_replay_that_was_refused_again_names_only_its_last_place() -> None:
    """The header of the first replay does not stay beside that of the second."""
    log = FakeRejectLog()
    log.refuse(replace(record(b"x"), headers=(("spanwise-replayed", b"spanwise_rejects:0:0"),)))

    run(log)

    assert log.written[0].headers == (("spanwise-replayed", b"spanwise_rejects:0:0"),)


def test_a_time_that_is_none_is_not_replayed() -> None:
    """A record refused for its time gets that of the writing; the same time would be refused again."""
    log = FakeRejectLog()
    log.refuse(record(b"x", timestamp_ms=-1), "bad_record_time")

    run(log)

    assert [one.timestamp_ms for one in log.written] == [None]


def test_what_cannot_be_written_or_need_not_be_is_left_out() -> None:
    """Each original record once; those without bytes or place not at all; of replays of replays the newest."""
    log = FakeRejectLog()
    log.refuse(record(b"both", offset=1), "too_old")
    log.refuse(record(b"both", offset=1), "no_time")
    log.add(None, b"whose", ())
    log.refuse(record(b"large", offset=2))
    log.records[0][-1] = replace(
        log.records[0][-1], headers=(*log.records[0][-1].headers, ("spanwise-reject-omitted-bytes", b"9"))
    )
    log.refuse(record(b"again", offset=3))
    log.refuse(record(b"again", offset=9, headers=[("spanwise-replayed", b"spanwise_rejects:0:4")]))
    refusals = list(newest_first(log))

    found = plan(refusals, [one.replayed_from for one in refusals])

    assert [one.at.offset for one in found.chosen] == [1, 5]
    assert found.skipped == {NO_ORIGIN: 1, NOT_KEPT: 1, SAME_RECORD: 1, REFUSED_AGAIN: 1}


@given(st.sets(st.tuples(st.integers(0, 1), st.integers(0, 299)), max_size=60))
def test_each_chosen_record_is_written_once(places: set[tuple[int, int]]) -> None:
    """Whatever lies between them, over partitions."""
    log = FakeRejectLog()
    for partition in (0, 1):
        for number in range(300):
            log.refuse(record(f"{partition}-{number}".encode(), offset=1_000 * partition + number), partition=partition)
    chosen = plan(read_refusal(log.records[partition][offset]) for partition, offset in places).chosen

    outcome = replay(log, chosen, lambda outcome: None)

    assert outcome == Outcome(acknowledged=len(places), failures=[])
    assert [one.value for one in log.written] == [
        f"{partition}-{offset}".encode() for partition, offset in sorted(places)
    ]


def test_memory_is_bounded_by_records_and_bytes() -> None:
    """A chunk ends at so many records or bytes; progress is told after each."""
    log = FakeRejectLog()
    for number in range(CHUNK_RECORDS + 1):
        log.refuse(record(b"x", offset=number))
    for number in range(3):
        log.refuse(record(bytes(CHUNK_BYTES // 2), offset=10_000 + number))
    told: list[int] = []

    outcome = replay(log, plan(newest_first(log)).chosen, lambda outcome: told.append(outcome.acknowledged))

    assert (log.chunks, told, outcome.acknowledged) == ([500, 2, 2], [500, 502, 504], 504)


def test_a_failure_stops_nothing_but_itself() -> None:
    """The others are written; what was not acknowledged is told with its place."""
    log = FakeRejectLog(failing={b"bad": "MessageSizeTooLargeError"})
    log.refuse(record(b"bad", offset=1))
    log.refuse(record(b"good", offset=2))

    outcome = run(log)

    assert outcome == Outcome(1, [(Position("spanwise_rejects", 0, 0), "MessageSizeTooLargeError")])


def test_it_ends_when_nothing_is_acknowledged_any_more() -> None:
    """A broker that is away is not asked once per chunk."""
    log = FakeRejectLog(failing={b"x": "KafkaTimeoutError"})
    for number in range(3 * CHUNK_RECORDS):
        log.refuse(record(b"x", offset=number))

    outcome = run(log)

    assert (log.chunks, outcome.acknowledged, len(outcome.failures)) == ([CHUNK_RECORDS], 0, CHUNK_RECORDS)


def test_a_record_that_is_gone_is_told() -> None:
    """Kafka deleted it between the choice and the writing."""
    log = FakeRejectLog()
    log.refuse(record(b"x"))
    chosen = plan(newest_first(log)).chosen
    log.records[0].clear()

    outcome = replay(log, chosen, lambda outcome: None)

    assert outcome == Outcome(0, [(Position("spanwise_rejects", 0, 0), "it is not in the topic any more")])
