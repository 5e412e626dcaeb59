"""Threads that are there before they are needed."""

import threading

from spanwise._carrier import Carrier


def test_work_runs_in_order_on_one_thread_that_is_there_before() -> None:
    """Nothing is started for a piece of work: a waiting thread takes one after the other."""
    carrier = Carrier()
    before = set(threading.enumerate())
    seen: list[threading.Thread] = []
    runs = [carrier.run(lambda: seen.append(threading.current_thread())) for _ in range(3)]

    assert all(run.wait(60) for run in runs)
    assert len(seen) == 3
    assert set(seen) <= before
    carrier.end()


def test_busy_until_what_it_was_given_has_ended() -> None:
    """A carrier is busy from the moment that it is given work until that has ended."""
    carrier = Carrier()
    go_on = threading.Event()
    busy = [carrier.busy]

    def wait() -> None:
        go_on.wait(60)

    run = carrier.run(wait)
    busy.append(carrier.busy)
    go_on.set()
    ended = run.wait(60)
    busy.append(carrier.busy)
    carrier.end()

    assert (busy, ended) == ([False, True, False], True)
