"""What the materialized views make of spans, and that a repeated insert adds to none of them."""

import pytest

from spanwise_collector.store.database import Database
from tests.support.rows import Span, insert, llm

SPANS = [
    Span(trace=1, span=1, name="root", kind="agent", status="error", took_ms=1000, user="ann", tags=("x",)),
    llm(trace=1, span=2, parent=1, at_ms=61_000, cost=5, user="ann"),
    llm(trace=1, span=3, parent=1, at_ms=3_600_000, cost=None, counts=True),
    llm(trace=1, span=4, parent=2, at_ms=61_001, cost=5, counts=False),
    Span(trace=2, span=5, name="root", at_ms=86_400_000),
]
ROLLUPS = {"metrics_1m": 4, "metrics_10m": 4, "metrics_1h": 4, "metrics_1d": 3}


def sums(database: Database, table: str) -> tuple[object, ...]:
    """Everything countable in a roll-up, over all its rows."""
    return tuple(
        database.query(
            "SELECT sum(n), sum(n_root), sum(n_err), sum(n_root_err), sum(n_calls), sum(n_unpriced), sum(tok_input), "
            "sum(cost_n), "
            f"uniqCombined64Merge(12)(users) FROM {table}"
        ).rows[0]
    )


@pytest.mark.parametrize("repeats", [1, 3])
def test_every_roll_up_counts_each_span_once_however_often_a_batch_is_sent(database: Database, repeats: int) -> None:
    """The token is recognised through the whole chain of views."""
    for _ in range(repeats):
        insert(database, SPANS, token="t:0:0-4")
    assert {table: sums(database, table) for table in ROLLUPS} == dict.fromkeys(ROLLUPS, (5, 2, 1, 1, 2, 1, 200, 5, 1))
    assert database.query("SELECT count(), sum(n_spans), sum(n_calls), sum(cost_n) FROM trace_agg").rows == [
        (3, 5, 2, 5)
    ]
    assert database.query("SELECT count() FROM spans").rows == [(5,)]


def test_batches_in_pieces_add_up_to_the_whole(database: Database) -> None:
    """Spans that come one by one leave the same sums as together, before and after merging."""
    for span in SPANS:
        insert(database, [span])
    for merged in (False, True):
        if merged:
            for table in (*ROLLUPS, "trace_agg"):
                database.command(f"OPTIMIZE TABLE {table} FINAL")
        assert {table: sums(database, table) for table in ROLLUPS} == dict.fromkeys(
            ROLLUPS, (5, 2, 1, 1, 2, 1, 200, 5, 1)
        )
        traces = (
            "SELECT sum(n_spans), max(has_root), max(root_status), groupBitOr(kinds), max(root_name) FROM trace_agg "
            "GROUP BY trace_id"
        )
        assert database.query(f"{traces} ORDER BY trace_id").rows == [
            (4, 1, 2, 0b10010, "root"),
            (1, 1, 1, 0b1, "root"),
        ]


def test_roll_ups_get_coarser(database: Database) -> None:
    """Each holds one row per step and set of values."""
    insert(database, SPANS)
    rows = {table: database.query(f"SELECT count() FROM {table}").rows[0][0] for table in ROLLUPS}
    assert rows == ROLLUPS
