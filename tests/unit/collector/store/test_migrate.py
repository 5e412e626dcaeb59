"""The schema is applied once, forward only, whoever comes first."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from spanwise_collector.store.database import Database
from spanwise_collector.store.migrate import migrate
from spanwise_collector.store.migrations import MigrationError, packaged

TABLES = {
    "spans",
    "span_io",
    "trace_agg",
    "trace_agg_mv",
    "metrics_1m",
    "metrics_1m_mv",
    "metrics_10m",
    "metrics_10m_mv",
    "metrics_1h",
    "metrics_1h_mv",
    "metrics_1d",
    "metrics_1d_mv",
    "scores",
    "ingest_ledger",
    "producers",
    "ingest_pins",
    "ingest_rejects",
    "span_content",
    "amendments",
    "failures",
    "failures_mv",
    "failure_groups",
    "failure_states",
    "signals_5m",
    "signals_5m_mv",
    "signals_1h",
    "signals_1h_mv",
    "text_features",
    "text_models",
    "drift_findings",
    "alert_rules",
    "alert_state",
    "alert_events",
    "notifications",
    "claims",
    "silences",
    "baseline_restarts",
    "judge_cache",
    "judge_money",
    "judge_outcomes",
    "judge_anchors",
    "datasets",
    "dataset_versions",
    "dataset_items",
    "experiments",
    "exports",
    "erasures",
    "erasure_drops",
    "erasure_marks",
    "erased_traces",
    "removed_offsets",
    "experiment_results",
    "annotation_queues",
    "annotation_fills",
    "annotation_items",
    "annotation_reviews",
    "corrections",
    "sql_evaluators",
    "sql_backfills",
    "sql_evaluator_marks",
    "schema_migrations",
}


def tables(database: Database) -> set[str]:
    """Names of all tables and views."""
    rows = database.query("SELECT name FROM system.tables WHERE database = currentDatabase()").rows
    return {str(name) for (name,) in rows}


def recorded(database: Database) -> list[tuple[int, str, str]]:
    """What schema_migrations says."""
    rows = database.query("SELECT number, name, checksum FROM schema_migrations FINAL ORDER BY number").rows
    return [(int(number), str(name), str(checksum)) for number, name, checksum in rows]


def test_an_empty_database_gets_every_table_and_a_second_run_changes_nothing(database_dsn: str) -> None:
    """From empty: all files are applied in order and recorded with their checksums; run again: nothing to do."""
    database = Database.open(database_dsn, readers=1)
    try:
        everything = [migration.number for migration in packaged()]
        assert (migrate(database), migrate(database)) == (everything, [])
        assert tables(database) == TABLES
        assert recorded(database) == [(m.number, m.name, m.checksum) for m in packaged()]
    finally:
        database.close()


def test_two_collectors_may_migrate_at_once(database_dsn: str) -> None:
    """Both succeed and the outcome is that of one."""
    first, second = Database.open(database_dsn, readers=1), Database.open(database_dsn, readers=1)
    try:
        with ThreadPoolExecutor(2) as pool:
            done = list(pool.map(migrate, (first, second)))
        assert sorted(number for numbers in done for number in numbers)[:1] == [1]
        assert tables(first) == TABLES
        assert recorded(second) == [(m.number, m.name, m.checksum) for m in packaged()]
    finally:
        first.close()
        second.close()


def test_a_changed_file_is_an_error_that_says_what_to_do(database: Database) -> None:
    """A file that was applied must stay as it was."""
    changed = replace(packaged()[0], checksum="0" * 64)
    with pytest.raises(MigrationError, match=r"0001_initial\.sql was changed after it was applied.*new file"):
        migrate(database, [changed, *packaged()[1:]])


def test_a_newer_database_is_an_error_that_says_what_to_do(database: Database) -> None:
    """An older version refuses to work on the schema of a newer one."""
    newer = replace(packaged()[0], number=len(packaged()) + 1, name="later", statements=())
    assert migrate(database, [*packaged(), newer]) == [newer.number]
    with pytest.raises(MigrationError, match=r"does not know.*install that one"):
        migrate(database)
