"""Overview, charts and facets say what the spans themselves say."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.query.facets import get_facets
from spanwise_collector.query.metrics import MAX_POINTS, get_series, step_for
from spanwise_collector.query.overview import get_overview
from spanwise_collector.query.rollups import TABLES, MetricFilter, cover, whole_steps
from spanwise_collector.query.values import micros, time_of
from spanwise_collector.query.window import DAY, HOUR, MINUTE, Window, WindowError
from spanwise_collector.store.database import Database
from spanwise_schemas.api import Facets, Group, GroupBy, Metric, Overview, Series, Totals, Usage
from tests.support.rows import T0, Span, insert, llm

START = micros(T0)
MINE = MetricFilter("default")
ERROR = 0.011
"""Relative error of the latency sketch, 1 %, and a little for the edges of its buckets."""


def close(value: float) -> object:
    """Equal within the error of the sketch."""
    return pytest.approx(value, rel=ERROR)


def sketched(value: object) -> object:
    """An expected answer as JSON types, whose latencies need only be equal within the error of the sketch."""
    if isinstance(value, Overview):
        return sketched(value.model_dump())
    if isinstance(value, list):
        return [sketched(item) for item in value]
    if isinstance(value, dict):
        return {
            key: close(item) if "_ms_" in key and item is not None else sketched(item) for key, item in value.items()
        }
    return value


@given(
    start=st.integers(0, 5_000_000), minutes=st.integers(0, 500_000), step=st.sampled_from([1, 5, 10, 15, 60, 90, 1440])
)
def test_a_window_is_covered_exactly_once_by_steps_that_fit(start: int, minutes: int, step: int) -> None:
    """The parts are the window without gap or overlap, in whole steps of tables that divide the step."""
    window = Window(start * MINUTE, (start + minutes) * MINUTE)
    parts = sorted(cover(window, step * MINUTE), key=lambda part: part[1].start)
    edges = [edge for _, part in parts for edge in (part.start, part.end)]
    assert edges == [window.start, *edges[1:-1], window.end] if minutes else not parts
    assert edges[1:-1:2] == edges[2:-1:2]
    length = {table: step for step, table in TABLES}
    assert all(part.start % length[table] == part.end % length[table] == 0 for table, part in parts)
    assert all(step * MINUTE % length[table] == 0 for table, _ in parts)
    assert len(parts) <= 7


def test_the_overview_has_both_windows_and_their_groups(database: Database) -> None:
    """Requests and latency are those of roots, calls and cost those of spans that bear usage."""
    insert(
        database,
        [
            Span(trace=1, span=1, name="ask", kind="agent", took_ms=1000, user="ann"),
            llm(trace=1, span=2, parent=1, took_ms=400, ttft_ms=50, model="big", cost=3_000_000, user="ann"),
            llm(trace=1, span=3, parent=1, took_ms=100, model="small", cost=None, user="ann"),
            Span(trace=2, span=4, name="ask", kind="agent", took_ms=2000, status="error", at_ms=59_000, user="bob"),
            Span(trace=3, span=5, name="tell", took_ms=50, at_ms=60_000),
            Span(trace=4, span=6, name="outside", at_ms=120_000),
            Span(trace=5, span=7, name="ask", kind="agent", at_ms=-1000, took_ms=500, user="ann"),
            llm(trace=5, span=8, parent=7, at_ms=-900, took_ms=200, model="big", cost=1_000_000, status="error"),
            Span(trace=6, span=9, name="long ago", at_ms=-120_001),
        ],
    )
    window = Window(START + 1, START + 2 * MINUTE - 1)
    call = Usage(input=100, output=20)
    expected = Overview(
        start=T0,
        end=T0 + timedelta(minutes=2),
        current=Totals(
            requests=3,
            errors=1,
            llm_calls=2,
            usage=Usage(input=200, output=40),
            cost_nanousd=3_000_000,
            unpriced_calls=1,
            users=2,
            latency_ms_p50=1000,
            latency_ms_p95=1000,
            latency_ms_p99=1000,
            ttft_ms_p50=50,
            ttft_ms_p95=50,
        ),
        previous=Totals(
            requests=1,
            errors=0,
            llm_calls=1,
            usage=call,
            cost_nanousd=1_000_000,
            users=1,
            latency_ms_p50=500,
            latency_ms_p95=500,
            latency_ms_p99=500,
        ),
        by_model=[
            Group(
                key="big",
                calls=1,
                errors=0,
                usage=call,
                cost_nanousd=3_000_000,
                latency_ms_p50=400,
                latency_ms_p95=400,
                latency_ms_p99=400,
                previous_calls=1,
                previous_errors=1,
                previous_cost_nanousd=1_000_000,
                previous_latency_ms_p95=200,
            ),
            Group(
                key="small",
                calls=1,
                errors=0,
                usage=call,
                cost_nanousd=None,
                unpriced_calls=1,
                latency_ms_p50=100,
                latency_ms_p95=100,
                latency_ms_p99=100,
            ),
        ],
        by_name=[
            Group(
                key="ask",
                calls=2,
                errors=1,
                usage=Usage(),
                cost_nanousd=None,
                latency_ms_p50=1000,
                latency_ms_p95=1000,
                latency_ms_p99=1000,
                previous_calls=1,
                previous_latency_ms_p95=500,
            ),
            Group(
                key="tell",
                calls=1,
                errors=0,
                usage=Usage(),
                cost_nanousd=None,
                latency_ms_p50=50,
                latency_ms_p95=50,
                latency_ms_p99=50,
            ),
        ],
    )
    assert get_overview(database, MINE, window).model_dump() == sketched(expected)


def test_an_empty_overview_knows_nothing_and_claims_nothing(database: Database) -> None:
    """Zero requests, and None for what cannot be known."""
    empty = Totals(requests=0, errors=0, llm_calls=0, usage=Usage(), cost_nanousd=None)
    answer = get_overview(database, MINE, Window(START, START + DAY))
    assert answer == Overview(
        start=T0, end=time_of(START + DAY), current=empty, previous=empty, by_model=[], by_name=[]
    )


@pytest.mark.parametrize(
    ("length", "step"),
    [
        (MINUTE, MINUTE),
        (6 * HOUR - 1, MINUTE),
        (6 * HOUR, 10 * MINUTE),
        (7 * DAY - 1, 10 * MINUTE),
        (7 * DAY, HOUR),
        (90 * DAY, HOUR),
    ],
)
def test_a_window_is_widened_to_steps_that_fit_its_length(length: int, step: int) -> None:
    """To the smallest range of whole steps that holds it."""
    asked = Window(START + 1, START + 1 + length)
    answered = whole_steps(asked)
    assert (answered.start % step, answered.end % step) == (0, 0)
    assert answered.start <= asked.start < answered.start + step
    assert answered.end - step < asked.end <= answered.end


def month_of_spans(seed: int) -> list[Span]:
    """Root spans at random minutes of 40 days around T0."""
    rng = random.Random(seed)
    return [
        Span(
            trace=n,
            span=n,
            name=rng.choice("ab"),
            env=rng.choice(("prod", "dev")),
            at_ms=rng.randrange(-20 * 86_400, 20 * 86_400) * 1000.0,
            took_ms=rng.choice((10.0, 100.0, 1000.0)),
            status=rng.choice(("ok", "error")),
            user=f"u{rng.randrange(30)}",
        )
        for n in range(1, 400)
    ]


def test_every_window_counts_its_own_spans(database: Database) -> None:
    """Whatever the window's length and ends, the numbers are those of the spans in the range answered."""
    spans = month_of_spans(1)
    insert(database, spans)
    rng = random.Random(2)
    for length in (MINUTE, 11 * MINUTE, HOUR, 5 * HOUR, DAY, 9 * DAY, 30 * DAY):
        start = START + rng.randrange(-15 * 1440, 1440) * MINUTE
        window = Window(start, start + length)
        wanted = replace(MINE, environments=("prod",))
        answer = get_overview(database, wanted, window)
        inside = [s for s in spans if answer.start <= s.start < answer.end and s.env == "prod"]
        totals = answer.current
        assert (totals.requests, totals.errors) == (len(inside), sum(s.status == "error" for s in inside))
        assert totals.users == len({s.user for s in inside})
        assert totals.latency_ms_p50 == (close(_lower_median([s.took_ms for s in inside])) if inside else None)


