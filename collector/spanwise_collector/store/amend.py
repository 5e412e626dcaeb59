"""Changes to spans that are stored, carried on to everything that is summed from them, once.

Materialized views see inserts only. So a change is told to the roll-ups as a row of differences: their sums are modulo
2^64, so that a difference below zero is a number like any other, and it goes on from `metrics_1m` to the coarser ones
by their views. The order makes a crash at any point harmless:

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
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

import pyarrow as pa

from spanwise_collector.store.database import Result

TABLE: Final = "amendments"
STALE: Final = timedelta(minutes=5)
"""After so long without a step a claim is taken over; none of its steps may take as long."""
_TIMEOUT_S: Final = 60.0
_MICROS: Final = pa.timestamp("us", "UTC")
_SECONDS: Final = pa.timestamp("s", "UTC")
_WRAP: Final = 1 << 64
_TOKENS: Final = ("tok_input", "tok_output", "tok_cache_read", "tok_cache_write", "tok_reasoning")


class Store(Protocol):
    """What amending needs of the database; `Database` fulfils it."""

    @property
    def cluster(self) -> str:
        """Name of the ClickHouse cluster, or empty."""
        ...

    def query(
        self,
        sql: str,
        parameters: Mapping[str, object] = ...,
        *,
        settings: Mapping[str, object] = ...,
        timeout_s: float = ...,
    ) -> Result:
        """See `Database.query`."""
        ...

    def insert(self, table: str, rows: pa.RecordBatch, *, token: str, one_shard: bool = ...) -> None:
        """See `Database.insert`."""
        ...

    def command(self, sql: str) -> None:
        """See `Database.command`."""
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """New values for columns of some spans of a project.

    Attributes:
        project: whose spans.
        start_us: spans that start from here on, microseconds since the epoch.
        end_us: and before.
        condition: SQL on a span; not on a column that is changed, or doing it again would do something else.
        values: column to SQL on a span, with the same restriction. Text goes in by `literal`.
    """

    project: str
    start_us: int
    end_us: int
    condition: str
    values: Mapping[str, str]

    @property
    def where(self) -> str:
        """SQL that selects the spans."""
        return (
            f"project_id = {literal(self.project)} AND start_time >= {_time(self.start_us)} "
            f"AND start_time < {_time(self.end_us)} AND ({self.condition})"
        )

    def after(self, column: str) -> str:
        """SQL for a column's value after the change."""
        return f"({self.values.get(column, column)})"


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


def literal(text: str) -> str:
    """Text as SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _time(us: int) -> str:
    return f"fromUnixTimestamp64Micro({us}, 'UTC')"


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

    def _claimed(self, kind: str, change: Change) -> Amended:
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
        return self._go_on(stored)

    def _go_on(self, entry: dict[str, Any]) -> Amended:
        change = Change(**json.loads(entry["change"]))
        token = f"amend:{entry['number']}"
        if entry["state"] == "claimed":
            entry |= self._totals(change)
            traces, minutes = _trace_rows(self._store, change), _minute_rows(self._store, change)
            self._store.insert("trace_agg", traces, token=f"{token}:trace_agg")
            self._on_step("traces")
            # Rows of the roll-ups lie on any shard; the token holds on one.
            self._store.insert("metrics_1m", minutes, token=f"{token}:metrics_1m", one_shard=True)
            self._on_step("minutes")
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
            f"SELECT count(), sum(k0), sum(k1) FROM ({before_and_after(change)})", timeout_s=_TIMEOUT_S
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


def before_and_after(change: Change, more: Mapping[str, str] = {}) -> str:
    """A subquery: what the spans of a change count for, before (0) and after (1): calls c, unpriced u, cost k.

    Args:
        change: which spans, and how.
        more: further columns, name to SQL on a span.
    """
    counts, cost = change.after("counts_usage"), change.after("cost_total_n")
    source = f"(toString({change.after('cost_source')}) = 'none')"
    return (
        "SELECT trace_id, start_time, duration_us, retention_days, env, toString(kind) AS kind, "
        "if(model_response != '', model_response, model_request) AS model, name, "
        f"{', '.join(_TOKENS)}, toInt64(counts_usage) AS c0, toInt64({counts}) AS c1, "
        f"c0 * (cost_source = 'none') AS u0, c1 * {source} AS u1, "
        f"c0 * cost_total_n AS k0, c1 * toInt64({cost}) AS k1"
        f"{''.join(f', {value} AS {name}' for name, value in more.items())} FROM spans WHERE {change.where}"
    )


_SUMS: Final = {
    "n_calls": "sum(s.c1 - s.c0)",
    "n_unpriced": "sum(s.u1 - s.u0)",
    "cost_n": "sum(s.k1 - s.k0)",
    **{name: f"sum((s.c1 - s.c0) * toInt64(s.{name}))" for name in _TOKENS},
}
_DIFFERS: Final = " OR ".join(f"{name} != 0" for name in _SUMS)


def _trace_rows(store: Store, change: Change) -> pa.RecordBatch:
    sums = ("n_calls", "n_unpriced", "cost_n", "tok_input", "tok_output")
    found = store.query(
        "SELECT toUnixTimestamp(toStartOfHour(s.start_time)) AS bucket, s.trace_id AS trace_id, "
        "min(toUnixTimestamp64Micro(s.start_time)) AS start_time, "
        "max(toUnixTimestamp64Micro(s.start_time) + toInt64(s.duration_us)) AS end_time, "
        f"max(s.retention_days) AS retention_days, {', '.join(f'{_SUMS[name]} AS {name}' for name in sums)} "
        f"FROM ({before_and_after(change)}) AS s GROUP BY bucket, trace_id "
        f"HAVING {' OR '.join(f'{name} != 0' for name in sums)} ORDER BY bucket, trace_id",
        timeout_s=_TIMEOUT_S,
    ).dicts()
    schema = [
        ("bucket", _SECONDS),
        ("trace_id", pa.binary(16)),
        ("start_time", _MICROS),
        ("end_time", _MICROS),
        ("retention_days", pa.uint16()),
    ]
    return _differences(change.project, found, schema, sums)


def _minute_rows(store: Store, change: Change) -> pa.RecordBatch:
    found = store.query(
        "SELECT toUnixTimestamp(toStartOfMinute(s.start_time)) AS time, s.env AS env, s.kind AS kind, "
        f"s.model AS model, s.name AS name, {', '.join(f'{value} AS {name}' for name, value in _SUMS.items())} "
        f"FROM ({before_and_after(change)}) AS s GROUP BY time, env, kind, model, name HAVING {_DIFFERS} "
        "ORDER BY time, env, kind, model, name",
        timeout_s=_TIMEOUT_S,
    ).dicts()
    schema = [("time", _SECONDS), *((name, pa.string()) for name in ("env", "kind", "model", "name"))]
    return _differences(change.project, found, schema, tuple(_SUMS))


def _differences(
    project: str, found: list[dict[str, Any]], keys: list[tuple[str, pa.DataType]], sums: tuple[str, ...]
) -> pa.RecordBatch:
    """Rows for a roll-up; columns that are absent take the value that changes no minimum, maximum, set or state."""
    for row in found:
        row["project_id"] = project
        for name in sums:
            if name != "cost_n":
                row[name] %= _WRAP
    schema = pa.schema(
        [
            ("project_id", pa.string()),
            *keys,
            *((name, pa.int64() if name == "cost_n" else pa.uint64()) for name in sums),
        ]
    )
    return pa.RecordBatch.from_pylist(found, schema=schema)
