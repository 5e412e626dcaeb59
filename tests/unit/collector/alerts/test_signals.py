"""Sums that rules watch, read from the store."""

from datetime import timedelta

import numpy as np
import pytest

from spanwise_collector.alerts.evaluate.base import Need
from spanwise_collector.alerts.evaluate.data import RoundData
from spanwise_collector.alerts.evaluate.mixes import MixSource
from spanwise_collector.alerts.evaluate.slow import read_histograms
from spanwise_collector.alerts.evaluate.sources import FailureSource, ScoreSource, UserSpendSource
from spanwise_collector.alerts.signals import COLUMNS, Block, SignalSource, Source, read
from spanwise_collector.store.database import Database
from spanwise_schemas.rules import Where
from tests.support import rows
from tests.unit.collector.alerts.world import DAY0, FIVE, HOUR, Row, insert, insert_failures, insert_scores

START = int(DAY0.timestamp())
H, M = 3600, 300


def by_key(block: Block, column: str) -> dict[tuple[str, ...], list[float]]:
    """A column's series."""
    return {key: block.arrays[column][row].tolist() for row, key in enumerate(block.keys)}


def test_sums_by_step_and_series(database: Database) -> None:
    """Steps of five minutes and of hours, only whole steps of the range, with zeros where there is nothing."""
    insert(
        database,
        [
            Row(DAY0, n=10, errors=1),
            Row(DAY0 + FIVE, n=20, errors=2, route="buy"),
            Row(DAY0 + HOUR, n=40),
            Row(DAY0 + 2 * HOUR, n=80),
            Row(DAY0, n=5, project="other"),
        ],
    )
    source = SignalSource("default", by=("route",))
    minutes = read(database, source, ["requests", "request_errors"], START, START + 2 * M, M)
    whole = read(database, SignalSource("default"), ["requests"], START, START + 2 * H, H)

    assert {("ask",): [10.0, 0.0], ("buy",): [0.0, 20.0]} == by_key(minutes, "requests")
    assert {("ask",): [1.0, 0.0], ("buy",): [0.0, 2.0]} == by_key(minutes, "request_errors")
    assert {(): [30.0, 40.0]} == by_key(whole, "requests")


def test_each_population_has_its_rows(database: Database) -> None:
    """Requests are roots, calls are model calls, money is that of all calls; classes of failure are those of calls."""
    insert(
        database,
        [
            Row(DAY0, n=10, errors=1, ms=100),
            Row(DAY0, n=7, kind="llm", root=False, cost=700, model="m", failed={"refusal": 2, "empty": 1}),
            Row(DAY0, n=3, kind="embedding", root=False, cost=30),
            Row(DAY0, n=4, errors=2, kind="tool", root=False, tool="t"),
            Row(DAY0, n=6, kind="retriever", root=False, failed={"empty_retrieval": 5}),
        ],
    )
    block = read(database, SignalSource("default"), [*COLUMNS, "failure:empty"], START, START + H, H)
    found = {name: values[0, 0] for name, values in block.arrays.items()}

    assert (10, 1, 7, 10, 730) == tuple(
        found[name] for name in ("requests", "request_errors", "calls", "bills", "spend")
    )
    assert (2, 4, 2, 6, 5, 1) == tuple(
        found[name] for name in ("refusal", "tools", "tool_errors", "retrievals", "empty_retrieval", "failure:empty")
    )
    assert np.exp(found["latency_1"] / found["requests"]) == pytest.approx(100)


def test_amounts_that_were_amended(database: Database) -> None:
    """A row of differences below zero takes away, as amendments write them."""
    insert(database, [Row(DAY0, n=5, kind="llm", root=False, cost=500)])
    database.command(
        "INSERT INTO signals_1h (project_id, time, kind, env, name, n_calls, cost_n) VALUES "
        f"('default', toDateTime({START}, 'UTC'), 'llm', 'prod', 'ask', 18446744073709551614, -200)"
    )
    block = read(database, SignalSource("default"), ["bills", "spend"], START, START + H, H)

    assert (3, 300) == (block.arrays["bills"][0, 0], block.arrays["spend"][0, 0])


