"""Costs add up: against the spans themselves, by every dimension, with nothing unknown taken for zero."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.ingest.price_file import parse_price_file
from spanwise_collector.query.costs import get_costs
from spanwise_collector.query.costs_by import get_cost_breakdown
from spanwise_collector.query.costs_gaps import get_duplicates, get_unpriced, price_lines
from spanwise_collector.query.costs_source import CallFilter
from spanwise_collector.query.values import micros
from spanwise_collector.query.window import DAY, HOUR, MINUTE, Window
from spanwise_collector.store.database import Database
from spanwise_schemas.api import Usage
from spanwise_schemas.api_costs import (
    CacheSavings,
    CostBreakdown,
    CostDimension,
    CostGroup,
    Costs,
    CostTotals,
    Duplicates,
    ReportedCosts,
)
from tests.support.rows import T0, Span, insert, llm

START = micros(T0)
MINE = CallFilter("default")
HOUR_LONG = Window(START, START + HOUR)
PRICES = PriceBook(
    parse_price_file(
        """version = "1"
[[models]]
model = "priced"
input = 2
output = 10
cache_read = 0.5
cache_write = 2.5
"""
    )
)


def two_traces() -> list[Span]:
    """Ann's question with a priced and an unpriced call, Bob's with one call, and Ann's of the hour before."""
    return [
        Span(trace=1, span=1, name="ask", kind="agent", user="ann", session="s1", release="v2"),
        llm(trace=1, span=2, parent=1, name="draft", model="big", cost=3_000_000),
        llm(trace=1, span=3, parent=1, name="check", model="small", cost=None),
        Span(trace=2, span=4, name="tell", kind="agent", user="bob", env="dev", at_ms=60_000),
        llm(trace=2, span=5, parent=4, name="draft", model="big", cost=5_000_000, env="dev", at_ms=60_100),
        Span(trace=3, span=6, name="ask", kind="agent", user="ann", at_ms=-60_000),
        llm(trace=3, span=7, parent=6, name="draft", model="big", cost=1_000_000, at_ms=-59_000),
    ]


def totals(calls: int, cost: int | None, unpriced: int = 0) -> CostTotals:
    """Totals of calls of 100 tokens in and 20 out."""
    return CostTotals(
        calls=calls, unpriced_calls=unpriced, usage=Usage(input=100 * calls, output=20 * calls), cost_nanousd=cost
    )


def test_costs_have_both_windows(database: Database) -> None:
    """Sums over the calls of the window and of the one before; a call without a price is counted and not summed."""
    insert(database, two_traces())

    assert get_costs(database, MINE, HOUR_LONG, PRICES) == Costs(
        start=T0,
        end=T0 + timedelta(hours=1),
        current=totals(3, 8_000_000, 1),
        previous=totals(1, 1_000_000),
        caching=CacheSavings(),
        reported=ReportedCosts(),
    )


def test_costs_of_nothing_are_unknown(database: Database) -> None:
    """Without calls, and with calls that have no price alone, there is no cost; it is not zero."""
    insert(database, [llm(trace=1, span=1, cost=None)])
    found = get_costs(database, MINE, HOUR_LONG, PRICES)

    assert (found.current, found.previous) == (totals(1, None, 1), totals(0, None))


def test_caching_saved_the_difference_to_the_inputs_price(database: Database) -> None:
    """Per token read 2 - 0.5, per token written 2 - 2.5 US dollars a million; calls without a price are apart."""
    insert(
        database,
        [
            llm(trace=1, span=1, model="priced", tokens=(1000, 10), cached=(600, 200)),
            llm(trace=2, span=2, model="unheard-of", tokens=(1000, 10), cached=(600, 0)),
            llm(trace=3, span=3, model="priced", tokens=(100, 10), cached=(90, 20)),
        ],
    )

    caching = get_costs(database, MINE, HOUR_LONG, PRICES).caching

    assert caching == CacheSavings(calls=1, unpriced_calls=2, saved_nanousd=600 * 1500 - 200 * 500)


