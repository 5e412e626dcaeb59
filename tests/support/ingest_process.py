"""A collector's ingest as a process that can be killed at a chosen step: `python -m tests.support.ingest_process JSON`.

All parts are the real ones; only the seam `on_step` of the runner is used. With `drain` it stores what is there, writes
one JSON line with what the store holds, and ends; else it runs until it is killed.
"""

import json
import os
import random
import signal
import sys
import threading
import time
from dataclasses import asdict, dataclass
from typing import Any

from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.ingest.runner import IngestRunner
from spanwise_collector.ingest.settings import IngestSettings, KafkaConnection
from spanwise_collector.ingest.steps import Step
from spanwise_collector.ingest.transform import Transformer
from spanwise_collector.store.database import INSERT_TIMEOUT_S, Database
from spanwise_collector.store.migrate import migrate

SESSION_TIMEOUT_S = 3.0
DRAIN_S = 2.0 * INSERT_TIMEOUT_S
"""Above the time after which an insert without an answer is tried again."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What one process does.

    Attributes:
        bootstrap: the broker.
        dsn: the store.
        topic: the one it reads.
        assignment: `group` or `static`.
        kill_at: step at which it kills itself with SIGKILL, or empty.
        kill_on: at which occurrence of that step, from 1.
        kill_within_s: at a random moment so long after the step, which is in the insert for `inserting`.
        drain: store everything, report and end.
        batch_rows: rows of a batch.
    """

    bootstrap: str
    dsn: str
    topic: str
    assignment: str = "static"
    kill_at: str = ""
    kill_on: int = 1
    kill_within_s: float = 0.0
    drain: bool = False
    batch_rows: int = 200

    def argument(self) -> str:
        """The command line argument."""
        return json.dumps(asdict(self))


class Killer:
    """Ends the process as a power cut would."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._seen = 0

    def __call__(self, step: Step) -> None:
        """Count, and kill when it is time."""
        if step != self._plan.kill_at:
            return
        self._seen += 1
        if self._seen != self._plan.kill_on:
            return
        if self._plan.kill_within_s:
            threading.Timer(random.uniform(0, self._plan.kill_within_s), kill).start()
        else:
            kill()


def kill() -> None:
    """No handler, no finally, no flush."""
    os.kill(os.getpid(), signal.SIGKILL)


def holdings(database: Database, topic: str) -> dict[str, Any]:
    """What the store holds of a topic (one per database), and what the ledger says of it."""
    ledger = database.query(
        "SELECT topic_id, part, off_from, off_to, n_records FROM ingest_ledger WHERE topic = {t:String} "
        "ORDER BY topic_id, part, off_from",
        {"t": topic},
    ).rows
    sums = database.query(
        """SELECT
          (SELECT count() FROM spans), (SELECT uniqExact(trace_id, span_id) FROM spans), (SELECT count() FROM span_io),
          (SELECT sum(n_spans) FROM trace_agg), (SELECT sum(n) FROM metrics_1m),
          (SELECT sum(n_spans) FROM ingest_ledger), (SELECT sum(n_rejected) FROM ingest_ledger),
          (SELECT sum(n_duplicates) FROM ingest_ledger), (SELECT sum(n_records) FROM ingest_ledger),
          (SELECT sum(n_records) FROM producers)"""
    ).rows[0]
    names = (
        "spans",
        "distinct",
        "bodies",
        "trace_agg",
        "metrics_1m",
        "ledger_spans",
        "ledger_rejected",
        "ledger_duplicates",
        "ledger_records",
        "producer_records",
    )
    return {**dict(zip(names, map(int, sums), strict=True)), "gaps": gaps(ledger)}


def gaps(ledger: list[tuple[Any, ...]]) -> list[str]:
    """Where the ledger's ranges of a partition do not follow each other."""
    wrong: list[str] = []
    end: dict[tuple[str, int], int] = {}
    for topic_id, part, first, last, records in ledger:
        expected = end.get((topic_id, part), 0)
        if first != expected or records != last - first + 1:
            wrong.append(f"partition {part}: {first}-{last} with {records} records after {expected}")
        end[topic_id, part] = last + 1
    return wrong


def main(argument: str) -> None:
    """Run as the plan says."""
    plan = Plan(**json.loads(argument))
    database = Database.open(plan.dsn)
    migrate(database)
    runner = IngestRunner(
        settings=IngestSettings(
            kafka=KafkaConnection(bootstrap=plan.bootstrap),
            code_version="test",
            assignment="group" if plan.assignment == "group" else "static",
            group=plan.topic,
            session_timeout_s=SESSION_TIMEOUT_S,
            topics=(plan.topic,),
            rejects_topic=f"{plan.topic}-rejects",
            topic_replication=1,
            batch_rows=plan.batch_rows,
            batch_seconds=0.2,
            check_seconds=0.5,
        ),
        database=database,
        transformer=Transformer(prices=PriceBook()),
        on_step=Killer(plan),
    )
    runner.start()
    deadline = time.monotonic() + DRAIN_S
    while plan.drain and not settled(runner) and time.monotonic() < deadline:
        time.sleep(0.05)
    while not plan.drain and not runner.status().failure:
        time.sleep(0.05)
    runner.stop(drain=True, timeout_s=max(1.0, deadline - time.monotonic()))
    status = runner.status()
    sys.stdout.write(json.dumps({**holdings(database, plan.topic), "failure": status.failure}) + "\n")
    sys.stdout.flush()
    database.close()


def settled(runner: IngestRunner) -> bool:
    """Whether partitions are assigned and nothing is left to store, or it has failed."""
    status = runner.status()
    return bool(status.failure) or (bool(status.partitions) and status.lag == 0)


if __name__ == "__main__":
    main(sys.argv[1])
