"""States and events of alerts in the store.

A round writes in this order: events, notifications, states. An event carries where its series stood afterwards. So who
comes after a crash finds what was decided although no state was written: it goes on from the events, and puts their
notifications into the outbox again, which knows them by their keys.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final

import pyarrow as pa

from spanwise_collector.alerts.claims import Store
from spanwise_collector.alerts.evaluate.walk import Standing
from spanwise_collector.alerts.lifecycle import Life
from spanwise_collector.alerts.state import PEOPLE_SEQ, RULE_SERIES, EventBody, RuleBody, SeriesBody, alert_id_of
from spanwise_collector.store.database import Reader

_MILLIS: Final = pa.timestamp("ms", "UTC")
_STATES: Final = pa.schema(
    [
        ("project_id", pa.string()),
        ("rule_id", pa.string()),
        ("series", pa.string()),
        ("alert_id", pa.uint64()),
        ("state", pa.string()),
        ("since", _MILLIS),
        ("evaluated_to", _MILLIS),
        ("value", pa.float64()),
        ("body", pa.string()),
        ("version", pa.uint64()),
    ]
)
_EVENTS: Final = pa.schema(
    [
        ("project_id", pa.string()),
        ("rule_id", pa.string()),
        ("series", pa.string()),
        ("alert_id", pa.uint64()),
        ("seq", pa.uint32()),
        ("ts", _MILLIS),
        ("from_state", pa.string()),
        ("to_state", pa.string()),
        ("value", pa.float64()),
        ("by", pa.string()),
        ("body", pa.string()),
    ]
)
_OPEN: Final = "('pending', 'firing', 'recovering', 'no_data')"


@dataclass(frozen=True, slots=True)
class Event:
    """A row of `alert_events`."""

    project: str
    rule_id: str
    series: str
    alert_id: int
    seq: int
    at: int
    before: str
    after: str
    by: str
    body: EventBody


@dataclass(slots=True)
class Known:
    """What is stored of a rule.

    Attributes:
        standing: as the states and the events after them say.
        body: of the rule's row.
        version: of the rule's row, and of those of its series.
        ahead: events that no state knows of.
    """

    standing: Standing
    body: RuleBody = field(default_factory=RuleBody)
    version: dict[str, int] = field(default_factory=dict)
    ahead: list[Event] = field(default_factory=list)


def evaluated(reader: Reader, project: str) -> dict[str, int]:
    """Of each rule of a project the last tick, seconds since the epoch.

    Raises:
        StoreError: see `Reader.query`.
    """
    rows = reader.query(
        "SELECT rule_id, toUnixTimestamp64Milli(evaluated_to) FROM alert_state FINAL "
        "WHERE project_id = {project:String} AND series = {rule:String}",
        {"project": project, "rule": RULE_SERIES},
    ).rows
    return {rule: int(at) // 1000 for rule, at in rows}


def open_series(reader: Reader, project: str) -> list[tuple[str, str, int]]:
    """Rule, series and alert of what is under way in a project.

    Raises:
        StoreError: see `Reader.query`.
    """
    rows = reader.query(
        "SELECT rule_id, series, alert_id FROM alert_state FINAL WHERE project_id = {project:String} "
        f"AND series != {{rule:String}} AND state IN {_OPEN} ORDER BY rule_id, series",
        {"project": project, "rule": RULE_SERIES},
    ).rows
    return [(rule, series, int(alert)) for rule, series, alert in rows]


def load(reader: Reader, project: str, rule_ids: Sequence[str]) -> dict[str, Known]:
    """What is stored of rules; rules of which nothing is are absent.

    Raises:
        StoreError: see `Reader.query`.
    """
    if not rule_ids:
        return {}
    asked: dict[str, object] = {"project": project, "rules": list(rule_ids)}
    rows = reader.query(
        "SELECT rule_id, series, toUnixTimestamp64Milli(evaluated_to), body, version FROM alert_state FINAL "
        "WHERE project_id = {project:String} AND rule_id IN {rules:Array(String)} ORDER BY rule_id, series",
        asked,
    ).rows
    found: dict[str, Known] = {}
    for rule, series, at, body, version in rows:
        known = found.setdefault(rule, Known(Standing("")))
        known.version[series] = int(version)
        if series == RULE_SERIES:
            known.body = RuleBody.model_validate_json(body)
            known.standing.rule_key = known.body.rule_key
            known.standing.evaluated_to = int(at) // 1000
            known.standing.carried = known.body.carried
            known.standing.series = known.body.series
            known.standing.note = known.body.note
        else:
            _take(known.standing, series, SeriesBody.model_validate_json(body))
    _take_events(reader, asked, found)
    return found


def _take(standing: Standing, series: str, body: SeriesBody) -> None:
    standing.lives[series] = Life.of_record(body.life)
    if body.alert is not None:
        standing.alerts[series] = body.alert


def _take_events(reader: Reader, asked: Mapping[str, object], found: dict[str, Known]) -> None:
    project = str(asked["project"])
    oldest = min((known.standing.evaluated_to for known in found.values()), default=0)
    rows = reader.query(
        "SELECT rule_id, series, alert_id, seq, toUnixTimestamp64Milli(ts), from_state, to_state, by, body "
        "FROM alert_events FINAL WHERE project_id = {project:String} AND rule_id IN {rules:Array(String)} "
        "AND ts > fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND seq < {people:UInt32} "
        "ORDER BY ts, rule_id, series, seq",
        {**asked, "since": oldest * 1000, "people": PEOPLE_SEQ},
    ).rows
    for rule, series, alert_id, seq, ts, before, after, by, text in rows:
        known = found.setdefault(rule, Known(Standing("")))
        at = int(ts) // 1000
        body = EventBody.model_validate_json(text)
        life = Life.of_record(body.life) if body.life else None
        if life is None or series == RULE_SERIES or at <= known.standing.evaluated_to:
            continue
        if alert_id != alert_id_of(project, known.standing.rule_key, series, datetime.fromtimestamp(life.started, UTC)):
            continue  # of what the rule said before
        held = known.standing.lives.get(series, Life())
        if (life.at, life.seq) <= (held.at, held.seq) and held.started == life.started:
            continue
        known.ahead.append(Event(project, rule, series, int(alert_id), int(seq), at, before, after, by, body))
        known.standing.lives[series] = life
        known.standing.alerts[series] = body.alert


def write_events(store: Store, events: Sequence[Event]) -> None:
    """Store events as one block; again with the same ones it stores nothing.

    Raises:
        StoreError: as the store says.
    """
    if not events:
        return
    names = "\n".join(f"{event.rule_id}:{event.series}:{event.alert_id}:{event.seq}" for event in events)
    rows = [
        {
            "project_id": event.project,
            "rule_id": event.rule_id,
            "series": event.series,
            "alert_id": event.alert_id,
            "seq": event.seq,
            "ts": datetime.fromtimestamp(event.at, UTC),
            "from_state": event.before,
            "to_state": event.after,
            "value": event.body.alert.value,
            "by": event.by,
            "body": event.body.model_dump_json(exclude={"events", "deliveries"}),
        }
        for event in events
    ]
    token = f"alert_events:{blake2b(names.encode(), digest_size=16).hexdigest()}"
    store.insert("alert_events", pa.RecordBatch.from_pylist(rows, schema=_EVENTS), token=token)


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a rule and those of its series stand that are not as they are stored.

    Attributes:
        rule_id: which.
        known: what holds now.
        series: that changed.
        state: of the rule: "ok" or "error".
    """

    rule_id: str
    known: Known
    series: frozenset[str]
    state: str


