"""The API with alerts over a database, without evaluating and delivering."""

import itertools
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from fastapi import FastAPI

from spanwise_collector.alerts.acks import Acknowledgements
from spanwise_collector.alerts.alerts_file import AlertsFile
from spanwise_collector.alerts.alerts_query import AlertReader
from spanwise_collector.alerts.channels.opening import recipient
from spanwise_collector.alerts.outbox import Outbox
from spanwise_collector.alerts.rules_store import RulesStore
from spanwise_collector.alerts.silences import Silences
from spanwise_collector.api.alerting import Alerting
from spanwise_collector.api.app import create_app
from spanwise_collector.api.routes import alerts, channels, rules, silences
from spanwise_collector.settings import Settings
from spanwise_collector.store.database import Database
from spanwise_schemas.api_alerts import BackTest, Firing
from spanwise_schemas.rules import Rule
from tests.support.notices import NOW


def back_test(rule: Rule, start: datetime, end: datetime) -> BackTest:
    """A rule that would have fired once, an hour before the end."""
    hour = (end - start) / 24
    firing = Firing(series={"model": "m1"}, fired_at=end - hour, sentence="Error rate is 8.1 % where 2 % is usual.")
    return BackTest(
        rule_id=rule.id,
        start=start,
        end=end,
        series=2,
        evaluations=48,
        firings=[firing] if rule.id != "quiet" else [],
        firing_hours=1.0,
        promise="expect one such false alarm in 30 days",
    )


def make_alerting(
    database: Database,
    path: Path,
    *,
    back_test: Callable[[Rule, datetime, datetime], BackTest] = back_test,
    wait: Callable[[float], None] = lambda _: None,
    now: Callable[[], datetime] = lambda: NOW,
) -> Alerting:
    """What the endpoints work with; built-in rules are left out."""
    file = AlertsFile(path, itertools.count().__next__)
    ids = (f"{number:016x}" for number in itertools.count(0xA0))
    silenced = Silences(database, now=now, new_id=lambda: next(ids))
    acks = Acknowledgements(database, now=now, new_id=lambda: next(ids))
    return Alerting(
        file=file,
        rules=RulesStore(database, file.current, now=now, with_built_in=False),
        alerts=AlertReader(database, silenced, acks, timeout_s=30),
        acks=acks,
        silences=silenced,
        outbox=Outbox(database, lambda: map(recipient, file.current().channels)),
        back_test=back_test,
        evaluator=lambda: "collector-1",
        deliverer=lambda: "",
        new_id=lambda: next(ids),
        wait=wait,
    )


def alerting_app(database: Database, alerting: Alerting, now: Callable[[], datetime] = lambda: NOW) -> FastAPI:
    """The app with the endpoints about alerts."""
    app = create_app(database=database, settings=Settings(clickhouse="chdb:///unused"), clock=now)
    app.state.alerting = alerting
    for module in (rules, alerts, channels, silences):
        app.include_router(module.router)
    return app
