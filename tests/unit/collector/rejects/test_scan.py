"""Choosing refusals from the newest back."""

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.rejects.model import read_refusal
from spanwise_collector.rejects.scan import WINDOW, Filter, grouped, newest_first
from tests.support.fake_reject_log import FakeRejectLog
from tests.support.otlp import record, span, traces


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5)), max_size=30))
def test_every_reject_comes_once_and_the_newest_first(arrivals: list[tuple[int, int]]) -> None:
    """Over several partitions, as long as time does not go back in one of them."""
    log = FakeRejectLog()
    for partition, later in arrivals:
        before = log.records.get(partition, [])
        at_ms = (before[-1].timestamp_ms if before else 0) + later
        log.refuse(record(b"x"), at_ms=at_ms, partition=partition)

    found = list(newest_first(log))

    times = [one.refused_ms for one in found]
    assert times == sorted(times, reverse=True)
    assert {one.at for one in found} == {read_refusal(one).at for lying in log.records.values() for one in lying}
    assert len(found) == len(arrivals)


def test_only_as_much_is_read_as_is_asked_for() -> None:
    """The newest few need one window; with a time, reading ends at the first window that is older."""
    log = FakeRejectLog()
    for number in range(3 * WINDOW):
        log.refuse(record(b"x"), at_ms=number)
    newest = list(islice(newest_first(log), 2))
    few, log.reads = log.reads, []

    since = Filter(since_ms=3 * WINDOW - 5)
    found = [one.at.offset for one in newest_first(log, since.since_ms) if since.takes(one)]

    assert [one.at.offset for one in newest] == [3 * WINDOW - 1, 3 * WINDOW - 2]
    assert few == [(0, 2 * WINDOW, 3 * WINDOW)]
    assert found == list(range(3 * WINDOW - 1, 3 * WINDOW - 6, -1))
    assert log.reads == [(0, 2 * WINDOW, 3 * WINDOW), (0, WINDOW, 2 * WINDOW)]


def test_groups_sum_by_reason_and_sender() -> None:
    """The reason with the most items is first; each group knows its newest reject and its producers."""
    log = FakeRejectLog()
    shop, lab = traces(span()), traces(span(), resource={"service.name": "cli", "spanwise.project": "lab"})
    log.refuse(record(shop, headers=[("spanwise-producer", b"p1")]), "too_old", items=2, at_ms=10)
    log.refuse(record(lab), "no_time", items=9, at_ms=20)
    log.refuse(record(shop, headers=[("spanwise-producer", b"p2")]), "too_old", items=3, at_ms=30)

    found = [
        (
            group.newest.reason,
            group.newest.project,
            group.newest.service,
            group.records,
            group.items,
            (group.oldest_ms, group.newest.refused_ms, group.newest.at.offset),
            dict(group.producers),
        )
        for group in grouped(newest_first(log))
    ]

    assert found == [
        ("no_time", "lab", "cli", 1, 9, (20, 20, 1), {"": 1}),
        ("too_old", "shop", "bot", 2, 5, (10, 30, 2), {"p1": 1, "p2": 1}),
    ]


def test_a_filter_takes_reasons_from_a_time_on() -> None:
    """Both have to hold."""
    log = FakeRejectLog()
    for reason, at_ms in (("a", 1), ("a", 2), ("b", 2), ("c", 3)):
        log.refuse(record(b"x"), reason, at_ms=at_ms)
    wanted = Filter(reasons=("a", "b"), since_ms=2)

    assert [one.at.offset for one in newest_first(log) if wanted.takes(one)] == [2, 1]