def _lower_median(values: Sequence[float]) -> float:
    return sorted(values)[(len(values) - 1) // 2]


def series(
    database: Database, metric: Metric, group_by: GroupBy = "none", **filters: tuple[str, ...]
) -> dict[str, list[float | None]]:
    """A chart of the three minutes after T0."""
    window = Window(START, START + 3 * MINUTE)
    answer = get_series(database, replace(MINE, **filters), window, metric, group_by, 60)  # type: ignore[arg-type]
    assert answer.times == [T0, T0 + timedelta(minutes=1), T0 + timedelta(minutes=2)]
    return {line.key: line.values for line in answer.series}


CHARTED = [
    Span(trace=1, span=1, name="ask", kind="agent", took_ms=1000, user="ann"),
    llm(trace=1, span=2, parent=1, took_ms=400, ttft_ms=50, model="big", cost=3_000_000),
    Span(trace=2, span=3, name="ask", kind="agent", took_ms=3000, status="error", user="bob"),
    Span(trace=3, span=4, name="tell", env="dev", at_ms=120_000, took_ms=10),
    llm(trace=3, span=5, parent=4, at_ms=120_500, took_ms=800, model="small", status="error", env="dev"),
]


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("requests", [2, 0, 1]),
        ("errors", [1, 0, 0]),
        ("error_rate", [0.5, None, 0]),
        ("llm_calls", [1, 0, 1]),
        ("latency_p50", [close(1000), None, close(10)]),
        ("latency_p99", [close(1000), None, close(10)]),
        ("ttft_p50", [close(50), None, None]),
        ("input_tokens", [100, 0, 100]),
        ("output_tokens", [20, 0, 20]),
        ("cache_read_tokens", [0, 0, 0]),
        ("cost_nanousd", [3_000_000, 0, 1_000_000]),
        ("users", [2, None, 0]),
    ],
)
def test_each_metric_over_time(database: Database, metric: Metric, expected: list[object]) -> None:
    """Sums are zero where nothing happened; of rates, latencies and users nothing is known there."""
    insert(database, CHARTED)
    assert series(database, metric) == {"": expected}


