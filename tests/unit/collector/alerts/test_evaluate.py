"""Each type of rule on traffic with something wrong in it, over the engine's own walk."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import pytest

from spanwise_collector.alerts.backtest import back_test
from spanwise_collector.alerts.evaluate import evaluator_of
from spanwise_collector.alerts.evaluate.base import RuleError
from spanwise_collector.store.database import Database
from spanwise_schemas.api_alerts import BackTest, Firing
from spanwise_schemas.rules import Rule
from tests.support import rows as spans
from tests.unit.collector.alerts.world import (
    DAY,
    DAY0,
    FIVE,
    HOUR,
    Row,
    hours,
    insert,
    insert_failures,
    insert_scores_at,
    rule,
    seasonal,
)

USD = 1_000_000_000


def tried(database: Database, tested: Rule, start: datetime, end: datetime) -> BackTest:
    """The rule on history."""
    return back_test(tested, database, start, end)


def when(firings: Sequence[Firing]) -> list[tuple[dict[str, str], datetime, datetime | None]]:
    """Series, beginning and end."""
    return [(one.series, one.fired_at, one.ended_at) for one in firings]


def test_threshold_below_with_a_point_of_recovery(database: Database) -> None:
    """A limit from below ends beyond its own point of recovery, and too few samples say nothing."""
    counts = [100, 40, 40, 60, 60, 90, 90, 90]
    insert(database, [Row(DAY0 + place * FIVE, n=n) for place, n in enumerate(counts)])
    tested = rule(type="threshold", signal="requests", below=50, recover=80, window="5m", **{"for": 1}, keep_firing=2)
    few = rule(type="threshold", signal="latency", above=1, window="5m", min_samples=101, **{"for": 1})

    found = tried(database, tested, DAY0, DAY0 + 8 * FIVE)
    assert [({}, DAY0 + 2 * FIVE, DAY0 + 7 * FIVE)] == when(found.firings)
    assert "Requests are 40 over 5m, below the limit of 50." == found.firings[0].sentence
    assert [] == tried(database, few, DAY0, DAY0 + 8 * FIVE).firings


def test_threshold_over_longer_windows(database: Database) -> None:
    """A window is summed, not averaged over its steps; money is written in USD; long windows move by the hour."""
    insert(
        database,
        [Row(at, n=10, kind="llm", root=False, cost=USD * (1 + place // 30)) for place, at in enumerate(hours(72))],
    )
    tested = rule(type="threshold", signal="cost_per_call", above=0.15, window="3d", min_samples=1, **{"for": 1})
    found = tried(database, tested, DAY0 + 70 * HOUR, DAY0 + 72 * HOUR)

    # 30 hours of 0.1, 30 of 0.2, 12 of 0.3 USD a call.
    assert [({}, DAY0 + 70 * HOUR, None)] == when(found.firings)
    assert found.firings[0].value == pytest.approx(USD * (30 * 0.1 + 30 * 0.2 + 10 * 0.3) / 70)


def test_relative(database: Database) -> None:
    """It compares with the same hours of past weeks, whose own ups and downs count, and names both."""
    made = []
    for place, at in enumerate(hours(24 * 36)):
        latency = 500 * (1 + 0.5 * (place % 24 > 12)) * (1 + 0.02 * (place % 7))
        late = place >= 24 * 35 + 6
        made.append(Row(at, n=400, ms=latency * (1.6 if late else 1), route="ask"))
        made.append(Row(at, n=400, ms=latency, route="buy"))
    insert(database, made)
    tested = rule(type="relative", signal="latency", by=["route"], change=0.4)
    found = tried(database, tested, DAY0 + 30 * DAY, DAY0 + 35 * DAY + 12 * HOUR)

    assert [({"route": "ask"}, DAY0 + 35 * DAY + 8 * HOUR, None)] == when(found.firings)
    assert found.firings[0].value == pytest.approx(1.6 * found.firings[0].expected, rel=0.1)  # type: ignore[operator]
    assert "at these hours (+6" in found.firings[0].sentence


def test_anomaly_of_a_rate(database: Database) -> None:
    """A rate that doubles in one of two series at night is found there, since when, and ends with it."""
    rng = np.random.default_rng(1)
    made = []
    for place, at in enumerate(hours(24 * 20)):
        for route in ("ask", "buy"):
            share = 0.06 if route == "buy" and 24 * 16 + 3 <= place < 24 * 17 + 3 else 0.02
            n = int(rng.poisson(seasonal(place, 600)))
            made.append(Row(at, n=n, errors=int(rng.binomial(n, share)), route=route))
    insert(database, made)
    found = tried(database, rule(type="anomaly", signal="error_rate", by=["route"]), DAY0 + 10 * DAY, DAY0 + 20 * DAY)
    (firing,) = found.firings

    assert {"route": "buy"} == firing.series
    assert DAY0 + 16 * DAY + 4 * HOUR <= firing.fired_at <= DAY0 + 16 * DAY + 9 * HOUR
    assert firing.began is not None
    assert abs(firing.began - (DAY0 + 16 * DAY + 3 * HOUR)) <= 3 * HOUR
    assert firing.ended_at is not None
    assert DAY0 + 17 * DAY + 3 * HOUR <= firing.ended_at <= DAY0 + 18 * DAY + 3 * HOUR
    assert firing.value == pytest.approx(0.06, rel=0.3)
    assert firing.expected == pytest.approx(0.02, rel=0.2)
    assert "expect one such false alarm in 30 days" == found.promise
    assert found.band is not None
    assert 241 == len(found.band.times) == len(found.band.expected)


def test_anomaly_needs_a_week(database: Database) -> None:
    """Before, it finds nothing and says that it is learning."""
    insert(database, [Row(at, n=500, errors=10 if place < 100 else 250) for place, at in enumerate(hours(24 * 6))])
    found = tried(database, rule(type="anomaly", signal="error_rate"), DAY0, DAY0 + 6 * DAY)

    assert [] == found.firings
    assert "7 days of history are needed" in found.note


def test_anomaly_of_slow_requests_and_of_categories(database: Database) -> None:
    """What hits a part of the traffic, and a category that takes the place of another."""
    rng = np.random.default_rng(2)
    made = []
    start = 24 * 12 + 2
    for place, at in enumerate(hours(24 * 13)):
        bins = rng.multinomial(500, [0.6, 0.37, 0.03])
        slow = int(bins[0] * 0.15) if place >= start else 0
        counts = {120: int(bins[0]) - slow, 130: int(bins[1]), 140: int(bins[2]), 160: slow}
        made.append(Row(at, n=500, latencies={edge: n for edge, n in counts.items() if n}))
        other = int(rng.binomial(500, 0.35 if place >= start else 0.1))
        for model, n in (("a", 500 - other), ("b", other)):
            made.append(Row(at, n=n, kind="llm", root=False, model=model))
    insert(database, made)
    end = DAY0 + 13 * DAY
    slow_found = tried(database, rule(type="anomaly", signal="slow_share"), DAY0 + 10 * DAY, end)
    mix = tried(database, rule(type="anomaly", signal="model_mix"), DAY0 + 10 * DAY, end)
    latency = tried(database, rule(type="anomaly", signal="latency", min_relative=0.5), DAY0 + 10 * DAY, end)

    assert [{}] == [one.series for one in slow_found.firings]
    assert slow_found.firings[0].fired_at <= DAY0 + (start + 6) * HOUR
    assert [{"model": "a"}, {"model": "b"}] == sorted((one.series for one in mix.firings), key=str)
    assert "Models of model b are 3" in " ".join(one.sentence for one in mix.firings)
    assert [] == latency.firings


def test_the_rest_is_watched_as_one(database: Database) -> None:
    """Beyond `max_series` the others are one series, whose change is found too."""
    rng = np.random.default_rng(3)
    made = []
    for place, at in enumerate(hours(24 * 12)):
        for number in range(5):
            n = 400 if number < 2 else 150
            share = 0.15 if number >= 2 and place >= 24 * 11 else 0.02
            made.append(Row(at, n=n, errors=int(rng.binomial(n, share)), route=f"r{number}"))
    insert(database, made)
    tested = rule(type="anomaly", signal="error_rate", by=["route"], max_series=2)
    found = tried(database, tested, DAY0 + 10 * DAY, DAY0 + 12 * DAY)

    assert 3 == found.series
    assert [{"route": "(rest)"}] == [one.series for one in found.firings]
    assert "Error rate of all others together is 1" in found.firings[0].sentence


def test_absence(database: Database) -> None:
    """Silence where traffic is usual fires, where little is usual it does not; a heartbeat needs no history."""
    made = []
    for place in range(24 * 12 * 9):
        at = DAY0 + place * FIVE
        hour = place // 12 % 24
        if DAY0 + 8 * DAY + 13 * HOUR <= at < DAY0 + 8 * DAY + 15 * HOUR:
            continue
        if hour < 6:
            if place % 24 == 0:
                made.append(Row(at, n=1))
        else:
            made.append(Row(at, n=30))
    insert(database, made)
    end = DAY0 + 9 * DAY
    usual = tried(database, rule(type="absence"), DAY0 + 7 * DAY, end)
    heartbeat = tried(database, rule(type="absence", heartbeat=True, window="1h"), DAY0, end)

    gone = DAY0 + 8 * DAY + 13 * HOUR
    assert [({}, gone + 6 * FIVE, gone + 2 * HOUR + FIVE)] == when(usual.firings)
    assert usual.firings[0].began == gone
    assert "where 179 are usual in 30m" in usual.firings[0].sentence
    assert gone + HOUR in [one.fired_at for one in heartbeat.firings]


def test_score_drop(database: Database) -> None:
    """The mean of a score that falls is found, with what it was."""
    rng = np.random.default_rng(4)
    scores = []
    for place in range(24 * 14):
        level = 0.72 if place >= 24 * 13 else 0.8
        for number in range(40):
            value = float(np.clip(rng.normal(level, 0.15), 0, 1))
            scores.append((DAY0 + place * HOUR, place * 100 + number, 1, value, 1, False))
    insert_scores_at(database, scores)
    insert(database, [Row(DAY0, n=1)])
    found = tried(database, rule(type="score_drop", score="good"), DAY0 + 10 * DAY, DAY0 + 14 * DAY)
    (firing,) = found.firings

    assert DAY0 + 13 * DAY < firing.fired_at <= DAY0 + 13 * DAY + 14 * HOUR
    assert firing.value == pytest.approx(0.72, abs=0.02)
    assert firing.expected == pytest.approx(0.79, abs=0.02)


def test_spend(database: Database) -> None:
    """Money over a rolling window: of the project, and of the one user who takes it."""
    start = int((spans.T0 - DAY0) / HOUR)
    insert(
        database,
        [Row(DAY0 + place * HOUR, n=1, kind="llm", root=False, cost=USD) for place in range(start, start + 40)],
    )
    day = 24 * 3_600_000.0
    calls = [
        spans.llm(trace=number, span=1, user=f"u{number % 4}", cost=USD, at_ms=day + number * 60_000)
        for number in range(40)
    ]
    calls += [
        spans.llm(trace=100 + number, span=1, user="heavy", cost=3 * USD, at_ms=day + number * 60_000)
        for number in range(9)
    ]
    begin = spans.T0 + DAY
    first = tried(database, rule(type="spend", limit_usd=23.5), DAY0 + start * HOUR, DAY0 + (start + 30) * HOUR)
    spans.insert(database, calls)
    each = tried(database, rule(type="spend", limit_usd=20, per="user", window="2h"), begin, begin + 4 * HOUR)

    assert [({}, DAY0 + (start + 24) * HOUR - HOUR + FIVE, None)] == when(first.firings)
    assert [{"user": "heavy"}] == [one.series for one in each.firings]
    assert begin + 2 * FIVE == each.firings[0].fired_at
    assert "Spend of user heavy is $27.00 in 2h, above the limit of $20.00." == each.firings[0].sentence
    assert each.firings[0].ended_at is not None


def test_budget(database: Database) -> None:
    """A month whose end will be above the budget is found days before; a burst is found by how fast it burns."""
    cost = [USD if place < 24 * 12 else 3 * USD for place in range(24 * 40)]
    cost[24 * 5 + 10] = cost[24 * 5 + 11] = 60 * USD
    insert(
        database,
        [Row(at, n=10, kind="llm", root=False, cost=one) for at, one in zip(hours(24 * 40), cost, strict=True)],
    )
    tested = rule(type="budget", monthly_usd=1500)
    found = tried(database, tested, DAY0, DAY0 + 27 * DAY)
    burst, forecast = found.firings

    assert DAY0 + 5 * DAY + 11 * HOUR == burst.fired_at
    assert "times too fast" in burst.sentence
    assert DAY0 + 12 * DAY < forecast.fired_at < DAY0 + 25 * DAY
    assert "at the end of March, above the budget of $1,500.00" in forecast.sentence


def test_slo(database: Database) -> None:
    """An outage burns the budget within minutes; a slow leak takes the long window; latency can be part of it."""
    made = []
    for place in range(24 * 12 * 4):
        at = DAY0 + place * FIVE
        down = DAY0 + 3 * DAY + 12 * HOUR <= at < DAY0 + 3 * DAY + 12 * HOUR + 3 * FIVE
        made.append(Row(at, n=50, errors=40 if down else 0, latencies={120: 49, 170: 1}))
    insert(database, made)
    start, end = DAY0 + 3 * DAY, DAY0 + 4 * DAY
    found = tried(database, rule(type="slo", objective=0.99), start, end)
    slow = tried(database, rule(type="slo", objective=0.99, latency_ms=1000), start, end)

    assert DAY0 + 3 * DAY + 12 * HOUR + 3 * FIVE == found.firings[0].fired_at
    assert "of requests failed in 1 h, where 1 % may." in found.firings[0].sentence
    assert found.firings[0].ended_at is not None
    assert "failed or took more than 1 s in 3 d" in slow.firings[0].sentence
    assert slow.firings[0].fired_at == start


def test_failures_new_and_spiking(database: Database) -> None:
    """A kind never seen before fires when it is frequent enough, a known one when it is more frequent than usual."""
    rng = np.random.default_rng(5)
    failures = []
    for place in range(24 * 12):
        often = 40 if place >= 24 * 11 + 3 else 3
        at = DAY0 + place * HOUR + timedelta(minutes=5)
        failures += [(at, 1, "timeout") for _ in range(int(rng.poisson(often)))]
    new = DAY0 + 11 * DAY + 8 * HOUR
    failures += [(new + number * FIVE, 2, "refusal") for number in range(8)]
    failures += [(DAY0 + 11 * DAY + 4 * HOUR, 3, "empty")]
    insert_failures(database, [(at + timedelta(milliseconds=n), *rest) for n, (at, *rest) in enumerate(failures)])  # type: ignore[misc]
    insert(database, [Row(at, n=100) for at in hours(24 * 12)])
    found = tried(database, rule(type="failure"), DAY0 + 10 * DAY, DAY0 + 12 * DAY)
    by_issue = {one.series["issue"][-1]: one for one in found.firings}

    assert {"1", "2"} == set(by_issue)
    assert new + 5 * FIVE == by_issue["2"].fired_at
    assert "New failure: refusal 2: 5 times in an hour, first seen" in by_issue["2"].sentence
    assert by_issue["2"].ended_at is not None
    assert DAY0 + 11 * DAY + 3 * HOUR < by_issue["1"].fired_at <= DAY0 + 11 * DAY + 6 * HOUR
    assert "More failures than usual: timeout 1: 3" in by_issue["1"].sentence


def test_release_watch(database: Database) -> None:
    """A new version of a prompt that is worse than the others is found, one that is alike or old is not."""
    rng = np.random.default_rng(6)
    made = []
    for place, at in enumerate(hours(24 * 14)):
        versions = {"ask@v1": 0.02, "other@v1": 0.2}
        if place >= 24 * 12:
            versions |= {"ask@v2": 0.02, "ask@v3": 0.1}
        for prompt, share in versions.items():
            refused = int(rng.binomial(60, share))
            failed = {"refusal": refused} if refused else {}
            made.append(Row(at, n=60, kind="llm", root=False, prompt=prompt, ms=rng.normal(500, 10), failed=failed))
    insert(database, made)
    found = tried(database, rule(type="release_watch", watch=["prompt"]), DAY0 + 12 * DAY, DAY0 + 14 * DAY)
    (firing,) = found.firings

    assert {"prompt": "ask@v3"} == firing.series
    assert firing.fired_at <= DAY0 + 12 * DAY + 8 * HOUR
    assert firing.value == pytest.approx(0.1, abs=0.04)
    assert firing.expected == pytest.approx(0.02, abs=0.005)
    assert "Refusals of prompt ask@v3 are" in firing.sentence
    assert "expect one such false alarm in 100 new versions" == found.promise


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"type": "threshold", "signal": "model_mix", "above": 1}, "only rules of the type anomaly"),
        ({"type": "threshold", "signal": "error_rate", "above": 1, "window": "7m"}, "whole steps of 5 minutes"),
        ({"type": "anomaly", "signal": "error_rate", "by": ["language"]}, "language_mix instead"),
        ({"type": "relative", "signal": "latency", "change": 1, "window": "30m"}, "whole hours"),
        ({"type": "absence", "window": "7m"}, "whole five minutes"),
        ({"type": "release_watch", "signals": ["slow_share"]}, "cannot watch slow_share"),
    ],
)
def test_what_cannot_be_evaluated(values: dict[str, object], words: str) -> None:
    """A rule that asks for what is not there says so."""
    with pytest.raises(RuleError, match=words):
        evaluator_of(rule(**values))
