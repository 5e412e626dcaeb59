"""What the collector does with records that come too fast: `python -m bench.flood` prints one JSON line.

A collector process with the embedded engine reads Apache Kafka. First it stores a topic as fast as it can, which gives
the rate that it can sustain. Then a producer writes records for a while at ten times that rate, or as fast as the
broker takes them where that is less (`factor` says which), and stops; the collector catches up. Some records can't be
read. In the end every span that was sent must be stored or rejected, by the ledger and by the tables, and the
collector's memory must be as flat as before. Needs the jars that `make test-kafka` fetches.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

from kafka import KafkaProducer

from bench.flood.records import records
from bench.freshness import collector
from bench.normalise import SIZES
from bench.samples import Memory, watched
from spanwise_collector.embedded.broker import free_port
from spanwise_collector.store.database import Database
from spanwise_schemas.wire import SPANS_TOPIC, Envelope
from tests.support.ingest_process import holdings
from tests.support.kafka_broker import ApacheKafka

FACTOR: Final = 10.0
BROKEN_EVERY: Final = 200
WARM_UP_SPANS: Final = 50_000
SUSTAINED_S: Final = 10.0
"""About how long the sustainable rate is measured, by the guess of the next constant."""
GUESS_PER_S: Final = 15_000
IDLE_S: Final = 5.0
TIMEOUT_S: Final = 3_600.0
PARTITIONS: Final = 2
LIMIT_GROWTH_MB: Final = 256.0
"""Memory in flood and catch-up may exceed its maximum at the sustainable rate by this much, the default bound of what
the collector holds of Kafka (`IngestSettings.buffer_bytes`); it may not grow with what waits."""


@dataclass
class Sent:
    """What the producer has written.

    Attributes:
        records: acknowledged by the broker.
        spans: inside of those that can be read.
        broken: records that can't be read.
    """

    records: int = 0
    spans: int = 0
    broken: int = 0

    @property
    def items(self) -> int:
        """What the collector must account for: spans, and one for each record that can't be read."""
        return self.spans + self.broken


class Flood:
    """Writes records to both partitions, by turns."""

    def __init__(self, bootstrap: str, size: int) -> None:
        self.sent = Sent()
        self._records: Iterator[tuple[bytes, int]] = records(size, BROKEN_EVERY)
        self._producer: Any = KafkaProducer(
            bootstrap_servers=bootstrap, acks="all", compression_type="lz4", max_in_flight_requests_per_connection=5
        )

    def write(self, spans: int, seconds: float = TIMEOUT_S, per_second: float = float("inf")) -> float:
        """Write until so many spans more are sent or the time is up; returns the seconds until all are acknowledged."""
        began, until, first = time.monotonic(), self.sent.items + spans, self.sent.items
        pending = []
        while self.sent.items < until and (passed := time.monotonic() - began) < seconds:
            if self.sent.items - first > passed * per_second:
                time.sleep(0.002)
                continue
            value, inside = next(self._records)
            envelope = Envelope("f" * 32, self.sent.records, inside, 0)
            pending.append(
                self._producer.send(
                    SPANS_TOPIC,
                    value=value,
                    partition=self.sent.records % PARTITIONS,
                    headers=envelope.to_headers(),
                    timestamp_ms=time.time_ns() // 1_000_000,
                )
            )
            self.sent.records += 1
            self.sent.broken += inside == 1
            self.sent.spans += inside if inside > 1 else 0
        self._producer.flush(timeout=TIMEOUT_S)
        for future in pending:
            future.get(timeout=0)
        return time.monotonic() - began

    def close(self) -> None:
        """Let the connection go."""
        self._producer.close()


