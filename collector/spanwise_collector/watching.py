"""What a collector with the role `alerts` does besides answering: one of many does it, each part on a thread."""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

from prometheus_client.registry import Collector

from spanwise_collector.alerts.assembly import AlertParts
from spanwise_collector.alerts.engine import Engine
from spanwise_collector.alerts.evidence import Explain, windows_of
from spanwise_collector.alerts.runner import alert_runner
from spanwise_collector.annotate import filler
from spanwise_collector.annotate.filler import Filler
from spanwise_collector.annotate.items import Items
from spanwise_collector.annotate.queues import Queues
from spanwise_collector.attribution.explain import what_changed
from spanwise_collector.attribution.populations import Question
from spanwise_collector.drift import digests
from spanwise_collector.drift.digest import Texts
from spanwise_collector.failures import group_round
from spanwise_collector.failures.runner import trace_runner
from spanwise_collector.failures.trace_round import TraceWatcher
from spanwise_collector.periodic import Periodic
from spanwise_collector.query.values import micros
from spanwise_collector.query.window import Window
from spanwise_collector.settings import Settings
from spanwise_collector.store.database import Database, Reader
from spanwise_collector.store.errors import StoreError
from spanwise_collector.texts.embed import Embedder
from spanwise_collector.texts.runner import text_runner
from spanwise_collector.texts.trials import TextTrials
from spanwise_collector.texts.worker import TextWorker
from spanwise_evaluators.reading.wheels import DataFileError
from spanwise_schemas.api_alerts import Alert
from spanwise_schemas.api_changes import WhatChanged
from spanwise_schemas.rules import Where
from spanwise_schemas.signals import signal_named

log = logging.getLogger(__name__)

TRACES_EVERY_S: Final = 30.0
GROUPS_EVERY_S: Final = 30.0
DIGESTS_EVERY_S: Final = 300.0
TRACE_WINDOW: Final = timedelta(hours=6)
UNFINISHED_AFTER: Final = timedelta(hours=1)
"""A trace whose root has not come so long after its last span has none: a root is sent when it ends."""
EXPLAIN_TIMEOUT_S: Final = 20.0


class Watching:
    """All parts of the role `alerts`.

    Args:
        parts: in the order to start them.
    """

    def __init__(self, parts: Iterable[Periodic]) -> None:
        self._parts: Sequence[Periodic] = tuple(parts)

    @property
    def meters(self) -> list[Collector]:
        """What they count."""
        return [*self._parts]

    def start(self) -> None:
        """Start all."""
        for part in self._parts:
            part.start()

    def stop(self) -> None:
        """Stop all, the last one first."""
        for part in reversed(self._parts):
            part.stop()


def make_watching(
    settings: Settings,
    database: Database,
    parts: AlertParts,
    *,
    texts: Texts | None,
    now: Callable[[], datetime],
    new_id: Callable[[], str],
) -> Watching:
    """The parts as the settings say; not started.

    Args:
        settings: of the collector.
        database: the store.
        parts: what evaluating and delivering share.
        texts: drift of texts, for the digest; None where texts are not read.
        now: the time of day, UTC.
        new_id: 16 hex digits that were never used before.
    """
    leads = parts.evaluation.is_leader
    found: list[Periodic] = [
        trace_runner(
            TraceWatcher(database, window=TRACE_WINDOW, unfinished_after=UNFINISHED_AFTER, now=now),
            is_leader=leads,
            interval_s=TRACES_EVERY_S,
        ),
        Periodic(
            "failure_groups",
            group_round.GroupRound(database, now).step,
            counts=group_round.COUNTS,
            is_leader=leads,
            interval_s=GROUPS_EVERY_S,
        ),
    ]
    found.append(
        Periodic(
            "annotation",
            Filler(database, Queues(database, now=now, new_id=new_id), Items(database), now).step,
            counts=filler.COUNTS,
            is_leader=leads,
            interval_s=filler.EVERY_S,
        )
    )
    if texts is not None:
        found.append(text_runner(TextWorker(database, now=now), is_leader=leads))
    if settings.alerts_seconds:
        engine = Engine(
            database,
            parts.rules,
            parts.people,
            parts.outbox,
            explain=explainer(database),
            url=lambda alert: f"alerts?project={alert.project}&alert={alert.alert_id}",
        )
        found += [
            alert_runner(engine, is_leader=leads, interval_s=settings.alerts_seconds, now=now),
            Periodic(
                "digest",
                digests.Digests(database, parts.outbox, texts=texts, now=now).step,
                counts=digests.COUNTS,
                is_leader=leads,
                interval_s=DIGESTS_EVERY_S,
            ),
        ]
    found.append(parts.deliverer)
    return Watching(found)


def make_texts(reader: Reader, now: Callable[[], datetime]) -> Texts | None:
    """Drift of texts; None, and a line in the log, where what it needs is not installed."""
    try:
        Embedder.load()
    except DataFileError as error:
        log.warning("texts are not read: %s", error)
        return None
    return TextTrials(reader, now=now)


def explainer(reader: Reader) -> Explain:
    """Says what changed for an alert: the time since it began against the week before."""

    def explain(alert: Alert, where: Where, at: datetime) -> WhatChanged | None:
        if not alert.signal:
            return None
        before_start, before_end, start, end = map(micros, windows_of(alert, at))
        chosen = {
            name: (value,)
            for name, value in alert.series.items()
            if name in Where.model_fields and value and not value.startswith("(")
        }
        question = Question(
            alert.project,
            signal_named(alert.signal),
            Window(before_start, before_end),
            Window(start, end),
            where.model_copy(update=chosen),
        )
        falls = alert.value is not None and alert.expected is not None and alert.value < alert.expected
        direction: Literal["up", "down"] = "down" if falls else "up"
        try:
            return what_changed(reader, question, direction=direction, timeout_s=EXPLAIN_TIMEOUT_S)
        except StoreError:
            log.exception("what changed could not be told for alert %s; it goes on without", alert.alert_id)
            return None

    return explain
