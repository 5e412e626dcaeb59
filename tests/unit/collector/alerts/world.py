"""A project's traffic as rows of the roll-ups, and an engine around it: what the tests of rules share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import log, pi, sin
from typing import Any

import pyarrow as pa

from spanwise_collector.alerts.engine import Engine, Round
from spanwise_collector.alerts.notice import Notice
from spanwise_collector.alerts.state import Acknowledgement, Restart, Silencing
from spanwise_collector.store.database import Database
from spanwise_schemas.rules import RULE, Rule
from tests.support.rows import T0

DAY0 = datetime(2026, 3, 2, tzinfo=UTC)
"""A Monday, long before now; traffic of the tests begins here."""
FIVE = timedelta(minutes=5)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Row:
    """One row of the five-minute roll-up: what matters, the rest has plain values."""

    at: datetime
    n: int = 100
    errors: int = 0
    ms: float = 500.0
    spread: float = 0.5
    cost: int = 0
    kind: str = "chain"
    root: bool = True
    project: str = "default"
    env: str = "prod"
    route: str = "ask"
    model: str = ""
    prompt: str = ""
    release: str = ""
    tool: str = ""
    user_group: str = ""
    failed: Mapping[str, int] = field(default_factory=dict)
    finish: Mapping[str, int] = field(default_factory=dict)
    latencies: Mapping[int, int] = field(default_factory=dict)


def hours(count: int, *, start: datetime = DAY0) -> list[datetime]:
    """Starts of hours."""
    return [start + number * HOUR for number in range(count)]


def insert(database: Database, rows: Sequence[Row]) -> None:
    """Put rows into the five-minute roll-up, from where they go on to the hours."""
    made = [_row(row) for row in rows]
    token = f"{rows[0].at}{rows[-1].at}{len(rows)}{hash(tuple(repr(row) for row in rows))}"
    database.insert("signals_5m", pa.RecordBatch.from_pylist(made, schema=_SCHEMA), token=token)


_COUNTS = pa.map_(pa.string(), pa.uint64())
_BINS = pa.map_(pa.int16(), pa.uint64())
_TEXT = ("project_id", "kind", "env", "name", "model", "prompt", "release", "tool", "user_group")
_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in _TEXT),
        ("time", pa.timestamp("s", "UTC")),
        ("is_root", pa.bool_()),
        *((name, pa.uint64()) for name in ("n", "n_err", "n_calls", "n_priced")),
        ("cost_n", pa.int64()),
        ("lat_s1", pa.float64()),
        ("lat_s2", pa.float64()),
        ("lat_h", _BINS),
        ("failed", _COUNTS),
        ("finish", _COUNTS),
    ]
)


def _row(row: Row) -> dict[str, Any]:
    mean = log(row.ms)
    bears = row.n if row.cost else 0
    return {
        **dict(zip(_TEXT, (row.project, row.kind, row.env, row.route, row.model), strict=False)),
        **{name: getattr(row, name) for name in ("prompt", "release", "tool", "user_group")},
        "time": row.at,
        "is_root": row.root,
        "n": row.n,
        "n_err": row.errors,
        "n_calls": bears,
        "n_priced": bears,
        "cost_n": row.cost,
        "lat_s1": row.n * mean,
        "lat_s2": row.n * (mean**2 + row.spread**2),
        "lat_h": list((row.latencies or {int(mean // log(1.05)): row.n}).items()),
        "failed": list(row.failed.items()),
        "finish": list(row.finish.items()),
    }


def rule(**values: Any) -> Rule:
    """A rule from what matters of it."""
    return RULE.validate_python({"id": "r", **values})


@dataclass
class Said:
    """What people have said, in memory."""

    silencing: list[Silencing] = field(default_factory=list)
    restarting: list[Restart] = field(default_factory=list)
    acks: dict[int, Acknowledgement] = field(default_factory=dict)

    def silences(self, project: str, now: datetime) -> Sequence[Silencing]:
        """See `People`."""
        return self.silencing

    def restarts(self, project: str) -> Sequence[Restart]:
        """See `People`."""
        return self.restarting

    def acknowledged(self, project: str, alert_ids: Sequence[int]) -> Mapping[int, Acknowledgement]:
        """See `People`."""
        return {alert: self.acks[alert] for alert in alert_ids if alert in self.acks}


@dataclass
class Box:
    """An outbox in memory: by key, in order; and every key that was put in, with repetitions."""

    notices: dict[str, Notice] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)

    def enqueue(self, notice: Notice) -> None:
        """See `Outbox`."""
        self.keys.append(notice.key)
        self.notices.setdefault(notice.key, notice)

    def told(self) -> list[tuple[str, datetime]]:
        """Kind and time of what people were told."""
        return [(notice.kind, notice.at) for notice in self.notices.values()]


@dataclass
class World:
    """Rules over a database."""

    database: Database
    rules_: list[Rule] = field(default_factory=list)
    said: Said = field(default_factory=Said)
    box: Box = field(default_factory=Box)

    def rules(self) -> list[tuple[str, Rule]]:
        """See `RuleSource`."""
        return [("file", rule) for rule in self.rules_]

    def engine(self, on_step: Callable[[str], object] = str, **options: Any) -> Engine:
        """A new engine, as after a restart."""
        return Engine(self.database, self, self.said, self.box, on_step=on_step, **options)

    def run(self, start: datetime, end: datetime, every: timedelta = FIVE, engine: Engine | None = None) -> list[Round]:
        """Rounds from `start` to `end`, each two minutes after its tick."""
        engine = engine or self.engine()
        done = []
        at = start
        while at <= end:
            done.append(engine.round(at + timedelta(minutes=2)))
            at += every
        return done

    def events(self) -> list[tuple[str, int, str, str, datetime]]:
        """Series, number, states before and after, and time of all events."""
        rows = self.database.query(
            "SELECT series, seq, from_state, to_state, ts FROM alert_events FINAL ORDER BY ts, rule_id, series, seq"
        ).rows
        return [(series, seq, before, after, ts.replace(tzinfo=UTC)) for series, seq, before, after, ts in rows]

    def states(self) -> dict[tuple[str, str], str]:
        """State by rule and series."""
        rows = self.database.query("SELECT rule_id, series, state FROM alert_state FINAL").rows
        return {(rule_id, series): state for rule_id, series, state in rows}


def seasonal(hour: int, base: float = 100.0) -> float:
    """Requests of an hour of the week: half at night, less at weekends."""
    day, of_day = divmod(hour, 24)
    return base * (1.0 + 0.5 * sin(2 * pi * (of_day - 8) / 24)) * (0.5 if day % 7 >= 5 else 1.0)


def insert_failures(
    database: Database, found: Sequence[tuple[datetime, int, str]], *, merged: Mapping[int, int] | None = None
) -> None:
    """Failures by time, fingerprint and class; and fingerprints that belong to another issue."""
    schema = pa.schema(
        [
            ("project_id", pa.string()),
            ("time", pa.timestamp("us", "UTC")),
            ("trace_id", pa.binary(16)),
            ("span_id", pa.binary(8)),
            ("failure_class", pa.string()),
            ("title", pa.string()),
            ("fingerprint", pa.uint64()),
            ("retention_days", pa.uint16()),
        ]
    )
    made = [
        {
            "project_id": "default",
            "time": at,
            "trace_id": (place + 1).to_bytes(16, "big"),
            "span_id": int(at.timestamp()).to_bytes(8, "big"),
            "failure_class": kind,
            "title": f"{kind} {number}",
            "fingerprint": number,
            "retention_days": 400,
        }
        for place, (at, number, kind) in enumerate(found)
    ]
    database.insert("failures", pa.RecordBatch.from_pylist(made, schema=schema), token=f"failures{found}"[:200])
    for number, issue in (merged or {}).items():
        database.command(
            "INSERT INTO failure_groups (project_id, fingerprint, group_id, how, version) "
            f"VALUES ('default', {number}, {issue}, 'merge', 1)"
        )


def insert_scores(database: Database, found: Sequence[tuple[int, int, float, int, bool]], name: str = "good") -> None:
    """Scores by number, trace, value, version and whether it is deleted; all in the first minute of `rows.T0`."""
    insert_scores_at(database, [(T0, *one) for one in found], name)


def insert_scores_at(
    database: Database, found: Sequence[tuple[datetime, int, int, float, int, bool]], name: str = "good"
) -> None:
    """The same with the time of each."""
    schema = pa.schema(
        [
            ("project_id", pa.string()),
            ("score_id", pa.binary(16)),
            ("trace_id", pa.binary(16)),
            ("name", pa.string()),
            ("value", pa.float64()),
            ("ts", pa.timestamp("us", "UTC")),
            ("version", pa.uint64()),
            ("is_deleted", pa.uint8()),
        ]
    )
    made = [
        {
            "project_id": "default",
            "score_id": number.to_bytes(16, "big"),
            "trace_id": trace.to_bytes(16, "big"),
            "name": name,
            "value": value,
            "ts": at,
            "version": version,
            "is_deleted": int(deleted),
        }
        for at, number, trace, value, version, deleted in found
    ]
    database.insert("scores", pa.RecordBatch.from_pylist(made, schema=schema), token=f"scores{len(found)}{found[0]}")
