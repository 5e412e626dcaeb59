"""How long an annotation queue takes to look at a day of spans: `python -m bench.annotation_fill` prints one JSON line.

Rows are made inside the embedded engine: traces of four spans, a root and three model calls, over 20 hours; 1 % failed,
10 % of a new release. The queue has a random share of 0.1 % and two rules. One look, once for whole traces and once for
single calls.
"""

import argparse
import itertools
import json
import tempfile
import time
from datetime import UTC, datetime
from typing import Final

from spanwise_collector.annotate.filler import Filler
from spanwise_collector.annotate.items import Items
from spanwise_collector.annotate.queues import Queues
from spanwise_collector.store.database import Database
from spanwise_collector.store.migrate import migrate
from spanwise_schemas.api_annotations import Queue, Target

TARGETS: Final[tuple[Target, ...]] = ("trace", "span")
_SEED: Final = (
    "INSERT INTO spans (project_id, trace_id, span_id, start_time, name, kind, is_root, release, failure_class) SELECT "
    "'default', substring(SHA256(toString(intDiv(number, 4))), 1, 16), "
    "substring(SHA256(concat('s', toString(number))), 1, 8), "
    "now64(6) - toIntervalSecond(72000) + toIntervalMicrosecond(intDiv(number * 70000000000, {spans:UInt64})), "
    "'step', if(number % 4 = 0, 'chain', 'llm'), number % 4 = 0, if(number % 40 < 4, 'v2', 'v1'), "
    "if(number % 101 = 0, 'refusal', '') FROM numbers({spans:UInt64})"
)


def queue(target: Target) -> Queue:
    """A queue with a random share and two rules."""
    return Queue.model_validate(
        {
            "name": target,
            "questions": [{"name": "correct"}],
            "target": target,
            "random_share": 0.001,
            "max_open": 5_000,
            "rules": [
                {"name": "refused", "failures": ["refusal"], "share": 0.05},
                {"name": "new", "where": {"release": ["v2"]}, "share": 0.001},
            ],
        }
    )


def measure(spans: int) -> dict[str, float | int]:
    """Seconds and items of one look at so many spans."""
    found: dict[str, float | int] = {"spans": spans}
    ids = (f"{number:016x}" for number in itertools.count(1))

    def now() -> datetime:
        return datetime.now(UTC)

    with tempfile.TemporaryDirectory() as directory:
        database = Database.open(f"chdb://{directory}")
        migrate(database)
        database.command(_SEED, {"spans": spans})
        queues, items = Queues(database, now=now, new_id=lambda: next(ids)), Items(database)
        filler = Filler(database, queues, items, now)
        for target in TARGETS:
            known = queues.add("default", queue(target), "bench")
            began = time.perf_counter()
            done = filler.fill(known)
            found[f"{target}_seconds"] = round(time.perf_counter() - began, 2)
            found[f"{target}_items"] = done["items"]
        database.close()
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=1_000_000)
    print(json.dumps({"benchmark": "annotation_fill", **measure(parser.parse_args().spans)}))


if __name__ == "__main__":
    main()
