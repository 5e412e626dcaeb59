"""What is asked of the collector about alerts."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime

import httpx
import pytest

from spanwise_dashboard import errors
from spanwise_dashboard.alerts_api import OPEN, AlertsApi
from spanwise_dashboard.client import Client
from spanwise_schemas.api_alerts import Acknowledge, RuleDraft, Silence

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
Seen = list[httpx.Request]


@pytest.fixture
def seen() -> Seen:
    """Requests, as they came."""
    return []


@pytest.fixture
def asking(seen: Seen) -> Callable[[object], AlertsApi]:
    """An API whose every answer is that document, with 204 for None."""

    def made(document: object) -> AlertsApi:
        def answer(request: httpx.Request) -> httpx.Response:
            seen.append(request)
            return httpx.Response(204) if document is None else httpx.Response(201, json=document)

        return AlertsApi(Client("http://collector.test", transport=httpx.MockTransport(answer)), "p")

    return made


def test_alerts_are_asked_for_by_state_rule_and_window(asking: Callable[[object], AlertsApi], seen: Seen) -> None:
    """A parameter per state; what is not given is left out."""
    api = asking({"items": []})
    api.alerts(OPEN, limit=200)
    api.alerts(("resolved",), rule_id="r", window=(START, END), cursor="c")

    assert [request.url.params.multi_items() for request in seen] == [
        [("project", "p"), *(("state", state) for state in OPEN), ("limit", "200")],
        [
            *(("project", "p"), ("state", "resolved"), ("rule", "r"), ("from", "2026-01-01T00:00:00Z")),
            *(("to", "2026-01-02T00:00:00Z"), ("limit", "50"), ("cursor", "c")),
        ],
    ]


def test_changes_are_sent_as_documents(asking: Callable[[object], AlertsApi], seen: Seen) -> None:
    """Each to its path, in the project; an empty answer is fine."""
    api = asking(None)
    api.acknowledge("f" * 16, Acknowledge(by="Ada", expected=True))
    api.save("my-rule_1", RuleDraft(rule={"id": "my-rule_1"}))
    api.delete("my-rule_1")
    api.silence(Silence(project="p", starts_at=START, ends_at=END))
    api.lift("51e0")

    assert [(request.method, request.url.path, request.url.params["project"]) for request in seen] == [
        ("POST", f"/api/v1/alerts/{'f' * 16}/acknowledge", "p"),
        ("PUT", "/api/v1/rules/my-rule_1", "p"),
        ("DELETE", "/api/v1/rules/my-rule_1", "p"),
        ("POST", "/api/v1/silences", "p"),
        ("DELETE", "/api/v1/silences/51e0", "p"),
    ]
    assert json.loads(seen[0].content) == {"by": "Ada", "note": "", "expected": True}
    assert seen[0].headers["content-type"] == "application/json"
    assert seen[2].content == b""


def test_answers_to_documents_are_read(asking: Callable[[object], AlertsApi], seen: Seen) -> None:
    """Of checks, back-tests and tests of channels."""
    draft = RuleDraft(toml="x")
    assert asking({"rules": 2}).check(draft).rules == 2
    assert asking({"channel": "c", "delivered": True}).test_channel("c").delivered
    tried = {"rule_id": "r", "start": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z", "series": 1}
    answer = asking({**tried, "evaluations": 3, "firings": []}).back_test(draft, START, END)

    assert answer.evaluations == 3
    assert seen[2].url.params.multi_items()[1:] == [("from", "2026-01-01T00:00:00Z"), ("to", "2026-01-02T00:00:00Z")]


def test_a_day_of_drift(asking: Callable[[object], AlertsApi], seen: Seen) -> None:
    """The newest without a day."""
    day = {"project": "p", "day": "2026-01-01", "start": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z"}
    api = asking({**day, "findings": [], "tested": 0})
    api.drift(None)
    api.drift(date(2026, 1, 1))

    assert [request.url.params.get("day") for request in seen] == [None, "2026-01-01"]


@pytest.mark.parametrize("alert_id", ["", ".", ".."])
def test_ids_that_are_none_are_not_asked_for(alert_id: str, asking: Callable[[object], AlertsApi], seen: Seen) -> None:
    """They would lead to other paths."""
    with pytest.raises(errors.NotFoundError):
        asking({}).alert(alert_id)

    assert seen == []


def test_ids_from_the_address_stay_one_part_of_the_path(asking: Callable[[object], AlertsApi], seen: Seen) -> None:
    """Slashes and question marks are encoded."""
    with pytest.raises(errors.UnexpectedAnswerError):
        asking({}).alert("../rules?x=1")

    assert seen[0].url.raw_path == b"/api/v1/alerts/..%2Frules%3Fx%3D1?project=p"
