"""Charts over time: what each draws, from the collector's series."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from spanwise_dashboard.components.mount import mount, nothing
from spanwise_dashboard.format import NANO
from spanwise_schemas.api import MetricSeries

Values = Sequence[float | None]
Window = tuple[datetime, datetime]

BLUE, TEAL, AMBER, VIOLET, PINK, SLATE, GREEN, RED = (
    *("#4c6fff", "#12a594", "#e5892c", "#a45ee5"),
    *("#d6409f", "#7c8aa5", "#46a758", "#e5484d"),
)
PALETTE = (BLUE, TEAL, AMBER, VIOLET, PINK, GREEN, SLATE)
STEPS_SECONDS = (60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400)
MAX_STEPS = 96
OTHERS = "others"


@dataclass(frozen=True, slots=True)
class Line:
    """One series: `values[i]` belongs to step i, None where there is no data."""

    label: str
    color: str
    values: Values


@dataclass(frozen=True, slots=True)
class Chart:
    """What a chart draws.

    Attributes:
        title: what it shows.
        kind: stacked bars for what adds up, lines for what does not.
        unit: how its values read: a count, milliseconds, US dollars.
        times: start of each step.
        step_seconds: length of a step.
        window: first instant and the one after the last.
        lines: its series; bars are stacked in this order.
    """

    title: str
    kind: Literal["bars", "lines"]
    unit: Literal["count", "ms", "usd"]
    times: Sequence[datetime]
    step_seconds: int
    window: Window
    lines: Sequence[Line]


def requests_chart(requests: MetricSeries, errors: MetricSeries, window: Window) -> Chart:
    """Requests, the failed part of each bar in red."""
    lines = (Line("failed", RED, _only(errors)), Line("succeeded", BLUE, _less(_only(requests), _only(errors))))
    return Chart("Requests", "bars", "count", requests.times, requests.step_seconds, window, lines)


def latency_chart(percentiles: Mapping[str, MetricSeries], window: Window) -> Chart:
    """A line per percentile."""
    colours = (TEAL, AMBER, RED)
    lines = [Line(label, colours[at], _only(series)) for at, (label, series) in enumerate(percentiles.items())]
    first = next(iter(percentiles.values()))
    return Chart("Latency", "lines", "ms", first.times, first.step_seconds, window, lines)


def cost_chart(costs: MetricSeries, window: Window) -> Chart:
    """Cost by model; what does not fit the palette is added up as `others`."""
    ranked = sorted(costs.series, key=lambda line: -sum(value or 0 for value in line.values))
    groups: list[tuple[str, Values]] = [(line.key or "(none)", line.values) for line in ranked]
    if len(groups) > len(PALETTE):
        rest = [values for _, values in groups[len(PALETTE) - 1 :]]
        groups = [
            *groups[: len(PALETTE) - 1],
            (OTHERS, [sum(value or 0 for value in step) for step in zip(*rest, strict=True)]),
        ]
    lines = [
        Line(label, color, [None if value is None else value / NANO for value in values])
        for (label, values), color in zip(groups, PALETTE, strict=False)
    ]
    return Chart("Cost by model", "bars", "usd", costs.times, costs.step_seconds, window, lines)


def tokens_chart(input_: MetricSeries, cached: MetricSeries, output: MetricSeries, window: Window) -> Chart:
    """Output, input and, apart from it, the input that came from a cache."""
    lines = (
        Line("input", BLUE, _less(_only(input_), _only(cached))),
        Line("cached input", SLATE, _only(cached)),
        Line("output", TEAL, _only(output)),
    )
    return Chart("Tokens", "bars", "count", output.times, output.step_seconds, window, lines)


def payload(chart: Chart) -> dict[str, object]:
    """What the component draws; times are milliseconds since 1970, UTC."""
    return {
        "title": f"{chart.title} over time",
        "kind": chart.kind,
        "unit": chart.unit,
        "times": [_milliseconds(moment) for moment in chart.times],
        "step": chart.step_seconds * 1000,
        "window": [_milliseconds(moment) for moment in chart.window],
        "series": [{"label": line.label, "color": line.color, "values": list(line.values)} for line in chart.lines],
    }


def draw(chart: Chart) -> Window | None:
    """Draws the chart; returns the window that was dragged over it."""
    result = mount("chart", payload(chart), key=f"chart-{chart.title}", on_zoomed_change=nothing)
    return zoomed(getattr(result, "zoomed", None))


def zoomed(span: object) -> Window | None:
    """A window from what the component reports: two times in milliseconds since 1970; None when it is none."""
    if not isinstance(span, Sequence) or len(span) != 2:
        return None
    start, end = (datetime.fromtimestamp(int(moment) / 1000, tz=UTC) for moment in sorted(span))
    return (start, end) if start < end else None


def step_for(start: datetime, end: datetime) -> int:
    """The finest step, in seconds, that cuts the window into at most `MAX_STEPS`."""
    seconds = (end - start).total_seconds()
    return next((step for step in STEPS_SECONDS if seconds / step <= MAX_STEPS), STEPS_SECONDS[-1])


def _only(series: MetricSeries) -> Values:
    """The values of an ungrouped metric; none at all where there is no data."""
    return series.series[0].values if series.series else [None] * len(series.times)


def _less(whole: Values, part: Values) -> Values:
    return [None if total is None else max(0.0, total - (some or 0.0)) for total, some in zip(whole, part, strict=True)]


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
