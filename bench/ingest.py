"""How fast records that are in Kafka become rows that can be queried: `python -m bench.ingest` prints one JSON line.

The packaged broker holds the records already; a real runner with the embedded engine stores them. The time runs from
the start of the runner (connecting included) until a query counts every span. CPU is that of the collector's process,
engine and all; the broker's comes on top. With `--kafka` the records go through another broker.
"""

import argparse
import json
import random
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from kafka import KafkaAdminClient, KafkaProducer

from bench.normalise import NOW_MS, RECORD_BYTES, SIZES, request
from spanwise_collector.embedded.broker import EmbeddedBroker, free_port
from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.ingest.runner import IngestRunner
from spanwise_collector.ingest.settings import IngestSettings, KafkaConnection
from spanwise_collector.ingest.transform import Transformer
from spanwise_collector.store.database import Database
from spanwise_collector.store.migrate import migrate
from spanwise_schemas import wire

PARTITIONS: Final = 2
LIMIT: Final = 15_000
"""Full spans per second that two cores must do."""
TIMEOUT_S: Final = 600.0


def fill(bootstrap: str, topic: str, size: int, spans: int) -> tuple[int, int]:
    """Write records of spans of about `size` bytes; returns how many spans and bytes there are."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.create_topics({topic: {"num_partitions": PARTITIONS, "replication_factor": 1}}, wait_for_metadata=True)
    admin.close()
    producer: Any = KafkaProducer(bootstrap_servers=bootstrap, acks="all", compression_type="lz4")
    written = total = 0
    for number, value in enumerate(requests(size, spans)):
        per_record = records_hold(size)
        headers = wire.Envelope("0" * 32, number, per_record, 0).to_headers()
        producer.send(topic, value=value, partition=number % PARTITIONS, headers=headers, timestamp_ms=NOW_MS)
        written += per_record
        total += len(value)
    producer.flush(timeout=TIMEOUT_S)
    producer.close()
    return written, total


def records_hold(size: int) -> int:
    """Spans per record, under the limit on its size."""
    return max(1, min(500, RECORD_BYTES // size))


def requests(size: int, spans: int) -> Iterator[bytes]:
    """Requests with spans that are all different."""
    rng = random.Random(size)
    for _ in range(max(1, spans // records_hold(size))):
        yield request(rng, records_hold(size), size)


def measure(bootstrap: str, directory: Path, name: str, size: int, spans: int) -> dict[str, float]:
    """Figures for spans of one size."""
    topic = f"bench_{name}"
    written, total = fill(bootstrap, topic, size, spans)
    database = Database.open(f"chdb://{directory}?database={topic}")
    migrate(database)
    runner = IngestRunner(
        settings=IngestSettings(
            kafka=KafkaConnection(bootstrap=bootstrap),
            code_version="bench",
            assignment="static",
            topics=(topic,),
            rejects_topic=f"{topic}_rejects",
            topic_replication=1,
        ),
        database=database,
        transformer=Transformer(prices=PriceBook()),
    )
    cpu, began = _cpu_seconds(), time.perf_counter()
    runner.start()
    stored = 0
    while stored < written:
        time.sleep(0.02)
        status = runner.status()
        if status.failure or time.perf_counter() - began > TIMEOUT_S:
            raise SystemExit(f"{stored} of {written} spans stored. {status.failure}")
        if status.counters.spans >= written:
            stored = int(database.query("SELECT count() FROM spans").rows[0][0])
    seconds, cpu = time.perf_counter() - began, _cpu_seconds() - cpu
    runner.stop(drain=True, timeout_s=10)
    counters = runner.status().counters
    database.close()
    return {
        "span_bytes": round(total / written),
        "spans": written,
        "spans_per_second": round(written / seconds),
        "mb_per_second": round(total / seconds / 1e6, 1),
        "cpu_seconds_per_million_spans": round(cpu / written * 1e6, 1),
        "seconds": round(seconds, 2),
        "transform_seconds": round(counters.transform_seconds, 2),
        "insert_seconds": round(counters.insert_seconds, 2),
        "batches": counters.batches,
    }


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Measure all sizes and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kafka", default="", help="bootstrap servers of another broker (default: the packaged one)")
    parser.add_argument("--mb", type=int, default=400, help="megabytes of spans per size (default 400)")
    parser.add_argument("--size", choices=list(SIZES), action="append", help="only these sizes")
    given = parser.parse_args()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bootstrap = given.kafka
        if not bootstrap:
            broker = EmbeddedBroker(port=free_port(), log_path=directory / "broker.log")
            bootstrap = stack.enter_context(broker).bootstrap
        # The engine keeps its directory as long as one client is open.
        stack.callback(Database.open(f"chdb://{directory / 'store'}", readers=0).close)
        figures = {
            name: measure(bootstrap, directory / "store", name, SIZES[name], given.mb * 1_000_000 // SIZES[name])
            for name in given.size or SIZES
        }
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"benchmark": "ingest", **figures, "peak_rss_mb": peak_mb, "limit_full_spans_per_second": LIMIT}))


if __name__ == "__main__":
    main()
