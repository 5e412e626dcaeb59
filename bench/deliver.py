"""What claims, leases and delivering cost on the embedded engine: `python -m bench.deliver`.

Notifications go over HTTP to a server in the same process. Prints one JSON line.
"""

import argparse
import itertools
import json
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from spanwise_collector.alerts.batches import GROUP_WAIT
from spanwise_collector.alerts.channels.addresses import read_networks
from spanwise_collector.alerts.channels.config import CHANNEL
from spanwise_collector.alerts.channels.opening import Surroundings, open_channel, recipient
from spanwise_collector.alerts.claims import Lease, take
from spanwise_collector.alerts.deliver import Deliverer, Route
from spanwise_collector.alerts.outbox import Outbox
from spanwise_collector.store.database import Database
from spanwise_collector.store.migrate import migrate
from tests.support.notices import alert, notice
from tests.support.receivers import http_receiver

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def timed(count: int, do: Callable[[int], object]) -> dict[str, float]:
    """Milliseconds of each of some calls: median and the longest."""
    taken = []
    for number in range(count):
        began = time.perf_counter()
        do(number)
        taken.append((time.perf_counter() - began) * 1000)
    return {"median_ms": round(statistics.median(taken), 1), "max_ms": round(max(taken), 1)}


def races(database: Database, rounds: int) -> int:
    """How many terms had not exactly one owner, of eight threads that raced for each."""
    barrier = threading.Barrier(8)
    owners: list[list[int]] = [[] for _ in range(rounds)]

    def race(owner: int) -> None:
        for term in range(rounds):
            barrier.wait()
            if take(database, "race", term + 1, str(owner), until=NOW + timedelta(minutes=1), now=NOW):
                owners[term].append(owner)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(len(one) != 1 for one in owners)


def fill(database: Database, rows: int) -> None:
    """Notifications that were sent long ago."""
    body = '{"kind":"firing"}'
    times = pa.array([NOW - timedelta(days=30)] * rows, pa.timestamp("ms", "UTC"))
    columns = {
        "project_id": pa.array(["shop"] * rows),
        "key": pa.array([f"old{number}:hook" for number in range(rows)]),
        "channel": pa.array(["hook"] * rows),
        "state": pa.array(["sent"] * rows),
        "created_at": times,
        "next_at": times,
        "body": pa.array([body] * rows),
    }
    database.insert("notifications", pa.RecordBatch.from_pydict(columns), token="old")


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rules", type=int, default=100)
    options.add_argument("--old", type=int, default=100_000)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as directory, http_receiver() as receiver:
        database = Database.open(f"chdb://{Path(directory)}?database=bench")
        migrate(database)
        now = NOW
        ids = map(str, itertools.count())
        config = CHANNEL.validate_python({"name": "hook", "type": "webhook", "url": receiver.url()})
        around = Surroundings({}, read_networks("127.0.0.0/8"), lambda: now)
        route = Route(open_channel(config, around), is_grouped=True)
        outbox = Outbox(database, lambda: [recipient(config)])
        until = NOW + timedelta(minutes=1)
        lease = Lease(database, "lease", "me", 30, lambda: datetime.now(UTC))
        figures: dict[str, object] = {
            "claim": timed(200, lambda number: take(database, f"n{number}", 1, "me", until=until, now=NOW)),
            "lease_asked": timed(200, lambda _: lease.is_leader()),
            "race_terms": 50,
            "race_terms_without_one_owner": races(database, 50),
        }
        fill(database, given.old)
        figures["look_into_outbox_of"] = given.old
        figures["look"] = timed(20, lambda _: outbox.waiting())
        for number in range(given.rules):
            outbox.enqueue(notice(number, at=NOW, alert=alert(number, rule_id=f"r{number}")))
        now = NOW + GROUP_WAIT
        deliverer = Deliverer(
            database,
            outbox,
            lambda: {"hook": route},
            now=lambda: now,
            new_id=lambda: next(ids),
            rng=random.Random(1),
        )
        began = time.perf_counter()
        done = deliverer.round()
        seconds = time.perf_counter() - began
        figures |= {
            "messages": done.sent,
            "received": len(receiver.received),
            "messages_per_s": round(done.sent / seconds, 1),
        }
        database.close()
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
