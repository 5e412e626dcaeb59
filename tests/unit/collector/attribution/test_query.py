"""Leaf counts from the store."""

import numpy as np
import pytest

from spanwise_collector.attribution.leaves import Leaves
from spanwise_collector.attribution.populations import EVERYTHING, Question
from spanwise_collector.attribution.query import ask, leaf_table
from spanwise_collector.query.window import HOUR, Window
from spanwise_collector.store.database import Database
from spanwise_schemas.rules import Where
from spanwise_schemas.signals import SIGNALS, signal_named
from tests.support.rows import T0, Span, insert, llm
from tests.unit.collector.attribution.made import (
    AFTER,
    BEFORE,
    store,
    store_languages,
    store_scores,
    store_tools,
    traffic,
)


def leaves_of(database: Database, signal: str, where: Where = EVERYTHING) -> Leaves:
    """Leaves of the two windows of `made`."""
    question = Question("default", signal_named(signal), BEFORE, AFTER, where)
    return leaf_table(database, ask(database, question))


def by_value(leaves: Leaves, dimension: str) -> dict[str, tuple[float, ...]]:
    """Events and sums, before and after, by value of a dimension."""
    place = leaves.dimensions.index(dimension)
    sides = [side.by(leaves.codes[:, place], leaves.sizes[place]) for side in (leaves.before, leaves.after)]
    return {
        value: tuple(float(part[code]) for side in sides for part in (side.n, side.total))
        for code, value in enumerate(leaves.values[place])
    }


def test_requests(database: Database) -> None:
    """Requests have the root span's dimensions, and model, provider, prompt and tool of the trace."""
    made = traffic(1, 300, 200)
    store(database, made)
    store_languages(database, made, ["de" if number % 2 else "en" for number in range(500)])
    store_tools(database, made, ["search" if number % 4 else "mail" for number in range(500)], failed=made.failed)

    leaves = leaves_of(database, "error_rate")

    assert leaves.dimensions == (
        *("model", "provider", "prompt", "release", "environment", "route", "tool", "user_group", "language"),
    )
    assert (leaves.before.n.sum(), leaves.after.n.sum()) == (300, 200)
    for name in made.values:
        column = np.array(made.column(name))
        assert by_value(leaves, name) == {
            str(value): tuple(
                float(count)
                for side in (~made.now, made.now)
                for count in (((column == value) & side).sum(), ((column == value) & side & made.failed).sum())
            )
            for value in sorted(set(column))
        }
    assert by_value(leaves, "language")["de"][::2] == (150, 100)
    assert by_value(leaves, "tool")["mail"][::2] == (75, 50)


def test_last_call_counts(database: Database) -> None:
    """Of several model calls the one that began last gives a request its model and prompt."""
    insert(
        database,
        [
            Span(trace=1, span=1, name="ask", kind="chain"),
            llm(trace=1, span=2, parent=1, at_ms=10, model="router", prompt=("route", "v1")),
            llm(trace=1, span=3, parent=1, at_ms=20, model="writer", prompt=("answer", "v7")),
            Span(trace=1, span=4, parent=1, at_ms=30, kind="tool", name="end"),
        ],
    )
    start = int(T0.timestamp() * 1_000_000)
    question = Question("default", signal_named("latency"), Window(start - HOUR, start), Window(start, start + HOUR))

    leaves = leaf_table(database, ask(database, question))

    named = dict(zip(leaves.dimensions, leaves.values, strict=True))
    assert (named["model"], named["prompt"], named["route"]) == (("writer",), ("answer@v7",), ("ask",))
    assert (leaves.after.n.sum(), leaves.after.total.sum()) == (1, pytest.approx(np.log(100)))


