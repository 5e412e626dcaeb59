"""Work on a thread: whatever a round raises, the next is taken; it ends when it is told to, and says what it did."""

import threading
from collections.abc import Callable, Mapping

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from spanwise_collector.periodic import Periodic
from spanwise_collector.store.errors import StoreError, TransientStoreError

PATIENCE_S = 60.0


def periodic(step: Callable[[], Mapping[str, int]], leads: Callable[[], bool] = lambda: True) -> Periodic:
    """Work without pauses and with a clock that stands."""
    return Periodic("work", step, counts={"done": "Done."}, is_leader=leads, interval_s=0.001, clock=lambda: 0.0)


def test_what_rounds_did_is_added_up() -> None:
    """By name; that there is more is told and not added, and all of it goes to Prometheus."""
    answers = iter([{"done": 2, "more": 1}, {"done": 3, "more": 0}, {}])
    work = periodic(lambda: next(answers))
    registry = CollectorRegistry()
    registry.register(work)

    assert [True, False, False] == [work.round() for _ in range(3)]
    assert {"rounds": 3, "failures": 0, "seconds": 0, "done": 5} == work.counts
    assert b"spanwise_work_done_total 5.0\n" in generate_latest(registry)


@pytest.mark.parametrize("error", [TransientStoreError("away"), StoreError("no rights"), ZeroDivisionError("a slip")])
@pytest.mark.parametrize("asking", [False, True])
def test_whatever_fails_the_thread_goes_on(error: Exception, asking: bool, caplog: pytest.LogCaptureFixture) -> None:
    """Also where asking who is the one fails, as it does while the store is away; it is counted and logged."""
    failures = iter([error])
    again = threading.Event()

    def fail_once() -> None:
        if (one := next(failures, None)) is not None:
            raise one

    def leads() -> bool:
        if asking:
            fail_once()
        return True

    def step() -> Mapping[str, int]:
        fail_once()
        again.set()
        return {}

    work = periodic(step, leads)
    work.start()
    assert again.wait(PATIENCE_S)
    work.stop()

    assert 1 == work.counts["failures"]
    assert str(error) in caplog.text


def test_the_first_round_may_begin_at_once() -> None:
    """Without waiting for the interval, which is an hour here."""
    begun = threading.Event()

    def step() -> Mapping[str, int]:
        begun.set()
        return {}

    work = Periodic("work", step, counts={}, is_leader=lambda: True, interval_s=3600, at_once=True)
    work.start()
    assert begun.wait(PATIENCE_S)
    work.stop()
    assert 1 == work.counts["rounds"]


def test_the_end_is_told_and_may_fail() -> None:
    """What is to be done at the stop is done after the last round; a store that is away then stops nobody."""
    ended: list[float] = []

    def at_stop() -> None:
        ended.append(work.counts["rounds"])
        raise TransientStoreError("away")

    work = Periodic("work", dict, counts={}, is_leader=lambda: True, interval_s=0.001, at_stop=at_stop)
    work.start()
    work.stop()
    assert [work.counts["rounds"]] == ended
