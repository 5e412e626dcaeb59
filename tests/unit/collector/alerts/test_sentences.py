"""Sentences that an engineer understands who never heard of an e-process."""

from datetime import UTC, datetime
from typing import Any

import pytest

from spanwise_collector.alerts.sentences import changed, interval, promise, series_words, shown, watched
from spanwise_schemas.rules import Budget
from spanwise_schemas.signals import signal_named
from tests.unit.collector.alerts.world import rule


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (0.0809, "ratio", "8.09 %"),
        (0.00012, "ratio", "0.012 %"),
        (0.0, "ratio", "0 %"),
        (850.4, "ms", "850 ms"),
        (2345.0, "ms", "2.35 s"),
        (12_340_000_000.0, "nanousd", "$12.34"),
        (1_234_560_000_000.0, "nanousd", "$1,234.56"),
        (2_100_000.0, "nanousd", "$0.0021"),
        (1234.5, "tokens", "1,234 tokens"),
        (0.7149, "score", "0.715"),
        (12345.0, "count", "12,345"),
        (7.0, "", "7"),
        (None, "ms", "unknown"),
        (float("nan"), "ratio", "unknown"),
    ],
)
def test_values(value: float | None, unit: str, words: str) -> None:
    """Numbers have their unit and three digits."""
    assert words == shown(value, unit)


def test_changes() -> None:
    """What, of what, how much, what is usual, and since when, with the day: it is read later, too."""
    error = signal_named("error_rate")
    began = datetime(2026, 3, 2, 14, 0, tzinfo=UTC).timestamp()

    assert "Error rate of route checkout is 8.1 % where 1.9 % is usual, since 2 March, 14:00 UTC." == changed(
        error, {"route": "checkout"}, 0.081, 0.019, began
    )
    assert "Requests are 12 an hour where 140 is usual, since 1 March, 14:00 UTC." == changed(
        signal_named("requests"), {}, 12, 140, began - 86_400
    )
    assert "user group (none), model m-1" == series_words({"user_group": "", "model": "m-1"})
    assert "all others together" == series_words({"route": "(rest)"})


def test_intervals() -> None:
    """Differences have their sign; those of rates are in points."""
    assert "+1.2 points to +8 points" == interval(0.012, 0.08, "ratio")
    assert "-300 ms to +1.2 s" == interval(-300, 1200, "ms")


@pytest.mark.parametrize(
    ("values", "words", "promised"),
    [
        (
            {"type": "threshold", "signal": "error_rate", "above": 0.05, "by": ["route", "model"]},
            "Error rate above 0.05 over 15m, for each route and model.",
            "",
        ),
        (
            {"type": "relative", "signal": "latency", "change": 0.3},
            "Latency rises by 30 % or more against the same hours of the last 4 weeks.",
            "",
        ),
        (
            {"type": "anomaly", "signal": "requests"},
            "Requests changes beyond what is usual for the hour and the day.",
            "expect one such false alarm in 30 days",
        ),
        ({"type": "absence"}, "No requests for 30m where 20 or more are usual.", ""),
        ({"type": "absence", "heartbeat": True}, "No requests for 30m.", ""),
        (
            {"type": "score_drop", "score": "good", "budget": {"alarms": 2, "days": 7}},
            "The score good falls by 0.02 or more.",
            "expect 2 such false alarms in 7 days",
        ),
        ({"type": "spend", "limit_usd": 1000, "per": "user"}, "Spend of one user above $1,000.00 in 24h.", ""),
        ({"type": "budget", "monthly_usd": 50}, "The month's spend will probably exceed $50.00.", ""),
        (
            {"type": "slo", "objective": 0.99, "latency_ms": 2000},
            "The error budget of 99 % good requests within 2000 ms burns too fast.",
            "",
        ),
        (
            {"type": "failure", "classes": ["timeout"]},
            "A new or spiking kind of failure of timeout, 5 times in an hour.",
            "expect one such false alarm in 30 days",
        ),
        (
            {"type": "release_watch", "signals": ["error_rate"]},
            "72 hours after a new prompt or model or release appears: "
            "is anything worse than of the others (error rate).",
            "expect one such false alarm in 100 new versions",
        ),
    ],
)
def test_rules(values: dict[str, Any], words: str, promised: str) -> None:
    """What a rule watches, and what it promises."""
    assert (words, promised) == (watched(rule(**values)), promise(rule(**values)))


def test_built_in_rules_share_their_promise() -> None:
    """Of one of the built-in rules the promise is that of all together."""
    words = promise(rule(type="anomaly", signal="latency"), all_built_in=Budget(alarms=1, days=30))

    assert "expect one such false alarm in 30 days, of all built-in rules together" == words
