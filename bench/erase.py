"""How long it takes to erase a user: `python -m bench.erase` prints one JSON line.

Rows are made inside the embedded engine: traces of four spans over seven days, of which each has an input of 600
characters; 1,000 users and 50 combinations of name and model. A dry run looks for one user, then another one is erased:
for each of the days the roll-ups of the project are made anew.
"""

import argparse
import json
import tempfile
import time
from datetime import UTC, datetime
from typing import Final

from spanwise_collector.erase.book import Erasure, ErasureBook
from spanwise_collector.erase.eraser import Eraser
from spanwise_collector.erase.tables import trace_digest
from spanwise_collector.query.values import micros
from spanwise_collector.store.amend import Amender
from spanwise_collector.store.database import Database
from spanwise_collector.store.migrate import migrate

_IDS: Final = (
    "substring(SHA256(toString(intDiv(number, 4))), 1, 16) AS trace_id, "
    "substring(SHA256(concat('s', toString(number))), 1, 8) AS span_id, "
    "now64(6) - toIntervalDay(7) + toIntervalMicrosecond(intDiv(number * 600000000000, {spans:UInt64})) AS start_time"
)
_SPANS: Final = (
    "INSERT INTO spans (project_id, trace_id, span_id, start_time, duration_us, name, kind, is_root, user_id, "
    f"model_response, tok_input, tok_output, counts_usage, cost_total_n, cost_source) SELECT 'default', {_IDS}, "
    "rand() % 5000000, concat('step ', toString(number % 10)), if(number % 4 = 0, 'chain', 'llm'), number % 4 = 0, "
    "concat('u', toString(intDiv(number, 4) % 1000)), concat('m', toString(number % 5)), 100, 20, number % 4 != 0, "
    "1000, 'computed' FROM numbers({spans:UInt64})"
)
_BODIES: Final = (
    f"INSERT INTO span_io (project_id, trace_id, span_id, start_time, input) SELECT 'default', {_IDS}, "
    "repeat(hex(SHA256(toString(number))), 10) FROM numbers({spans:UInt64})"
)


def measure(spans: int) -> dict[str, object]:
    """Seconds and counts of one erasure among so many spans."""

    def now() -> datetime:
        return datetime.now(UTC)

    with tempfile.TemporaryDirectory() as directory:
        database = Database.open(f"chdb://{directory}")
        try:
            migrate(database)
            for statement in (_SPANS, _BODIES):
                database.command(statement, {"spans": spans})
            book = ErasureBook(database, "bench", now)
            eraser = Eraser(database, book, Amender(database, owner="bench", now=now))
            began = time.perf_counter()
            eraser.counted(_of("u2", now()))
            counted = time.perf_counter()
            done = eraser.run(book.save(_of("u1", now())))
            ended = time.perf_counter()
        finally:
            database.close()
    return {
        "spans": spans,
        "traces_erased": done.progress.traces,
        "spans_erased": done.progress.counts["spans"],
        "dry_run_s": round(counted - began, 2),
        "erase_s": round(ended - counted, 2),
    }


def _of(user: str, now: datetime) -> Erasure:
    digest = trace_digest("user", "default", user)
    return Erasure(user, "default", "user", digest, micros(now), "asked", "bench", now, now)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=1_000_000)
    print(json.dumps({"benchmark": "erase", **measure(parser.parse_args().spans)}))


if __name__ == "__main__":
    main()
