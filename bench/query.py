"""How long the API takes for every call that a page makes, with millions of spans: prints one JSON line.

    python -m bench.query --spans 10000000

Rows are made inside the embedded engine (bench/seed.py) and kept in --directory for the next run. The calls go through
the real app in this process, without a network, one at a time, each `--repeats` times in rounds; what is measured is
request to full answer.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, get_args

import httpx

from bench.seed import Shape, big_trace_id, seed
from spanwise_collector.api.app import create_app
from spanwise_collector.settings import Settings
from spanwise_collector.store.database import Database
from spanwise_collector.store.migrate import migrate
from spanwise_schemas.api_costs import CostDimension

# Limits in milliseconds, for the median: what the project promises at 10 million spans on two cores.
LIST_MS: Final = 150
TRACE_MS: Final = 1000
END: Final = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a page.

    Attributes:
        name: in the report.
        path: without query.
        query: parameters.
        limit_ms: what the median must stay under; None where nothing is promised.
    """

    name: str
    path: str
    query: Mapping[str, str | int]
    limit_ms: int | None = None


def calls(now: datetime, trace_id: str, span_id: str) -> list[Call]:
    """Every call that the dashboard's pages make, for the last 24 hours and for two weeks."""
    found = [
        Call("trace of 10 spans", f"/api/v1/traces/{trace_id}", {}, TRACE_MS),
        Call("trace of 5,000 spans", f"/api/v1/traces/{big_trace_id(0)}", {}, TRACE_MS),
        Call("trace of 10,000 spans", f"/api/v1/traces/{big_trace_id(1)}", {}, TRACE_MS),
        Call("span with bodies", f"/api/v1/traces/{trace_id}/spans/{span_id}", {}),
        Call("projects", "/api/v1/projects", {}),
    ]
    # Off the grid of hours and of ten minutes, as real questions are.
    to = now - timedelta(minutes=137)
    for label, days in (("24 h", 1), ("14 d", 14)):
        window: dict[str, str | int] = {"from": (to - timedelta(days=days)).isoformat(), "to": to.isoformat()}
        filters: dict[str, dict[str, str | int]] = {
            "no filter": {},
            "environment": {"environment": "dev"},
            "name": {"name": "workflow-39"},
            "kind": {"kind": "llm"},
            "model": {"model": "model-29"},
            "status": {"status": "error"},
            "user": {"user": "user-17000"},
            "session": {"session": "session-300000"},
            "tag": {"tag": "tag-3"},
            "cost": {"min_cost_usd": "0.0029"},
            "duration": {"min_duration_ms": 23_900},
            "text, rare": {"q": "order-883381"},
            "text, common": {"q": "refund policy"},
            "text, phrase": {"q": '"the refund"'},
            "text, absent": {"q": "xylophone"},
        }
        found += [
            Call(f"traces {label}: {name}", "/api/v1/traces", {**window, **more}, LIST_MS)
            for name, more in filters.items()
        ]
        found.append(Call(f"overview {label}", "/api/v1/overview", window, LIST_MS))
        for metric in ("requests", "latency_p95", "cost_nanousd", "users"):
            for group in ("none", "model"):
                query = {**window, "metric": metric, "group_by": group}
                found.append(Call(f"metric {label}: {metric} by {group}", "/api/v1/metrics", query))
        found += [
            Call(f"costs {label}: {path}", f"/api/v1/{path}", window)
            for path in (
                "costs",
                *(f"costs/by/{dimension}" for dimension in get_args(CostDimension)),
                "costs/unpriced",
                "costs/duplicates",
                "what-if/cache",
            )
        ]
        other = {"to_provider": "openai", "to_model": "gpt-4o-mini"}
        found.append(Call(f"costs {label}: what-if/model", "/api/v1/what-if/model", {**window, **other}))
        found += [
            Call(f"facets {label}", "/api/v1/facets", window),
            Call(f"pipeline {label}", "/api/v1/pipeline", window),
        ]
    return found


