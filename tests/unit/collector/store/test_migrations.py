"""From SQL files to statements, on one server and on a cluster.

No test has a cluster; its statements are compared as text.
"""

import pytest

from spanwise_collector.store.migrations import (
    Migration,
    MigrationError,
    Statement,
    for_cluster,
    packaged,
    read,
    split,
)

TEXT = """-- About everything; really.

-- shard by cityHash64(id)
CREATE TABLE IF NOT EXISTS t (
  id UInt64, -- the id; a number
  s String DEFAULT 'a;b'
) ENGINE = ReplacingMergeTree(id) ORDER BY id
SETTINGS non_replicated_deduplication_window=10;

CREATE MATERIALIZED VIEW IF NOT EXISTS v TO u AS SELECT t.id AS id FROM t GROUP BY id;
"""


def test_a_file_becomes_its_statements() -> None:
    """Semicolons end a statement only at the end of a line; comments are dropped, the sharding expression is kept."""
    table, view = split(TEXT)
    assert table.shard_by == "cityHash64(id)"
    assert table.sql.startswith("CREATE TABLE IF NOT EXISTS t (")
    assert "DEFAULT 'a;b'" in table.sql
    assert table.sql.endswith("SETTINGS non_replicated_deduplication_window=10")
    assert view == Statement("CREATE MATERIALIZED VIEW IF NOT EXISTS v TO u AS SELECT t.id AS id FROM t GROUP BY id")


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("CREATE TABLE t (a UInt8) ENGINE = Memory;", "cannot be run twice"),
        ("INSERT INTO t VALUES (1);", "cannot be run twice"),
        ("ALTER TABLE t ADD COLUMN a UInt8;", "cannot be run twice"),
        ("DROP TABLE t;", "cannot be run twice"),
        ("CREATE TABLE IF NOT EXISTS t (a UInt8) ENGINE = MergeTree ORDER BY a;", "shard by"),
    ],
)
def test_a_statement_that_two_collectors_could_not_both_run_is_refused(sql: str, says: str) -> None:
    """Every statement must be harmless when it is run a second time, and a table must say how it is sharded."""
    with pytest.raises(MigrationError, match=says):
        split(sql, "0009_x.sql")


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["0001_a.sql", "0003_b.sql"], r"\[1, 3\]"),
        (["0001_a.sql", "0001_b.sql"], r"\[1, 1\]"),
        (["1_a.sql"], "0002_add_labels"),
        (["0002_a.sql"], r"\[2\]"),
    ],
)
def test_numbers_have_neither_gaps_nor_repeats(names: list[str], says: str) -> None:
    """The order of the files is never in doubt."""
    with pytest.raises(MigrationError, match=says):
        read((name, "") for name in names)


def test_files_are_sorted_and_summed() -> None:
    """Order does not depend on the directory's, and the checksum is that of the text."""
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert read([("0002_b.sql", ""), ("0001_a.sql", "")]) == (
        Migration(1, "a", empty, ()),
        Migration(2, "b", empty, ()),
    )


def test_on_a_cluster_a_table_is_replicated_and_distributed() -> None:
    """Rows live in a replicated local table; the name itself reaches all shards, by the sharding expression."""
    table, view = split(TEXT)
    local, distributed = for_cluster(table, "main")
    assert "CREATE TABLE IF NOT EXISTS t_local ON CLUSTER main (" in local
    assert (
        "ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', id) ORDER BY id"
        in local
    )
    assert local.endswith("SETTINGS replicated_deduplication_window=10")
    assert distributed == (
        "CREATE TABLE IF NOT EXISTS t ON CLUSTER main AS t_local "
        "ENGINE = Distributed(main, currentDatabase(), t_local, cityHash64(id))"
    )
    assert for_cluster(view, "main") == [
        "CREATE MATERIALIZED VIEW IF NOT EXISTS v ON CLUSTER main TO u_local AS SELECT t.id AS id FROM t_local AS t "
        "GROUP BY id"
    ]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (
            "ALTER TABLE t ADD COLUMN IF NOT EXISTS a UInt8",
            [
                "ALTER TABLE t_local ON CLUSTER main ADD COLUMN IF NOT EXISTS a UInt8",
                "ALTER TABLE t ON CLUSTER main ADD COLUMN IF NOT EXISTS a UInt8",
            ],
        ),
        ("ALTER TABLE t MODIFY TTL a", ["ALTER TABLE t_local ON CLUSTER main MODIFY TTL a"]),
        (
            "ALTER TABLE t ADD INDEX IF NOT EXISTS i a TYPE minmax",
            ["ALTER TABLE t_local ON CLUSTER main ADD INDEX IF NOT EXISTS i a TYPE minmax"],
        ),
    ],
)
def test_on_a_cluster_columns_change_in_both_tables_and_the_rest_in_the_local_one(
    sql: str, expected: list[str]
) -> None:
    """A Distributed table has columns, but neither indexes nor a life time."""
    assert for_cluster(Statement(sql), "main") == expected


def test_every_statement_of_this_version_has_a_form_for_a_cluster() -> None:
    """No plain engine and no view on a Distributed table is left."""
    statements = [
        sql for migration in packaged() for statement in migration.statements for sql in for_cluster(statement, "c")
    ]
    assert all(" ON CLUSTER c " in sql for sql in statements)
    tables = [sql for sql in statements if sql.startswith("CREATE TABLE")]
    assert len(tables) == 2 * len([s for m in packaged() for s in m.statements if s.shard_by])
    assert all("ENGINE = Replicated" in sql or "ENGINE = Distributed(" in sql for sql in tables)
    assert not any("non_replicated" in sql for sql in statements)
    views = [sql for sql in statements if "MATERIALIZED VIEW" in sql]
    assert all("_local AS " in sql.rpartition("FROM ")[2] and "_local AS SELECT" in sql for sql in views)


@pytest.mark.parametrize("cluster", ["a b", "c'; DROP TABLE t", ""])
def test_a_cluster_name_is_a_plain_word(cluster: str) -> None:
    """It is put into SQL, so it may hold nothing else."""
    with pytest.raises(MigrationError, match="SPANWISE_CLICKHOUSE_CLUSTER"):
        for_cluster(Statement("CREATE TABLE IF NOT EXISTS t (a UInt8)"), cluster)


def test_a_form_without_a_rule_is_refused() -> None:
    """Nothing reaches a cluster half understood."""
    with pytest.raises(MigrationError, match="no rule"):
        for_cluster(Statement("DROP TABLE IF EXISTS t"), "main")
