"""Claims and leases on the real engine: of several writers one has it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from spanwise_collector.alerts.claims import SKEW, Claim, Lease, claim_once, last_claims, take
from spanwise_collector.store.database import Database
from spanwise_collector.store.errors import TransientStoreError

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Clock:
    """A time of day that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def forward(self, seconds: float) -> None:
        """Later."""
        self.now += timedelta(seconds=seconds)


def lease(database: Database, owner: str, clock: Clock) -> Lease:
    """Half a minute."""
    return Lease(database, "alerts", owner, 30, clock)


def test_of_many_threads_one_has_each_term(database: Database) -> None:
    """Eight writers race for ten terms, with two writers of the store: every term has one owner, told yes once."""
    barrier = threading.Barrier(8)

    def race(owner: str) -> list[int]:
        won = []
        for term in range(1, 11):
            barrier.wait(60)
            if take(database, "race", term, owner, until=NOW + timedelta(minutes=1), now=NOW):
                won.append(term)
        return won

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(race, [f"o{number}" for number in range(8)]))

    assert sorted(term for won in outcomes for term in won) == list(range(1, 11))
    assert database.query("SELECT count(), uniqExact(term) FROM claims").rows == [(10, 10)]


def test_a_claim_says_who_has_it_and_how_long(database: Database) -> None:
    """The newest of each name; what nobody claimed is absent."""
    until = NOW + timedelta(seconds=7)
    assert take(database, "a", 1, "me", until=NOW, now=NOW)
    assert take(database, "a", 2, "you", until=until, now=NOW)
    assert not take(database, "a", 2, "me", until=until, now=NOW)

    assert last_claims(database, ["a", "b"]) == {"a": Claim("a", 2, "you", until)}


def test_what_was_claimed_once_is_free_again_when_it_has_run_out(database: Database) -> None:
    """Nobody has it twice at the same time, by clocks that differ by less than the margin."""
    until = NOW + timedelta(seconds=60)
    assert claim_once(database, "job", "a", until=until, now=NOW)
    assert not claim_once(database, "job", "b", until=until + SKEW, now=until)
    assert claim_once(database, "job", "b", until=until + timedelta(hours=1), now=until + SKEW)
    assert not claim_once(database, "job", "a", until=until + timedelta(hours=1), now=until + SKEW)


def test_one_leads_until_it_is_gone(database: Database) -> None:
    """Who asks keeps it; who stops asking loses it after its length and the margin, and is told so when it wakes up."""
    clock = Clock()
    first, second = lease(database, "first", clock), lease(database, "second", clock)

    assert (first.is_leader(), second.is_leader(), second.holder) == (True, False, "first")
    for _ in range(10):
        clock.forward(20)
        assert (first.is_leader(), second.is_leader()) == (True, False)
    clock.forward(30 + SKEW.total_seconds() - 0.001)
    assert not second.is_leader()
    clock.forward(0.001)
    assert (second.is_leader(), first.is_leader(), first.holder) == (True, False, "second")


def test_leading_costs_no_question_while_it_is_fresh(database: Database) -> None:
    """It is asked for again after a third of its length, not at every look."""
    clock = Clock()
    held = lease(database, "first", clock)
    for _ in range(30):
        assert held.is_leader()
        clock.forward(1)

    assert last_claims(database, ["alerts"])["alerts"].term == 3


def test_a_lease_that_is_given_up_is_free_at_once(database: Database) -> None:
    """A restart need not wait."""
    clock = Clock()
    first, second = lease(database, "first", clock), lease(database, "second", clock)
    assert first.is_leader()
    first.release()
    clock.forward(0.001)

    assert (second.is_leader(), first.is_leader()) == (True, False)


def test_two_threads_race_for_a_lease_and_one_leads(database: Database) -> None:
    """Ten times anew, each time after the last holder is gone."""
    clock = Clock()
    barrier = threading.Barrier(2)
    for number in range(10):
        leases = [lease(database, f"{number}:{who}", clock) for who in "ab"]

        def ask(one: Lease) -> bool:
            barrier.wait(60)
            return one.is_leader()

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(ask, leases)) == [False, True]
        clock.forward(60)


class Away:
    """A store that does not answer, when told so."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.is_away = False

    def query(self, *args: object, **kwargs: object) -> object:
        """Ask, or fail."""
        return self._call("query", *args, **kwargs)

    def insert(self, *args: object, **kwargs: object) -> object:
        """Insert, or fail."""
        return self._call("insert", *args, **kwargs)

    def _call(self, name: str, *args: object, **kwargs: object) -> object:
        if self.is_away:
            raise TransientStoreError("away")
        return getattr(self._database, name)(*args, **kwargs)


def test_while_the_store_is_away_the_lease_holds_as_long_as_it_was_given(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody else can have taken it meanwhile; then nobody leads."""
    clock, store = Clock(), Away(database)
    held = Lease(store, "alerts", "first", 30, clock)  # type: ignore[arg-type]
    assert held.is_leader()
    store.is_away = True
    clock.forward(29.9)
    assert (held.is_leader(), held.holder) == (True, "")
    clock.forward(0.1)
    assert not held.is_leader()
    assert "the lease alerts could not be renewed" in caplog.text
    store.is_away = False
    assert held.is_leader()