def write_states(store: Store, project: str, stands: Sequence[Stand]) -> None:
    """Store where rules stand, as one block: all of it lands or nothing. Their versions go up.

    Raises:
        StoreError: as the store says.
    """
    rows = [{"project_id": project, "rule_id": stand.rule_id, **row} for stand in stands for row in _rows(stand)]
    if not rows:
        return
    said = "\n".join(f"{row['rule_id']}{row['series']}{row['version']}{row['body']}" for row in rows)
    token = f"alert_state:{project}:{blake2b(said.encode(), digest_size=16).hexdigest()}"
    store.insert("alert_state", pa.RecordBatch.from_pylist(rows, schema=_STATES), token=token)


def _rows(stand: Stand) -> Iterator[dict[str, Any]]:
    known, standing = stand.known, stand.known.standing
    for series in sorted(stand.series):
        life, alert = standing.lives[series], standing.alerts.get(series)
        known.version[series] = max(known.version.get(series, 0) + 1, life.at * 1000)
        yield {
            "series": series,
            "alert_id": int(alert.alert_id, 16) if alert else 0,
            "state": life.state,
            "since": datetime.fromtimestamp(life.since, UTC),
            "evaluated_to": datetime.fromtimestamp(life.at, UTC),
            "value": alert.value if alert else None,
            "body": SeriesBody(life=life.record(), alert=alert).model_dump_json(),
            "version": known.version[series],
        }
    known.version[RULE_SERIES] = max(known.version.get(RULE_SERIES, 0) + 1, standing.evaluated_to * 1000)
    at = datetime.fromtimestamp(standing.evaluated_to, UTC)
    yield {
        "series": RULE_SERIES,
        "alert_id": 0,
        "state": stand.state,
        "since": at,
        "evaluated_to": at,
        "value": None,
        "body": known.body.model_dump_json(),
        "version": known.version[RULE_SERIES],
    }
