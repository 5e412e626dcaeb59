"""Shares before and after: of the values of a category, or of clusters of texts with examples."""

from collections.abc import Sequence
from dataclasses import dataclass

from spanwise_dashboard.components.mount import Opened, mount, nothing, opened
from spanwise_dashboard.components.table import Badge, badge_payload
from spanwise_dashboard.format import percent
from spanwise_dashboard.values import difference, interval


@dataclass(frozen=True, slots=True)
class Example:
    """A text; with `href` it opens its trace and reports the action `trace` with its value."""

    text: str
    href: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """One line. Shares are ratios; `low` and `high` are the 95 % interval of their difference."""

    label: str
    before: float
    after: float
    low: float | None = None
    high: float | None = None
    badges: tuple[Badge, ...] = ()
    examples: tuple[Example, ...] = ()


def payload(label: str, shown: Sequence[Pair], before: str, after: str) -> dict[str, object]:
    """What the component draws."""
    return {"label": label, "beforeLabel": before, "afterLabel": after, "rows": [_row(pair) for pair in shown]}


def pairs(label: str, shown: Sequence[Pair], *, before: str, after: str, key: str) -> Opened | None:
    """Draws the lines and returns which example was clicked.

    Args:
        label: what is compared, for readers of the screen.
        shown: the lines.
        before: what the grey bars are.
        after: what the blue bars are.
        key: identity on the page.
    """
    return opened(mount("pairs", payload(label, shown, before, after), key=key, on_opened_change=nothing))


def _row(pair: Pair) -> dict[str, object]:
    return {
        "label": pair.label,
        "before": pair.before,
        "after": pair.after,
        "beforeText": percent(pair.before),
        "afterText": percent(pair.after),
        "difference": difference(pair.after - pair.before, "ratio"),
        "interval": interval(pair.low, pair.high, "ratio"),
        "badges": [badge_payload(badge) for badge in pair.badges],
        "examples": [{"text": example.text, "href": example.href, "value": example.value} for example in pair.examples],
    }
