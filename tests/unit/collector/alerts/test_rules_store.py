"""Rules of the file, of the API, and built in."""

import logging
from datetime import timedelta

import pytest

from spanwise_collector.alerts.alerts_file import AlertsConfig, read_alerts
from spanwise_collector.alerts.built_in import BUDGET, built_in_rules
from spanwise_collector.alerts.rules_store import ACTIVE_FOR, PROJECTS_FOR, InFileError, RulesStore
from spanwise_collector.store.database import Database
from spanwise_schemas.rules import RULE, Rule
from tests.support.notices import NOW
from tests.support.rows import T0, Span, insert

FILE = """
[[rules]]
id = "errors"
project = "shop"
type = "threshold"
signal = "error_rate"
above = 0.05

[[rules]]
id = "built-in-errors"
project = "default"
type = "threshold"
signal = "error_rate"
above = 0.5
"""


def written(rule_id: str, **values: object) -> dict[str, object]:
    """A rule as it is written."""
    return {"id": rule_id, "type": "absence", "project": "shop", **values}


def rule(rule_id: str, **values: object) -> Rule:
    """As it is read."""
    return RULE.validate_python(written(rule_id, **values))


class World:
    """A store with a file."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = NOW
        self.config = read_alerts(FILE)

    def store(self, **options: bool) -> RulesStore:
        """One more."""
        return RulesStore(self.database, self.file, now=lambda: self.now, **options)

    def file(self) -> AlertsConfig:
        """What the file says."""
        return self.config


@pytest.fixture
def world(database: Database) -> World:
    """No rules of the API yet."""
    return World(database)


def names(store: RulesStore, project: str) -> list[tuple[str, str]]:
    """Source and id of each."""
    return [(one.source, one.rule.id) for one in store.of(project)]


def test_the_file_holds_before_the_api(world: World) -> None:
    """A rule of the API whose id comes into the file is kept, but is not used any more."""
    store = world.store(with_built_in=False)
    store.put(rule("quiet"), written("quiet"), "me")
    store.put(rule("slow"), written("slow"), "me")
    world.config = read_alerts(FILE.replace('"errors"', '"quiet"'))

    assert names(store, "shop") == [("file", "quiet"), ("api", "slow")]
    assert [(source, one.id) for source, one in store.rules()] == [
        ("file", "quiet"),
        ("file", "built-in-errors"),
        ("api", "slow"),
    ]
    with pytest.raises(InFileError, match="quiet is in the alerts file"):
        store.put(rule("quiet"), written("quiet"), "me")
    with pytest.raises(InFileError):
        store.delete("shop", "quiet")


def test_the_last_version_of_a_rule_holds(world: World) -> None:
    """Also where the clock went back; and it says what was written, nothing more."""
    store = world.store(with_built_in=False)
    store.put(rule("slow"), written("slow"), "me")
    world.now -= timedelta(days=1)
    store.put(rule("slow", window="2h"), written("slow", window="2h"), "you")

    found = world.store(with_built_in=False).get("shop", "slow")
    assert found is not None
    assert (found.rule, found.source, found.written) == (
        rule("slow", window="2h"),
        "api",
        {"id": "slow", "type": "absence", "project": "shop", "window": "2h"},
    )
    assert store.get("default", "slow") is None


def test_a_rule_can_be_deleted_and_made_again(world: World) -> None:
    """Only what the API made."""
    store = world.store(with_built_in=False)
    store.put(rule("slow"), written("slow"), "me")

    assert (store.delete("shop", "slow"), names(store, "shop")) == (True, [("file", "errors")])
    assert (store.delete("shop", "slow"), store.delete("shop", "never")) == (False, False)
    store.put(rule("slow"), written("slow"), "me")
    assert names(store, "shop") == [("file", "errors"), ("api", "slow")]


def test_projects_with_data_have_built_in_rules(world: World) -> None:
    """Of the last thirty days; a rule of the same id takes the place of one, and deleting that brings it back."""
    insert(world.database, [Span(trace=1, span=1)])
    world.now = T0 + timedelta(hours=1)
    store = world.store()
    off = written("built-in-latency", project="default", enabled=False)

    def built_in() -> list[str]:
        return [rule_id for source, rule_id in names(store, "default") if source == "built_in"]

    others = [one.id for one in built_in_rules("default") if one.id != "built-in-errors"]
    assert names(store, "default") == [("file", "built-in-errors"), *(("built_in", one) for one in others)]
    assert names(store, "shop") == [("file", "errors")]
    store.put(RULE.validate_python(off), off, "me")
    assert ("api", "built-in-latency") in names(store, "default")
    assert built_in() == [one for one in others if one != "built-in-latency"]
    assert (store.delete("default", "built-in-latency"), built_in()) == (True, others)
    assert not store.delete("default", "built-in-latency")
    world.now += ACTIVE_FOR + PROJECTS_FOR
    assert built_in() == []


def test_built_in_rules_share_one_budget() -> None:
    """Together they raise one false alarm in thirty days."""
    budgets = [one.budget for one in built_in_rules("p") if hasattr(one, "budget")]
    assert sum(budget.alarms / budget.days for budget in budgets) == pytest.approx(BUDGET.alarms / BUDGET.days)
    assert {one.project for one in built_in_rules("p")} == {"p"}


def test_a_stored_rule_that_this_version_cannot_read_is_left_out(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """And said in the log; the others go on."""
    caplog.set_level(logging.ERROR)
    store = world.store(with_built_in=False)
    store.put(rule("new"), written("new", type="tomorrow"), "me")
    store.put(rule("slow"), written("slow"), "me")

    assert names(store, "shop") == [("file", "errors"), ("api", "slow")]
    assert "rule new of project shop is left out: new, type: there is no type 'tomorrow'" in caplog.text
