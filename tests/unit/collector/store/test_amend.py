"""Changes of stored spans: the roll-ups say afterwards what they would say had the spans been so from the start."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from spanwise_collector.store.amend import Amended, Amender, AmendmentBusyError
from spanwise_collector.store.change import Change, literal
from spanwise_collector.store.database import Database
from tests.support.rows import T0, Span, insert, llm, span_id, trace_id

NOW = datetime(2026, 3, 10, 13, tzinfo=UTC)
START = int(T0.timestamp() * 1e6)
LEVELS = ("metrics_1m", "metrics_10m", "metrics_1h", "metrics_1d")
SIGNALS = ("signals_5m", "signals_1h")
SPANS = [
    Span(trace=1, span=1, name="answer", kind="agent", took_ms=900, model="m-1", tokens=(300, 60)),
    llm(trace=1, span=2, parent=1, at_ms=10, tokens=(300, 60), cost=3_000_000),
    llm(trace=1, span=3, parent=2, at_ms=20, tokens=(100, 20), cost=1_000_000),
    llm(trace=1, span=4, parent=2, at_ms=70_000, tokens=(200, 40), cost=None, model="m-2"),
    llm(trace=2, span=5, user="u", env="test"),
    llm(trace=3, span=6, project="other"),
]
CHANGE = Change(
    "default",
    START,
    START + 3_600_000_000,
    f"trace_id = unhex('{trace_id(1).hex()}') AND "
    f"span_id IN (unhex('{span_id(2).hex()}'), unhex('{span_id(4).hex()}'))",
    {
        "counts_usage": f"span_id != unhex('{span_id(2).hex()}')",
        "usage_reason": f"if(span_id = unhex('{span_id(2).hex()}'), {literal('it is')}, '')",
        "cost_total_n": f"if(span_id = unhex('{span_id(4).hex()}'), 7, cost_total_n)",
        "cost_source": f"if(span_id = unhex('{span_id(4).hex()}'), 'computed', toString(cost_source))",
    },
)
DONE = Amended(1, 2, 3_000_000, 7)


def amender(
    database: Database, owner: str = "one", now: datetime = NOW, on_step: Callable[[str], object] = str
) -> Amender:
    """An amender at a time of day."""
    return Amender(database, owner=owner, now=lambda: now, on_step=on_step)


def summed(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """Everything that the roll-ups say, by roll-up; the coarser ones without the time."""
    sums = ", ".join(
        f"sum({name})"
        for name in (
            "n",
            "n_root",
            "n_err",
            "n_calls",
            "n_unpriced",
            "tok_input",
            "tok_output",
            "tok_cache_read",
            "cost_n",
        )
    )
    states = "quantilesDDMerge(0.01, 0.5)(lat), uniqCombined64Merge(12)(users)"
    found = {
        level: database.query(
            f"SELECT project_id, env, kind, model, name, {sums}, {states} FROM {level} GROUP BY ALL ORDER BY ALL"
        ).rows
        for level in LEVELS
    }
    for level in SIGNALS:
        found[level] = database.query(
            "SELECT project_id, kind, is_root, env, name, model, sum(n), sum(n_err), sum(n_calls), sum(n_cache_hit), "
            f"sum(cost_n), sum(n_priced), sum(tin_n), sumMap(lat_h) FROM {level} GROUP BY ALL ORDER BY ALL"
        ).rows
    found["trace_agg"] = database.query(
        "SELECT project_id, bucket, trace_id, min(start_time), max(end_time), sum(n_spans), sum(n_calls), sum(n_err), "
        "sum(tok_input), sum(tok_output), sum(cost_n), sum(n_unpriced), max(root_name), max(root_status), "
        "max(root_start), groupBitOr(kinds), max(user_id), arraySort(groupUniqArrayArray(models)), max(retention_days) "
        "FROM trace_agg GROUP BY ALL ORDER BY ALL"
    ).rows
    found["spans"] = database.query(
        "SELECT project_id, trace_id, span_id, counts_usage, cost_total_n, toString(cost_source), usage_reason "
        "FROM spans ORDER BY ALL"
    ).rows
    return found


def remade(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """What the roll-ups would say had the spans been stored as they are now: they are emptied and filled anew."""
    database.command("CREATE TABLE kept AS spans ENGINE = Memory")
    database.command("INSERT INTO kept SELECT * FROM spans")
    for table in (*LEVELS, *SIGNALS, "trace_agg", "spans"):
        database.command(f"TRUNCATE TABLE {table}")
    database.command("INSERT INTO spans SELECT * FROM kept SETTINGS insert_deduplicate = 0")
    return summed(database)


def test_roll_ups_follow(database: Database) -> None:
    """Calls that no longer count, and new costs, are in every roll-up as if they had never been otherwise."""
    insert(database, SPANS)

    assert DONE == amender(database).apply("settle", CHANGE)
    found = summed(database)
    assert [(False, "it is"), (True, ""), (True, "")] == [
        (row[3], row[6]) for row in found["spans"] if row[1] == trace_id(1)
    ][1:]
    assert found == remade(database)


STEPS = ("claimed", "traces", "minutes", "signals", "summed", "updated", "done")


class KilledError(Exception):
    """The process is gone."""


@pytest.mark.parametrize("last", STEPS)
@pytest.mark.parametrize("successor", ["one", "two"])
def test_crash_after_each_step(database: Database, last: str, successor: str) -> None:
    """Whoever comes next, the same collector at once or another one later, finishes what was begun, once."""

    def kill(step: str) -> None:
        if step == last:
            raise KilledError

    insert(database, SPANS)
    with pytest.raises(KilledError):
        amender(database, on_step=kill).apply("settle", CHANGE)
    later = amender(database, successor, NOW if successor == "one" else NOW + timedelta(minutes=6))

    assert (None if last == "done" else DONE) == later.resume()
    assert later.resume() is None
    assert summed(database) == remade(database)


def test_two_at_once(database: Database) -> None:
    """While one amends, another is refused, at the claim or before it; the change is made once."""
    insert(database, SPANS)
    refused: list[str] = []

    def interfere(step: str) -> None:
        if step in ("claimed", "minutes"):
            with pytest.raises(AmendmentBusyError) as caught:
                amender(database, "two").apply("settle", CHANGE)
            refused.append(str(caught.value))

    assert DONE == amender(database, on_step=interfere).apply("settle", CHANGE)
    assert ["Amendment 1 is being made by one."] * 2 == refused
    assert summed(database) == remade(database)


def test_a_lost_race_for_a_number(database: Database) -> None:
    """Of two claims of one number that are made at the same moment the first is stored; the other learns of it."""
    insert(database, SPANS)
    first = amender(database)

    class Racing:
        """The database, in which another collector claims the number just before the first claim arrives."""

        cluster = ""
        query, command = database.query, database.command

        def insert(self, table: str, rows: pa.RecordBatch, *, token: str, one_shard: bool = False) -> None:
            if token == "amend:1:claimed" and not raced:
                raced.append(True)
                first.apply("settle", CHANGE)
            database.insert(table, rows, token=token, one_shard=one_shard)

    raced: list[bool] = []
    second = Amender(Racing(), owner="two", now=lambda: NOW)

    with pytest.raises(AmendmentBusyError, match="Another collector made amendment 1"):
        second.apply("settle", CHANGE)
    assert summed(database) == remade(database)


def test_again_changes_nothing(database: Database) -> None:
    """The same change under the next number finds nothing to do."""
    insert(database, SPANS)
    one = amender(database)
    one.apply("settle", CHANGE)
    before = summed(database)

    assert Amended(2, 2, 7, 7) == one.apply("settle", CHANGE)
    assert before == summed(database)
