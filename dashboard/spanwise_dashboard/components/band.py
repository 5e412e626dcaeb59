"""A number over time beside what is usual for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from spanwise_dashboard.components.mount import mount
from spanwise_dashboard.format import NANO
from spanwise_dashboard.values import AnyUnit
from spanwise_schemas.api_alerts import Band

_READ: Final[dict[AnyUnit, str]] = {
    "ratio": "ratio",
    "ms": "ms",
    "tokens": "count",
    "count": "count",
    "bytes": "bytes",
    "nanousd": "usd",
    "score": "score",
    "": "score",
}
Numbers = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment with a name; tone is `good`, `bad`, `warn` or empty."""

    time: datetime
    label: str
    tone: Literal["", "good", "bad", "warn"] = ""


Span = tuple[datetime, datetime]


def payload(
    title: str, band: Band, unit: AnyUnit, marks: Sequence[Mark], spans: Sequence[Span], span_label: str
) -> dict[str, object]:
    """What the component draws; times are milliseconds since 1970, UTC, money is US dollars."""
    scale = 1 / NANO if unit == "nanousd" else 1.0

    def scaled(values: Numbers) -> list[float | None]:
        padded = [*values, *[None] * (len(band.times) - len(values))]
        return [None if value is None else value * scale for value in padded[: len(band.times)]]

    step = timedelta(seconds=band.step_seconds)
    return {
        "title": f"{title} over time, beside what is usual",
        "label": title,
        "unit": _READ[unit],
        "times": [_milliseconds(moment) for moment in band.times],
        "step": band.step_seconds * 1000,
        "window": [_milliseconds(band.times[0]), _milliseconds(band.times[-1] + step)],
        "values": scaled(band.values),
        "expected": scaled(band.expected),
        "low": scaled(band.low),
        "high": scaled(band.high),
        "threshold": None if band.threshold is None else band.threshold * scale,
        "marks": [
            {"time": _milliseconds(mark.time), "label": mark.label, "tone": mark.tone}
            for mark in sorted(marks, key=lambda mark: mark.time)
        ],
        "spans": [[_milliseconds(start), _milliseconds(end)] for start, end in spans],
        "spanLabel": span_label,
    }


def band_chart(
    title: str,
    band: Band | None,
    unit: AnyUnit,
    *,
    key: str,
    marks: Sequence[Mark] = (),
    spans: Sequence[Span] = (),
    span_label: str = "",
) -> None:
    """Draws the chart; nothing where there is no data to draw.

    Args:
        title: what is measured.
        band: from the collector.
        unit: of its values.
        key: identity on the page.
        marks: moments to name.
        spans: stretches of time to shade.
        span_label: what these are.
    """
    if band is not None and band.times:
        mount("band", payload(title, band, unit, marks, spans, span_label), key=key)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
