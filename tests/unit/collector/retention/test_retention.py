"""Each project keeps each part for its own days, and nothing younger goes."""

from datetime import timedelta
from typing import Any, Final

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.api.app import create_app
from spanwise_collector.cli.retention import told
from spanwise_collector.query.audit import get_audit
from spanwise_collector.query.values import micros
from spanwise_collector.query.window import DAY, Window
from spanwise_collector.retention.policy import EVERY, WHAT, Policy, RetentionFileError, days_of, read, rules
from spanwise_collector.retention.remover import Remover
from spanwise_collector.settings import Settings
from spanwise_collector.store.database import Database
from tests.support.erasing import AT_MS, NOW, YESTERDAY, contents, store
from tests.support.rows import Span, insert, llm

DAY_MS: Final = 86_400_000
FILE: Final = """
[[retention]]
project = "shop"
spans = 3
rollups = 5

[[retention]]
project = "*"
contents = 2
"""


def aged(days: int, project: str, number: int) -> Span:
    """A span with contents of so many days before yesterday."""
    return llm(trace=number, span=number, project=project, at_ms=AT_MS - days * DAY_MS, input="hello")


def kept(database: Database, table: str, column: str) -> dict[str, list[int]]:
    """Days before yesterday of which there are rows, by project."""
    rows = database.query(
        f"SELECT project_id, arraySort(groupUniqArray(dateDiff('day', toDate({column}), "
        f"toDate('{YESTERDAY.date()}')))) FROM {table} GROUP BY project_id"
    ).rows
    return {project: list(days) for project, days in rows}


def test_each_project_keeps_its_own(database: Database) -> None:
    """Days count from today; what a project does not say is as for all, and what nobody says stays."""
    spans = [aged(days, project, days + 1 + base) for project, base in (("shop", 0), ("lab", 100)) for days in range(8)]
    insert(database, spans)

    remover = Remover(database, lambda: read(FILE), lambda: NOW)
    first = remover.step()

    # NOW is the day after yesterday's date or yesterday itself, late in the day.
    off = (NOW.date() - YESTERDAY.date()).days
    every = list(range(8))
    assert kept(database, "spans", "start_time") == {"shop": every[: 4 - off], "lab": every}
    assert kept(database, "trace_agg", "bucket") == {"shop": every[: 4 - off], "lab": every}
    assert kept(database, "span_io", "start_time") == {"shop": every[: 3 - off], "lab": every[: 3 - off]}
    for table in ("metrics_1m", "metrics_1d", "signals_5m", "signals_1h"):
        assert kept(database, table, "time") == {"shop": every[: 6 - off], "lab": every}
    assert first["rows"] > 0
    assert remover.step() == {"rows": 0}


def test_without_a_file_nothing_goes(database: Database) -> None:
    """An empty file, too."""
    store(database, [aged(days, "shop", days + 1) for days in range(3)])
    before = contents(database)

    assert Remover(database, lambda: read(""), lambda: NOW).step() == {"rows": 0}
    assert contents(database) == before


def test_the_audit_does_not_miss_it(database: Database) -> None:
    """Batches of which all spans have passed their project's days are accounted for."""
    insert(database, [aged(6, "shop", 1)])
    database.command("ALTER TABLE spans UPDATE ktopic = 'otlp_spans/id' WHERE 1 SETTINGS mutations_sync = 2")
    at = f"fromUnixTimestamp64Milli({micros(NOW) // 1000})"
    database.command(
        "INSERT INTO ingest_ledger (topic, topic_id, part, n_records, n_spans, last_record_ts, ts) "
        f"SELECT 'otlp_spans', 'id', 0, 1, 1, {at}, {at}"
    )

    Remover(database, lambda: read(FILE), lambda: NOW).step()

    now = micros(NOW)
    found = get_audit(database, Window(now - DAY, now + 1_000_000), (), now_us=now, retention_days=30)
    assert database.query("SELECT count() FROM spans").rows == [(0,)]
    assert found.problems == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[retention]]\nproject = ", "no TOML"),
        ("[[keep]]\nproject = 'a'", "'keep' is not known"),
        ("[[retention]]\nproject = 'a'\nspans = 0", "number 1, spans"),
        ("[[retention]]\nproject = 'a'\nmonths = 1", "number 1, months"),
        ("[[retention]]\nproject = 'a'\n[[retention]]\nproject = 'a'", "'a' has two entries"),
    ],
)
def test_a_wrong_file_is_refused(text: str, problem: str) -> None:
    """The message names the entry and the field."""
    with pytest.raises(RetentionFileError, match=problem.replace("'", ".")):
        read(text)


DAYS: Final = st.none() | st.integers(1, 9)
POLICIES: Final = st.lists(
    st.builds(Policy, project=st.sampled_from([EVERY, "a", "b"]), spans=DAYS, contents=DAYS, scores=DAYS, rollups=DAYS),
    max_size=3,
    unique_by=lambda policy: policy.project,
)


@given(POLICIES, st.sampled_from(["a", "b", "c"]), st.sampled_from(WHAT))
def test_one_rule_holds_for_a_project(policies: list[Policy], project: str, what: Any) -> None:
    """Of the rules at most one selects a project, and it has the days that are shown to people."""

    def selects(where: str) -> bool:
        return (
            where == "1" or where == f"project_id = '{project}'" or ("NOT IN" in where and f"'{project}'" not in where)
        )

    found = [rule.days for rule in rules(policies) if rule.what == what and selects(rule.where)]

    days = days_of(policies, project, what)
    assert found == ([days] if days else [])


def test_shown_to_people(database: Database) -> None:
    """The API and the command say the days, what says so, and how old the oldest row is."""
    insert(database, [aged(2, "shop", 1)])
    settings = Settings(clickhouse="chdb:///unused")
    app = create_app(database=database, settings=settings, retention=lambda: read(FILE), clock=lambda: NOW)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        found = client.get("/api/v1/retention", params={"project": "shop"}).json()

    oldest = (YESTERDAY - timedelta(days=2)).strftime("%Y-%m-%d %H:%M")
    day = oldest[:10] + " 00:00"
    assert [(one["what"], one["days"], one["set_by"]) for one in found["items"]] == [
        ("spans", 3, "file"),
        ("contents", 2, "file"),
        ("scores", None, "tables"),
        ("rollups", 5, "file"),
    ]
    assert [[part.strip() for part in line.split("  ") if part.strip()] for line in told(found)] == [
        ["what", "kept for", "set by", "oldest (UTC)"],
        ["spans, sums of traces, failures", "3 days", "SPANWISE_RETENTION_FILE", oldest],
        ["full inputs and outputs", "2 days", "SPANWISE_RETENTION_FILE", oldest],
        ["scores, reviews, corrections", "until deleted", "the tables", "-"],
        ["figures of the charts", "5 days", "SPANWISE_RETENTION_FILE", day],
    ]
