"""Comparisons in the words of the page Compare. Pure."""

from collections.abc import Sequence
from typing import Final

from spanwise_dashboard import values
from spanwise_dashboard.compare_place import Against
from spanwise_dashboard.components.differences import Difference
from spanwise_dashboard.components.table import Badge
from spanwise_dashboard.format import compact
from spanwise_schemas.api_compare import CompareBy, Compared, Comparison, Verdict

BY_LABELS: Final[dict[CompareBy, str]] = {
    "window": "Time ranges",
    "release": "Releases",
    "prompt": "Prompt versions",
    "model": "Models",
}
AGAINST_LABELS: Final[dict[Against, str]] = {
    "before": "the time range before",
    "day": "the same time a day before",
    "week": "the same time a week before",
}
CHANCE: Final = 0.05
"""What the collector calls beyond chance has an adjusted p-value below this."""
_RANKS: Final[dict[Verdict, int]] = {
    "worse": 0,
    "better": 1,
    "different": 2,
    "no_difference": 3,
    "not_trusted": 4,
    "too_few": 5,
}
_VERDICTS: Final[dict[Verdict, Badge]] = {
    "worse": Badge("worse", "bad", "Chance alone hardly makes such a difference, and it is big enough to matter."),
    "better": Badge("better", "good", "Chance alone hardly makes such a difference, and it is big enough to matter."),
    "different": Badge("different", "warn", "It is not the same; whether that is good depends on what you want."),
    "no_difference": Badge("no difference beyond chance", "", "Two sides that are the same often differ by so much."),
    "not_trusted": Badge(
        "judge not trusted", "warn", "The judge agrees too little with people, so its scores prove nothing."
    ),
    "too_few": Badge("too little data", "", "A side has too little to tell a difference from chance."),
}
_SMALL: Final = Badge("too small to matter", "", "There is a difference, and it is smaller than what deserves a look.")


def verdict(row: Compared) -> Badge:
    """What is to be made of a row."""
    if row.verdict == "not_trusted" and row.correction is not None:
        badge = _VERDICTS[row.verdict]
        return Badge(badge.text, badge.tone, f"{badge.title} {row.correction.held}.")
    if row.verdict == "no_difference" and row.p_value is not None and row.p_value < CHANCE:
        return _SMALL
    return _VERDICTS[row.verdict]


def failure_verdict(found: Verdict) -> Badge:
    """What is to be made of the counts of an issue, in a word or two."""
    badge = _VERDICTS[found]
    return Badge("no difference", badge.tone, badge.title) if found == "no_difference" else badge


def ordered(rows: Sequence[Compared]) -> list[Compared]:
    """What is worse first, what cannot be told last."""
    return sorted(rows, key=lambda row: _RANKS[row.verdict])


def differs(row: Compared) -> bool:
    """Whether the sides differ, beyond chance and enough to matter."""
    return row.verdict in ("worse", "better", "different")


def line(row: Compared, href: str = "") -> Difference:
    """A row as it is drawn."""
    known = row.difference is not None and row.low is not None and row.high is not None
    return Difference(
        row.signal,
        row.title,
        values.value(row.a, row.unit),
        values.value(row.b, row.unit),
        f"{compact(row.n_a)} and {compact(row.n_b)} counted" + (f", {row.correction.words}" if row.correction else ""),
        difference(row),
        interval(row) if known else "",
        row.difference,
        row.low,
        row.high,
        "relative" if row.relative else row.unit,
        verdict(row),
        href,
    )


def difference(row: Compared) -> str:
    """By how much b is off a: in percent of a, or in points; empty where it is not known."""
    if row.difference is None:
        return ""
    return _relative(row.difference) if row.relative else values.difference(row.difference, row.unit)


def interval(row: Compared) -> str:
    """Between what the true difference lies."""
    if row.low is None or row.high is None:
        return ""
    if row.relative:
        return f"{_relative(row.low)} to {_relative(row.high)}"
    return values.interval(row.low, row.high, row.unit)


def side_names(found: Comparison) -> tuple[str, str]:
    """Names of the sides, short enough for a column; time ranges are A and B."""
    return ("A", "B") if found.by == "window" else (found.a.label, found.b.label)


def sentence(found: Comparison) -> str:
    """The outcome; time ranges are A and B, whose times the page says in the viewer's zone."""
    if found.by != "window":
        return found.sentence
    return found.sentence.replace(found.b.label, "B").replace(found.a.label, "A")


def _relative(number: float) -> str:
    shown = f"{number:+.1%}" if abs(number) < 0.0995 else f"{number:+.0%}"
    return "0%" if float(shown.rstrip("%")) == 0 else shown