def test_reported_costs_stand_beside_computed_ones(database: Database) -> None:
    """Compared over the calls that have both; a reported cost alone is counted."""
    insert(
        database,
        [
            llm(trace=1, span=1, cost=900, reported=900, computed=1000),
            llm(trace=2, span=2, cost=300, reported=300, computed=250),
            llm(trace=3, span=3, cost=70, reported=70),
            llm(trace=4, span=4, cost=80, computed=80),
        ],
    )

    found = get_costs(database, MINE, HOUR_LONG, PRICES).reported

    assert found == ReportedCosts(calls=2, reported_nanousd=1200, computed_nanousd=1250, only_reported_calls=1)


def by(
    database: Database, dimension: CostDimension, wanted: CallFilter = MINE, window: Window = HOUR_LONG
) -> CostBreakdown:
    """The breakdown."""
    return get_cost_breakdown(database, wanted, window, dimension)


def lines(found: CostBreakdown) -> list[tuple[str, int, int | None, int | None]]:
    """Key, calls, cost and cost before."""
    return [(one.key, one.totals.calls, one.totals.cost_nanousd, one.previous_cost_nanousd) for one in found.groups]


@pytest.mark.parametrize(
    ("dimension", "expected"),
    [
        ("model", [("big", 2, 8_000_000, 1_000_000), ("small", 1, None, None)]),
        ("name", [("draft", 2, 8_000_000, 1_000_000), ("check", 1, None, None)]),
        ("environment", [("dev", 1, 5_000_000, None), ("prod", 2, 3_000_000, 1_000_000)]),
        ("request", [("tell", 1, 5_000_000, None), ("ask", 2, 3_000_000, 1_000_000)]),
        ("user", [("bob", 1, 5_000_000, None), ("ann", 2, 3_000_000, 1_000_000)]),
        ("session", [("", 1, 5_000_000, 1_000_000), ("s1", 2, 3_000_000, None)]),
        ("release", [("v1", 1, 5_000_000, 1_000_000), ("v2", 2, 3_000_000, None)]),
    ],
)
def test_costs_by_every_dimension(
    database: Database, dimension: CostDimension, expected: Sequence[tuple[str, int, int | None, int | None]]
) -> None:
    """Dearest first; user, session, request and release of the root hold for all calls of the trace."""
    insert(database, two_traces())

    assert lines(by(database, dimension)) == expected


def test_costs_by_prompt_and_version(database: Database) -> None:
    """A prompt's versions are apart; calls without one are together under no name."""
    insert(
        database,
        [
            llm(trace=1, span=1, prompt=("greet", "1"), cost=10),
            llm(trace=2, span=2, prompt=("greet", "2"), cost=30),
            llm(trace=3, span=3, cost=20),
        ],
    )

    found = [(one.key, one.version, one.totals.cost_nanousd) for one in by(database, "prompt").groups]

    assert found == [("greet", "2", 30), ("", "", 20), ("greet", "1", 10)]


def test_long_windows_read_traces_and_say_the_same(database: Database) -> None:
    """From 7 days on users come from the traces' own sums: same costs, and cached tokens said to be unknown."""
    insert(database, two_traces())
    week = Window(START - 6 * DAY, START + DAY)

    long, short = by(database, "user", window=week), by(database, "user", window=Window(week.start + HOUR, week.end))

    assert (long.groups[0].cached_known, short.groups[0].cached_known) == (False, True)
    assert lines(long) == lines(short) == [("bob", 1, 5_000_000, None), ("ann", 3, 4_000_000, None)]


def test_filters_by_model_and_name_hold_for_lifted_dimensions(database: Database) -> None:
    """Only the calls that fit are summed, also over a week, where traces alone could not tell them apart."""
    insert(database, two_traces())
    wanted = CallFilter("default", models=("small",), names=("check",))

    for window in (HOUR_LONG, Window(START - 6 * DAY, START + DAY)):
        assert by(database, "user", wanted, window).groups == [
            CostGroup(key="ann", totals=totals(1, None, 1), previous_calls=0)
        ]


def test_other_projects_are_never_seen(database: Database) -> None:
    """Every question is asked of one project."""
    insert(database, [llm(trace=1, span=1, project="theirs", cost=None, usage_reason=""), *two_traces()[:2]])
    theirs = CallFilter("theirs")

    assert lines(by(database, "model", theirs)) == [("m-1", 1, None, None)]
    assert [one.model for one in get_unpriced(database, theirs, HOUR_LONG, PRICES).items] == ["m-1"]
    assert get_costs(database, theirs, HOUR_LONG, PRICES).current == totals(1, None, 1)