class Pipeline:
    """The ledger, over the collector's API."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/api/v1/pipeline"

    def totals(self) -> dict[str, int]:
        """Its totals now."""
        with urlopen(self._url, timeout=60) as answer:
            found: dict[str, int] = json.load(answer)["totals"]
        return found

    def catch_up(self, items: int) -> float:
        """Wait until so many items are stored or rejected; returns the seconds.

        Raises:
            SystemExit: they were not in time.
        """
        began = time.monotonic()
        while accounted(totals := self.totals()) < items:
            if time.monotonic() - began > TIMEOUT_S:
                raise SystemExit(f"{accounted(totals)} of {items} accounted for after {TIMEOUT_S:.0f} s: {totals}")
            time.sleep(0.5)
        return time.monotonic() - began


def accounted(totals: dict[str, int]) -> int:
    """What was stored, rejected, or recognised as sent twice."""
    return totals["stored"] + totals["rejected"] + totals["duplicates"]


def measure(flood: Flood, pipeline: Pipeline, memory: Memory, *, seconds: float, factor: float) -> dict[str, Any]:
    """Warm up, find the sustainable rate, flood, catch up, rest.

    Returns:
        Among others `memory_growth_mb`, the maximum in flood and catch-up over that at the sustainable rate, and
        `memory_drift_mb`, the median of the second half of flood and catch-up minus that of the first.
    """
    flood.write(WARM_UP_SPANS)
    pipeline.catch_up(flood.sent.items)
    marks = {"idle_before": time.monotonic()}
    time.sleep(IDLE_S)
    marks["sustainable"] = began = time.monotonic()
    before = flood.sent.items
    flood.write(int(GUESS_PER_S * min(SUSTAINED_S, seconds)))
    pipeline.catch_up(flood.sent.items)
    sustainable = (flood.sent.items - before) / (time.monotonic() - began)
    marks["flood"] = time.monotonic()
    before = flood.sent.items
    took = flood.write(int(1e12), seconds, sustainable * factor)
    flooded, waiting = flood.sent.items - before, flood.sent.items - accounted(pipeline.totals())
    marks["catch_up"] = time.monotonic()
    caught_up = pipeline.catch_up(flood.sent.items)
    marks["idle_after"] = time.monotonic()
    time.sleep(IDLE_S)
    ends = [*list(marks.values())[1:], time.monotonic()]
    phases = {name: memory.between(begin, end) for (name, begin), end in zip(marks.items(), ends, strict=True)}
    begin, end = marks["flood"], marks["idle_after"]
    middle = (begin + end) / 2
    halves = [memory.between(*half)["median_mb"] for half in ((begin, middle), (middle, end))]
    loaded = max(phases["flood"]["max_mb"], phases["catch_up"]["max_mb"])
    return {
        "sustainable_spans_per_second": round(sustainable),
        "flood_s": round(took, 1),
        "flood_spans": flooded,
        "flood_spans_per_second": round(flooded / took),
        "factor": round(flooded / took / sustainable, 1),
        "stored_during_flood": flooded - waiting,
        "waiting_in_kafka_after_flood": waiting,
        "catch_up_s": round(caught_up, 1),
        "catch_up_spans_per_second": round(waiting / max(caught_up, 0.5)),
        "memory": phases,
        "memory_growth_mb": round(loaded - phases["sustainable"]["max_mb"], 1),
        "memory_drift_mb": round(halves[1] - halves[0], 1),
    }


def final(sent: Sent, totals: dict[str, int], store: dict[str, Any]) -> dict[str, Any]:
    """The account: by the ledger while the collector ran, by the tables after it has ended.

    Args:
        sent: what the producer wrote.
        totals: of the pipeline's API.
        store: of the tables, as `holdings` makes it.
    """
    found = {
        "records_sent": sent.records,
        "spans_sent": sent.spans,
        "broken_sent": sent.broken,
        "stored": totals["stored"],
        "rejected": totals["rejected"],
        "duplicates": totals["duplicates"],
        "lag": totals["lag"],
        "rows": store["spans"],
        "distinct_rows": store["distinct"],
        "ledger_records": store["ledger_records"],
        "ledger_gaps": len(store["gaps"]),
    }
    is_exact = (
        (sent.spans, sent.spans, sent.spans) == (totals["stored"], store["spans"], store["distinct"])
        and (sent.broken, sent.records) == (totals["rejected"], store["ledger_records"])
        and not totals["lag"]
        and not totals["duplicates"]
        and not store["gaps"]
    )
    return found | {"exact": is_exact}


def setting(text: str) -> tuple[str, str]:
    """Name and value of a setting.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.startswith("SPANWISE_"):
        raise argparse.ArgumentTypeError(f"{text!r} is not like SPANWISE_BATCH_ROWS=20000")
    return name, value


def main() -> None:
    """Measure and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the flood lasts (default 60)")
    parser.add_argument("--factor", type=float, default=FACTOR, help="times the sustainable rate (default 10)")
    parser.add_argument("--size", choices=list(SIZES), default="lean", help="of spans (default lean, 765 bytes)")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        type=setting,
        metavar="SPANWISE_NAME=VALUE",
        dest="settings",
        help="a setting of the collector, such as SPANWISE_BATCH_ROWS=20000; may be given more than once",
    )
    given = parser.parse_args()
    settings = dict(given.settings)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        kafka = stack.enter_context(ApacheKafka(directory))
        port = free_port()
        with collector(kafka.bootstrap, directory, port, settings) as pid, watched(pid) as memory:
            flood, pipeline = Flood(kafka.bootstrap, SIZES[given.size]), Pipeline(port)
            figures = measure(flood, pipeline, memory, seconds=given.seconds, factor=given.factor)
            totals = pipeline.totals()
            flood.close()
        database = Database.open(f"chdb://{directory / 'store'}")
        account = final(flood.sent, totals, holdings(database, SPANS_TOPIC))
        database.close()
    asked = {"seconds": given.seconds, "size": given.size, "settings": settings}
    limit = {"limit_memory_growth_mb": LIMIT_GROWTH_MB}
    print(json.dumps({"benchmark": "flood", **asked, **figures, **account, **limit}))


if __name__ == "__main__":
    main()
