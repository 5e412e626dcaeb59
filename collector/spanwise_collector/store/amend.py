"""Changes to spans that are stored, carried on to everything that is summed from them, once.

Materialized views see inserts only. So a change is told to the roll-ups as a row of differences: their sums are modulo
2^64, so that a difference below zero is a number like any other, and it goes on from `metrics_1m` and `signals_5m` to
the coarser ones by their views. The order makes a crash at any point harmless:

1. *Claim*: the change, as it will be done, goes into `amendments` under the next number and a token of that number. Of
   two collectors one stores its claim and the other reads that it has lost.
2. *Differences*, computed from the spans as they are, go into the roll-ups under tokens of that number.
3. The journal says `summed`. From here on the differences are not computed again.
4. The spans are updated to values that depend on columns which no change touches, so that it may be done again.
5. The journal says `done`. Only then may the next number be claimed.

Whoever finds a number that is not done goes on with it from where its state says.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

import pyarrow as pa

from spanwise_collector.store.amend_sums import TIMEOUT_S, before_and_after, minute_rows, signal_rows, trace_rows
from spanwise_collector.store.change import Change
from spanwise_collector.store.database import Reader

TABLE: Final = "amendments"
STALE: Final = timedelta(minutes=5)
"""After so long without a step a claim is taken over; none of its steps may take as long."""
_MICROS: Final = pa.timestamp("us", "UTC")


class Store(Reader, Protocol):
    """What amending needs of the database; `Database` fulfils it."""

    @property
    def cluster(self) -> str:
        """Name of the ClickHouse cluster, or empty."""
        ...

    def insert(self, table: str, rows: pa.RecordBatch, *, token: str, one_shard: bool = ...) -> None:
        """See `Database.insert`."""
        ...

    def command(self, sql: str) -> None:
        """See `Database.command`."""
        ...


@dataclass(frozen=True, slots=True)
class Amended:
    """What a change did.

    Attributes:
        number: of the amendment.
        spans: that it selected.
        cost_before_n: nano-dollars that they counted for.
        cost_after_n: nano-dollars that they count for now.
    """

    number: int
    spans: int
    cost_before_n: int
    cost_after_n: int


class AmendmentBusyError(RuntimeError):
    """Another collector is amending; try again later."""


class Amender:
    """Makes changes, one after the other; one for all threads of a process.

    Args:
        store: the database.
        owner: of claims; the same after a restart, so that what was left is gone on with at once.
        now: the time of day, UTC.
        on_step: is told each step that was taken; what it raises stops there.
    """

    def __init__(
        self, store: Store, *, owner: str, now: Callable[[], datetime], on_step: Callable[[str], object] = str
    ) -> None:
        self._store = store
        self._owner = owner
        self._now = now
        self._on_step = on_step
        # Reentrant: what makes a change first finishes what was begun.
        self._lock = threading.RLock()

    @contextmanager
    def held(self) -> Iterator[None]:
        """During the block no other thread makes a change.

        Raises:
            AmendmentBusyError: another collector is at one.
            StoreError: as the store says, of a change that was begun and is finished first.
        """
        with self._lock:
            self.resume()
            yield

    def resume(self) -> Amended | None:
        """Finish what was begun, here or by a collector that is gone.

        Raises:
            AmendmentBusyError: another collector is at it.
            StoreError: as the store says; what was done stays, and calling again goes on.
        """
        with self._lock:
            last = self._last()
            if last is None or last["state"] == "done":
                return None
            if last["owner"] != self._owner and self._now() - last["ts"].replace(tzinfo=UTC) < STALE:
                raise AmendmentBusyError(f"Amendment {last['number']} is being made by {last['owner']}.")
            return self._go_on(last)

    def apply(self, kind: str, change: Change) -> Amended:
        """Make a change.

        Args:
            kind: what it is for: `settle` or `reprice`.
            change: what to do.

        Raises:
            AmendmentBusyError: another collector is amending.
            StoreError: as the store says; `resume` goes on.
        """
        with self._lock:
            self.resume()
            return self._claimed(kind, change)

    @contextmanager
    def alone(self, kind: str, project: str, start_us: int, end_us: int) -> Iterator[None]:
        """Keep all others from amending while the caller makes roll-ups anew from spans.

        It is an amendment of nothing: one that is left by a crash is finished by whoever comes next.

        Args:
            kind: what it is for.
            project: whose spans.
            start_us: of the spans, microseconds since the epoch.
            end_us: likewise.

        Raises:
            AmendmentBusyError: another collector is amending.
            StoreError: as the store says.
        """
        with self._lock:
            self.resume()
            entry = self._claim(kind, Change(project, start_us, end_us, "0", {"counts_usage": "counts_usage"}))
            try:
                yield
            finally:
                self._record(entry | {"state": "done", "change": ""})

    def _claimed(self, kind: str, change: Change) -> Amended:
        return self._go_on(self._claim(kind, change))

    def _claim(self, kind: str, change: Change) -> dict[str, Any]:
        last = self._last()
        claim: dict[str, Any] = {
            "number": (last["number"] if last else 0) + 1,
            "owner": self._owner,
            "kind": kind,
            "project_id": change.project,
            "from_time": change.start_us,
            "to_time": change.end_us,
            "state": "claimed",
            "change": json.dumps(asdict(change)),
            "n_spans": 0,
            "cost_before_n": 0,
            "cost_after_n": 0,
        }
        self._record(claim)
        self._on_step("claimed")
        stored = self._last()
        if stored is None or (stored["number"], stored["owner"], stored["change"]) != (
            claim["number"],
            self._owner,
            claim["change"],
        ):
            raise AmendmentBusyError(f"Another collector made amendment {claim['number']}.")
        return stored

    def _go_on(self, entry: dict[str, Any]) -> Amended:
        change = Change(**json.loads(entry["change"]))
        token = f"amend:{entry['number']}"
        if entry["state"] == "claimed":
            entry |= self._totals(change)
            traces, minutes = trace_rows(self._store, change), minute_rows(self._store, change)
            signals = signal_rows(self._store, change)
            self._store.insert("trace_agg", traces, token=f"{token}:trace_agg")
            self._on_step("traces")
            # Rows of the roll-ups lie on any shard; the token holds on one.
            self._store.insert("metrics_1m", minutes, token=f"{token}:metrics_1m", one_shard=True)
            self._on_step("minutes")
            self._store.insert("signals_5m", signals, token=f"{token}:signals_5m", one_shard=True)
            self._on_step("signals")
            entry["state"] = "summed"
            self._record(entry)
            self._on_step("summed")
        self._update(change)
        self._on_step("updated")
        entry |= {"state": "done", "change": ""}
        self._record(entry)
        self._on_step("done")
        return Amended(entry["number"], entry["n_spans"], entry["cost_before_n"], entry["cost_after_n"])

    def _totals(self, change: Change) -> dict[str, int]:
        row = self._store.query(
            f"SELECT count(), sum(k0), sum(k1) FROM ({before_and_after(change)})", timeout_s=TIMEOUT_S
        ).rows[0]
        return dict(zip(("n_spans", "cost_before_n", "cost_after_n"), map(int, row), strict=True))

    def _update(self, change: Change) -> None:
        table = f"spans_local ON CLUSTER {self._store.cluster}" if self._store.cluster else "spans"
        values = ", ".join(f"{column} = {value}" for column, value in change.values.items())
        # A lightweight update writes only the changed cells and waits for no merge; where a table cannot have it, the
        # engine rewrites the columns.
        self._store.command(
            f"ALTER TABLE {table} UPDATE {values} WHERE {change.where} "
            "SETTINGS mutations_sync = 2, alter_update_mode = 'lightweight'"
        )

    def _last(self) -> dict[str, Any] | None:
        found = self._store.query(
            f"SELECT number, owner, kind, project_id, toUnixTimestamp64Micro(from_time) AS from_time, "
            f"toUnixTimestamp64Micro(to_time) AS to_time, state, change, n_spans, cost_before_n, cost_after_n, ts "
            f"FROM {TABLE} ORDER BY number DESC, step DESC LIMIT 1"
        ).dicts()
        return found[0] if found else None

    def _record(self, entry: dict[str, Any]) -> None:
        step = ("claimed", "summed", "done").index(entry["state"])
        row = entry | {"step": step, "ts": self._now()}
        batch = pa.RecordBatch.from_pylist([row], schema=_JOURNAL)
        self._store.insert(TABLE, batch, token=f"amend:{entry['number']}:{entry['state']}")


_JOURNAL: Final = pa.schema(
    [
        ("number", pa.uint64()),
        ("owner", pa.string()),
        ("kind", pa.string()),
        ("project_id", pa.string()),
        ("from_time", _MICROS),
        ("to_time", _MICROS),
        ("state", pa.string()),
        ("step", pa.uint8()),
        ("change", pa.string()),
        ("n_spans", pa.uint64()),
        ("cost_before_n", pa.int64()),
        ("cost_after_n", pa.int64()),
        ("ts", pa.timestamp("ms", "UTC")),
    ]
)
