"""Trying a rule on history says what the engine would have said."""

from datetime import timedelta

import numpy as np

from spanwise_collector.alerts.backtest import back_test
from spanwise_collector.store.database import Database
from tests.unit.collector.alerts.world import DAY, DAY0, FIVE, HOUR, Row, World, hours, insert, rule, seasonal


def test_it_says_what_the_engine_says(database: Database) -> None:
    """The same rule, hour by hour in the engine and at once on history, fires at the same times with the same words."""
    rng = np.random.default_rng(7)
    made = []
    for place, at in enumerate(hours(24 * 15)):
        for route, day in (("ask", 12), ("buy", 13)):
            slow = 24 * day + 5 <= place < 24 * day + 20
            ms = float(500 * np.exp(0.05 * rng.standard_normal()) * (1.5 if slow else 1))
            made.append(Row(at, n=round(seasonal(place, 300)), ms=ms, route=route))
    insert(database, made)
    tested = rule(type="anomaly", signal="latency", by=["route"])
    start, end = DAY0 + 12 * DAY, DAY0 + 15 * DAY
    done: list[float] = []
    found = back_test(tested, database, DAY0 + HOUR, end, progress=done.append)
    world = World(database, [tested])
    world.run(start, end, 6 * HOUR)

    fired = [
        (series, at) for series, _, before, after, at in world.events() if after == "firing" and before != "firing"
    ]
    ended = [(series, at) for series, _, _, after, at in world.events() if after == "resolved"]
    assert [at for _, at in fired] == [one.fired_at for one in found.firings]
    assert sorted(at for _, at in ended) == sorted(one.ended_at for one in found.firings if one.ended_at)
    assert ["ask", "buy"] == [one.series["route"] for one in found.firings]
    assert ["firing", "resolved"] * 2 == [kind for kind, _ in world.box.told()]
    first = next(iter(world.box.notices.values())).alert
    assert first is not None
    assert first.sentence == found.firings[0].sentence
    # Before the first day's fit there are no series yet.
    assert (2, 638) == (found.series, found.evaluations)
    assert done == sorted(done)
    assert 1.0 == done[-1]
    hours_of = sum(((one.ended_at or end) - one.fired_at) / HOUR for one in found.firings)
    assert found.firing_hours == round(hours_of, 2)


def test_it_does_not_peek(database: Database) -> None:
    """What comes later changes nothing of what was found before."""
    rng = np.random.default_rng(8)

    def row(place: int, share: float) -> Row:
        n = round(seasonal(place, 300))
        return Row(DAY0 + place * HOUR, n=n, errors=int(rng.binomial(n, share)))

    tested = rule(type="anomaly", signal="error_rate")
    split = 24 * 12
    insert(database, [row(place, 0.1 if place >= 24 * 11 else 0.02) for place in range(split)])
    short = back_test(tested, database, DAY0, DAY0 + split * HOUR)
    insert(database, [row(place, 0.5) for place in range(split, split + 48)])
    long = back_test(tested, database, DAY0, DAY0 + (split + 48) * HOUR)

    assert [one.fired_at for one in short.firings] == [one.fired_at for one in long.firings][: len(short.firings)]
    assert 1 == len(short.firings)


def test_where_the_data_begins_later(database: Database) -> None:
    """It says from when on there is data, and where there is none."""
    tested = rule(type="threshold", signal="error_rate", above=0.05, window="5m", min_samples=1, **{"for": 1})
    nothing = back_test(tested, database, DAY0, DAY0 + HOUR)
    insert(database, [Row(DAY0 + place * FIVE, n=10, errors=1) for place in range(6, 12)])
    found = back_test(tested, database, DAY0, DAY0 + HOUR + timedelta(seconds=1))

    assert ("There is no data.", [], None) == (nothing.note, nothing.firings, nothing.band)
    assert "from 2 March 2026, 00:35 UTC (steps of five minutes are kept for two weeks)" in found.note
    assert [DAY0 + 7 * FIVE] == [one.fired_at for one in found.firings]
    assert found.band is not None
    assert (0.05, 7) == (found.band.threshold, len(found.band.times))
