"""How long an SQL evaluator takes over all history: prints one JSON line.

    python -m bench.evals.sql_backfill --spans 1000000

Rows of the last week are made inside the embedded engine (bench/seed.py), and kept where --directory is given. Measured
is a job from its start to its end as a collector does it: planned, slice by slice counted and inserted, its position
stored. Scores of the run before are removed first, and with them the memory of their tokens. What is stored is checked:
as many rows as spans were scored.
"""

import argparse
import json
import os
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from bench.seed import Shape, seed
from spanwise_collector.query.window import EARLIEST, LATEST, Window
from spanwise_collector.sql_evals.backfill import Backfiller
from spanwise_collector.sql_evals.checking import check
from spanwise_collector.sql_evals.definitions import Definitions
from spanwise_collector.sql_evals.jobs import Jobs
from spanwise_collector.sql_evals.scoring import MEMORY_BYTES
from spanwise_collector.store.database import Database, ReadLimits
from spanwise_collector.store.migrate import migrate

LIMIT_S: Final = 10.0
EXPRESSIONS: Final = {
    "words of the answer": "length(splitByWhitespace(output))",
    "answer longer than the question": "lengthUTF8(output) > lengthUTF8(input)",
    "words that are not in the question": "arrayCount(w -> position(input, w) = 0, splitByNonAlpha(output)) / "
    "length(splitByNonAlpha(output))",
    "duration": "duration_ms",
}


def run(database: Database, name: str, expression: str) -> dict[str, Any]:
    """One evaluator over everything."""
    database.command("TRUNCATE TABLE scores SYNC")
    ids = iter(range(1, 100))

    def new_id() -> str:
        return f"{time.time_ns()}-{next(ids)}"

    def now() -> datetime:
        return datetime.now(UTC)

    definitions, jobs = Definitions(database, now=now, new_id=new_id), Jobs(database, now=now, new_id=new_id)
    window = Window.of(now() - timedelta(days=14), None, now())
    kind = check(database, window, "default", expression).scorer.kind
    definition = definitions.add(
        "default", name.replace(" ", "_"), expression=expression, condition="", description="", kind=kind, by="bench"
    )
    started, cpu = time.perf_counter(), time.process_time()
    job = jobs.start(definition, EARLIEST, LATEST, "bench")
    worker = Backfiller(database, definitions, jobs, clock=time.monotonic)
    while worker.step()["more"]:
        pass
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    done = jobs.get("default", job.id)
    assert done is not None
    assert done.state == "done", done
    stored = database.query("SELECT count() FROM scores").rows[0][0]
    assert stored == done.outcome.scored, (stored, done)
    return {
        "expression": expression,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu, 2),
        "spans": done.outcome.spans,
        "scored": done.outcome.scored,
        "spans_per_s": round(done.outcome.spans / seconds),
    }


def main() -> None:
    """Fill the database if it is empty, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--spans", type=int, default=1_000_000, help="how many, about (default 1,000,000)")
    parser.add_argument("--directory", type=Path, help="where the database is kept (default: nowhere)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        print(json.dumps(measured(options.directory or Path(temporary), options.spans)))


def measured(directory: Path, spans: int) -> dict[str, Any]:
    """What the line says."""
    database = Database.open(f"chdb://{directory}", readers=1, limits=ReadLimits(memory_bytes=MEMORY_BYTES))
    migrate(database)
    # Of a directory that is used again the texts must not expire.
    database.command("SYSTEM STOP TTL MERGES")
    if not database.query("SELECT count() FROM spans").rows[0][0]:
        seed(database, Shape(spans, datetime.now(UTC), days=7))
    load = round(os.getloadavg()[0], 1)
    results = {name: run(database, name, expression) for name, expression in EXPRESSIONS.items()}
    slowest = max(one["seconds"] for one in results.values())
    stored = database.query("SELECT count() FROM spans").rows[0][0]
    database.close()
    return {
        "bench": "evals.sql_backfill",
        "stored_spans": stored,
        "cores": os.cpu_count(),
        # Above the number of cores, other programs took part of the machine.
        "load": load,
        "evaluators": results,
        "limit_seconds": LIMIT_S,
        "ok": slowest < LIMIT_S,
    }


if __name__ == "__main__":
    main()
