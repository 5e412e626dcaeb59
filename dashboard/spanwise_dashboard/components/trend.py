"""Means over time with the interval of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from spanwise_dashboard.components.charts import PALETTE, SLATE, Values, Window, zoomed
from spanwise_dashboard.components.mount import mount, nothing

ScoreUnit = Literal["ratio", "score"]
COLOURS: Final = (*PALETTE, SLATE)


@dataclass(frozen=True, slots=True)
class TrendSeries:
    """One line; lists have an item per step, None where there is nothing."""

    label: str
    values: Values
    low: Values
    high: Values
    n: Sequence[int]


@dataclass(frozen=True, slots=True)
class TrendChart:
    """What is drawn.

    Attributes:
        title: what it shows, for readers of the screen.
        unit: of its values: shares or plain numbers.
        times: start of each step.
        step_seconds: length of a step.
        window: first instant and the one after the last.
        series: at most as many as there are colours.
    """

    title: str
    unit: ScoreUnit
    times: Sequence[datetime]
    step_seconds: int
    window: Window
    series: Sequence[TrendSeries]


def payload(chart: TrendChart) -> dict[str, object]:
    """What the component draws; times are milliseconds since 1970, UTC."""
    return {
        "title": chart.title,
        "unit": chart.unit,
        "times": [_milliseconds(moment) for moment in chart.times],
        "step": chart.step_seconds * 1000,
        "window": [_milliseconds(moment) for moment in chart.window],
        "series": [
            {
                "label": line.label,
                "color": colour,
                "values": list(line.values),
                "low": list(line.low),
                "high": list(line.high),
                "n": list(line.n),
            }
            for line, colour in zip(chart.series, COLOURS, strict=False)
        ],
    }


def trend(chart: TrendChart, *, key: str) -> Window | None:
    """Draws the chart; returns the window that was dragged over it."""
    return zoomed(getattr(mount("trend", payload(chart), key=key, on_zoomed_change=nothing), "zoomed", None))


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