Times = dict[str, list[tuple[float, float]]]


async def measure(client: httpx.AsyncClient, todo: list[Call], repeats: int) -> Times:
    """Milliseconds of each call, by the clock and on the processors.

    Rounds are in shuffled order, so that no call gains from the one before. Time on the processors counts all threads;
    it is what stays comparable when other programs run.
    """
    times: Times = {call.name: [] for call in todo}
    rng = random.Random(1)
    for number in range(repeats + 1):
        for call in rng.sample(todo, len(todo)):
            start, cpu = time.perf_counter(), time.process_time()
            answer = await client.get(call.path, params=call.query)
            took = ((time.perf_counter() - start) * 1000, (time.process_time() - cpu) * 1000)
            if answer.status_code != 200:
                raise SystemExit(f"{call.name}: {answer.status_code} {answer.text[:500]}")
            if number:  # the first round warms the caches
                times[call.name].append(took)
    return times


def report(todo: list[Call], times: Times, facts: dict[str, Any]) -> dict[str, Any]:
    """The JSON line: median and 95th percentile of each call, and whether all limits hold."""
    results = {}
    for call in todo:
        ordered = sorted(wall for wall, _ in times[call.name])
        result: dict[str, Any] = {
            "median_ms": round(statistics.median(ordered), 1),
            "p95_ms": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))], 1),
            "cpu_ms": round(statistics.median(cpu for _, cpu in times[call.name]), 1),
        }
        if call.limit_ms is not None:
            result |= {"limit_ms": call.limit_ms, "ok": result["median_ms"] < call.limit_ms}
        results[call.name] = result
    missed = [name for name, result in results.items() if not result.get("ok", True)]
    return {"bench": "query", **facts, "calls": results, "missed": missed, "ok": not missed}


async def run(database: Database, repeats: int, facts: dict[str, Any]) -> dict[str, Any]:
    """Measure everything on a filled database."""
    app = create_app(database=database, settings=Settings(), clock=lambda: END)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://bench", timeout=120
    ) as client:
        day: dict[str, str | int] = {
            "from": (END - timedelta(days=6)).isoformat(),
            "to": (END - timedelta(days=5)).isoformat(),
            "limit": 1,
        }
        trace_id = (await client.get("/api/v1/traces", params=day)).json()["items"][0]["trace_id"]
        span_id = (await client.get(f"/api/v1/traces/{trace_id}")).json()["spans"][3]["span_id"]
        todo = calls(END, trace_id, span_id)
        return report(todo, await measure(client, todo, repeats), facts)


def main() -> None:
    """Fill the database if it is empty, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--spans", type=int, default=1_000_000, help="how many, about (default 1,000,000)")
    parser.add_argument("--repeats", type=int, default=9, help="times that each call is measured (default 9)")
    parser.add_argument(
        "--directory", type=Path, help="where the database is kept; default: a temporary directory by size"
    )
    options = parser.parse_args()
    directory = options.directory or Path(tempfile.gettempdir()) / f"spanwise-bench-query-{options.spans}"
    database = Database.open(f"chdb://{directory}", readers=2)
    migrate(database)
    # Fixed dates make the rows the same on every run; they must not expire.
    database.command("SYSTEM STOP TTL MERGES")
    started = time.perf_counter()
    if not database.query("SELECT count() FROM spans").rows[0][0]:
        print(f"making {options.spans:,} spans in {directory} …", file=sys.stderr)
        seed(database, Shape(options.spans, END))
    facts = {
        "spans": database.query("SELECT count() FROM spans").rows[0][0],
        "cores": os.cpu_count(),
        "seed_seconds": round(time.perf_counter() - started, 1),
        "repeats": options.repeats,
        # Above the number of cores, other programs took part of the machine and the clock's times say little.
        "load": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(asyncio.run(run(database, options.repeats, facts))))
    database.close()


if __name__ == "__main__":
    main()
