"""What is said to people: numbers with their units, series by their names, in plain sentences."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final

from spanwise_collector.alerts.state import REST
from spanwise_schemas.rules import (
    Absence,
    Anomaly,
    Budget,
    FailureRule,
    MissingData,
    Relative,
    ReleaseWatch,
    Rule,
    RuleType,
    ScoreDrop,
    Slo,
    Spend,
    Threshold,
)
from spanwise_schemas.signals import Direction, Signal, Unit, signal_named

_NAMES: Final = {"user_group": "user group"}
_DIRECTIONS: Final[dict[Direction, str]] = {"up": "rises", "down": "falls", "both": "changes"}


def shown(value: float | None, unit: Unit | str) -> str:
    """A value for people: three significant digits and its unit; "unknown" where there is none."""
    if value is None or not isfinite(value):
        return "unknown"
    match unit:
        case "ratio":
            return f"{_digits(100 * value)} %"
        case "ms":
            return f"{_digits(value / 1000)} s" if abs(value) >= 1000 else f"{_digits(value)} ms"
        case "nanousd":
            usd = value / 1e9
            return f"${usd:,.2f}" if abs(usd) >= 1 else f"${_digits(usd)}"
        case "tokens":
            return f"{_digits(value)} tokens"
        case "bytes":
            return f"{_digits(value)} bytes"
        case "score":
            return f"{value:.3g}"
        case _:
            return _digits(value)


def _digits(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    text = f"{value:.3g}" if abs(value) >= 0.001 or value == 0 else f"{value:.2g}"
    return f"{float(text):,.10g}" if "e" not in text else f"{value:.8f}".rstrip("0").rstrip(".")


def series_words(names: Mapping[str, str]) -> str:
    """A series: `route checkout, model m-1`; empty for a rule that is not split."""
    if REST in names.values():
        return "all others together"
    return ", ".join(f"{_NAMES.get(name, name)} {value or '(none)'}" for name, value in names.items())


def subject(signal: Signal, names: Mapping[str, str]) -> str:
    """What a sentence is about: `Error rate of route checkout`."""
    series = series_words(names)
    return f"{signal.title} of {series}" if series else signal.title


def plural(count: int, noun: str) -> str:
    """`1 record`, `2 records`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def clock(seconds: float) -> str:
    """Day and time of day in UTC: a sentence is read days after it was written, too."""
    return f"{datetime.fromtimestamp(seconds, UTC):%-d %B, %H:%M} UTC"


def changed(signal: Signal, names: Mapping[str, str], value: float | None, expected: float | None, began: float) -> str:
    """A change: `Error rate of route checkout is 8.1 % where 1.9 % is usual, since 2 March, 14:00 UTC.`."""
    an_hour = " an hour" if signal.form in ("count", "sum") else ""
    return (
        f"{subject(signal, names)} {be(signal)} {shown(value, signal.unit)}{an_hour} where "
        f"{shown(expected, signal.unit)} is usual, since {clock(began)}."
    )


def be(signal: Signal) -> str:
    """The verb that goes with a signal's title."""
    return "are" if signal.title.endswith("s") else "is"


def interval(low: float, high: float, unit: Unit | str) -> str:
    """A 95 % interval of a difference."""

    def signed(value: float) -> str:
        text = shown(abs(value), unit)
        if unit == "ratio" and isfinite(value):
            text = f"{_digits(100 * abs(value))} points"
        return f"{'-' if value < 0 else '+'}{text}"

    return f"{signed(low)} to {signed(high)}"


def promise(rule: Rule, *, all_built_in: Budget | None = None) -> str:
    """How often such an alarm of the rule is false; empty where the rule promises nothing.

    Args:
        rule: any.
        all_built_in: the budget that the project's built-in rules share, for one of those.
    """
    if all_built_in is not None:
        return f"{all_built_in.sentence}, of all built-in rules together"
    match rule:
        case Anomaly() | ScoreDrop() | FailureRule():
            return rule.budget.sentence
        case ReleaseWatch():
            return f"expect one such false alarm in {1 / rule.alpha:.0f} new versions"
        case _:
            return ""


def watched(rule: Rule) -> str:
    """What a rule watches, in one sentence for people."""
    by = f", for each {' and '.join(_NAMES.get(name, name) for name in rule.by)}" if rule.by else ""
    return f"{_WATCHED[rule.type](rule)}{by}."


def _threshold(rule: Threshold) -> str:
    signal = signal_named(rule.signal)
    limit = f"above {rule.above:g}" if rule.above is not None else f"below {rule.below:g}"
    unit = {"nanousd": " USD", "ratio": "", "count": "", "score": ""}.get(signal.unit, f" {signal.unit}")
    return f"{signal.title} {limit}{unit} over {rule.window}"


def _relative(rule: Relative) -> str:
    signal = signal_named(rule.signal)
    word = _DIRECTIONS[rule.direction or signal.worse]
    against = f"against the same hours of the last {rule.weeks} weeks"
    return f"{signal.title} {word} by {100 * rule.change:g} % or more {against}"


def _anomaly(rule: Anomaly) -> str:
    signal = signal_named(rule.signal)
    return f"{signal.title} {_DIRECTIONS[rule.direction or signal.worse]} beyond what is usual for the hour and the day"


def _absence(rule: Absence) -> str:
    if rule.heartbeat:
        return f"No requests for {rule.window}"
    return f"No requests for {rule.window} where {rule.min_expected:g} or more are usual"


def _missing_data(rule: MissingData) -> str:
    return f"Records that were sent and did not arrive within {rule.settle}, and offsets that were not stored once"


def _spend(rule: Spend) -> str:
    of = {"project": "", "user": " of one user", "user_group": " of one user group"}[rule.per]
    return f"Spend{of} above ${rule.limit_usd:,.2f} in {rule.window}"


def _slo(rule: Slo) -> str:
    slow = f" within {rule.latency_ms:g} ms" if rule.latency_ms else ""
    return f"The error budget of {100 * rule.objective:g} % good requests{slow} burns too fast"


def _failure(rule: FailureRule) -> str:
    words = [word for word, wanted in (("new", rule.new), ("spiking", rule.spiking)) if wanted]
    kinds = f" of {', '.join(rule.classes)}" if rule.classes else ""
    return f"A {' or '.join(words) or 'known'} kind of failure{kinds}, {rule.min_count} times in an hour"


def _release_watch(rule: ReleaseWatch) -> str:
    signals = ", ".join(signal_named(name).title.lower() for name in rule.signals)
    new = f"{rule.hours} hours after a new {' or '.join(rule.watch)} appears"
    return f"{new}: is anything worse than of the others ({signals})"


_WATCHED: Final[dict[RuleType, Callable[[Any], str]]] = {
    "threshold": _threshold,
    "relative": _relative,
    "anomaly": _anomaly,
    "absence": _absence,
    "missing_data": _missing_data,
    "score_drop": lambda rule: f"The score {rule.score} falls by {rule.drop:g} or more",
    "spend": _spend,
    "budget": lambda rule: f"The month's spend will probably exceed ${rule.monthly_usd:,.2f}",
    "slo": _slo,
    "failure": _failure,
    "release_watch": _release_watch,
}
