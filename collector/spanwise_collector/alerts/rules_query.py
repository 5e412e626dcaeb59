"""Reading how rules stand, and how channels fare, for the API."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from spanwise_collector.alerts.alerts_query import DELIVERY_COLUMNS, delivery
from spanwise_collector.alerts.built_in import BUDGET
from spanwise_collector.alerts.channels.config import ChannelConfig
from spanwise_collector.alerts.channels.opening import target
from spanwise_collector.alerts.outbox import TABLE as NOTIFICATIONS
from spanwise_collector.alerts.rules_store import OwnedRule
from spanwise_collector.alerts.sentences import promise, watched
from spanwise_collector.alerts.state import PEOPLE_SEQ, RULE_SERIES, RuleBody
from spanwise_collector.query.values import EPOCH
from spanwise_collector.store.database import Reader
from spanwise_schemas.api_alerts import Channel, Channels, RuleInfo

SHOWN_DELIVERIES: Final = 100


@dataclass(frozen=True, slots=True)
class Standing:
    """How a rule stands.

    Attributes:
        body: of its last evaluation.
        evaluated: up to when.
        fired: when it fired last.
    """

    body: RuleBody
    evaluated: datetime | None
    fired: datetime | None


NEVER: Final = Standing(RuleBody(), None, None)


def standings(reader: Reader, project: str, *, timeout_s: float) -> dict[str, Standing]:
    """How each rule of a project stands, by id; rules that were never evaluated are absent.

    Raises:
        StoreError: as the store says.
    """
    fired = reader.query(
        "SELECT rule_id, toUnixTimestamp64Milli(max(ts)) FROM alert_events WHERE project_id = {project:String} "
        f"AND to_state = 'firing' AND from_state NOT IN ('firing', 'recovering') AND seq < {PEOPLE_SEQ} "
        "GROUP BY rule_id",
        {"project": project},
        timeout_s=timeout_s,
    ).rows
    last_fired = {rule_id: _time(ts) for rule_id, ts in fired}
    rows = reader.query(
        "SELECT rule_id, toUnixTimestamp64Milli(evaluated_to), body FROM alert_state FINAL "
        "WHERE project_id = {project:String} AND series = {rule:String}",
        {"project": project, "rule": RULE_SERIES},
        timeout_s=timeout_s,
    ).rows
    return {
        rule_id: Standing(RuleBody.model_validate_json(body), _time(at) if at else None, last_fired.get(rule_id))
        for rule_id, at, body in rows
    }


def rule_info(owned: OwnedRule, standing: Standing) -> RuleInfo:
    """A rule for the API."""
    rule, body = owned.rule, standing.body
    return RuleInfo(
        rule=dict(owned.written),
        rule_id=rule.id,
        name=rule.title,
        type=rule.type,
        project=rule.project,
        severity=rule.severity,
        source=owned.source,
        enabled=rule.enabled,
        sentence=watched(rule),
        promise=promise(rule, all_built_in=BUDGET if owned.source == "built_in" and promise(rule) else None),
        series=body.series,
        firing=body.firing if rule.enabled else 0,
        pending=body.pending if rule.enabled else 0,
        last_evaluated=standing.evaluated,
        last_fired=standing.fired,
        problem=body.problem,
        note=body.note,
    )


def channels_info(reader: Reader, configs: Sequence[ChannelConfig], project: str, *, timeout_s: float) -> Channels:
    """All channels with how a project's notifications fare there, and the newest of these.

    Raises:
        StoreError: as the store says.
    """
    rows = reader.query(
        # Of what is over, `next_at` is when that was. An error that something newer got past is over, too.
        "SELECT channel, maxIf(toUnixTimestamp64Milli(next_at), state = 'sent') AS sent, "
        "argMaxIf(error, created_at, state = 'failed') AS failing, "
        "argMaxIf(error, next_at, state = 'given_up') AS lost, "
        "maxIf(toUnixTimestamp64Milli(next_at), state = 'given_up') AS lost_at, "
        "if(failing != '', failing, if(lost_at > sent, lost, '')), countIf(state IN ('queued', 'failed')) "
        f"FROM {NOTIFICATIONS} FINAL WHERE project_id = {{project:String}} GROUP BY channel",
        {"project": project},
        timeout_s=timeout_s,
    ).rows
    fares: dict[str, tuple[Any, ...]] = {channel: (sent, error, queued) for channel, sent, *_, error, queued in rows}
    newest = reader.query(
        f"SELECT {DELIVERY_COLUMNS} FROM {NOTIFICATIONS} FINAL WHERE project_id = {{project:String}} "
        f"ORDER BY created_at DESC, key DESC LIMIT {SHOWN_DELIVERIES}",
        {"project": project},
        timeout_s=timeout_s,
    ).rows
    return Channels(
        items=[_channel(config, *fares.get(config.name, (0, "", 0))) for config in configs],
        deliveries=[delivery(row) for row in newest],
    )


def _channel(config: ChannelConfig, sent: int, error: str, queued: int) -> Channel:
    return Channel(
        name=config.name,
        type=config.type,
        target=target(config),
        severities=list(config.severities),
        last_sent=_time(sent) if sent else None,
        last_error=error,
        queued=int(queued),
    )


def _time(milliseconds: object) -> datetime:
    return EPOCH + timedelta(milliseconds=int(str(milliseconds)))