def test_groups_and_filters_of_spans_count_spans(database: Database) -> None:
    """By name and environment traces are counted; by model or kind, or filtered by them, spans are."""
    insert(database, CHARTED)
    assert series(database, "requests", "name") == {"ask": [2, 0, 0], "tell": [0, 0, 1]}
    assert series(database, "requests", "environment") == {"prod": [2, 0, 0], "dev": [0, 0, 1]}
    assert series(database, "requests", "model") == {"big": [1, 0, 0], "small": [0, 0, 1]}
    assert series(database, "errors", "kind") == {"agent": [1, 0, 0], "llm": [0, 0, 1], "other": [0, 0, 0]}
    assert series(database, "latency_p95", models=("small",)) == {"": [None, None, close(800)]}
    assert series(database, "errors", "name", kinds=("llm",)) == {"chat": [0, 0, 1]}
    assert series(database, "requests", environments=("dev",), names=("tell",)) == {"": [0, 0, 1]}
    assert series(database, "requests", names=("' OR 1=1",)) == {}


def test_at_most_twenty_groups_are_charted(database: Database) -> None:
    """The groups with the most spans are kept, the most frequent first."""
    insert(database, [Span(trace=n, span=n, name=f"n{n // 2}") for n in range(1, 61)])
    lines = series(database, "requests", "name")
    assert (len(lines), next(iter(lines)), min(line[0] or 0 for line in lines.values())) == (20, "n1", 2)


def test_a_long_chart_reads_the_coarse_roll_ups_and_says_the_same(database: Database) -> None:
    """Days, hours and quarters of an hour of one window add up to the same spans."""
    spans = month_of_spans(3)
    insert(database, spans)
    window = Window(START - 2 * DAY, START + 2 * DAY)
    count = sum(window.start <= micros(s.start) < window.end for s in spans)
    for step in (900, 3600, 5400, 86_400):
        answer = get_series(database, MINE, window.aligned(86_400_000_000), "requests", "none", step)
        inside = sum(answer.times[0] <= s.start < answer.times[-1] + timedelta(seconds=step) for s in spans)
        assert sum(value or 0 for value in answer.series[0].values) == inside >= count


@pytest.mark.parametrize(
    ("length", "asked", "expected"),
    [
        (HOUR, None, 60),
        (6 * HOUR, None, 300),
        (DAY, None, 600),
        (14 * DAY, None, 10_800),
        (300 * DAY, None, 86_400),
        (HOUR, 120, 120),
    ],
)
def test_the_step_fits_the_window(length: int, asked: int | None, expected: int) -> None:
    """At most 150 points where that is possible, or what was asked for."""
    assert step_for(Window(0, length), asked) == expected


@pytest.mark.parametrize(
    ("length", "asked", "says"), [(HOUR, 90, "multiple of 60"), (HOUR, 0, "multiple of 60"), (14 * DAY, 60, "660")]
)
def test_a_step_that_does_not_fit_is_refused_with_one_that_does(length: int, asked: int, says: str) -> None:
    """The message has a value that works."""
    with pytest.raises(WindowError, match=says):
        step_for(Window(0, length), asked)
    assert 14 * DAY // 1_000_000 / 660 <= MAX_POINTS


def test_facets_are_the_values_in_the_window_most_frequent_first(database: Database) -> None:
    """Names are those of roots; empty values and other projects are left out."""
    insert(database, [*CHARTED, Span(trace=9, span=9, at_ms=1, name="ask", tags=("y", "x"), kind="agent")])
    insert(database, [Span(trace=7, span=10, at_ms=2, name="ask", tags=("x",))])
    insert(database, [Span(trace=8, span=11, project="other", name="secret", tags=("secret",), env="secret")])
    assert get_facets(database, "default", Window(START, START + HOUR)) == Facets(
        environments=["prod", "dev"],
        names=["ask", "tell"],
        models=["big", "small"],
        kinds=["agent", "llm", "other"],
        tags=["x", "y"],
    )
    nothing = Facets(environments=[], names=[], models=[], kinds=[], tags=[])
    assert get_facets(database, "default", Window(START - DAY, START - HOUR)) == nothing


def test_projects_do_not_add_up(database: Database) -> None:
    """Overview and charts hold one project's numbers."""
    insert(database, [Span(trace=1, span=1), Span(trace=2, span=2)])
    insert(database, [Span(trace=3, span=3, project="other")])
    window = Window(START, START + MINUTE)
    counts = [
        get_overview(database, MetricFilter(project), window).current.requests
        for project in ("default", "other", "none")
    ]
    assert counts == [2, 1, 0]
    answer = get_series(database, MetricFilter("other"), window, "requests", "none", 60)
    assert answer.series == [Series(key="", values=[1.0])]
