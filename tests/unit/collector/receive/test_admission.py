"""Bytes in flight."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from spanwise_collector.receive.admission import REQUEST_BYTES, Admission
from spanwise_collector.receive.errors import NotTakenError, Reason
from spanwise_collector.receive.numbering import Numbering


def test_a_request_pays_until_its_end() -> None:
    """What it held is free again, also after a failure."""
    admission = Admission(100_000)

    def fail() -> None:
        with admission.request() as lease:
            lease.grow(50_000)
            assert admission.held == REQUEST_BYTES + 50_000
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert admission.held == 0


def test_beyond_the_limit_requests_are_sent_away_until_there_is_room() -> None:
    """With 429, when they begin and while they grow; what was held stays counted once."""
    admission = Admission(100_000)

    with admission.request() as first:
        first.grow(70_000)
        with pytest.raises(NotTakenError, match="SPANWISE_OTLP_IN_FLIGHT_BYTES") as caught, admission.request():
            pass
        with pytest.raises(NotTakenError), admission.request():
            pass
        assert admission.held == REQUEST_BYTES + 70_000
        with pytest.raises(NotTakenError):
            first.grow(20_000)
    with admission.request() as second:
        second.grow(70_000)

    assert (caught.value.reason, admission.held) == (Reason.BUSY, 0)


def test_while_it_stops_only_what_is_in_flight_goes_on() -> None:
    """New requests are answered with 503."""
    admission = Admission(100_000)

    with admission.request() as lease:
        admission.close()
        lease.grow(1_000)
        with pytest.raises(NotTakenError, match="stopping") as caught, admission.request():
            pass

    assert (caught.value.reason, admission.held) == (Reason.AWAY, 0)


def test_many_threads_leave_nothing_behind() -> None:
    """The sum is right whoever adds to it."""
    admission = Admission(1 << 30)

    def one(_: int) -> None:
        with admission.request() as lease:
            lease.grow(7)
            lease.grow(11)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(one, range(5_000)))

    assert admission.held == 0


def test_numbers_have_no_gaps_where_nothing_was_written() -> None:
    """A number that comes back is given again before a new one."""
    numbering = Numbering()

    taken = [numbering.take() for _ in range(4)]
    numbering.give_back(2)
    numbering.give_back(0)

    assert taken + [numbering.take() for _ in range(3)] == [0, 1, 2, 3, 0, 2, 4]