def test_calls_have_the_route_of_their_request(database: Database) -> None:
    """Calls are split by the name of the root span, which they do not have themselves."""
    made = traffic(2, 200, 100)
    store(database, made)

    leaves = leaves_of(database, "call_latency")

    routes = by_value(leaves, "route")
    assert {value: counts[0] for value, counts in routes.items()} == {
        value: float(sum(np.array(made.column("route"))[~made.now] == value)) for value in routes
    }
    assert leaves.after.total.sum() == pytest.approx((made.log_ms + np.log(0.9))[made.now].sum(), rel=1e-4)


def test_failures_of_a_class(database: Database) -> None:
    """A rate of one class of failures counts the calls that have it."""
    made = traffic(3, 200, 100)
    made.failure[:] = ["refusal" if number % 10 == 0 else "empty" if number % 10 == 1 else "" for number in range(300)]
    store(database, made)

    for signal in ("refusal_rate", "failure:refusal"):
        leaves = leaves_of(database, signal)
        assert (leaves.before.total.sum(), leaves.after.total.sum(), leaves.after.n.sum()) == (20, 10, 100)


def test_money(database: Database) -> None:
    """Spend is the sum of the calls' costs, cost per request its mean."""
    made = traffic(4, 200, 100)
    store(database, made)

    for signal in ("spend", "cost_per_request", "cost_per_call"):
        leaves = leaves_of(database, signal)
        assert leaves.after.total.sum() == made.cost_n[made.now].sum()
        assert leaves.before.squares.sum() == pytest.approx((made.cost_n[~made.now].astype(float) ** 2).sum())


def test_scores(database: Database) -> None:
    """A score is split by the dimensions of its trace."""
    made = traffic(5, 200, 100)
    values = np.where(np.array(made.column("model")) == "m-2", 0.5, 1.0)
    store(database, made)
    store_scores(database, made, "helpful", values)

    found = by_value(leaves_of(database, "score:helpful"), "model")

    assert found["m-2"][1] == 0.5 * found["m-2"][0] > 0
    assert found["m-1"][3] == found["m-1"][2] > 0
    assert leaves_of(database, "score:other").before.n.sum() == 0


def test_tools(database: Database) -> None:
    """Tool calls count by tool, and not the requests that made them."""
    made = traffic(6, 200, 100)
    store(database, made)
    store_tools(database, made, ["a" if number % 2 else "b" for number in range(300)], failed=np.arange(300) % 2 == 1)

    assert by_value(leaves_of(database, "tool_error_rate"), "tool") == {"a": (100, 100, 50, 50), "b": (100, 0, 50, 0)}


def test_slow_requests(database: Database) -> None:
    """Slow is what one request in twenty was before."""
    made = traffic(7, 400, 200)
    made.log_ms[made.now] += np.log(2)
    store(database, made)

    leaves = leaves_of(database, "slow_share")

    assert leaves.before.total.sum() == pytest.approx(20, abs=1)
    assert leaves.after.total.sum() > 40


def test_filters(database: Database) -> None:
    """Only what was asked for is counted; a prompt's name stands for all its versions."""
    made = traffic(8, 300, 200, new=[("prompt", "ask@v2")])
    store(database, made)
    prompts, models = (np.array(made.column(name)) for name in ("prompt", "model"))

    both = leaves_of(database, "error_rate", Where(prompt=("ask",), model=("m-1", "m-2")))
    one = leaves_of(database, "error_rate", Where(prompt=("ask@v2",)))

    asked = np.char.startswith(prompts, "ask") & np.isin(models, ("m-1", "m-2"))
    assert both.before.n.sum() + both.after.n.sum() == asked.sum()
    assert one.after.n.sum() == (prompts == "ask@v2").sum()


def test_every_signal_of_an_empty_project(database: Database) -> None:
    """Where there is nothing there are no leaves, whatever is asked."""
    for signal in (*SIGNALS, "score:x", "failure:timeout"):
        leaves = leaves_of(database, signal)
        assert (leaves.dimensions, leaves.before.n.size, leaves.after.n.size) == ((), 0, 0)
