"""Anchors judged again at a steady drip, a few a day, by one of all processes; results stand apart from scores.

The verdict is always asked for anew: one out of the cache could not tell whether the judge has changed.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

import pyarrow as pa

from spanwise_collector.alerts.claims import Store, claim_once
from spanwise_collector.evals.anchor_items import Anchor
from spanwise_collector.evals.calls import BudgetSpentError, Call, JudgeError
from spanwise_collector.evals.evals_file import EvalsConfig
from spanwise_collector.evals.outcomes import ERROR, OVER_BUDGET, Outcomes
from spanwise_collector.evals.panel import JudgeRun, PanelNow
from spanwise_collector.evals.publish import Made, Publisher
from spanwise_collector.evals.scores_out import CallOut
from spanwise_collector.evals.stopping import StoppedError
from spanwise_collector.query.values import EPOCH
from spanwise_collector.receive.errors import NotTakenError

log = logging.getLogger(__name__)

TABLE: Final = "judge_anchors"
ANCHOR: Final = "anchor"
"""Outcome of an anchor; before another outcome it says that it was an anchor's."""
LATE: Final = timedelta(minutes=10)
"""A slot that was missed longer ago is left out: the drip stays even."""
COUNTS: Final = {"judged": "Anchors that were judged."}
_MILLIS: Final = pa.timestamp("ms", "UTC")
_SCHEMA: Final = pa.schema(
    [
        ("project_id", pa.string()),
        ("judge", pa.string()),
        ("judge_version", pa.string()),
        ("model", pa.string()),
        ("anchor_id", pa.string()),
        ("human", pa.float64()),
        ("value", pa.float64()),
        ("label", pa.string()),
        ("reason", pa.string()),
        ("slot", _MILLIS),
        ("ts", _MILLIS),
        ("version", pa.uint64()),
    ]
)


def slots(since: datetime, until: datetime, per_day: int) -> Iterator[tuple[int, datetime]]:
    """Number and time of the slots after `since` and up to `until`; a day, UTC, has `per_day` of equal length."""
    length = timedelta(days=1) / per_day
    for number in range(int((since - EPOCH) / length), int((until - EPOCH) / length) + 1):
        at = EPOCH + number * length
        if since < at <= until:
            yield number, at


class AnchorRound:
    """One look at whether anchors are due.

    Args:
        store: the database.
        config: what the evals file says now.
        panel: its judges.
        outcomes: receives counts.
        publisher: sends the calls, to be traced.
        owner: of this process alone.
        now: the time of day, UTC.
        random_bytes: ids of traces and spans, of a length.
    """

    def __init__(
        self,
        store: Store,
        config: Callable[[], EvalsConfig],
        panel: PanelNow,
        outcomes: Outcomes,
        publisher: Publisher,
        *,
        owner: str,
        now: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._config = config
        self._panel = panel
        self._outcomes = outcomes
        self._publisher = publisher
        self._owner = owner
        self._now = now
        self._random_bytes = random_bytes
        self._looked: dict[tuple[str, str], datetime] = {}

    def step(self) -> Mapping[str, int]:
        """Judge what is due.

        Raises:
            StoreError: the store does not answer.
        """
        judged = 0
        runs = {(run.entry.project, run.entry.name): run for run in self._panel().judges}
        for config in self._config().judges:
            key = (config.entry.project, config.entry.name)
            run = runs.get(key)
            if run is None or not config.anchors:
                continue
            now = self._now()
            since = max(self._looked.get(key, now - LATE), now - LATE)
            for number, slot in slots(since, now, config.entry.anchors_per_day):
                judged += self._judge(run, config.anchors[number % len(config.anchors)], slot)
                self._looked[key] = slot
        return {"judged": judged}

    def _judge(self, run: JudgeRun, anchor: Anchor, slot: datetime) -> int:
        entry, judge, now = run.entry, run.judge, self._now()
        name = f"anchor:{entry.project}:{entry.name}:{slot.isoformat()}"
        if not claim_once(self._store, name, self._owner, until=slot + timedelta(days=1), now=now):
            return 0

        def count(outcome: str, message: str = "", cost_n: int = 0) -> None:
            self._outcomes.count(entry.project, entry.name, outcome, cost_n=cost_n, message=message)

        try:
            found = judge.judge(anchor.sample, fresh=True)
        except JudgeError as error:
            count(f"{ANCHOR}_{ERROR}{error.kind}", str(error), self._trace(run, error.calls))
            return 0
        except BudgetSpentError as error:
            count(f"{ANCHOR}_{OVER_BUDGET}", str(error), self._trace(run, error.calls))
            return 0
        except StoppedError:
            return 0
        if found is None:
            return 0
        [verdict] = found.verdicts.values()
        count(ANCHOR, cost_n=self._trace(run, found.calls))
        row = {
            "project_id": entry.project,
            "judge": entry.name,
            "judge_version": judge.version,
            "model": entry.model,
            "anchor_id": anchor.id,
            "human": anchor.label,
            "value": verdict.value,
            "label": verdict.label,
            "reason": verdict.explanation,
            "slot": slot,
            "ts": now,
            "version": int(now.timestamp() * 1000),
        }
        self._store.insert(TABLE, pa.RecordBatch.from_pylist([row], schema=_SCHEMA), token=name)
        return 1

    def _trace(self, run: JudgeRun, calls: tuple[Call, ...]) -> int:
        """Send the calls to be traced; what they cost, nano-dollars."""
        entry, trace_id = run.entry, self._random_bytes(16)
        out = [
            CallOut(
                entry.traced_in,
                entry.name,
                run.judge.version,
                entry.provider,
                entry.model,
                call,
                trace_id,
                self._random_bytes(8),
            )
            for call in calls
        ]
        try:
            self._publisher.publish(Made(calls=out))
        except NotTakenError as error:
            log.warning("calls of the judge %s for an anchor are not traced: %s", entry.name, error)
        return sum(call.cost_n for call in calls)
