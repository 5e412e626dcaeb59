"""Reading alerts, rules and channels from what the engine, people and deliverers wrote."""

import itertools
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from spanwise_collector.alerts.acks import Acknowledgements
from spanwise_collector.alerts.alerts_query import AlertFilter, AlertReader
from spanwise_collector.alerts.built_in import built_in_rules
from spanwise_collector.alerts.channels.config import CHANNEL
from spanwise_collector.alerts.evaluate.ledger import Known, Stand, write_states
from spanwise_collector.alerts.evaluate.walk import Standing
from spanwise_collector.alerts.lifecycle import Life
from spanwise_collector.alerts.outbox import Outbox, Recipient
from spanwise_collector.alerts.rules_query import NEVER, channels_info, rule_info, standings
from spanwise_collector.alerts.rules_store import OwnedRule
from spanwise_collector.alerts.silences import Silences
from spanwise_collector.alerts.state import RuleBody
from spanwise_collector.query.cursor import CursorError
from spanwise_collector.query.values import micros
from spanwise_collector.store.database import Database
from spanwise_schemas.api_alerts import Acknowledge, AlertEvent, Channel, Delivery, Silence
from spanwise_schemas.rules import RULE
from tests.support.alert_events import BAND, happened
from tests.support.notices import NOW, alert, notice

HOUR = timedelta(hours=1)


class World:
    """A reader with people."""

    def __init__(self, database: Database) -> None:
        self.database = database
        ids = (f"{number:016x}" for number in itertools.count(1))
        self.silences = Silences(database, now=lambda: NOW + HOUR, new_id=lambda: next(ids))
        self.acks = Acknowledgements(database, now=lambda: NOW + HOUR, new_id=lambda: next(ids))
        self.reader = AlertReader(database, self.silences, self.acks, timeout_s=30)

    def ids(
        self,
        *states: str,
        project: str = "shop",
        rules: tuple[str, ...] = (),
        start: datetime = NOW - HOUR,
        end: datetime = NOW + 24 * HOUR,
    ) -> list[int]:
        """Numbers of the alerts found."""
        wanted = AlertFilter(project, states, rules, micros(start), micros(end))
        return [int(one.alert_id, 16) for one in self.reader.page(wanted, NOW + HOUR, limit=50).items]


@pytest.fixture
def world(database: Database) -> World:
    """Empty."""
    return World(database)


def test_alerts_are_found_by_state_rule_and_time(world: World) -> None:
    """Those that began last first; what was never firing and is over is left out unless it is asked for."""
    happened(world.database, 1, "pending", "firing")
    happened(world.database, 2, "firing", "recovering", "resolved", minutes=30)
    happened(world.database, 3, "pending", "inactive", minutes=60)
    happened(world.database, 4, "firing", minutes=90, rule_id="latency")
    happened(world.database, 5, "firing", project="lab")

    assert world.ids() == [4, 2, 1]
    assert world.ids("firing") == [4, 1]
    assert world.ids("resolved", "inactive") == [3, 2]
    assert world.ids(rules=("latency",)) == [4]
    assert world.ids(end=NOW + timedelta(minutes=30)) == [1]
    # What goes on is found however long ago it began.
    assert world.ids(start=NOW + 2 * HOUR, end=NOW + 3 * HOUR) == [4, 1]
    assert world.ids(start=NOW + timedelta(minutes=50)) == [4, 2, 1]
    assert world.ids(start=NOW + timedelta(minutes=51)) == [4, 1]
    assert world.ids(project="nobody") == []