def test_filters_and_splits(database: Database) -> None:
    """Values of a filter are alternatives, a prompt goes without its version too, splits may be of two dimensions."""
    insert(
        database,
        [
            Row(DAY0, n=1, kind="llm", root=False, prompt="ask@v1", model="a"),
            Row(DAY0, n=2, kind="llm", root=False, prompt="ask@v2", model="a"),
            Row(DAY0, n=4, kind="llm", root=False, prompt="asking@v1", model="b"),
            Row(DAY0, n=8, kind="llm", root=False, prompt="ask@v2", model="b", env="dev"),
        ],
    )

    def calls(**where: tuple[str, ...]) -> float:
        source = SignalSource("default", Where.model_validate(where))
        block = read(database, source, ["calls"], START, START + H, H)
        return float(block.arrays["calls"].sum())

    assert (11, 10, 3, 15) == (
        calls(prompt=("ask",)),
        calls(prompt=("ask@v2",)),
        calls(prompt=("ask",), environment=("prod",)),
        calls(environment=("dev", "prod")),
    )
    split = read(database, SignalSource("default", by=("prompt", "model")), ["calls"], START, START + H, H)
    assert {("ask@v1", "a"): [1], ("ask@v2", "a"): [2], ("asking@v1", "b"): [4], ("ask@v2", "b"): [8]} == by_key(
        split, "calls"
    )


def test_the_rest(database: Database) -> None:
    """Beyond the candidates the store sums, beyond the places the block does; together nothing is lost."""
    insert(database, [Row(DAY0, n=1 + number, route=f"r{number}") for number in range(6)])
    block = read(database, SignalSource("default", by=("route",), candidates=3), ["requests"], START, START + H, H)
    placed = block.gathered([("r5",), ("gone",)], rest=True)

    assert {("r5",): [6], ("r4",): [5], ("r3",): [4], ("(rest)",): [6]} == by_key(block, "requests")
    assert {("r5",): [6], ("gone",): [0], ("(rest)",): [15]} == by_key(placed, "requests")


def test_calls_by_route_and_cost_by_user(database: Database) -> None:
    """What only the root of a trace knows is read from the spans, for calls and their costs too."""
    rows.insert(
        database,
        [
            rows.Span(trace=1, span=1, name="checkout", user="ann"),
            rows.llm(trace=1, span=2, parent=1, cost=100, at_ms=5),
            rows.Span(trace=2, span=1, name="ask", user="bob"),
            rows.llm(trace=2, span=2, parent=1, cost=40, at_ms=5),
            rows.llm(trace=2, span=3, parent=1, cost=2, at_ms=FIVE.total_seconds() * 1000),
        ],
    )
    start = int(rows.T0.timestamp())

    def spent(source: Source) -> dict[tuple[str, ...], list[float]]:
        return by_key(read(database, source, ["spend"], start, start + 2 * M, M), "spend")

    assert {("checkout",): [100, 0], ("ask",): [40, 2]} == spent(SignalSource("default", by=("route",)))
    assert {("ann",): [100, 0], ("bob",): [40, 2]} == spent(SignalSource("default", by=("user",)))
    assert {(): [40, 2]} == spent(SignalSource("default", Where(route=("ask",))))
    # A request counts where it began.
    assert {("ann",): [100, 0], ("bob",): [42, 0]} == spent(UserSpendSource("default"))


def test_slow_requests(database: Database) -> None:
    """Requests beyond a fixed time, and histograms by hour of some series and of the others together."""
    insert(
        database,
        [
            Row(DAY0, n=10, route="ask", latencies={100: 9, 150: 1}),
            Row(DAY0, n=10, route="buy", latencies={150: 8, 160: 2}),
            Row(DAY0 + HOUR, n=4, route="go", latencies={99: 4}),
        ],
    )
    source = SignalSource("default", by=("route",))
    fixed = read(database, source, ["slower_than_ms:1400"], START, START + H, H)
    found = read_histograms(RoundData(database), source, [("buy",)], START, START + 2 * H, rest=True)
    counts = {
        (row, hour, int(edge) + found.first_bin): found.counts[row, hour, edge]
        for row, hour, edge in zip(*np.nonzero(found.counts), strict=True)
    }

    assert {("ask",): [1], ("buy",): [10]} == by_key(fixed, "slower_than_ms:1400")
    assert {(0, 0, 150): 8, (0, 0, 160): 2, (1, 0, 100): 9, (1, 0, 150): 1, (1, 1, 99): 4} == counts
    assert [[10, 0], [10, 4]] == found.latency.n.tolist()


