"""Rounds of the engine on the real store: what is found, told, remembered and survived."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import product

import pytest

from spanwise_collector.alerts.engine import LAG_S, rule_key
from spanwise_collector.alerts.state import RULE_SERIES, Acknowledgement, Restart, Silencing, series_key
from spanwise_collector.store.database import Database
from spanwise_schemas.api_alerts import Alert
from spanwise_schemas.api_changes import SliceChange, WhatChanged
from spanwise_schemas.rules import Where
from tests.unit.collector.alerts.world import DAY, DAY0, FIVE, HOUR, Row, World, hours, insert, rule, seasonal

LATE = timedelta(seconds=LAG_S)
BAD = rule(type="threshold", signal="error_rate", above=0.05, window="5m", **{"for": 2}, keep_firing=2, min_samples=50)
T = DAY0 + 12 * HOUR


def minutes(database: Database, errors: str, *, start: datetime = T, route: str = "ask") -> None:
    """Rows of five minutes each: a digit is the per cent of errors, a blank is no data."""
    rows = [
        Row(start + place * FIVE, n=100, errors=int(one), route=route) for place, one in enumerate(errors) if one != " "
    ]
    insert(database, rows)


def test_an_alert_from_its_first_breach_to_its_end(database: Database) -> None:
    """The rule fires at the second breach in a row, ends at the second well tick, and each is told once."""
    minutes(database, "1199911111")
    world = World(database, [BAD])
    world.run(T, T + 10 * FIVE)
    alert = next(iter(world.box.notices.values())).alert

    assert [
        ("", 1, "inactive", "pending", T + 3 * FIVE),
        ("", 2, "pending", "firing", T + 4 * FIVE),
        ("", 3, "firing", "recovering", T + 6 * FIVE),
        ("", 4, "recovering", "resolved", T + 7 * FIVE),
    ] == world.events()
    assert [("firing", T + 4 * FIVE), ("resolved", T + 7 * FIVE)] == world.box.told()
    assert alert is not None
    assert "Error rate is 9 % over 5m, above the limit of 5 %." == alert.sentence
    assert (0.09, T + 3 * FIVE, "firing") == (alert.value, alert.began, alert.state)
    assert {("r", RULE_SERIES): "ok", ("r", ""): "resolved"} == world.states()


def test_a_tick_is_taken_when_its_data_had_time_to_come(database: Database) -> None:
    """Before that nothing is evaluated, and a tick is evaluated once."""
    minutes(database, "1")
    world = World(database, [BAD])
    engine = world.engine()

    assert 1 == engine.round(T + FIVE + LATE).rules
    assert 0 == engine.round(T + 2 * FIVE + LATE - timedelta(seconds=1)).rules
    assert 1 == engine.round(T + 2 * FIVE + LATE).rules


def test_history_is_read_in_silence(database: Database) -> None:
    """A new rule shows what it would have found, tells nobody of what is over, and once of what still is."""
    minutes(database, "1199111111")
    minutes(database, "1111111999", route="buy")
    world = World(database, [BAD.model_copy(update={"by": ("route",)})])
    now = T + 10 * FIVE + LATE
    world.engine().round(now)
    world.engine().round(now + FIVE)
    firing = [row[0] for row in database.query("SELECT body FROM alert_events WHERE to_state = 'firing'").rows]

    assert [("firing", T + 10 * FIVE)] == world.box.told()
    assert [True, True, False] == sorted((json.loads(body)["alert"]["in_history"] for body in firing), reverse=True)
    assert {series_key({"route": "ask"}): "resolved", series_key({"route": "buy"}): "firing"} == {
        series: state for (_, series), state in world.states().items() if series != RULE_SERIES
    }


def test_after_a_long_time_without_an_evaluator(database: Database) -> None:
    """What began and ended meanwhile is kept but told to nobody; what still fires is told, and what ended was told."""
    minutes(database, "1999" + "1" * 40 + "99" + "1" * 50 + "99")
    world = World(database, [BAD])
    world.run(T, T + 4 * FIVE)
    world.engine().round(T + 98 * FIVE + LATE)

    assert [("firing", T + 3 * FIVE), ("resolved", T + 6 * FIVE), ("firing", T + 98 * FIVE)] == world.box.told()
    assert 3 == sum(after == "firing" and before == "pending" for _, _, before, after, _ in world.events())


@pytest.mark.parametrize(("step", "nth"), list(product(["events", "notices", "states"], [4, 5, 7, 8])))
def test_a_crash_anywhere(database: Database, step: str, nth: int) -> None:
    """Whatever a crash interrupts, the events are the same and every notification goes out, under one key."""
    minutes(database, "1199911111")
    passed = 0

    def crash(now: str) -> None:
        nonlocal passed
        passed += now == step
        if now == step and passed == nth:
            raise KeyboardInterrupt

    world = World(database, [BAD])
    at = T
    while at <= T + 8 * FIVE:
        try:
            world.engine(crash).round(at + LATE)
        except KeyboardInterrupt:
            continue  # the process starts again
        at += FIVE

    assert passed >= nth
    assert [("firing", T + 4 * FIVE), ("resolved", T + 7 * FIVE)] == world.box.told()
    assert ["pending", "firing", "recovering", "resolved"] == [after for *_, after, _ in world.events()]


def test_what_a_crash_decided_holds(database: Database) -> None:
    """When late data would decide otherwise after a crash, what people may have been told still is ended and told."""
    minutes(database, "1199")
    world = World(database, [BAD])
    world.run(T, T + 3 * FIVE)

    def crash(step: str) -> None:
        if step == "states":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world.engine(crash).round(T + 4 * FIVE + LATE)
    insert(database, [Row(T + 3 * FIVE, n=900)])
    minutes(database, "11", start=T + 4 * FIVE)
    world.run(T + 4 * FIVE, T + 6 * FIVE)

    assert [("firing", T + 4 * FIVE), ("resolved", T + 6 * FIVE)] == world.box.told()


@pytest.mark.parametrize("order", ["ab", "ba", "aab", "abb"])
def test_two_evaluators_at_once(database: Database, order: str) -> None:
    """Two that both take themselves for the leader tell people once, whoever of them is ahead."""
    minutes(database, "1199911111")
    world = World(database, [BAD])
    engines = {"a": world.engine(), "b": world.engine()}
    at = T
    while at <= T + 10 * FIVE:
        for name in order:
            engines[name].round(at + LATE)
        at += FIVE

    assert [("firing", T + 4 * FIVE), ("resolved", T + 7 * FIVE)] == world.box.told()
    assert 4 == len(world.events())


def test_two_evaluators_in_the_midst_of_each_other(database: Database) -> None:
    """One takes a whole round between any two steps of the other: nothing is lost or said under another key."""
    minutes(database, "1199911111")
    world = World(database, [BAD])
    other = world.engine()
    at = T

    def interleaved(_: str) -> None:
        other.round(at + LATE)

    engine = world.engine(interleaved)
    while at <= T + 10 * FIVE:
        engine.round(at + LATE)
        at += FIVE

    assert [("firing", T + 4 * FIVE), ("resolved", T + 7 * FIVE)] == world.box.told()
    assert len(set(world.box.keys)) == 2


def test_silences_and_acknowledgements(database: Database) -> None:
    """A silence keeps people from hearing of an alert until it ends."""
    minutes(database, "1999999")
    world = World(database, [BAD])
    world.said.silencing = [Silencing("r", {}, T, T + 5 * FIVE)]
    world.run(T, T + 4 * FIVE)

    assert [] == world.box.told()
    (silent,) = [alert for alert in alerts(database) if alert.state == "firing"]
    assert T + 5 * FIVE == silent.silenced_until
    world.said.silencing = []
    world.run(T + 5 * FIVE, T + 6 * FIVE)
    assert [("firing", T + 5 * FIVE)] == world.box.told()


def alerts(database: Database) -> list[Alert]:
    """Alerts as the states have them."""
    rows = database.query("SELECT body FROM alert_state FINAL WHERE series != {r:String}", {"r": RULE_SERIES}).rows
    return [Alert.model_validate(json.loads(body)["alert"]) for (body,) in rows]


def test_expected(database: Database) -> None:
    """An alert that a person calls expected ends at the next look, and the same breach begins no other."""
    minutes(database, "19999999" + "11" + "99")
    world = World(database, [BAD])
    world.run(T, T + 4 * FIVE)
    (alert,) = alerts(database)
    world.said.acks = {int(alert.alert_id, 16): Acknowledgement("ann", T + 5 * FIVE, expected=True)}
    world.run(T + 5 * FIVE, T + 12 * FIVE)

    assert ["firing", "resolved", "firing"] == [kind for kind, _ in world.box.told()]
    assert T + 12 * FIVE == world.box.told()[-1][1]
    ended = list(world.box.notices.values())[1].alert
    assert ended is not None
    assert (True, "ann") == (ended.is_expected, ended.acknowledged_by)


@pytest.mark.parametrize("change", ["gone", "disabled", "another"])
def test_rules_that_change(database: Database, change: str) -> None:
    """An alert of a rule that is gone, switched off or says something else now ends; words about it change nothing."""
    minutes(database, "1999999")
    world = World(database, [BAD.model_copy(update={"channels": ("ops",)})])
    world.run(T, T + 4 * FIVE)
    world.rules_ = [
        BAD.model_copy(update={"channels": ("ops",), "name": "Errors", "severity": "page", "labels": {"team": "a"}})
    ]
    world.run(T + 5 * FIVE, T + 5 * FIVE)
    assert ["firing"] == [kind for kind, _ in world.box.told()]
    world.rules_ = {
        "gone": [],
        "disabled": [BAD.model_copy(update={"enabled": False})],
        "another": [BAD.model_copy(update={"above": 0.5, "channels": ("ops",)})],
    }[change]
    world.run(T + 6 * FIVE, T + 7 * FIVE)

    assert ["firing", "resolved"] == [kind for kind, _ in world.box.told()]
    assert [("ops",)] * 2 == [notice.channels for notice in world.box.notices.values()]
    assert {"resolved"} == {state for (_, series), state in world.states().items() if series != RULE_SERIES}


def test_a_rule_that_cannot_be_evaluated(database: Database) -> None:
    """It says why, does not stop the others, and people are told when it lasts, and when it is over."""
    minutes(database, "111111111")
    broken = rule(id="broken", type="threshold", signal="slow_share", above=0.1)
    world = World(database, [broken, BAD])
    world.run(T, T + 4 * FIVE)
    body = json.loads(
        database.query("SELECT body FROM alert_state FINAL WHERE rule_id = 'broken' AND state = 'error'").rows[0][0]
    )

    assert "only rules of the type anomaly" in body["problem"]
    assert "ok" == world.states()[("r", RULE_SERIES)]
    assert [("error", T + 2 * FIVE + timedelta(minutes=2))] == world.box.told()
    world.rules_ = [rule(id="broken", type="threshold", signal="error_rate", above=0.1), BAD]
    world.run(T + 5 * FIVE, T + 6 * FIVE)
    assert ["error", "resolved"] == [kind for kind, _ in world.box.told()]
    assert "ok" == world.states()[("broken", RULE_SERIES)]


def test_the_cause_goes_with_the_alert(database: Database) -> None:
    """What changed is attached and named in the notification; when explaining fails the alert goes out without."""
    minutes(database, "1999")
    asked: list[tuple[str, datetime]] = []

    def explain(alert: Alert, where: Where, at: datetime) -> WhatChanged:
        asked.append((alert.rule_id, at))
        if alert.rule_id == "bad":
            raise RuntimeError("no")
        cause = SliceChange(
            dims={"model": "m-2"}, label="model m-2", n_before=1, n_after=1, before=0, after=1, contribution=1, share=1
        )
        return WhatChanged(
            project="default",
            signal="error_rate",
            title="Error rate",
            unit="ratio",
            before_start=T,
            before_end=T,
            start=T,
            end=T,
            n_before=1,
            n_after=1,
            before=0,
            after=1,
            slices=[cause],
        )

    world = World(database, [BAD, BAD.model_copy(update={"id": "bad"})])
    engine = world.engine(explain=explain)
    world.run(T, T + 4 * FIVE, engine=engine)
    texts = {notice.key: notice.text for notice in world.box.notices.values()}

    assert [("bad", T + 3 * FIVE), ("r", T + 3 * FIVE)] == sorted(asked)
    assert 1 == sum("What moved it most: model m-2." in text for text in texts.values())
    assert 2 == len(texts)
    assert {"model m-2", ""} == {alert.top_cause for alert in alerts(database)}


def test_missing_data(database: Database) -> None:
    """A firing alert whose data ends is kept, people are told after two windows, and it goes on with the data."""
    minutes(database, "199    9911")
    world = World(database, [BAD])
    world.run(T, T + 11 * FIVE)

    assert [
        ("firing", T + 3 * FIVE),
        ("no_data", T + 5 * FIVE),
        ("resolved", T + 11 * FIVE),
    ] == world.box.told()


def test_restarts_reach_the_rules(database: Database) -> None:
    """After an expected change an anomaly rule takes the new level for usual at once, and finds changes of that."""
    days = 21
    rows = []
    for place, at in enumerate(hours(24 * days)):
        n = round(seasonal(place, 400))
        share = 0.02 if place < 24 * 15 else 0.1
        share = 0.4 if place >= 24 * 20 else share
        rows.append(Row(at, n=n, errors=round(share * n)))
    insert(database, rows)
    world = World(database, [rule(type="anomaly", signal="error_rate")])
    world.run(DAY0 + 15 * DAY, DAY0 + 15 * DAY + 6 * HOUR, HOUR)
    (alert,) = alerts(database)
    assert "firing" == alert.state
    now = DAY0 + 15 * DAY + 6 * HOUR + timedelta(minutes=30)
    world.said.acks = {int(alert.alert_id, 16): Acknowledgement("ann", now, expected=True)}
    world.said.restarting = [Restart("r", "", alert.began, now)]
    world.run(DAY0 + 15 * DAY + 7 * HOUR, DAY0 + 19 * DAY, 6 * HOUR)
    told = world.box.told()
    world.run(DAY0 + 19 * DAY, DAY0 + 20 * DAY + 6 * HOUR, 6 * HOUR)

    assert ["firing", "resolved"] == [kind for kind, _ in told]
    assert ["firing"] == [kind for kind, _ in world.box.told()[2:]]
    (alert,) = alerts(database)
    assert alert.expected == pytest.approx(0.1, rel=0.15)


def test_a_restart_of_the_process_goes_on_exactly(database: Database) -> None:
    """Three hours at a time with a new engine each gives the alerts that one over all hours gives."""
    rows = []
    for place, at in enumerate(hours(24 * 12)):
        n = round(seasonal(place, 400))
        share = 0.08 if 24 * 9 + 3 <= place < 24 * 10 + 6 else 0.02
        rows.append(Row(at, n=n, errors=round(share * n), project="one"))
        rows.append(Row(at, n=n, errors=round(share * n), project="two"))
    insert(database, rows)
    one = World(database, [rule(type="anomaly", signal="error_rate", project="one")])
    start, end = DAY0 + 9 * DAY, DAY0 + 11 * DAY
    for hour in range(0, 49, 3):
        one.run(start + hour * HOUR, start + hour * HOUR, HOUR)
    two = World(database, [*one.rules_, rule(type="anomaly", signal="error_rate", project="two")], box=one.box)
    two.engine().round(start + LATE)
    two.engine().round(end + LATE)
    rows_ = database.query(
        "SELECT project_id, to_state, ts, value FROM alert_events FINAL ORDER BY project_id, ts, seq"
    ).rows
    first, second = ([row[1:] for row in rows_ if row[0] == name] for name in ("one", "two"))

    assert first == second
    assert ["firing", "resolved"] == [row[0] for row in first]


def test_rule_keys(database: Database) -> None:
    """What decides verdicts is in a rule's key, what is said about it is not."""

    def same(**changes: object) -> bool:
        return rule_key(BAD) == rule_key(BAD.model_copy(update=changes))

    check: Callable[..., bool] = same
    assert check(name="x", severity="info", labels={"a": "b"}, channels=("c",), runbook="x")
    assert not check(above=0.06)
    assert not check(where=Where(model=("m",)))
