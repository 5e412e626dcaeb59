"""What the fake of the API says of alerts, rules, silences, channels and drift; it remembers what it is told."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from pydantic import BaseModel, ValidationError

from spanwise_schemas.api_alerts import (
    Acknowledge,
    Alert,
    AlertPage,
    BackTest,
    Channels,
    ChannelTest,
    Firing,
    RuleCheck,
    RuleDraft,
    RuleInfo,
    RulePage,
    RuleProblem,
    Silence,
    Silences,
)
from spanwise_schemas.api_drift import DriftReport
from spanwise_schemas.rules import RULE
from tests.support import dashboard_alert_data as made
from tests.support import dashboard_drift
from tests.support.dashboard_data import Dataset

Parameters = Mapping[str, Sequence[str]]
PAGE = 50
PATHS = ("alerts", "rules", "silences", "channels", "drift")


class Refused(Exception):  # noqa: N818 - an answer, not an error of the fake
    """A draft cannot be used."""


class Done(BaseModel):
    """Something was changed."""

    done: bool = True


@dataclass
class FakeAlerts:
    """Alerts over a dataset: none without traces, only built-in rules with few.

    Attributes:
        data: what the collector holds.
        alerts: open and past.
        rules: as they stand.
        silences: as they stand.
    """

    data: Dataset
    alerts: list[Alert] = field(default_factory=list)
    rules: list[RuleInfo] = field(default_factory=list)
    silences: list[Silence] = field(default_factory=list)

    def __post_init__(self) -> None:
        known = made.rules(self.data)
        self.rules = known if self.much else [rule for rule in known if rule.source == "built_in"]
        if self.much:
            self.alerts = [*made.open_alerts(self.data), *made.past_alerts(self.data)]
            self.silences = made.silences(self.data)
        else:
            quiet = {"firing": 0, "pending": 0, "last_fired": None}
            self.rules = [rule.model_copy(update=quiet) for rule in self.rules if self.data.traces]

    @property
    def much(self) -> bool:
        """Whether there is more than a first few traces."""
        return len(self.data.traces) > 2

    def answer(self, method: str, path: Sequence[str], parameters: Parameters, body: bytes) -> BaseModel | None:
        """The answer to a request below /api/v1, None where there is nothing."""
        return self._read(path, parameters) if method == "GET" else self._write(method, path, parameters, body)

    def _read(self, path: Sequence[str], parameters: Parameters) -> BaseModel | None:
        match path:
            case ["alerts"]:
                return self._alerts(parameters)
            case ["alerts", alert_id]:
                found = self._alert(alert_id)
                return made.detail(self.data, found) if found else None
            case ["rules"]:
                last = self.data.now - timedelta(seconds=24) if self.rules else None
                return RulePage(items=self.rules, evaluator="collector-1", last_round=last)
            case ["channels"]:
                return self._channels()
            case ["silences"]:
                return Silences(items=self.silences)
            case ["drift"]:
                return self._drift(parameters)
        return None

    def _write(self, method: str, path: Sequence[str], parameters: Parameters, body: bytes) -> BaseModel | None:
        match method, *path:
            case "POST", "alerts", alert_id, "acknowledge":
                return self._acknowledge(alert_id, Acknowledge.model_validate_json(body))
            case "POST", "rules", "check":
                return check(RuleDraft.model_validate_json(body))
            case "POST", "rules", "back-test":
                return self._back_test(RuleDraft.model_validate_json(body), parameters)
            case "PUT", "rules", _:
                return self._save(RuleDraft.model_validate_json(body))
            case "DELETE", "rules", rule_id:
                self.rules = [rule for rule in self.rules if rule.rule_id != rule_id]
                return Done()
            case "POST", "channels", name, "test":
                why = "404 no_service" if name == "team" else ""
                return ChannelTest(channel=name, delivered=not why, detail=why)
            case "POST", "silences":
                return self._silence(Silence.model_validate_json(body))
            case "DELETE", "silences", silence_id:
                self.silences = [one for one in self.silences if one.silence_id != silence_id]
                return Done()
        return None

    def _silence(self, wanted: Silence) -> Done:
        self.silences.append(wanted.model_copy(update={"silence_id": f"51e1{len(self.silences) + 1:012}"}))
        return Done()

    def _alert(self, alert_id: str) -> Alert | None:
        return next((alert for alert in self.alerts if alert.alert_id == alert_id), None)

    def _alerts(self, parameters: Parameters) -> AlertPage:
        states, rule = parameters.get("state", ()), _one(parameters, "rule")
        start, end = (_instant(parameters, key) for key in ("from", "to"))
        found = [
            alert
            for alert in self.alerts
            if (not states or alert.state in states)
            and rule in ("", alert.rule_id)
            and (start is None or (alert.fired_at or alert.began) >= start)
            and (end is None or (alert.fired_at or alert.began) < end)
        ]
        first = int(_one(parameters, "cursor") or 0)
        more = first + PAGE < len(found)
        return AlertPage(
            items=found[first : first + PAGE],
            firing=sum(alert.state == "firing" for alert in self.alerts),
            pending=sum(alert.state == "pending" for alert in self.alerts),
            next_cursor=str(first + PAGE) if more else None,
        )

    def _acknowledge(self, alert_id: str, taken: Acknowledge) -> Done | None:
        alert = self._alert(alert_id)
        if alert is None:
            return None
        changes: dict[str, Any] = {"acknowledged_by": taken.by, "acknowledged_at": self.data.now}
        if taken.expected:
            changes |= {"is_expected": True, "state": "resolved", "ended_at": self.data.now}
        self.alerts[self.alerts.index(alert)] = alert.model_copy(update=changes)
        return Done()

    def _save(self, draft: RuleDraft) -> Done:
        [rule] = _drafted(draft)
        read = RULE.validate_python(rule)
        info = RuleInfo(
            rule=rule,
            rule_id=read.id,
            name=read.title,
            type=read.type,
            project=read.project,
            severity=read.severity,
            source="api",
            enabled=read.enabled,
            sentence="As written.",
        )
        self.rules = [*(rule for rule in self.rules if rule.rule_id != read.id), info]
        return Done()

    def _back_test(self, draft: RuleDraft, parameters: Parameters) -> BackTest:
        start, end = (_instant(parameters, key) for key in ("from", "to"))
        assert start is not None
        assert end is not None
        if problems := check(draft).problems:
            raise Refused("; ".join(f"{one.field}: {one.detail}" for one in problems))
        [rule] = _drafted(draft)
        quiet = "quiet" in str(rule["id"])
        hours = int((end - start).total_seconds() // 3600)
        band = made.band(end, usual=0.013, after=0.094, began=timedelta(hours=9), hours=hours)
        fired = [
            Firing(
                began=at,
                pending_at=at,
                fired_at=at + timedelta(hours=1),
                ended_at=until,
                value=0.094,
                expected=0.013,
                series={"model": "gpt-4o"},
                sentence="9.4% of the requests fail, where 1.3% are usual.",
            )
            for at, until in (
                (start + timedelta(days=4), start + timedelta(days=4, hours=7)),
                (end - timedelta(hours=9), None),
            )
        ]
        return BackTest(
            rule_id=str(rule["id"]),
            start=start,
            end=end,
            series=3,
            evaluations=hours * 3,
            firings=[] if quiet else fired,
            firing_hours=0 if quiet else 14.0,
            promise=made.PROMISE,
            band=band,
            note="The first week is what usual was learned from.",
        )

    def _channels(self) -> Channels:
        if not self.much:
            return Channels(items=[])
        return Channels(items=made.channels(self.data), deliveries=made.deliveries(self.data))

    def _drift(self, parameters: Parameters) -> DriftReport:
        if not self.much:
            return dashboard_drift.young(self.data, 2.6 if self.data.traces else 0.0)
        newest = self.data.now.date() - timedelta(days=1)
        asked = _one(parameters, "day")
        day = date.fromisoformat(asked) if asked else newest
        make = dashboard_drift.eventful if day == newest else dashboard_drift.quiet
        return make(self.data, day)


def check(draft: RuleDraft) -> RuleCheck:
    """What is wrong with a draft, by the models of rules."""
    try:
        rules = _drafted(draft)
    except tomllib.TOMLDecodeError as error:
        return RuleCheck(rules=0, problems=[RuleProblem(detail=f"not TOML: {error}")])
    problems = []
    for number, rule in enumerate(rules):
        try:
            RULE.validate_python(rule)
        except ValidationError as error:
            name = str(rule.get("id") or number + 1)
            for line in error.errors(include_url=False):
                where = ".".join(str(part) for part in line["loc"][1:])
                problems.append(RuleProblem(rule=name, field=where, detail=line["msg"]))
    return RuleCheck(rules=len(rules), problems=problems)


def _drafted(draft: RuleDraft) -> list[dict[str, Any]]:
    if draft.rule is not None:
        return [draft.rule]
    found: list[dict[str, Any]] = tomllib.loads(draft.toml).get("rules", [])
    return found


def _one(parameters: Parameters, key: str) -> str:
    return (parameters.get(key) or ("",))[-1]


def _instant(parameters: Parameters, key: str) -> datetime | None:
    text = _one(parameters, key)
    return datetime.fromisoformat(text) if text else None
