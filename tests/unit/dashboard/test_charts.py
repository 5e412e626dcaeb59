"""What charts draw."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from spanwise_dashboard.components import charts
from spanwise_schemas.api import Metric, MetricSeries, Series

START = datetime(2026, 1, 1, tzinfo=UTC)
WINDOW = (START, START + timedelta(hours=3))


def metric(name: Metric, *lines: Series) -> MetricSeries:
    """Three hourly steps."""
    times = [START + timedelta(hours=hour) for hour in range(3)]
    return MetricSeries(metric=name, unit="1", step_seconds=3600, times=times, series=list(lines))


def lines(chart: charts.Chart) -> dict[str, list[float | None]]:
    """Values by label."""
    return {line.label: list(line.values) for line in chart.lines}


def test_failed_requests_are_a_part_of_the_bar() -> None:
    """Succeeded and failed add up to the requests; a step without data stays empty."""
    requests = metric("requests", Series(key="", values=[5, 2, None]))
    errors = metric("errors", Series(key="", values=[1, None, None]))

    assert lines(charts.requests_chart(requests, errors, WINDOW)) == {
        "failed": [1, None, None],
        "succeeded": [4, 2, None],
    }


def test_cached_input_is_not_counted_twice() -> None:
    """Input includes what came from a cache; the chart takes it apart."""
    parts = [metric("input_tokens", Series(key="", values=values)) for values in ([10, 5, 0], [4, 5, 0], [1, 2, 0])]

    assert lines(charts.tokens_chart(parts[0], parts[1], parts[2], WINDOW)) == {
        "input": [6, 0, 0],
        "cached input": [4, 5, 0],
        "output": [1, 2, 0],
    }


def test_small_models_are_added_up() -> None:
    """The dearest models have a colour each; the rest is one line and nothing is left out."""
    costs = metric("cost_nanousd", *(Series(key=f"m{n}", values=[n * 1e9, None, 0]) for n in range(1, 11)))
    drawn = lines(charts.cost_chart(costs, WINDOW))

    assert list(drawn) == ["m10", "m9", "m8", "m7", "m6", "m5", "others"]
    assert sum(values[0] or 0 for values in drawn.values()) == 55


def test_no_data_at_all() -> None:
    """A metric without series draws an empty chart."""
    assert lines(charts.latency_chart({"p50": metric("latency_p50")}, WINDOW)) == {"p50": [None, None, None]}


def test_payload() -> None:
    """Times reach the browser as milliseconds."""
    chart = charts.latency_chart({"p50": metric("latency_p50", Series(key="", values=[1, 2, 3]))}, WINDOW)
    first = int(START.timestamp() * 1000)

    assert charts.payload(chart) == {
        "title": "Latency over time",
        "kind": "lines",
        "unit": "ms",
        "times": [first, first + 3_600_000, first + 7_200_000],
        "step": 3_600_000,
        "window": [first, first + 10_800_000],
        "series": [{"label": "p50", "color": charts.TEAL, "values": [1, 2, 3]}],
    }


def test_zoomed() -> None:
    """A range dragged in either direction is a window; anything else is none."""
    spans: list[object] = [[2000, 1000], [1000, 1000], [1], None, "ab"[:1]]

    assert [charts.zoomed(span) for span in spans] == [
        (datetime.fromtimestamp(1, tz=UTC), datetime.fromtimestamp(2, tz=UTC)),
        *[None] * 4,
    ]


@given(st.timedeltas(timedelta(seconds=1), timedelta(days=90)))
def test_steps_stay_few(length: timedelta) -> None:
    """A chart never has more steps than it can show."""
    assert length.total_seconds() / charts.step_for(START, START + length) <= charts.MAX_STEPS
