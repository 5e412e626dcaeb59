"""What the endpoints about alerts work with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from spanwise_collector.alerts.acks import Acknowledgements
from spanwise_collector.alerts.alerts_file import AlertsFile
from spanwise_collector.alerts.alerts_query import AlertReader
from spanwise_collector.alerts.assembly import AlertParts, holder_name
from spanwise_collector.alerts.backtest import back_test
from spanwise_collector.alerts.outbox import Outbox
from spanwise_collector.alerts.rules_store import RulesStore
from spanwise_collector.alerts.silences import Silences
from spanwise_collector.store.database import Reader
from spanwise_schemas.api_alerts import BackTest
from spanwise_schemas.rules import Rule


@dataclass(frozen=True, slots=True)
class Alerting:
    """Alerts in the API.

    Attributes:
        file: rules and channels of the alerts file.
        rules: all rules.
        alerts: reads alerts.
        acks: takes what people say of alerts.
        silences: of all projects.
        outbox: where notifications wait.
        back_test: tries a rule on history, from a time to a time.
        evaluator: who evaluates rules now; empty where nobody does.
        deliverer: who delivers notifications now; empty where nobody does.
        new_id: 16 hex digits that were never used before.
        wait: sleeps, in seconds.
    """

    file: AlertsFile
    rules: RulesStore
    alerts: AlertReader
    acks: Acknowledgements
    silences: Silences
    outbox: Outbox
    back_test: Callable[[Rule, datetime, datetime], BackTest]
    evaluator: Callable[[], str]
    deliverer: Callable[[], str]
    new_id: Callable[[], str]
    wait: Callable[[float], None]

    @property
    def channels(self) -> list[str]:
        """Names of the channels."""
        return [channel.name for channel in self.file.current().channels]


def _alerting(request: Request) -> Alerting:
    alerting: Alerting = request.app.state.alerting
    return alerting


AlertingIn = Annotated[Alerting, Depends(_alerting)]


def make_alerting(
    parts: AlertParts,
    reader: Reader,
    *,
    new_id: Callable[[], str],
    timeout_s: float,
    wait: Callable[[float], None],
) -> Alerting:
    """What the endpoints work with, from the parts that they share with evaluating and delivering.

    Args:
        parts: of alerting.
        reader: the store.
        new_id: 16 hex digits that were never used before.
        timeout_s: of each query.
        wait: sleeps, in seconds.
    """
    return Alerting(
        file=parts.file,
        rules=parts.rules,
        alerts=AlertReader(reader, parts.silences, parts.acks, timeout_s=timeout_s),
        acks=parts.acks,
        silences=parts.silences,
        outbox=parts.outbox,
        back_test=lambda rule, start, end: back_test(rule, reader, start, end),
        evaluator=lambda: holder_name(parts.evaluation),
        deliverer=lambda: holder_name(parts.delivery),
        new_id=new_id,
        wait=wait,
    )
