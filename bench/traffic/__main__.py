"""Prints a sample of simulated traffic as CSV: single requests, or the hours of a stream.

python -m bench.traffic --seed 1 --per-day 2000 --days 7 --limit 20
python -m bench.traffic --seed 1 --per-day 2000 --days 42 --hourly --error-x4-from 700
"""

import argparse
import csv
import sys
from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from bench.traffic.columns import Columns, columns
from bench.traffic.draws import draw
from bench.traffic.plan import DIMENSIONS, NUISANCES, Injection, Nuisance, Plan
from bench.traffic.requests import requests
from bench.traffic.rollups import Grid


def main(arguments: Sequence[str] | None = None) -> None:
    """Print what the arguments ask for; those of the command where they are None."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=1, help="decides every draw (default 1)")
    parser.add_argument("--per-day", type=int, default=2_000, help="requests on a weekday (default 2000)")
    parser.add_argument("--days", type=int, default=7, help="length of the stream (default 7)")
    parser.add_argument("--nuisance", action="append", default=[], help=f"kind@day of {', '.join(NUISANCES)}")
    parser.add_argument("--error-x4-from", type=float, help="hour from which errors are four times as frequent")
    parser.add_argument("--hourly", action="store_true", help="the hours instead of single requests")
    parser.add_argument("--limit", type=int, default=20, help="how many requests to print (default 20)")
    options = parser.parse_args(arguments)
    nuisances = tuple(
        Nuisance(kind, int(day or 0)) for kind in NUISANCES for name, _, day in _split(options.nuisance) if name == kind
    )
    plan = Plan(options.seed, options.per_day, options.days, nuisances=nuisances)
    bad = () if options.error_x4_from is None else (Injection("error", 4.0, options.error_x4_from),)
    made = columns(draw(plan), bad)
    if options.hourly:
        _print_hours(plan, made)
    else:
        _print_requests(plan, made, options.limit)


def _split(texts: Sequence[str]) -> list[tuple[str, str, str]]:
    return [text.partition("@") for text in texts]


def _print_requests(plan: Plan, made: Columns, limit: int) -> None:
    out = csv.writer(sys.stdout)
    fields = ("latency_ms", "ttft_ms", "input_tokens", "output_tokens", "cost_usd", "error", "refusal", "score")
    out.writerow(("time", *DIMENSIONS, *fields))
    for one, _ in zip(requests(plan, made), range(limit), strict=False):
        values = (getattr(one, field) for field in fields)
        shown = (f"{value:.6g}" if isinstance(value, float) else value for value in values)
        out.writerow((one.time.isoformat(timespec="milliseconds"), *one.dimensions.values(), *shown))


def _print_hours(plan: Plan, made: Columns) -> None:
    grid = Grid(made, plan.days, 1.0)
    latency, cost, score = (grid.sums(v) for v in (np.log(made.latency_ms), made.cost_usd, made.score))
    counts = (grid.events(), grid.events(made.error), grid.events(made.refusal))
    out = csv.writer(sys.stdout)
    out.writerow(("time", "requests", "errors", "refusals", "latency_log_mean", "cost_usd", "score_mean"))
    for hour in range(grid.count):
        means = (sums.total[hour] / sums.n[hour] if sums.n[hour] else float("nan") for sums in (latency, score))
        latency_mean, score_mean = means
        out.writerow(
            (
                (plan.start + timedelta(hours=hour)).isoformat(),
                *(int(count[hour]) for count in counts),
                f"{latency_mean:.4f}",
                f"{cost.total[hour]:.6f}",
                f"{score_mean:.4f}",
            )
        )


if __name__ == "__main__":
    main()
