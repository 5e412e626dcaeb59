"""A store that was filled from Kafka by a real ingest, and a replay of it."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from kafka import KafkaProducer

from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.ingest.kafka_ranges import KafkaRanges
from spanwise_collector.ingest.price_file import parse_price_file
from spanwise_collector.ingest.runner import IngestRunner
from spanwise_collector.ingest.settings import KafkaConnection
from spanwise_collector.ingest.transform import Transformer
from spanwise_collector.normalise.masking import Masker
from spanwise_collector.replay.replayer import REBUILT, SHADOW, Replayer
from spanwise_collector.replay.spec import ReplaySpec
from spanwise_collector.settle.settler import Settler
from spanwise_collector.store.amend import Amender
from spanwise_collector.store.database import Database, quoted
from spanwise_schemas.masking import Masks
from spanwise_schemas.wire import Envelope
from tests.support import otlp
from tests.support.brokers import make_topic
from tests.support.logs import fresh_topic
from tests.support.static_ingest import static_settings

PARTITIONS = 2
DRAIN_S = 60.0
MODEL = "gpt-4o"
DERIVED = (
    "spans", "span_io", "span_content", "trace_agg", "metrics_1m", "metrics_10m", "metrics_1h", "metrics_1d",
    "failures", "signals_5m", "signals_1h", "scores",
)  # fmt: skip
"""Every table that a replay makes anew."""


def transformer(spec: ReplaySpec | None = None) -> Transformer:
    """As the collector makes it for a replay."""
    masks = None if spec is None else Masks.of(spec.mask_patterns or "", spec.mask_keys or "")
    prices = PriceBook(parse_price_file(spec.prices) if spec and spec.prices else None)
    return Transformer(prices=prices, masker=None if masks is None else Masker(masks))


def call(number: int, *, at: datetime, **more: object) -> Any:
    """An agent with a model call inside and a wrapper around that: both report the same usage."""
    usage = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": MODEL,
        "gen_ai.provider.name": "openai",
        "gen_ai.usage.input_tokens": 100 + number,
        "gen_ai.usage.output_tokens": 10,
        "input.value": f"question {number} of jane{number}@example.org",
        "output.value": "answer",
        "user.id": f"user {number % 3}",
        **more,
    }
    start = int(at.timestamp() * 1e9)
    trace = (number + 1).to_bytes(16, "big")
    one = otlp.span(
        "chat",
        usage,
        trace_id=trace,
        span_id=b"call0000",
        parent=b"wrapper0",
        start_ns=start + 10,
        end_ns=start + 90_000,
    )
    two = otlp.span("wrapper", usage, trace_id=trace, span_id=b"wrapper0", start_ns=start, end_ns=start + 100_000)
    return otlp.traces(one), otlp.traces(two)


@dataclass
class World:
    """Kafka, an ingest that reads it, and the store.

    Attributes:
        sent: records that were sent.
        stored_before: those of them that collectors before this one have stored.
    """

    bootstrap: str
    topic: str
    database: Database
    runner: IngestRunner
    amender: Amender
    settler: Settler
    sent: int = 0
    stored_before: int = 0

    def send(self, *values: Any, at: datetime | None = None) -> None:
        """Write requests as records, and wait until they are stored and settled."""
        producer: Any = KafkaProducer(bootstrap_servers=self.bootstrap, acks="all")
        try:
            for value in values:
                producer.send(
                    self.topic,
                    value=value if isinstance(value, bytes) else value.SerializeToString(),
                    partition=self.sent % PARTITIONS,
                    headers=Envelope("0" * 32, self.sent, 1, 0).to_headers(),
                    timestamp_ms=None if at is None else int(at.timestamp() * 1000),
                )
                self.sent += 1
            producer.flush(timeout=60)
        finally:
            producer.close()
        self.wait()

    def wait(self) -> None:
        """Until everything sent is stored and settled."""
        deadline = time.monotonic() + DRAIN_S
        while self.stored_before + self.runner.status().counters.records < self.sent:
            assert not self.runner.status().failure, self.runner.status().failure
            assert time.monotonic() < deadline, self.runner.status()
            time.sleep(0.05)
        while self.settler.round().more:
            pass

    def restart(self, *, forgetting: bool) -> None:
        """Another collector in the place of this one; `forgetting` how far the partitions were read."""
        self.runner.stop(drain=True, timeout_s=DRAIN_S)
        if forgetting:
            self.database.command("TRUNCATE TABLE ingest_pins")
        self.stored_before += self.runner.status().counters.records
        self.runner = make_runner(self.bootstrap, self.topic, self.database)
        self.runner.start()

    def replayer(self, **more: Any) -> Replayer:
        """A replayer of this store."""
        options: dict[str, Any] = {
            "dsn": f"chdb://{self.database.address.path}",
            "live": self.database,
            "amender": self.amender,
            "ingest": self.runner,
            "transformer": transformer,
            "log": lambda: KafkaRanges(KafkaConnection(bootstrap=self.bootstrap)),
            "code_version": "7.8",
            "window": 500,
        }
        return Replayer(**options | more)

    def stored(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every table that is made from Kafka, merged, sums of any kind as what they say."""
        return {table: rows_of(self.database, table) for table in DERIVED}