def test_unpriced_calls_say_why_and_what_to_do(database: Database) -> None:
    """No price, no tokens, counts that contradict each other, and a price that came later are four different things."""
    insert(
        database,
        [
            llm(trace=1, span=1, provider="rack", model="own", cost=None),
            llm(trace=2, span=2, provider="rack", model="own", cost=None, at_ms=5000),
            llm(trace=3, span=3, model="silent", cost=None, tokens=(0, 0)),
            llm(trace=4, span=4, model="odd", cost=None, cached=(101, 0)),
            llm(trace=5, span=5, model="priced", cost=None),
            llm(trace=6, span=6, model="fine"),
        ],
    )

    found = get_unpriced(database, MINE, HOUR_LONG, PRICES).items

    assert [(one.provider, one.model, one.reason, one.calls) for one in found] == [
        ("rack", "own", "no_price", 2),
        ("", "odd", "bad_counts", 1),
        ("", "priced", "priced_now", 1),
        ("", "silent", "no_tokens", 1),
    ]
    first = found[0]
    assert (first.usage, first.last_seen) == (Usage(input=200, output=40), T0 + timedelta(seconds=5))
    assert (first.example_trace_id, first.price_file) == (f"{2:032x}", price_lines("rack", "own"))
    assert [one.price_file for one in found[1:]] == ["", "", ""]


def test_price_lines_become_a_price_once_filled_in() -> None:
    """What is pasted is refused while prices are missing, and finds the model when they are there, odd as it is."""
    model = 'odd "name" \\ with\ttab'
    text = price_lines("my rack", model)
    filled = text.replace("input = ", "input = 1 ").replace("output =", "output = 2")

    book = PriceBook(parse_price_file(filled))

    found = book.price("my rack", model, START)
    assert found is not None
    assert (found.rates(0).input, found.rates(0).output) == (10**9, 2 * 10**9)
    with pytest.raises(ValueError, match="not TOML"):
        parse_price_file(text)


def test_duplicates_say_what_would_have_been_counted_twice(database: Database) -> None:
    """Spans that tell of usage and bear no bill, by reason, scope and name, most tokens first."""
    insert(
        database,
        [
            llm(trace=1, span=1),
            llm(trace=1, span=2, counts=False, scope="wrapper", cost=1_000_000, usage_reason="same_answer"),
            llm(trace=2, span=3, counts=False, scope="wrapper", cost=None, usage_reason="same_answer", at_ms=10),
            Span(trace=1, span=4, kind="agent", name="run", tokens=(900, 9), usage_reason="not_a_model_call"),
            Span(trace=1, span=5, kind="tool"),
        ],
    )

    found = get_duplicates(database, MINE, HOUR_LONG)

    assert (found.spans, found.usage, found.cost_nanousd) == (3, Usage(input=1100, output=49), 1_000_000)
    assert [(one.reason, one.scope, one.name, one.spans, one.cost_nanousd) for one in found.items] == [
        ("not_a_model_call", "", "run", 1, None),
        ("same_answer", "wrapper", "chat", 2, 1_000_000),
    ]
    assert (found.items[1].example_trace_id, found.items[1].example_span_id) == (f"{2:032x}", f"{3:016x}")
    assert found.items[0].meaning.startswith("It is no model call")


def test_no_duplicates_are_none(database: Database) -> None:
    """Nothing repeated costs nothing known."""
    insert(database, [llm(trace=1, span=1)])

    assert get_duplicates(database, MINE, HOUR_LONG) == Duplicates(spans=0, usage=Usage(), cost_nanousd=None, items=[])


def test_windows_are_widened_to_whole_steps(database: Database) -> None:
    """Totals and groups name the same window."""
    window = Window(START + 1, START + 5 * MINUTE - 1)

    found, groups = get_costs(database, MINE, window, PRICES), by(database, "model", window=window)

    assert (found.start, found.end) == (groups.start, groups.end) == (T0, T0 + timedelta(minutes=5))
