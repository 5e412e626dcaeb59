"""Stores with everything that may be stored of a trace, erased and compared."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from math import isnan
from typing import Any, Final

from spanwise_collector.erase.book import Erasure, ErasureBook
from spanwise_collector.erase.eraser import Eraser
from spanwise_collector.erase.keeper import Keeper
from spanwise_collector.erase.tables import trace_digest
from spanwise_collector.query.values import micros
from spanwise_collector.store.amend import Amender
from spanwise_collector.store.database import Database
from tests.support.rows import T0, Span, insert, trace_id

YESTERDAY: Final = (datetime.now(UTC) - timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0)
"""Removing rows has the engine drop what has expired, so that rows for it have to be young."""
AT_MS: Final = (YESTERDAY - T0).total_seconds() * 1000
"""To be added to the time of spans."""
NOW: Final = YESTERDAY + timedelta(hours=20)
BOOKKEEPING: Final = frozenset(
    {
        *("erasures", "erasure_marks", "erased_traces", "erasure_drops", "removed_offsets", "amendments"),
        *("ingest_ledger", "ingest_pins", "producers", "claims", "schema_migrations"),
    }
)
"""Tables that tell what happened, and so differ."""
CACHES: Final = frozenset({"judge_cache"})
"""Tables that are emptied, since whose their rows are cannot be told."""


def eraser(
    database: Database,
    *,
    owner: str = "one",
    now: datetime = NOW,
    on_step: Callable[[str], object] = str,
) -> tuple[Eraser, ErasureBook]:
    """An eraser and its book at a time of day."""
    book = ErasureBook(database, owner, lambda: now)
    amender = Amender(database, owner=owner, now=lambda: now)
    return Eraser(database, book, amender, sleep=lambda seconds: None, on_step=on_step), book


def keeper(database: Database, *, owner: str = "one", now: datetime = NOW) -> Keeper:
    """What looks after erasures, at a time of day."""
    found, book = eraser(database, owner=owner, now=now)
    return Keeper(book, found, lambda: now)


def asked(database: Database, kind: Any, value: str, *, project: str = "default", name: str = "e1") -> Erasure:
    """An erasure that was asked for and not begun."""
    erasure = Erasure(
        id=name,
        project=project,
        kind=kind,
        digest=trace_digest(kind, project, value),
        before_us=micros(NOW),
        state="asked",
        by="test",
        asked_at=NOW,
        changed_at=NOW,
    )
    return ErasureBook(database, "one", lambda: NOW).save(erasure)


def contents(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that is stored, merged, by table; without bookkeeping, caches and empty tables."""
    columns: dict[str, list[str]] = {}
    for table, name, kind in database.query(
        "SELECT table, name, type FROM system.columns WHERE database = currentDatabase() "
        "AND default_kind != 'EPHEMERAL' AND table IN (SELECT name "
        "FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree') ORDER BY table, position"
    ).rows:
        if table not in BOOKKEEPING | CACHES:
            columns.setdefault(table, []).append(_comparable(name, kind))
    found = {}
    for table, names in columns.items():
        plain = database.query(
            "SELECT engine = 'MergeTree' FROM system.tables WHERE database = currentDatabase() "
            "AND name = {table:String}",
            {"table": table},
        ).rows[0][0]
        rows = database.query(f"SELECT {', '.join(names)} FROM {table} {'' if plain else 'FINAL'} ORDER BY ALL").rows
        if rows:
            found[table] = [tuple(map(_plain, row)) for row in rows]
    return found


def _comparable(name: str, kind: str) -> str:
    if kind.startswith("AggregateFunction("):
        return f"finalizeAggregation({name}) AS f_{name}"
    if "Map(" in kind:
        return f"mapSort({name}) AS f_{name}"
    if "groupUniqArray" in kind:
        return f"arraySort({name}) AS f_{name}"
    # Sums of logarithms depend on the order in which they are added up.
    return f"round({name}, 6) AS f_{name}" if "Float64" in kind and "Nullable" not in kind else name


def _plain(value: Any) -> Any:
    if isinstance(value, float) and isnan(value):
        return "nan"  # of a sketch of nothing; it is not equal to itself
    return tuple(map(_plain, value)) if isinstance(value, list | tuple) else value


