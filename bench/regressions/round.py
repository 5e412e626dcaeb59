"""One round of alert rules: 200 rules over 20 series each, on roll-ups of 90 days.

    python -m bench.regressions.round

Rows are made inside the embedded engine: every hour of 90 days, 20 routes, and the calls of 20 prompts under four
models. Half of the rules watch requests by route, half calls by prompt, each for one of five environments, so that ten
queries serve them all. Measured are the first round (30 days of history of every rule), the rounds of the two hours
after, and one after a day without an evaluator, in which every rule takes 24 hours and fits anew what is usual.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from spanwise_collector.alerts.engine import Engine
from spanwise_collector.alerts.notice import Notice
from spanwise_collector.alerts.state import Acknowledgement, Restart, Silencing
from spanwise_collector.store.database import Database
from spanwise_collector.store.migrate import migrate
from spanwise_schemas.rules import RULE, Rule

DAYS: Final = 90
SERIES: Final = 20
ENVIRONMENTS: Final = 5
END: Final = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
OF_REQUESTS: Final = ("error_rate", "latency", "requests")
OF_CALLS: Final = (
    "call_error_rate",
    "call_latency",
    "refusal_rate",
    "cost_per_call",
    "output_tokens",
    "invalid_json_rate",
)


@dataclass
class _World:
    """Rules and nobody who says anything."""

    rules_: list[Rule]
    told: list[Notice] = field(default_factory=list)

    def rules(self) -> list[tuple[str, Rule]]:
        return [("file", rule) for rule in self.rules_]

    def silences(self, project: str, now: datetime) -> Sequence[Silencing]:
        return []

    def restarts(self, project: str) -> Sequence[Restart]:
        return []

    def acknowledged(self, project: str, alert_ids: Sequence[int]) -> dict[int, Acknowledgement]:
        return {}

    def enqueue(self, notice: Notice) -> None:
        self.told.append(notice)


def rules(count: int) -> list[Rule]:
    """So many rules of five types, each split into 20 series."""
    found = []
    for number in range(count):
        by, signals = (("route", OF_REQUESTS), ("prompt", OF_CALLS))[number % 2]
        kind = number // 2
        environment = f"env-{kind % ENVIRONMENTS}"
        what = signals[kind // ENVIRONMENTS % len(signals)]
        rule: dict[str, object] = {"id": f"rule-{number}", "by": [by], "max_series": SERIES}
        rule["where"] = {"environment": [environment]}
        match kind // (ENVIRONMENTS * 4):
            case 0 | 1 | 2:
                rule |= {"type": "anomaly", "signal": what}
            case 3:
                rule |= {"type": "relative", "signal": what, "change": 0.5}
            case _:
                rule |= {"type": "threshold", "signal": what, "above": 1e9, "window": "3d"}
        found.append(RULE.validate_python(rule))
    return found


def seed(database: Database) -> int:
    """90 days of roll-up rows; how many."""
    hours = DAYS * 24
    per_hour = ENVIRONMENTS * SERIES * 5
    start = int(END.timestamp()) - hours * 3600
    database.command("SYSTEM STOP TTL MERGES")
    # Of each environment and series one row of requests, and four of calls, one per model.
    database.command(
        "INSERT INTO signals_1h (project_id, time, kind, is_root, env, name, model, provider, prompt, n, n_err, "
        "n_calls, n_priced, cost_n, lat_s1, lat_s2, lat_h, tout_n, tout_s1, tout_s2, failed) SELECT 'default', "
        f"toDateTime({start} + intDiv(number, {per_hour}) * 3600, 'UTC') AS t, "
        "if(number % 5 = 0, 'chain', 'llm') AS k, "
        f"number % 5 = 0 AS root, concat('env-', toString(intDiv(number, 5) % {ENVIRONMENTS})), "
        f"if(root, concat('route-', toString(intDiv(number, 5 * {ENVIRONMENTS}) % {SERIES})), 'chat'), "
        "if(root, '', concat('model-', toString(number % 5))), if(root, '', 'openai'), "
        f"if(root, '', concat('ask-', toString(intDiv(number, 5 * {ENVIRONMENTS}) % {SERIES}), '@v1')), "
        "toUInt64(greatest(1, round((if(root, 40, 10) + 20 * sin(2 * pi() * (toHour(t) - 8) / 24)) "
        "* exp(0.15 * (randNormal(0, 1, 1)))))) AS requests, "
        "toUInt64(randBinomial(50, 0.02, 2) * requests / 50) AS errors, if(root, 0, requests), if(root, 0, requests), "
        "if(root, 0, requests * 2000000 * exp(0.1 * randNormal(0, 1, 7))), "
        "requests * (6.5 + 0.1 * randNormal(0, 1, 3)) AS s1, "
        "s1 * s1 / requests + 0.4 * requests, map(toInt16(133), toUInt64(requests)), "
        "if(root, 0, requests), requests * (5 + 0.1 * randNormal(0, 1, 4)) AS o1, o1 * o1 / requests + 0.5 * requests, "
        "map('refusal', toUInt64(randBinomial(20, 0.03, 5)), 'invalid_json', toUInt64(randBinomial(20, 0.02, 6))) "
        f"FROM numbers({hours * per_hour})"
    )
    return hours * per_hour


def measure(count: int = 200) -> dict[str, object]:
    """Seconds of the rounds by the clock and of the processor, and what they did."""
    with tempfile.TemporaryDirectory() as directory:
        database = Database.open(f"chdb://{directory}", readers=2)
        try:
            migrate(database)
            rows = seed(database)
            world = _World(rules(count))
            engine = Engine(database, world, world, world, first_s=3600.0)
            found: dict[str, object] = {"rules": count, "rows": rows, "days": DAYS}
            errors = 0
            # The last is after a day without an evaluator: 24 hours to take, and a fit of every rule.
            for name, hours_before in (("first", 26), ("steady", 25), ("steady_2", 24), ("after_a_day", 0)):
                wall, cpu = time.monotonic(), time.process_time()
                done = engine.round(END - timedelta(hours=hours_before) + timedelta(minutes=2))
                found[f"{name}_s"] = round(time.monotonic() - wall, 2)
                found[f"{name}_cpu_s"] = round(time.process_time() - cpu, 2)
                found["series"] = done.series
                errors += done.errors
            return {**found, "errors": errors, "cores": len(os.sched_getaffinity(0)), "load": os.getloadavg()[0]}
        finally:
            database.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rules", type=int, default=200)
    print(json.dumps(measure(parser.parse_args().rules)))
