"""Dollars per day, kept by any number of workers: a ledger in ClickHouse, and a purse in each process.

Money is taken out of the ledger before a call is made and what is left goes on to the next call. The ledger is a
chain: row n of a day says how much has been taken so far, under a token made of n. Of all who write row n one lands
(docs/decisions/0011-leases.md), so the sum never goes beyond the limit. A process that dies leaves what was in its
purse unspent for the day: a hundredth of the limit, or the most that one call may cost.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import pyarrow as pa

from spanwise_collector.alerts.claims import Store
from spanwise_collector.store.errors import StoreError, TransientStoreError

log = logging.getLogger(__name__)

TABLE: Final = "judge_money"
SHARE: Final = 100
"""A purse takes this part of a day's limit at a time, so that most calls need no question to the store."""
TRIES: Final = 100
ASK_AGAIN_S: Final = 5.0
"""After the ledger was found empty, it is asked again so much later: others give back what they did not need."""
LANDED_WITHIN_S: Final = 60.0
"""ClickHouse forgets a token after 10,000 others. Who slept so long between reading and writing has no claim."""
_SCHEMA: Final = pa.schema(
    [
        ("project_id", pa.string()),
        ("judge", pa.string()),
        ("day", pa.date32()),
        ("term", pa.uint64()),
        ("owner", pa.string()),
        ("granted_n", pa.int64()),
        ("spent_n", pa.int64()),
        ("limit_n", pa.int64()),
        ("ts", pa.timestamp("ms", "UTC")),
    ]
)


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the ledger.

    Attributes:
        term: of the last row; 0 where there is none.
        granted_n: nano-dollars that were taken and not given back.
        spent_n: nano-dollars that calls did cost, as far as they were reported.
    """

    term: int = 0
    granted_n: int = 0
    spent_n: int = 0


def read_day(store: Store, project: str, judge: str, day: date) -> Day:
    """How a day of a judge stands.

    Raises:
        StoreError: as the store says.
    """
    rows = store.query(
        # Of rows of one term the first holds.
        f"SELECT max(term), argMax(granted_n, (term, -toUnixTimestamp64Milli(ts))), "
        f"argMax(spent_n, (term, -toUnixTimestamp64Milli(ts))) FROM {TABLE} "
        "WHERE project_id = {project:String} AND judge = {judge:String} AND day = {day:Date}",
        {"project": project, "judge": judge, "day": day},
    ).rows
    term, granted_n, spent_n = rows[0]
    return Day(int(term), int(granted_n), int(spent_n)) if term else Day()


@dataclass(frozen=True, slots=True)
class Hold:
    """Money set aside for one call.

    Attributes:
        day: whose it is.
        amount_n: nano-dollars.
    """

    day: date
    amount_n: int


class Purse:
    """One process's money for one judge. Thread-safe.

    Args:
        store: the database.
        project: of the judge.
        judge: its name.
        limit_n: nano-dollars per day, at the moment.
        now: the time of day, UTC.
        clock: seconds that never go back.
        new_id: a text that was never used before.
    """

    def __init__(
        self,
        store: Store,
        project: str,
        judge: str,
        limit_n: Callable[[], int],
        *,
        now: Callable[[], datetime],
        clock: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._project = project
        self._judge = judge
        self._limit_n = limit_n
        self._now = now
        self._clock = clock
        self._new_id = new_id
        self._lock = threading.Lock()
        self._day: date | None = None
        self._balance_n = 0
        self._spent: dict[date, int] = {}
        self._empty_until = float("-inf")

    def reserve(self, amount_n: int) -> Hold | None:
        """Set money aside for a call; None when the day's limit does not allow it.

        Raises:
            StoreError: the ledger cannot be read or written; nothing was set aside.
        """
        with self._lock:
            today = self._now().date()
            if today != self._day:
                self._day, self._balance_n, self._empty_until = today, 0, float("-inf")
            if self._balance_n < amount_n:
                if self._clock() < self._empty_until:
                    return None
                wanted_n = amount_n - self._balance_n
                taken_n = self._take(today, wanted_n, max(wanted_n, self._limit_n() // SHARE))
                if not taken_n:
                    self._empty_until = self._clock() + ASK_AGAIN_S
                    return None
                self._balance_n += taken_n
            self._balance_n -= amount_n
            return Hold(today, amount_n)

    def settle(self, hold: Hold, cost_n: int) -> None:
        """Say what a call did cost; what was set aside beyond that is free again.

        An endpoint that charges more than it was allowed leaves a debt, which the next reservation pays first.
        """
        with self._lock:
            self._spent[hold.day] = self._spent.get(hold.day, 0) + cost_n
            if hold.day == self._day:
                self._balance_n += hold.amount_n - cost_n

    def report(self) -> None:
        """Write into the ledger what was spent, and debts.

        Raises:
            StoreError: as the store says; it is written next time.
        """
        with self._lock:
            for day in list(self._spent):
                debt_n = max(0, -self._balance_n) if day == self._day else 0
                self._change(day, debt_n)
                if day == self._day:
                    self._balance_n += debt_n

    def give_back(self) -> None:
        """Return what is left; the purse is empty afterwards.

        Raises:
            StoreError: as the store says; the money is lost for the day.
        """
        with self._lock:
            day, left_n, self._balance_n = self._day, self._balance_n, 0
            if day is not None and (left_n or self._spent):
                self._change(day, -left_n)

    def _take(self, day: date, least_n: int, most_n: int) -> int:
        for _ in range(TRIES):
            asked_at = self._clock()
            last = read_day(self._store, self._project, self._judge, day)
            taken_n = min(most_n, self._limit_n() - last.granted_n)
            if taken_n < least_n:
                return 0
            if self._write(day, last, taken_n, asked_at):
                return taken_n
        raise TransientStoreError(f"The budget of the judge {self._judge} was contended {TRIES} times; try again.")

    def _change(self, day: date, change_n: int) -> None:
        for _ in range(TRIES):
            asked_at = self._clock()
            last = read_day(self._store, self._project, self._judge, day)
            if self._write(day, last, change_n, asked_at):
                return
        raise TransientStoreError(f"The budget of the judge {self._judge} was contended {TRIES} times; try again.")

    def _write(self, day: date, last: Day, change_n: int, asked_at: float) -> bool:
        """Write the next row; whether ours is the one that landed."""
        spent_n, owner, term = self._spent.get(day, 0), self._new_id(), last.term + 1
        row = {
            "project_id": self._project,
            "judge": self._judge,
            "day": day,
            "term": term,
            "owner": owner,
            "granted_n": last.granted_n + change_n,
            "spent_n": last.spent_n + spent_n,
            "limit_n": self._limit_n(),
            "ts": self._now(),
        }
        token = f"{TABLE}:{self._project}:{self._judge}:{day.isoformat()}:{term}"
        self._store.insert(TABLE, pa.RecordBatch.from_pylist([row], schema=_SCHEMA), token=token)
        found = self._store.query(
            f"SELECT argMin(owner, ts) FROM {TABLE} WHERE project_id = {{project:String}} AND judge = {{judge:String}} "
            "AND day = {day:Date} AND term = {term:UInt64}",
            {"project": self._project, "judge": self._judge, "day": day, "term": term},
        ).rows
        if found[0][0] != owner or self._clock() - asked_at > LANDED_WITHIN_S:
            return False
        self._spent.pop(day, None)
        return True


def report_quietly(purse: Purse) -> None:
    """Report what was spent; a store that is away is logged, and it is written next time."""
    try:
        purse.report()
    except StoreError as error:
        log.warning("what judges spent could not be written, it is tried again: %s", error)
