"""Writing what a round found: events, then notifications, then states (see `ledger` for why in this order)."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol

from spanwise_collector.alerts.claims import Store
from spanwise_collector.alerts.evaluate import ledger
from spanwise_collector.alerts.evaluate.ledger import Event, Known, Stand
from spanwise_collector.alerts.evaluate.walk import Happening
from spanwise_collector.alerts.evidence import Explain, filters_of, notice_of
from spanwise_collector.alerts.notice import Notice
from spanwise_collector.alerts.state import RULE_SERIES, EventBody
from spanwise_schemas.api_alerts import Alert
from spanwise_schemas.api_changes import WhatChanged
from spanwise_schemas.rules import Rule, Where

log = logging.getLogger(__name__)

MAX_EXPLAINED: Final = 50
"""Alerts of one round that are explained."""


class Outbox(Protocol):
    """Where notifications go."""

    def enqueue(self, notice: Notice) -> object:
        """Take a notice; one whose key is known already is taken for the same."""
        ...


@dataclass(slots=True)
class Writer:
    """Of one project and round.

    Attributes:
        store: the database.
        outbox: takes notifications.
        project: whose rules.
        explain: what changed, for an alert that fires; its failure is logged and the alert goes on.
        url: address of an alert's page.
        on_step: is told before each step that writes; what it raises stops there.
        events: that were written.
        notices: that were handed over.
    """

    store: Store
    outbox: Outbox
    project: str
    explain: Explain | None
    url: Callable[[Alert], str]
    on_step: Callable[[str], object]
    events: int = 0
    notices: int = 0
    _explained: int = 0
    _stands: list[Stand] = field(default_factory=list)

    def take(
        self,
        rule_id: str,
        rule: Rule | None,
        known: Known,
        found: Sequence[Happening],
        changed: set[str],
        state: str = "ok",
    ) -> None:
        """Write events and hand over notifications; the states wait for `flush`.

        Args:
            rule_id: which rule.
            rule: None where it is gone.
            known: what holds now.
            found: what happened, in order.
            changed: series that are not as they are stored.
            state: of the rule.

        Raises:
            StoreError: as the store says.
        """
        causes: dict[str, str] = {}
        events = [self._event(rule_id, rule, one, causes) for one in found if one.step.is_event]
        self.on_step("events")
        ledger.write_events(self.store, events)
        self.events += len(events)
        self.on_step("notices")
        self._tell(rule, known, found, events)
        standing = known.standing
        for series, alert in standing.alerts.items():
            if (cause := causes.get(alert.alert_id)) is not None:
                standing.alerts[series] = alert.model_copy(update={"top_cause": cause})
        known.body = known.body.model_copy(
            update={
                "rule_key": standing.rule_key,
                "series": standing.series,
                "note": standing.note,
                "carried": dict(standing.carried),
                "channels": list(rule.channels) if rule else known.body.channels,
                "firing": sum(life.state in ("firing", "recovering") for life in standing.lives.values()),
                "pending": sum(life.state == "pending" for life in standing.lives.values()),
            }
        )
        series_to_write = (changed | {event.series for event in known.ahead}) - {RULE_SERIES}
        self._stands.append(Stand(rule_id, known, frozenset(series_to_write), state))
        known.ahead = []

    def flush(self) -> None:
        """Write the states of what was taken.

        Raises:
            StoreError: as the store says.
        """
        self.on_step("states")
        ledger.write_states(self.store, self.project, self._stands)
        self._stands = []

    def _tell(self, rule: Rule | None, known: Known, found: Sequence[Happening], events: Sequence[Event]) -> None:
        channels = rule.channels if rule else tuple(known.body.channels)
        notices = [notice_of(rule, channels, event.body, event.seq, event.at, self.url) for event in known.ahead]
        written = iter(events)
        for one in found:
            body = next(written).body if one.step.is_event else EventBody(alert=one.alert, tells=one.step.tells)
            step = one.step
            notices.append(notice_of(rule, channels, body, step.seq, step.at, self.url, repeat=step.repeat))
        for notice in notices:
            if notice is not None:
                self.outbox.enqueue(notice)
                self.notices += 1

    def _event(self, rule_id: str, rule: Rule | None, one: Happening, causes: dict[str, str]) -> Event:
        where = rule.where if rule else Where()
        step, alert = one.step, one.alert
        changes = self._what_changed(one, where) if step.fires else None
        if changes is not None and changes.slices:
            causes[alert.alert_id] = changes.slices[0].label
        if (cause := causes.get(alert.alert_id)) is not None:
            alert = alert.model_copy(update={"top_cause": cause})
        body = EventBody(
            alert=alert,
            band=one.band,
            evidence=dict(one.evidence),
            what_changed=changes,
            filters=filters_of(alert, where),
            runbook=rule.runbook if rule else "",
            note=step.note,
            life=one.life.record(),
            tells=step.tells,
        )
        return Event(
            project=self.project,
            rule_id=rule_id,
            series=one.series,
            alert_id=int(alert.alert_id, 16),
            seq=step.seq,
            at=step.at,
            before=step.before,
            after=step.after,
            by=step.by,
            body=body,
        )

    def _what_changed(self, one: Happening, where: Where) -> WhatChanged | None:
        if self.explain is None or self._explained >= MAX_EXPLAINED or not one.alert.signal:
            return None
        self._explained += 1
        try:
            return self.explain(one.alert, where, datetime.fromtimestamp(one.step.at, UTC))
        except Exception:  # an alert without its cause is better than none
            log.exception("alert %s is not explained", one.alert.alert_id)
            return None