def rows_of(database: Database, table: str) -> list[tuple[Any, ...]]:
    """The rows of a table, merged. Sums of fractions depend on their order in the last digits: those are left out."""
    columns = database.query(
        "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = {table:String} "
        "AND default_kind != 'EPHEMERAL'",
        {"table": table},
    ).rows
    shown = ", ".join(_shown(quoted(name), kind) for name, kind in columns)
    found = database.query(f"SELECT {shown} FROM {quoted(table)} FINAL").rows
    return sorted(found, key=repr)


def _shown(column: str, kind: str) -> str:
    if kind.startswith("AggregateFunction"):
        return f"toString(finalizeAggregation({column}))"
    return f"round({column}, 6)" if "Float64" in kind else column


def make_runner(bootstrap: str, topic: str, database: Database) -> IngestRunner:
    """A collector's ingest of small batches; not started."""
    return IngestRunner(
        settings=static_settings(bootstrap, topic, batch_rows=7),
        database=database,
        transformer=transformer(),
    )


@contextmanager
def world(bootstrap: str, database: Database) -> Iterator[World]:
    """An ingest that runs over a new topic; what a replay made is dropped at the end."""
    topic = fresh_topic()
    make_topic(bootstrap, topic, PARTITIONS)
    runner = make_runner(bootstrap, topic, database)
    amender = Amender(database, owner="test", now=now)
    settler = Settler(database, amender, window=timedelta(days=3), now=now)
    runner.start()
    made = World(bootstrap, topic, database, runner, amender, settler)
    try:
        yield made
    finally:
        made.runner.stop(drain=False, timeout_s=10.0)
        for suffix in (REBUILT, SHADOW):
            database.command(f"DROP DATABASE IF EXISTS {quoted(database.address.database + suffix)} SYNC")


def now() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


def everything() -> ReplaySpec:
    """A replay of all that was sent in the last days."""
    at = now()
    start_us, end_us = (int((at + timedelta(days=days)).timestamp() * 1e6) for days in (-3, 1))
    return ReplaySpec(start_us, end_us)


def built(replayer: Replayer, spec: ReplaySpec, *, steps: int | None = None) -> Sequence[Any]:
    """Build, or only so many steps of it."""
    found = []
    for progress in replayer.build(spec):
        found.append(progress)
        if steps is not None and len(found) >= steps:
            break
    return found


def failing_at(statement: str, fault: Exception) -> Callable[[str], Database]:
    """Opens databases in which statements that begin like this fail."""

    class Failing(Database):
        def command(self, sql: str, parameters: Any = MappingProxyType({})) -> None:
            if sql.startswith(statement):
                raise fault
            super().command(sql, parameters)

    return lambda dsn: Failing.open(dsn, readers=1)
