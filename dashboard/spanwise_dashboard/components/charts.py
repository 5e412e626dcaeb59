"""Charts over time as Vega-Lite specifications. Pure; colours of text and ground come from Streamlit's theme."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from spanwise_schemas.api import MetricSeries

Spec = dict[str, object]

BLUE, TEAL, AMBER, VIOLET, PINK, SLATE, GREEN, RED = (
    *("#4c6fff", "#12a594", "#e5892c", "#a45ee5"),
    *("#d6409f", "#7c8aa5", "#46a758", "#e5484d"),
)
PALETTE = (BLUE, TEAL, AMBER, VIOLET, PINK, SLATE, GREEN)
HEIGHT = 190
ZOOM = "zoom"
"""Name of the selection that is made by dragging over a chart."""
COUNT = "format(datum.value, datum.value < 10000 ? ',.0f' : '.3~s')"
MILLISECONDS = "datum.value < 1000 ? format(datum.value, '.3~r') + ' ms' : format(datum.value / 1000, ',.3~r') + ' s'"
DOLLARS = "datum.value == 0 ? '$0' : '$' + format(datum.value, datum.value < 1 ? '.2~r' : ',.2f')"
"""How values read on the axis and in the tooltip, as Vega expressions."""

MAX_SERIES = len(PALETTE)
OTHERS = "others"


def requests_chart(requests: MetricSeries, errors: MetricSeries, window: tuple[datetime, datetime]) -> Spec:
    """Requests as bars, the failed part of each in red."""
    ok = [
        None if total is None else max(0.0, total - (failed or 0.0))
        for total, failed in zip(_only(requests), _only(errors), strict=True)
    ]
    lines = {"succeeded": ok, "failed": _only(errors)}
    return _bars(requests, lines, {"succeeded": BLUE, "failed": RED}, window, "Requests", COUNT)


def latency_chart(percentiles: Mapping[str, MetricSeries], window: tuple[datetime, datetime]) -> Spec:
    """A line per percentile."""
    colours = dict(zip(percentiles, (TEAL, AMBER, RED), strict=False))
    lines = {label: _only(series) for label, series in percentiles.items()}
    first = next(iter(percentiles.values()))
    return _lines(first, lines, colours, window, "Latency", MILLISECONDS)


def cost_chart(costs: MetricSeries, window: tuple[datetime, datetime]) -> Spec:
    """Cost by model as stacked bars, US dollars."""
    lines = {key: _scaled(values, 1e-9) for key, values in _largest(costs).items()}
    return _bars(costs, lines, dict(zip(lines, PALETTE, strict=False)), window, "Cost", DOLLARS)


def tokens_chart(
    fresh_and_cached: MetricSeries, cached: MetricSeries, output: MetricSeries, window: tuple[datetime, datetime]
) -> Spec:
    """Tokens as stacked bars: input (without cached), cached input, output."""
    fresh = [
        None if total is None else max(0.0, total - (part or 0.0))
        for total, part in zip(_only(fresh_and_cached), _only(cached), strict=True)
    ]
    lines = {"input": fresh, "cached input": _only(cached), "output": _only(output)}
    return _bars(output, lines, {"input": BLUE, "cached input": SLATE, "output": TEAL}, window, "Tokens", COUNT)


def _only(series: MetricSeries) -> list[float | None]:
    """The values of an ungrouped metric; none at all where there is no data."""
    return list(series.series[0].values) if series.series else [None] * len(series.times)


def _scaled(values: Sequence[float | None], factor: float) -> list[float | None]:
    return [None if value is None else value * factor for value in values]


def _largest(series: MetricSeries) -> dict[str, list[float | None]]:
    """The groups by their sum; what does not fit the palette is added up as `others`."""
    ranked = sorted(series.series, key=lambda line: -sum(value or 0 for value in line.values))
    found = {line.key or "(none)": list(line.values) for line in ranked[:MAX_SERIES]}
    if len(ranked) > MAX_SERIES:
        kept = list(found.items())[: MAX_SERIES - 1]
        rest = [line.values for line in ranked[MAX_SERIES - 1 :]]
        found = dict(kept) | {OTHERS: [sum(value or 0 for value in column) for column in zip(*rest, strict=True)]}
    return found


def _values(series: MetricSeries, lines: Mapping[str, Sequence[float | None]]) -> list[dict[str, object]]:
    return [
        {"time": int(moment.timestamp() * 1000), "series": label, "value": value}
        for label, values in lines.items()
        for moment, value in zip(series.times, values, strict=True)
        if value is not None
    ]


def _time_axis(series: MetricSeries, window: tuple[datetime, datetime]) -> Spec:
    start, end = (int(moment.timestamp() * 1000) for moment in window)
    first = int(series.times[0].timestamp() * 1000) if series.times else start
    return {
        "field": "time",
        "type": "temporal",
        "title": None,
        "scale": {"domain": [min(first, start), end]},
        "axis": {"grid": False, "labelOverlap": True, "tickCount": 6, "labelFlush": True},
    }


def _encoding(
    series: MetricSeries, colours: Mapping[str, str], window: tuple[datetime, datetime], pattern: str
) -> Spec:
    domain = list(colours)
    return {
        "x": _time_axis(series, window),
        "y": {
            "field": "value",
            "type": "quantitative",
            "title": None,
            "axis": {"tickCount": 4, "labelExpr": pattern, "domain": False, "ticks": False},
        },
        "color": {
            "field": "series",
            "type": "nominal",
            "scale": {"domain": domain, "range": [colours[label] for label in domain]},
            "legend": {"orient": "top", "title": None, "symbolType": "square", "symbolSize": 70, "labelLimit": 180},
        },
        "tooltip": [
            {"field": "time", "type": "temporal", "title": "Time", "format": "%d %b %H:%M"},
            {"field": "series", "type": "nominal", "title": "Series"},
            {"field": "reads", "type": "nominal", "title": "Value"},
        ],
    }


def _frame(series: MetricSeries, lines: Mapping[str, Sequence[float | None]], title: str, **more: object) -> Spec:
    return {
        "height": HEIGHT,
        "width": "container",
        "description": title,
        "autosize": {"type": "fit", "contains": "padding"},
        "padding": {"left": 0, "right": 8, "top": 4, "bottom": 0},
        "params": [{"name": ZOOM, "select": {"type": "interval", "encodings": ["x"]}}],
        "data": {"values": _values(series, lines)},
        **more,
    }


def _bars(
    series: MetricSeries,
    lines: Mapping[str, Sequence[float | None]],
    colours: Mapping[str, str],
    window: tuple[datetime, datetime],
    title: str,
    pattern: str,
) -> Spec:
    encoding = _encoding(series, colours, window, pattern)
    end: Spec = {"field": "end"}
    mark = {"type": "bar", "clip": True, "cornerRadius": 1}
    # A gap of a tenth between bars, so that steps can be told apart.
    end_of_step = {"calculate": f"toNumber(datum.time) + {series.step_seconds * 900}", "as": "end"}
    transform = [end_of_step, {"calculate": pattern, "as": "reads"}]
    return _frame(series, lines, title, transform=transform, mark=mark, encoding={**encoding, "x2": end})


def _lines(
    series: MetricSeries,
    lines: Mapping[str, Sequence[float | None]],
    colours: Mapping[str, str],
    window: tuple[datetime, datetime],
    title: str,
    pattern: str,
) -> Spec:
    # A point shows where a step stands alone between steps without data.
    mark = {
        "type": "line",
        "interpolate": "monotone",
        "strokeWidth": 2,
        "clip": True,
        "point": {"size": 18, "filled": True},
    }
    transform = [{"calculate": pattern, "as": "reads"}]
    return _frame(
        series, lines, title, transform=transform, mark=mark, encoding=_encoding(series, colours, window, pattern)
    )


STEPS_SECONDS = (60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400)


def step_for(start: datetime, end: datetime) -> int:
    """The finest step, in seconds, that gives at most 96 bars over the window."""
    seconds = (end - start).total_seconds()
    return next((step for step in STEPS_SECONDS if seconds / step <= 96), STEPS_SECONDS[-1])


def zoomed(selection: object) -> tuple[datetime, datetime] | None:
    """The window that was dragged over a chart, or None; `selection` is what Streamlit reports for `ZOOM`."""
    times = selection.get("time") if isinstance(selection, Mapping) else None
    if not isinstance(times, Sequence) or len(times) != 2:
        return None
    start, end = (datetime.fromtimestamp(float(moment) / 1000, tz=UTC) for moment in sorted(times))
    return (start, end) if (end - start).total_seconds() >= 1 else None
