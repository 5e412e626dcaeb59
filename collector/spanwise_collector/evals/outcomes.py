"""What became of targets: counted by judge and outcome, for Prometheus at once and for the API after some seconds."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import pyarrow as pa
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from spanwise_collector.alerts.claims import Store

TABLE: Final = "judge_outcomes"
SCORED: Final = "scored"
CACHED: Final = "cached"
DISAGREED: Final = "order_disagreed"
OVER_BUDGET: Final = "skipped_budget"
OVERCHARGED: Final = "overcharged"
ERROR: Final = "error:"
"""Before the class of an error."""
MAX_MESSAGE: Final = 500
_SCHEMA: Final = pa.schema(
    [
        ("project_id", pa.string()),
        ("judge", pa.string()),
        ("outcome", pa.string()),
        ("time", pa.timestamp("s", "UTC")),
        ("n", pa.uint64()),
        ("cost_n", pa.int64()),
        ("message", pa.string()),
    ]
)


@dataclass(slots=True)
class _Count:
    n: int = 0
    cost_n: int = 0
    message: str = ""


@dataclass(slots=True)
class _Counts:
    by: dict[tuple[str, str, str], _Count] = field(default_factory=dict)

    def add(self, key: tuple[str, str, str], n: int, cost_n: int, message: str) -> None:
        found = self.by.setdefault(key, _Count())
        found.n += n
        found.cost_n += cost_n
        found.message = message or found.message


class Outcomes(Collector):
    """Counts of this process. Thread-safe.

    Args:
        store: where they are added up over processes; statistics, which a crash may lose some seconds of.
        now: the time of day, UTC.
        new_id: a text that was never used before.
    """

    def __init__(self, store: Store, *, now: Callable[[], datetime], new_id: Callable[[], str]) -> None:
        self._store = store
        self._now = now
        self._new_id = new_id
        self._lock = threading.Lock()
        self._total = _Counts()
        self._unsent = _Counts()

    def count(self, project: str, judge: str, outcome: str, n: int = 1, *, cost_n: int = 0, message: str = "") -> None:
        """Count targets.

        Args:
            project: of the targets.
            judge: name of judge or evaluator.
            outcome: one of those of this module; `error:` and a class.
            n: how many.
            cost_n: nano-dollars that it took.
            message: what went wrong, for people.
        """
        message = message[:MAX_MESSAGE]
        with self._lock:
            for counts in (self._total, self._unsent):
                counts.add((project, judge, outcome), n, cost_n, message)

    def of(self, judge: str) -> dict[str, int]:
        """Counts of a judge by outcome since the start, over all its projects."""
        with self._lock:
            found: dict[str, int] = {}
            for (_, name, outcome), count in self._total.by.items():
                if name == judge:
                    found[outcome] = found.get(outcome, 0) + count.n
            return found

    def flush(self) -> None:
        """Store what was counted since the last time.

        Raises:
            StoreError: as the store says; it is stored next time.
        """
        with self._lock:
            unsent, self._unsent = self._unsent, _Counts()
        if not unsent.by:
            return
        now = self._now()
        rows = [
            {
                "project_id": project,
                "judge": judge,
                "outcome": outcome,
                "time": now,
                "n": count.n,
                "cost_n": count.cost_n,
                "message": count.message,
            }
            for (project, judge, outcome), count in unsent.by.items()
        ]
        try:
            self._store.insert(
                TABLE, pa.RecordBatch.from_pylist(rows, schema=_SCHEMA), token=f"{TABLE}:{self._new_id()}"
            )
        except BaseException:
            with self._lock:
                for key, count in unsent.by.items():
                    self._unsent.add(key, count.n, count.cost_n, count.message)
            raise

    def collect(self) -> Iterator[Metric]:
        """For Prometheus."""
        labels = ("project", "judge", "outcome")
        targets = CounterMetricFamily("spanwise_evals_targets", "Targets of evaluators and judges.", labels=labels)
        cost = CounterMetricFamily("spanwise_evals_cost_usd", "What judging cost, US dollars.", labels=labels[:2])
        costs: dict[tuple[str, str], int] = {}
        with self._lock:
            for (project, judge, outcome), count in self._total.by.items():
                targets.add_metric((project, judge, outcome), count.n)
                costs[project, judge] = costs.get((project, judge), 0) + count.cost_n
        for key, cost_n in costs.items():
            cost.add_metric(key, cost_n / 1e9)
        yield targets
        yield cost
