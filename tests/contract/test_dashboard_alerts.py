"""What the dashboard expects of alerts, rules, silences and channels, on its tests' fake and on the real API."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

from spanwise_collector.store.database import Database
from spanwise_dashboard.alerts_api import OPEN, PAST, AlertsApi
from spanwise_dashboard.client import Client
from spanwise_dashboard.errors import NotFoundError, RequestRefusedError
from spanwise_dashboard.rule_fields import MODELS, place_of
from spanwise_schemas.api_alerts import Acknowledge, RuleDraft, Silence
from tests.support.alert_events import happened
from tests.support.alerting import alerting_app, make_alerting
from tests.support.dashboard_data import lots
from tests.support.dashboard_fake import FakeApi, serve
from tests.support.notices import NOW

LATER = NOW + timedelta(hours=1)
RULE = {"id": "slow", "type": "threshold", "signal": "latency", "above": 2000.0}
CHANNEL = '[[channels]]\nname = "team"\ntype = "webhook"\nurl = "https://hooks.example/hush"\n'


class Through(httpx.BaseTransport):
    """Hands requests to an app."""

    def __init__(self, app: TestClient) -> None:
        self._app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The app's answer."""
        answer = self._app.request(
            request.method, str(request.url), content=request.read(), headers=dict(request.headers)
        )
        return httpx.Response(answer.status_code, content=answer.content)


@pytest.fixture(params=["fake", "real"])
def api(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AlertsApi]:
    """An API with an alert that fires, one that has ended, and a channel of the name team."""
    if request.param == "fake":
        with serve(FakeApi(lots(LATER, traces=2, big_spans=6))) as url, Client(url) as asking:
            yield AlertsApi(asking, "shop")
        return
    database: Database = request.getfixturevalue("database")
    path = tmp_path / "alerts.toml"
    path.write_text(CHANNEL)
    happened(database, 1, "pending", "firing")
    happened(database, 2, "pending", "firing", "resolved", minutes=5)
    alerting = make_alerting(database, path, now=lambda: LATER)
    with (
        TestClient(alerting_app(database, alerting, lambda: LATER)) as app,
        Client("http://testserver", transport=Through(app)) as asking,
    ):
        yield AlertsApi(asking, "shop")


def test_what_is_open_and_what_was(api: AlertsApi) -> None:
    """States filter; the past has what has ended, within its window."""
    firing = api.alerts(OPEN, limit=200)
    past = api.alerts(PAST, window=(LATER - timedelta(days=14), LATER + timedelta(hours=1)))
    long_ago = api.alerts(PAST, window=(datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 1, 2, tzinfo=UTC)))

    assert "firing" in {alert.state for alert in firing.items}
    assert {alert.state for alert in firing.items} <= set(OPEN)
    assert "resolved" in {alert.state for alert in past.items}
    assert long_ago.items == []
    assert api.alerts(PAST, rule_id="no-such-rule").items == []


def test_an_alert_is_read_and_taken(api: AlertsApi) -> None:
    """With its chart and evidence; whoever took it is told from then on."""
    alert_id = next(alert.alert_id for alert in api.alerts(OPEN).items if alert.state == "firing")
    found = api.alert(alert_id)
    api.acknowledge(alert_id, Acknowledge(by="Grace", note="mine"))

    assert found.band is not None
    assert found.evidence
    assert [event.to_state for event in found.events][:2] == ["pending", "firing"]
    assert api.alert(alert_id).alert.acknowledged_by == "Grace"
    with pytest.raises(NotFoundError):
        api.alert("0" * 16)


def test_rules_are_stored_and_deleted(api: AlertsApi) -> None:
    """As written."""
    api.save("slow", RuleDraft(rule=RULE, by="me"))
    stored = next(rule for rule in api.rules().items if rule.rule_id == "slow")
    api.delete("slow")

    assert (stored.source, stored.type, stored.enabled) == ("api", "threshold", True)
    assert stored.rule | RULE == stored.rule
    assert "slow" not in [rule.rule_id for rule in api.rules().items]


@pytest.mark.parametrize(
    ("rule", "places"),
    [
        (RULE, []),
        ({"id": "Slow Calls", "type": "threshold", "signal": "latency", "above": 1}, ["id"]),
        ({"id": "a", "type": "threshold", "signal": "latencies", "above": 1}, ["signal"]),
        ({"id": "a", "type": "anomaly", "signal": "latency", "budget": {"days": -1}}, ["budget.days"]),
        ({"id": "a", "type": "relative", "signal": "latency"}, ["change"]),
        ({"id": "a", "type": "spend", "limit_usd": 1, "where": {"model": "m"}}, ["where.model"]),
        ({"id": "a", "type": "threshold", "signal": "latency"}, [""]),
    ],
)
def test_problems_name_fields_of_the_form(api: AlertsApi, rule: dict[str, object], places: list[str]) -> None:
    """What is wrong is said at the field it is about; of the rule as a whole where none is meant."""
    found = api.check(RuleDraft(rule=rule))
    rule_type = next(known for known in MODELS if known == rule["type"])

    assert [place_of(problem.field, rule_type) for problem in found.problems] == places
    assert found.rules == (0 if places else 1) or places


def test_rules_are_tried_as_json_and_as_toml(api: AlertsApi) -> None:
    """Over the days that are asked for."""
    start = LATER - timedelta(days=14)
    for draft in (
        RuleDraft(rule=RULE),
        RuleDraft(toml='[[rules]]\nid = "slow"\ntype = "threshold"\nsignal = "latency"\nabove = 2\n'),
    ):
        answer = api.back_test(draft, start, LATER)
        assert (answer.rule_id, answer.start, answer.end) == ("slow", start, LATER)
        assert answer.firings


def test_silences_are_made_and_lifted(api: AlertsApi) -> None:
    """The list has them with an id."""
    wanted = Silence(
        project="shop", rule_id="errors", starts_at=LATER, ends_at=LATER + timedelta(hours=4), reason="move", by="Ada"
    )
    api.silence(wanted)
    [made] = [one for one in api.silences().items if one.reason == "move"]
    api.lift(made.silence_id)

    assert made.model_copy(update={"silence_id": ""}) == wanted
    now = [one for one in api.silences().items if one.reason == "move"]
    assert all(one.ends_at <= LATER for one in now)


def test_channels_are_listed(api: AlertsApi) -> None:
    """By name."""
    assert "team" in [channel.name for channel in api.channels().items]


def test_a_draft_that_is_wrong_cannot_be_tried(api: AlertsApi) -> None:
    """A refusal says why."""
    with pytest.raises(RequestRefusedError, match="above"):
        api.back_test(RuleDraft(rule={"id": "a", "type": "threshold", "signal": "latency"}), NOW, LATER)
