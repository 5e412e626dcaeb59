"""How fast the evaluators without a model are, on one core: `python -m bench.evals.registry` prints one JSON line.

Each evaluator scores the same samples alone, then all of them score each sample one after another, as the collector
and the SDK have them do. Every sample has texts of its own (`bench.evals.samples`). Time is the thread's CPU time, the
best of the rounds, since others may be at work on the machine; `loop_ns` is what one turn of an empty Python loop took
meanwhile. At last a process on each core scores samples with all of them, as collectors of a group do, by the clock:
the limit is that of all together, and both figures are compared with it.
"""

import argparse
import json
import multiprocessing
import os
import time
from collections.abc import Sequence
from statistics import mean
from typing import Any, Final

from bench.evals.samples import ANSWER, samples
from spanwise_evaluators import registry
from spanwise_evaluators.model import Sample
from spanwise_evaluators.registry import RegistryEvaluator

LIMIT: Final = 2_000
"""Spans per second that all evaluators together have to score."""
_WORKER_S: Final = 600.0
_PARAMETERS: Final[dict[str, dict[str, Any]]] = {
    "schema_match": {"schema": ANSWER},
    "regex": {"pattern": r"\bORD-[0-9]{6}\b"},
    "contains": {"texts": ["refund", "invoice"], "mode": "any", "ignore_case": True},
    "length": {"unit": "words", "least": 5, "most": 200},
    "citations": {"support": 0.5},
    "latency_budget": {"most_ms": 2_000},
    "cost_budget": {"most_usd": 0.005},
}


def evaluators() -> list[RegistryEvaluator]:
    """All of the registry, with parameters as an application would set them."""
    return [registry.make(name, **_PARAMETERS.get(name, {})) for name in registry.names()]


def measure(count: int = 2_000, rounds: int = 3) -> dict[str, Any]:
    """The figures.

    Args:
        count: samples.
        rounds: of which the best counts.
    """
    all_evaluators = evaluators()
    per_second = dict.fromkeys([one.kind for one in all_evaluators], 0.0)
    together, loop_ns = 0.0, float("inf")
    for number in range(rounds):
        # New texts in each round: what is remembered per text is remembered within a sample only.
        given = list(samples(count, seed=number))
        for one in all_evaluators:
            per_second[one.kind] = max(per_second[one.kind], count / _seconds([one], given))
        loop_ns = min(loop_ns, _loop_ns())
        together = max(together, count / _seconds(all_evaluators, given))
    return {
        "benchmark": "evals_registry",
        "samples": count,
        "characters_of_an_answer": round(mean(len(one.output) for one in given)),
        "characters_of_its_documents": round(mean(sum(len(d.text) for d in one.context) for one in given)),
        "per_second_and_core": {name: round(rate) for name, rate in per_second.items()},
        "all_together_per_second_and_core": round(together),
        "cores": (cores := len(os.sched_getaffinity(0))),
        "all_together_per_second_on_all_cores": round(_on_all_cores(cores, count, rounds)),
        "limit": LIMIT,
        "loop_ns": round(loop_ns, 1),
    }


def _seconds(of: Sequence[RegistryEvaluator], given: Sequence[Sample]) -> float:
    began = time.thread_time()
    for sample in given:
        for one in of:
            one(sample)
    return time.thread_time() - began


def _on_all_cores(cores: int, count: int, rounds: int) -> float:
    """Samples per second of so many processes at once, from when all are ready until the last one has ended."""
    spawn = multiprocessing.get_context("spawn")
    ready, results = spawn.Barrier(cores), spawn.SimpleQueue()
    workers = [spawn.Process(target=_score, args=(count * rounds, seed, ready, results)) for seed in range(cores)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(_WORKER_S)
        if worker.exitcode != 0:
            raise SystemExit(f"a process on a core of its own ended with {worker.exitcode}")
    times: list[tuple[float, float]] = [results.get() for _ in workers]
    return cores * count * rounds / (max(end for _, end in times) - min(begin for begin, _ in times))


def _score(count: int, seed: int, ready: Any, results: Any) -> None:
    given, all_evaluators = list(samples(count, seed=seed)), evaluators()
    _seconds(all_evaluators, given[:100])
    ready.wait(_WORKER_S)
    began = time.monotonic()
    _seconds(all_evaluators, given)
    results.put((began, time.monotonic()))


def _loop_ns() -> float:
    began = time.thread_time()
    for _ in range(1_000_000):
        pass
    return (time.thread_time() - began) * 1_000


def main() -> None:
    """Measure and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=2_000, help="samples in a round (default 2,000)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, of which the best counts (default 3)")
    options = parser.parse_args()
    print(json.dumps(measure(options.samples, options.rounds)))


if __name__ == "__main__":
    main()