def test_pages_follow_each_other(world: World) -> None:
    """To the end, each alert once; a cursor that was made up is refused."""
    for number in range(1, 6):
        happened(world.database, number, "firing", minutes=number // 2)
    wanted = AlertFilter("shop", (), (), micros(NOW - HOUR), micros(NOW + HOUR))
    found, cursor = [], ""
    while True:
        page = world.reader.page(wanted, NOW, limit=2, cursor=cursor)
        found.append([int(one.alert_id, 16) for one in page.items])
        cursor = page.next_cursor or ""
        if not cursor:
            break

    assert found == [[5, 4], [3, 2], [1]]
    for wrong in ("x", "AAAA", "ü"):
        with pytest.raises(CursorError):
            world.reader.page(wanted, NOW, limit=2, cursor=wrong)


def test_an_alert_says_who_took_it_and_how_long_it_is_silenced(world: World) -> None:
    """What people said since its last event; the longest silence that fits holds."""
    happened(world.database, 1, "firing")
    happened(world.database, 2, "firing", "resolved")
    world.acks.acknowledge(alert(1), Acknowledge(by="me", expected=True))
    for hours, series in ((2, {"model": "m1"}), (3, {}), (9, {"model": "m7"})):
        end = NOW + hours * HOUR
        world.silences.add(Silence(project="shop", series=series, starts_at=NOW, ends_at=end))
    wanted = AlertFilter("shop", (), (), micros(NOW - HOUR), micros(NOW + HOUR))
    second, first = world.reader.page(wanted, NOW + HOUR, limit=50).items

    assert (first.acknowledged_by, first.acknowledged_at, first.is_expected) == ("me", NOW + HOUR, True)
    assert first.silenced_until == NOW + 3 * HOUR
    assert (second.acknowledged_by, second.silenced_until) == ("", None)


def test_one_alert_comes_with_all_that_is_known(world: World) -> None:
    """Its events in order, people's too; what was known when it fired; what was sent."""
    happened(world.database, 1, "pending", "firing", "recovering", "resolved", every=5)
    world.acks.acknowledge(alert(1), Acknowledge(by="me", note="looking"))
    outbox = Outbox(world.database, lambda: [Recipient("hook", frozenset({"page"}))])
    outbox.enqueue(notice(1))
    outbox.enqueue(notice(2))
    found = world.reader.detail("shop", 1, NOW + HOUR)

    assert found is not None
    assert (found.alert.state, found.alert.acknowledged_by) == ("resolved", "me")
    assert (found.band, found.evidence, found.filters) == (BAND, {"Samples": "1,200"}, {"model": ["m1"]})
    assert found.events == [
        AlertEvent(time=NOW, from_state="inactive", to_state="pending", value=0.081),
        AlertEvent(time=NOW + HOUR / 12, from_state="pending", to_state="firing", value=0.081, note="why"),
        AlertEvent(time=NOW + HOUR / 6, from_state="firing", to_state="recovering", value=0.081),
        AlertEvent(time=NOW + HOUR / 4, from_state="recovering", to_state="resolved", value=0.081),
        AlertEvent(time=NOW + HOUR, from_state="firing", to_state="acknowledged", value=0.081, by="me", note="looking"),
    ]
    assert found.deliveries == [
        Delivery(
            key="0000000000000001:1:firing:hook",
            channel="hook",
            kind="firing",
            created_at=NOW,
            state="queued",
            next_at=NOW,
        )
    ]
    assert world.reader.detail("lab", 1, NOW) is None
    assert world.reader.detail("shop", 2, NOW) is None


def states(database: Database, body: RuleBody, *lives: str) -> None:
    """Store where a rule and its series stand."""
    at = int(NOW.timestamp())
    keys = [f'{{"model":"m{number}"}}' for number in range(len(lives))]
    standing = Standing("errors@1", evaluated_to=at)
    standing.lives = {key: Life(state=state, since=at, at=at) for key, state in zip(keys, lives, strict=True)}  # type: ignore[arg-type]
    write_states(database, "shop", [Stand("errors", Known(standing, body), frozenset(keys), "ok")])


def test_the_rules_say_how_they_stand(world: World) -> None:
    """Series, how many fire, when last, what hinders them; a rule that is off fires nothing."""
    states(world.database, RuleBody(series=3, firing=2, pending=1, note="young"), "firing", "recovering", "pending")
    happened(world.database, 1, "pending", "firing")
    page = world.reader.page(AlertFilter("shop", (), (), 0, micros(NOW + HOUR)), NOW, limit=1)
    written = {"id": "errors", "project": "shop", "type": "anomaly", "signal": "error_rate"}
    owned = OwnedRule(RULE.validate_python(written), "api", written)
    info = rule_info(owned, standings(world.database, "shop", timeout_s=30)["errors"])

    assert (page.firing, page.pending) == (2, 1)
    assert info.model_dump() == {
        "rule": written,
        "rule_id": "errors",
        "name": "errors",
        "type": "anomaly",
        "project": "shop",
        "severity": "ticket",
        "source": "api",
        "enabled": True,
        "sentence": "Error rate rises beyond what is usual for the hour and the day.",
        "promise": "expect one such false alarm in 30 days",
        "series": 3,
        "firing": 2,
        "pending": 1,
        "last_evaluated": NOW,
        "last_fired": NOW + timedelta(minutes=10),
        "problem": "",
        "note": "young",
    }
    off = replace(owned, rule=owned.rule.model_copy(update={"enabled": False}))
    assert rule_info(off, standings(world.database, "shop", timeout_s=30)["errors"]).firing == 0


def test_built_in_rules_promise_what_they_share() -> None:
    """One false alarm for all of them; those without a budget promise what they do."""
    infos = [rule_info(OwnedRule(one, "built_in", {}), NEVER) for one in built_in_rules("shop")]
    assert {info.rule_id: info.promise for info in infos if info.type in ("anomaly", "absence")} == {
        **{
            f"built-in-{name}": "expect one such false alarm in 30 days, of all built-in rules together"
            for name in ("errors", "latency", "slow", "cost", "refusals")
        },
        "built-in-absence": "",
    }


def test_the_channels_say_how_they_fare(world: World) -> None:
    """What was sent last, what fails now, what waits; the newest notifications of a project."""
    configs = [
        CHANNEL.validate_python({"name": "hook", "type": "webhook", "url": "https://hooks.example/hush"}),
        CHANNEL.validate_python({"name": "ops", "type": "pagerduty", "routing_key_env": "KEY"}),
    ]
    outbox = Outbox(world.database, lambda: [Recipient("hook", frozenset({"page"}))])
    for number in range(1, 5):
        outbox.enqueue(notice(number, at=NOW + number * HOUR))
    one, two, three, _ = outbox.waiting()
    outbox.record([replace(one, state="sent", attempts=1, next_at=NOW + 2 * HOUR)], token="1")
    outbox.record([replace(two, state="given_up", attempts=9, next_at=NOW + HOUR, error="old")], token="2")
    before = channels_info(world.database, configs, "shop", timeout_s=30)
    outbox.record([replace(three, state="failed", attempts=2, next_at=NOW + 5 * HOUR, error="busy")], token="3")
    after = channels_info(world.database, configs, "shop", timeout_s=30)

    hook = Channel(
        name="hook",
        type="webhook",
        target="hooks.example",
        severities=["page", "ticket", "info"],
        last_sent=NOW + 2 * HOUR,
        queued=2,
    )
    pager = Channel(name="ops", type="pagerduty", target="KEY", severities=["page"])
    assert before.items == [hook, pager]
    assert after.items == [hook.model_copy(update={"last_error": "busy"}), pager]
    assert [(one.state, one.attempts, one.next_at, one.error) for one in after.deliveries] == [
        ("queued", 0, NOW + 4 * HOUR, ""),
        ("failed", 2, NOW + 5 * HOUR, "busy"),
        ("given_up", 9, None, "old"),
        ("sent", 1, None, ""),
    ]
