"""Who may do what, of several processes: compare-and-set on ClickHouse, and leases made of it.

A claim is a row under the token `claim:<name>:<term>`. Of two writers of one term one lands, and reading it back says
whose it is. Reasons and limits: docs/decisions/0011-leases.md
"""

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import pyarrow as pa

from spanwise_collector.query.values import EPOCH
from spanwise_collector.store.database import Reader
from spanwise_collector.store.errors import StoreError

log = logging.getLogger(__name__)

TABLE: Final = "claims"
SKEW: Final = timedelta(seconds=5)
"""Clocks of collectors may differ by so much: a claim is taken over so long after it ran out."""
RENEW_AFTER: Final = 1 / 3
"""A lease is renewed when this part of it is over."""
_MILLIS: Final = pa.timestamp("ms", "UTC")
_SCHEMA: Final = pa.schema(
    [("name", pa.string()), ("term", pa.uint64()), ("owner", pa.string()), ("until", _MILLIS), ("ts", _MILLIS)]
)


class Store(Reader, Protocol):
    """What claims and the outbox need of the database; `Database` fulfils it."""

    def insert(self, table: str, rows: pa.RecordBatch, *, token: str, one_shard: bool = ...) -> None:
        """See `Database.insert`."""
        ...


@dataclass(frozen=True, slots=True)
class Claim:
    """A row of the table.

    Attributes:
        name: of what is claimed.
        term: rises by one with each owner and renewal, from 1.
        owner: who has it.
        until: how long, UTC; afterwards nobody has.
    """

    name: str
    term: int
    owner: str
    until: datetime


def last_claims(store: Store, names: Iterable[str]) -> dict[str, Claim]:
    """The newest claim of each name; names that nobody claimed are absent.

    Raises:
        StoreError: as the store says.
    """
    wanted = sorted(set(names))
    if not wanted:
        return {}
    rows = store.query(
        # Of rows of one term the first holds: a second can only come from a writer that slept through 10,000 claims.
        f"SELECT name, max(term) AS newest, argMax(owner, (term, -toUnixTimestamp64Milli(ts))), "
        f"argMax(toUnixTimestamp64Milli(until), (term, -toUnixTimestamp64Milli(ts))) "
        f"FROM {TABLE} WHERE name IN {{names:Array(String)}} GROUP BY name",
        {"names": wanted},
    ).rows
    return {
        name: Claim(name, int(term), owner, EPOCH + timedelta(milliseconds=int(until)))
        for name, term, owner, until in rows
    }


def take(store: Store, name: str, term: int, owner: str, *, until: datetime, now: datetime) -> bool:
    """Claim a term; whether it is ours.

    Of any number of callers with different owners one is told yes. A crash in between leaves the claim to its owner
    until it has run out.

    Args:
        store: the database.
        name: of what is claimed.
        term: one more than that of the last claim, 1 for the first.
        owner: a text that no other caller uses for this name and term.
        until: how long it holds, UTC.
        now: current time, UTC.

    Raises:
        StoreError: as the store says; whether it landed is then unknown, and `last_claims` tells.
    """
    row = {"name": name, "term": term, "owner": owner, "until": until, "ts": now}
    batch = pa.RecordBatch.from_pylist([row], schema=_SCHEMA)
    store.insert(TABLE, batch, token=f"claim:{name}:{term}", one_shard=True)
    last = last_claims(store, [name]).get(name)
    return last is not None and (last.term, last.owner) == (term, owner)


def claim_once(store: Store, name: str, owner: str, *, until: datetime, now: datetime) -> bool:
    """Claim something that nobody holds; whether it is ours.

    Args:
        store: the database.
        name: of what is claimed.
        owner: a text that no other caller uses.
        until: how long it holds, UTC; who has not finished by then has lost it.
        now: current time, UTC.

    Raises:
        StoreError: as the store says.
    """
    last = last_claims(store, [name]).get(name)
    if last is not None and last.until + SKEW > now:
        return False
    return take(store, name, last.term + 1 if last else 1, owner, until=until, now=now)


class Lease:
    """The right to be the one of several processes that does something, kept by asking for it. Thread-safe.

    Who has it renews it while asking; who is gone loses it after `seconds`, and another asker gets it. A process that
    slept longer than that is told no before it does anything else. What it does in one go must therefore either end
    within the lease or be harmless twice, as everything under an insert token is.

    Args:
        store: the database.
        name: of the lease, such as `alerts`.
        owner: of this process alone, also after a restart.
        seconds: how long it lasts without being renewed.
        now: the time of day, UTC.
    """

    def __init__(self, store: Store, name: str, owner: str, seconds: float, now: Callable[[], datetime]) -> None:
        self._store = store
        self._name = name
        self._owner = owner
        self._length = timedelta(seconds=seconds)
        self._now = now
        self._lock = threading.Lock()
        self._held: Claim | None = None

    def is_leader(self) -> bool:
        """Whether this process has the lease now; asks for it, or renews it, where that is due.

        Where the store does not answer it is what was known before, as long as that holds.
        """
        with self._lock:
            now = self._now()
            if self._held is None or self._held.until - now <= self._length * (1 - RENEW_AFTER):
                try:
                    self._held = self._asked(now)
                except StoreError as error:
                    log.warning("the lease %s could not be renewed, it is tried again: %s", self._name, error)
            return self._held is not None and self._now() < self._held.until

    @property
    def holder(self) -> str:
        """Who has it, by its name; empty where nobody does or the store does not answer."""
        try:
            last = last_claims(self._store, [self._name]).get(self._name)
        except StoreError:
            return ""
        return last.owner if last and self._now() < last.until else ""

    def release(self) -> None:
        """Give it up, so that another need not wait for its end. Call it when the work has stopped."""
        with self._lock:
            held, self._held = self._held, None
            if held is None:
                return
            now = self._now()
            try:
                # In the past by the clocks of all others, too.
                take(self._store, self._name, held.term + 1, self._owner, until=now - SKEW, now=now)
            except StoreError as error:
                log.warning("the lease %s could not be given up, it runs out: %s", self._name, error)

    def _asked(self, now: datetime) -> Claim | None:
        last = last_claims(self._store, [self._name]).get(self._name)
        if last is not None and last.owner != self._owner and last.until + SKEW > now:
            return None
        term, until = (last.term + 1 if last else 1), now + self._length
        if take(self._store, self._name, term, self._owner, until=until, now=now):
            return Claim(self._name, term, self._owner, until.astimezone(UTC))
        return None