def test_categories(database: Database) -> None:
    """How often each value occurs: of a column, and of the reasons why answers ended."""
    insert(
        database,
        [
            Row(DAY0, n=7, kind="llm", root=False, model="a", finish={"stop": 6, "length": 1}),
            Row(DAY0, n=3, kind="llm", root=False, model="b", finish={"stop": 3}),
            Row(DAY0, n=9, route="ask"),
        ],
    )

    def shares(category: str) -> dict[tuple[str, ...], list[float]]:
        source = MixSource(SignalSource("default"), category)
        return by_key(read(database, source, ["n"], START, START + H, H), "n")

    assert {("a",): [7], ("b",): [3]} == shares("model_mix")
    assert {("stop",): [9], ("length",): [1]} == shares("finish_mix")
    assert {("ask",): [9]} == shares("route_mix")


def test_scores(database: Database) -> None:
    """The newest version of a score counts, deleted ones do not; filters are those of its trace."""
    rows.insert(database, [rows.llm(trace=1, span=1, prompt=("ask", "v1")), rows.llm(trace=2, span=1, env="dev")])
    insert_scores(
        database,
        [
            (1, 1, 0.2, 1, False),
            (1, 1, 0.5, 2, False),
            (2, 2, 1.0, 1, False),
            (3, 2, 0.9, 1, False),
            (3, 2, 0.9, 2, True),
        ],
    )
    start = int(rows.T0.timestamp())
    whole = read(database, ScoreSource("default", "good"), ["n", "s1", "s2"], start, start + H, H)
    split = read(database, ScoreSource("default", "good", by=("prompt",)), ["s1"], start, start + H, H)
    prod = read(database, ScoreSource("default", "good", Where(environment=("prod",))), ["s1"], start, start + H, H)

    assert [2, 1.5, 1.25] == [whole.arrays[name][0, 0] for name in ("n", "s1", "s2")]
    assert {("ask@v1",): [0.5], ("",): [1.0]} == by_key(split, "s1")
    assert {(): [0.5]} == by_key(prod, "s1")


def test_failures_by_issue(database: Database) -> None:
    """Fingerprints that people have merged count as one issue."""
    insert_failures(database, [(DAY0, 1, "timeout"), (DAY0 + FIVE, 2, "timeout"), (DAY0, 3, "refusal")], merged={2: 1})
    source = FailureSource("default")
    block = read(database, source, ["n"], START, START + 2 * M, M)
    only = read(database, FailureSource("default", classes=("refusal",)), ["n"], START, START + 2 * M, M)

    assert {(f"{1:016x}", "timeout"): [1, 1], (f"{3:016x}", "refusal"): [1, 0]} == by_key(block, "n")
    assert {(f"{3:016x}", "refusal"): [1, 0]} == by_key(only, "n")


def test_rules_that_share_a_source_share_a_query(database: Database) -> None:
    """What was planned together is read once, over the widest range with all columns."""
    insert(database, [Row(DAY0 + hour * HOUR, n=1 + hour) for hour in range(4)])
    data = RoundData(database)
    source = SignalSource("default")
    short = Need(source, frozenset({"requests"}), START + 2 * H, START + 3 * H, H)
    long = Need(source, frozenset({"request_errors"}), START, START + 4 * H, H)
    data.plan([short, long])

    assert [3] == data.block(short).arrays["requests"][0].tolist()
    assert [0, 0, 0, 0] == data.block(long).arrays["request_errors"][0].tolist()
    assert 1 == data.queries
    outside = Need(source, frozenset({"requests"}), START - int(timedelta(days=1).total_seconds()), START + H, H)
    assert 1 == data.block(outside).arrays["requests"].sum()
    assert 2 == data.queries