def store(database: Database, spans: Sequence[Span]) -> None:
    """Store spans, a batch for each trace; of each trace a row in every table, of each session a score."""
    rows: dict[str, list[dict[str, str]]] = {}
    for trace in sorted({(span.project, span.trace) for span in spans}):
        own = [span for span in spans if (span.project, span.trace) == trace]
        insert(database, own, token=f"{trace}")
        for table, row in beside(*trace):
            rows.setdefault(table, []).append(row)
    for project, session in sorted({(span.project, span.session) for span in spans if span.session}):
        rows["scores"].append(of_session(project, session))
    for table, found in rows.items():
        names = sorted({name for row in found for name in row})
        selects = (
            f"SELECT {', '.join(row[name] if name in row else _ABSENT[name] for name in names)}" for row in found
        )
        database.command(f"INSERT INTO {table} ({', '.join(names)}) {' UNION ALL '.join(selects)}")


_ABSENT: Final = {"trace_id": "toFixedString('', 16)", "session_id": "''"}
"""Of columns that some rows of a table have."""


def beside(project: str, trace: int) -> Iterator[tuple[str, dict[str, str]]]:
    """Rows about a trace in every table that may have one: the table, and SQL by column."""
    start = (YESTERDAY + timedelta(minutes=1)).strftime("%Y-%m-%d %H:%M:%S")
    known, own = f"{project}-{trace}", {"project_id": f"'{project}'"}
    of_trace = own | {"trace_id": f"unhex('{trace_id(trace).hex()}')"}
    time, at = {"time": f"toDateTime64('{start}', 6, 'UTC')"}, f"toDateTime64('{start}', 6, 'UTC')"
    item = {"queue_id": "'q'", "item_id": _id(known)}
    score = {"name": "'good'", "value": "1", "ts": at, "score_id": _id(known), "target": "'trace'"}
    yield "scores", of_trace | score
    yield "annotation_items", of_trace | item | {"started": at}
    yield "annotation_reviews", own | item | {"reviewer": "'r'", "outcome": "'done'"}
    yield "corrections", of_trace | {"by": "'r'", "output": f"'{known}'"}
    yield (
        "dataset_items",
        of_trace | {"dataset": "'d'", "change": "'c'", "item_id": f"'{known}'", "input": f"'{known}'"},
    )
    yield "experiments", own | {"experiment_id": "'x'", "dataset": "'d'", "version": "1"}
    yield "experiment_results", of_trace | {"experiment_id": "'x'", "item_id": f"'{known}'", "output": f"'{known}'"}
    failed = {"fingerprint": f"{trace}", "title": f"'{known}'", "retention_days": "30"}
    yield "failures", of_trace | time | failed
    yield "failure_groups", own | {"fingerprint": f"{trace}", "group_id": f"{trace}", "title": f"'{known}'"}
    yield "failure_states", own | {"group_id": f"{trace}", "note": f"'{known}'"}
    yield "text_features", of_trace | time | {"side": "'input'", "retention_days": "30"}
    yield "span_content", of_trace | time | {"side": "'input'", "body": f"'{known}'"}


def of_session(project: str, session: str) -> dict[str, str]:
    """A score of a session: SQL by column."""
    at = f"toDateTime64('{YESTERDAY.strftime('%Y-%m-%d %H:%M:%S')}', 6, 'UTC')"
    score = {"name": "'calm'", "value": "1", "ts": at, "score_id": _id(f"{project}-{session}"), "target": "'session'"}
    return {"project_id": f"'{project}'", "session_id": f"'{session}'", **score}


def _id(text: str) -> str:
    return f"unhex(hex(MD5('{text}')))"


def traces_of(spans: Iterable[Span], kind: str, value: str, project: str = "default") -> set[int]:
    """Traces that an erasure means."""
    fields = {"user": lambda span: span.user, "session": lambda span: span.session, "trace": lambda span: span.trace}
    wanted = int(value, 16) if kind == "trace" else value
    return {span.trace for span in spans if span.project == project and fields[kind](span) == wanted}
