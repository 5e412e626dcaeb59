"""What the views make of spans for watching: signals by five minutes and by hour, and one row per failure."""

import math

import pytest

from spanwise_collector.store.database import Database
from tests.support.rows import Span, insert, llm

SPANS = [
    Span(trace=1, span=1, name="answer", took_ms=1000, attrs={"spanwise.metadata.tenant": "acme"}),
    Span(trace=1, span=2, parent=1, name="step"),
    llm(trace=1, span=3, parent=1, took_ms=200, ttft_ms=50, cost=5, cached=(10, 0), prompt=("ask", "v2")),
    llm(trace=1, span=4, parent=1, took_ms=400, status="error", cost=None, at_ms=3_600_000),
]
SIGNALS = ("signals_5m", "signals_1h")


@pytest.mark.parametrize("repeats", [1, 2])
def test_signals_count_each_watched_span_once_however_often_a_batch_is_sent(database: Database, repeats: int) -> None:
    """Roots and model calls are in it, a step in between is not; sums of logarithms and histograms are exact."""
    for _ in range(repeats):
        insert(database, SPANS, token="t:0:0-3")
    for table in SIGNALS:
        rows = database.query(
            "SELECT kind, user_group, prompt, sum(n), sum(n_err), sum(n_calls), sum(n_priced), sum(cost_n), "
            "sum(n_cache_hit), sum(ttft_n), sumMap(lat_h), sumMap(ttft_h), round(sum(lat_s1), 9), "
            "round(sum(lat_s2), 9) "
            f"FROM {table} GROUP BY kind, user_group, prompt ORDER BY kind, prompt"
        ).rows

        assert rows == [
            ("llm", "", "", 1, 1, 1, 0, 0, 0, 0, {_bin(400): 1}, {}, *_logs(400)),
            ("llm", "", "ask@v2", 1, 0, 1, 1, 5, 1, 1, {_bin(200): 1}, {_bin(50): 1}, *_logs(200)),
            ("other", "acme", "", 1, 0, 0, 0, 0, 0, 0, {_bin(1000): 1}, {}, *_logs(1000)),
        ]


def _bin(value: float) -> int:
    return math.floor(math.log(value) / math.log(1.05))


def _logs(value: float) -> tuple[float, float]:
    return round(math.log(value), 9), round(math.log(value) ** 2, 9)


@pytest.mark.parametrize(
    ("attrs", "group"),
    [
        ({"spanwise.user.group": "gold", "spanwise.metadata.tenant": "acme"}, "gold"),
        ({"spanwise.metadata.user_group": "b", "spanwise.metadata.plan": "free"}, "b"),
        ({"spanwise.metadata.plan": "free"}, "free"),
        ({}, ""),
    ],
)
def test_the_group_of_a_user_is_what_the_span_says_of_it(database: Database, attrs: dict[str, str], group: str) -> None:
    """Its own attribute goes before metadata of the usual names."""
    insert(database, [Span(trace=1, span=1, attrs=attrs)])
    assert database.query("SELECT user_group FROM spans").rows == [(group,)]
