"""Rules, alerts, channels and silences over HTTP and the real engine."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from spanwise_collector.alerts.evaluate.base import RuleError
from spanwise_collector.api.alerting import Alerting
from spanwise_collector.api.routes.rules import BACK_TESTS
from spanwise_collector.store.database import Database
from spanwise_schemas.api_alerts import AlertDetail, AlertPage, BackTest, Channels, RuleInfo, RulePage, Silences
from spanwise_schemas.rules import Rule
from tests.support.alert_events import happened
from tests.support.alerting import alerting_app, make_alerting
from tests.support.notices import NOW, notice
from tests.unit.collector.api.test_api import read_problem

FILE = """
[[rules]]
id = "errors"
project = "shop"
type = "anomaly"
signal = "error_rate"
channels = ["pager"]

[[channels]]
name = "hook"
type = "webhook"
url = "https://hooks.example/hush"
secret_env = "HUSH"

[[channels]]
name = "pager"
type = "pagerduty"
routing_key_env = "KEY"
"""
SHOP = {"project": "shop"}
SLOW = {"type": "threshold", "signal": "latency", "above": 2000}


@pytest.fixture
def alerting(database: Database, tmp_path: Path) -> Alerting:
    """With a file of one rule and two channels."""
    path = tmp_path / "alerts.toml"
    path.write_text(FILE)
    return make_alerting(database, path)


@pytest.fixture
def client(database: Database, alerting: Alerting) -> Iterator[TestClient]:
    """The app."""
    with TestClient(alerting_app(database, alerting)) as client:
        yield client


def put(client: TestClient, rule_id: str, **draft: Any) -> Any:
    """Store a rule."""
    return client.put(f"/api/v1/rules/{rule_id}", params=SHOP, json=draft)


def test_a_rule_is_stored_read_changed_and_deleted(client: TestClient) -> None:
    """It takes its id and project from the address; the list has it beside those of the file."""
    made = put(client, "slow", rule=SLOW, by="me")
    read = RuleInfo.model_validate_json(client.get("/api/v1/rules/slow", params=SHOP).content)
    put(client, "slow", toml='[[rules]]\nid = "slow"\ntype = "threshold"\nsignal = "latency"\nabove = 3000\n')
    page = RulePage.model_validate_json(client.get("/api/v1/rules", params=SHOP).content)

    assert made.status_code == 200
    assert RuleInfo.model_validate_json(made.content) == read
    assert read.rule == {"project": "shop", "id": "slow", **SLOW}
    assert (read.source, read.sentence) == ("api", "Latency above 2000 ms over 15m.")
    assert [(one.source, one.rule_id, one.rule.get("above")) for one in page.items] == [
        ("file", "errors", None),
        ("api", "slow", 3000),
    ]
    assert page.evaluator == "collector-1"
    assert client.delete("/api/v1/rules/slow", params=SHOP).status_code == 204
    read_problem(client.get("/api/v1/rules/slow", params=SHOP), 404, "not-found")
    read_problem(client.delete("/api/v1/rules/slow", params=SHOP), 404, "not-found")
    assert RulePage.model_validate_json(client.get("/api/v1/rules").content).items == []


def test_rules_of_the_file_are_read_only(client: TestClient) -> None:
    """409, and where to change them."""
    for answer in (put(client, "errors", rule=SLOW), client.delete("/api/v1/rules/errors", params=SHOP)):
        assert "change it there" in read_problem(answer, 409, "in-file").detail


@pytest.mark.parametrize(
    ("draft", "errors"),
    [
        (
            {"rule": {**SLOW, "windw": "5m"}},
            [{"parameter": "slow.windw", "detail": "there is no such field; did you mean `window`?"}],
        ),
        (
            {"rule": {**SLOW, "channels": ["hok"]}},
            [{"parameter": "slow.channels", "detail": "there is no channel 'hok'; did you mean `hook`?"}],
        ),
        (
            {"rule": {**SLOW, "id": "other"}},
            [{"parameter": "other.id", "detail": "it is other of shop here, and slow of shop in the address"}],
        ),
        (
            {"rule": {**SLOW, "project": "lab"}},
            [{"parameter": "slow.id", "detail": "it is slow of lab here, and slow of shop in the address"}],
        ),
        (
            {"toml": ""},
            [{"parameter": "", "detail": "there is no rule in it; send `rule`, or `toml` with [[rules]]"}],
        ),
        (
            {"toml": "".join(f'[[rules]]\nid = "{name}"\ntype = "absence"\n' for name in "ab")},
            [
                {
                    "parameter": "rule",
                    "detail": "the draft has the rules a, b; send one rule, or name it with `rule`",
                }
            ],
        ),
    ],
)
def test_a_rule_that_cannot_be_used_is_refused(
    client: TestClient, draft: dict[str, Any], errors: list[dict[str, str]]
) -> None:
    """Every field that is wrong, and what to write."""
    assert read_problem(put(client, "slow", **draft), 400, "bad-rule").errors == errors
    assert len(RulePage.model_validate_json(client.get("/api/v1/rules", params=SHOP).content).items) == 1


def test_rules_are_checked_without_being_stored(client: TestClient) -> None:
    """How many can be used, and what is wrong with the others; channels are those of the file."""
    rule = '[[rules]]\nid = "{}"\ntype = "absence"\n{}\n'
    toml = rule.format("a", 'channels = ["hook"]') + rule.format("b", 'window = "1"')
    answer = client.post("/api/v1/rules/check", json={"toml": toml})

    assert answer.json() == {
        "rules": 1,
        "problems": [
            {
                "rule": "b",
                "field": "window",
                "detail": "'1' is no duration; write a number and s, m, h or d, such as 15m, 6h or 30d",
            }
        ],
    }


def back_test(client: TestClient, draft: dict[str, Any], **parameters: str) -> Any:
    """Try a rule."""
    return client.post("/api/v1/rules/back-test", params={**SHOP, **parameters}, json=draft)


def test_a_rule_is_tried_on_history(client: TestClient) -> None:
    """A draft, one rule of several, or a stored one; in the last day, where no time is given."""
    toml = "".join(f'[[rules]]\nid = "{name}"\ntype = "absence"\n' for name in "ab")
    found = [
        BackTest.model_validate_json(back_test(client, draft, **parameters).content)
        for draft, parameters in (
            ({"rule": {"id": "new", **SLOW}}, {}),
            ({"toml": toml}, {"rule": "b", "from": "2026-11-01T00:00Z", "to": "2026-11-08T00:00Z"}),
            ({}, {"rule": "errors"}),
        )
    ]

    assert [(one.rule_id, one.end - one.start) for one in found] == [
        ("new", timedelta(days=1)),
        ("b", timedelta(days=7)),
        ("errors", timedelta(days=1)),
    ]
    assert found[0].end == NOW
    read_problem(back_test(client, {}, rule="nothing"), 404, "not-found")
    read_problem(back_test(client, {"rule": {"type": "absence"}}), 400, "bad-rule")
    long = {"rule": "errors", "from": "2026-08-01T00:00Z", "to": "2026-11-01T00:00Z"}
    assert "90 days" in read_problem(back_test(client, {}, **long), 400, "bad-request").detail


def test_back_tests_have_a_bound_and_say_what_they_cannot(database: Database, tmp_path: Path) -> None:
    """Two at a time; what the engine cannot evaluate is a wrong rule."""

    def refuses(rule: Rule, start: datetime, end: datetime) -> BackTest:
        raise RuleError("not like that")

    (tmp_path / "alerts.toml").write_text(FILE)
    alerting = make_alerting(database, tmp_path / "alerts.toml", back_test=refuses)
    with TestClient(alerting_app(database, alerting)) as client:
        problem = read_problem(back_test(client, {}, rule="errors"), 400, "bad-request")
        assert problem.detail == "errors: not like that"
        with BACK_TESTS, BACK_TESTS:
            read_problem(back_test(client, {}, rule="errors"), 409, "busy")
        read_problem(back_test(client, {}, rule="errors"), 400, "bad-request")


def test_alerts_are_listed_and_shown(client: TestClient, database: Database) -> None:
    """By state and rule, a page at a time; one with all that is known."""
    for number in range(1, 4):
        happened(database, number, "firing", minutes=-60 * number)
    happened(database, 4, "pending", "inactive", minutes=-60)

    def page(**parameters: Any) -> AlertPage:
        answer = client.get("/api/v1/alerts", params={**SHOP, **parameters})
        return AlertPage.model_validate_json(answer.content)

    first = page(limit=2)
    second = page(limit=2, cursor=first.next_cursor)
    assert [int(one.alert_id, 16) for one in (*first.items, *second.items)] == [1, 2, 3]
    assert second.next_cursor is None
    assert [int(one.alert_id, 16) for one in page(state=["inactive", "resolved"]).items] == [4]
    assert page(rule="latency").items == []
    assert len(page(rule="").items) == 3
    found = client.get(f"/api/v1/alerts/{2:016X}", params=SHOP)
    assert AlertDetail.model_validate_json(found.content).alert.series == {"model": "m2"}
    read_problem(client.get(f"/api/v1/alerts/{9:016x}", params=SHOP), 404, "not-found")
    read_problem(client.get("/api/v1/alerts/9", params=SHOP), 422, "invalid-parameters")
    read_problem(client.get("/api/v1/alerts", params={**SHOP, "cursor": "x"}), 400, "bad-request")
    read_problem(client.get("/api/v1/alerts", params={**SHOP, "state": "bad"}), 422, "invalid-parameters")


def test_a_person_takes_an_alert_and_pagers_are_told(
    client: TestClient, database: Database, alerting: Alerting
) -> None:
    """On the channels of its rule; an expected change begins anew what is usual."""
    happened(database, 1, "firing", minutes=-60)
    said = {"by": "me", "note": "looking", "expected": True}
    answer = client.post(f"/api/v1/alerts/{1:016x}/acknowledge", params=SHOP, json=said)

    assert answer.json()["acknowledged_by"] == "me"
    (waiting,) = alerting.outbox.waiting()
    assert (waiting.channel, waiting.notice.kind, waiting.notice.text) == ("pager", "acknowledged", "looking")
    assert [one.restart_at for one in alerting.acks.restarts("shop")] == [NOW - timedelta(hours=2)]
    answer = client.post(f"/api/v1/alerts/{2:016x}/acknowledge", params=SHOP, json=said)
    read_problem(answer, 404, "not-found")


def test_channels_are_shown_without_secrets(client: TestClient, alerting: Alerting) -> None:
    """Not even the path of an address."""
    alerting.outbox.enqueue(notice(1))
    answer = client.get("/api/v1/channels", params=SHOP)
    found = Channels.model_validate_json(answer.content)

    assert [(one.name, one.target, one.queued) for one in found.items] == [
        ("hook", "hooks.example", 1),
        ("pager", "KEY", 0),
    ]
    assert [one.key for one in found.deliveries] == ["0000000000000001:1:firing:hook"]
    assert "hush" not in answer.text
    assert "HUSH" not in answer.text


@pytest.mark.parametrize(
    ("state", "error", "delivered"), [("sent", "", True), ("sent", "one refused", True), ("given_up", "404", False)]
)
def test_a_channel_is_tried_and_its_outcome_waited_for(
    database: Database, tmp_path: Path, state: Any, error: str, delivered: bool
) -> None:
    """A deliverer takes it meanwhile, here while the endpoint waits."""
    (tmp_path / "alerts.toml").write_text(FILE)

    def deliver(_: float) -> None:
        (item,) = world.outbox.waiting()
        world.outbox.record([replace(item, state=state, attempts=1, error=error)], token="1")

    world = make_alerting(database, tmp_path / "alerts.toml", wait=deliver)
    with TestClient(alerting_app(database, world)) as client:
        answer = client.post("/api/v1/channels/hook/test", params=SHOP)

    assert answer.json() == {"channel": "hook", "delivered": delivered, "detail": error}


def test_a_try_that_nobody_delivers_says_so(client: TestClient) -> None:
    """And one of a channel that does not exist says which there are."""
    answer = client.post("/api/v1/channels/hook/test", params=SHOP)
    assert answer.json() == {
        "channel": "hook",
        "delivered": False,
        "detail": "not sent within 12 s: no collector with the role alerts runs",
    }
    problem = read_problem(client.post("/api/v1/channels/hok/test", params=SHOP), 404, "not-found")
    assert problem.detail == "There is no channel hok; there are hook, pager."


def test_a_silence_is_made_listed_and_ended(client: TestClient) -> None:
    """In the project of the address."""
    wanted = {
        "rule_id": "errors",
        "series": {"model": "m1"},
        "starts_at": "2026-11-24T12:00:00Z",
        "ends_at": "2026-11-24T13:00:00+01:00",
    }
    problem = read_problem(client.post("/api/v1/silences", params=SHOP, json=wanted), 400, "bad-request")
    assert problem.detail == "`ends_at` must be after `starts_at`"
    wanted["ends_at"] = "2026-11-24T15:00:00+01:00"
    made = client.post("/api/v1/silences", params=SHOP, json=wanted)
    listed = Silences.model_validate_json(client.get("/api/v1/silences", params=SHOP).content)

    assert made.status_code == 201
    assert [one.model_dump(mode="json") for one in listed.items] == [made.json()]
    assert (made.json()["project"], made.json()["ends_at"]) == ("shop", "2026-11-24T14:00:00Z")
    path = f"/api/v1/silences/{made.json()['silence_id']}"
    read_problem(client.delete(path), 404, "not-found")
    assert client.delete(path, params=SHOP).status_code == 204
    assert client.get("/api/v1/silences", params=SHOP).json() == {"items": []}
