"""The parts of alerting together: a person tries a channel over HTTP, and the notification arrives."""

import itertools
import random
from pathlib import Path

from fastapi.testclient import TestClient

from spanwise_collector.alerts.assembly import AlertParts, make_parts
from spanwise_collector.api.alerting import make_alerting
from spanwise_collector.settings import Settings
from spanwise_collector.store.database import Database
from tests.support.alerting import alerting_app
from tests.support.notices import NOW
from tests.support.receivers import http_receiver

FILE = """
[[channels]]
name = "hook"
type = "webhook"
url_env = "HOOK"
secret_file = "{}"
"""


def parts_of(database: Database, settings: Settings, owner: str, **environ: str) -> AlertParts:
    """The parts of one process."""
    ids = (f"{owner}{number:04x}" for number in itertools.count())
    return make_parts(
        settings,
        database,
        owner=f"{owner}/1",
        environ=environ,
        now=lambda: NOW,
        clock=lambda: 0.0,
        new_id=lambda: next(ids),
        rng=random.Random(1),
    )


def test_a_channel_that_is_tried_over_http_is_reached(database: Database, tmp_path: Path) -> None:
    """From the file through the outbox to a server, signed, with the address of the dashboard."""
    (tmp_path / "secret").write_text("s3cret")
    (tmp_path / "alerts.toml").write_text(FILE.format(tmp_path / "secret"))
    settings = Settings(
        clickhouse="chdb:///unused",
        alerts_file=tmp_path / "alerts.toml",
        alerts_private_networks="127.0.0.0/8",
        dashboard_url="https://spanwise.example",
    )
    with http_receiver() as receiver:
        parts = parts_of(database, settings, "a", HOOK=receiver.url())

        def deliver_meanwhile(_: float) -> None:
            parts.deliverer.round()

        alerting = make_alerting(
            parts,
            database,
            new_id=lambda: "00000000000000ff",
            timeout_s=30,
            wait=deliver_meanwhile,
        )
        with TestClient(alerting_app(database, alerting)) as client:
            answer = client.post("/api/v1/channels/hook/test")
        (received,) = receiver.received

    assert answer.json() == {"channel": "hook", "delivered": True, "detail": ""}
    assert received.headers["spanwise-signature"].startswith(f"t={int(NOW.timestamp())},v1=")
    assert b'"url": "https://spanwise.example/alerts"' in received.body


def test_who_evaluates_and_delivers_is_shown_by_name(database: Database) -> None:
    """One of two processes at a time; what tells its runs apart is not shown."""
    settings = Settings(clickhouse="chdb:///unused")
    first, second = (parts_of(database, settings, owner) for owner in ("one", "two"))
    alerting = make_alerting(second, database, new_id=lambda: "", timeout_s=30, wait=lambda _: None)

    assert (alerting.evaluator(), alerting.deliverer()) == ("", "")
    assert (first.evaluation.is_leader(), second.evaluation.is_leader()) == (True, False)
    assert (alerting.evaluator(), alerting.deliverer()) == ("one", "")
