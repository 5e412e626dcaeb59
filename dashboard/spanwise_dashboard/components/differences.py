"""Numbers of two sides with their difference, and its interval drawn around zero."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from spanwise_dashboard.components.mount import Opened, mount, nothing, opened
from spanwise_dashboard.components.table import Badge, badge_payload

WIDE: Final = 3.0
"""An interval so many times wider than the usual one is cut off, so that it does not squeeze the others."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One line.

    Attributes:
        id: identity; reported when its title is clicked.
        title: what is measured.
        a: the first side's value, as it reads.
        b: the second's.
        counted: on how much both rest.
        text: the difference, as it reads; empty where it is not known.
        interval: its interval, as it reads.
        value: the difference; None where it is not known. All lines of one scale are in one unit.
        low: end of its interval.
        high: the other end.
        scale: lines of one scale can be compared by eye.
        verdict: in a word or two; its tone colours the interval.
        href: what the title opens: a relative address, encoded; empty: nothing.
    """

    id: str
    title: str
    a: str
    b: str
    counted: str
    text: str
    interval: str
    value: float | None
    low: float | None
    high: float | None
    scale: str
    verdict: Badge
    href: str = ""


def payload(label: str, sides: tuple[str, str], shown: Sequence[Difference]) -> dict[str, object]:
    """What the component draws: places are shares of the width, with zero in the middle."""
    limits = {scale: _limit([one for one in shown if one.scale == scale]) for scale in {one.scale for one in shown}}
    return {
        "label": label,
        "sides": list(sides),
        "rows": [
            {
                "id": one.id,
                "title": one.title,
                "a": one.a,
                "b": one.b,
                "counted": one.counted,
                "text": one.text,
                "interval": one.interval,
                "verdict": badge_payload(one.verdict),
                "href": one.href,
                "bar": _bar(one, limits[one.scale]),
            }
            for one in shown
        ],
    }


def differences(label: str, sides: tuple[str, str], shown: Sequence[Difference], *, key: str) -> Opened | None:
    """Draws the lines and returns whose title was clicked, action `row`."""
    return opened(mount("differences", payload(label, sides, shown), key=key, on_opened_change=nothing))


def _reach(one: Difference) -> float | None:
    """How far from zero the interval goes; None where there is none."""
    if one.value is None or one.low is None or one.high is None:
        return None
    reach = max(abs(one.low), abs(one.high))
    return reach if math.isfinite(reach) else None


def _limit(shown: Sequence[Difference]) -> float:
    """What the ends of the scale stand for."""
    reaches = [reach for one in shown if (reach := _reach(one)) is not None]
    if not reaches:
        return 0.0
    furthest = max(abs(one.value) for one in shown if one.value is not None and _reach(one) is not None)
    return min(max(reaches), max(WIDE * median(reaches), 1.2 * furthest))


def _bar(one: Difference, limit: float) -> dict[str, object] | None:
    if _reach(one) is None or not limit or one.value is None or one.low is None or one.high is None:
        return None

    def place(value: float) -> float:
        return round(0.5 + max(-1.0, min(1.0, value / limit)) / 2, 4)

    return {
        "low": place(one.low),
        "high": place(one.high),
        "value": place(one.value),
        "cut": [one.low < -limit, one.high > limit],
    }
