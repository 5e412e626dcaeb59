"""What scoring costs: reading spans, judging, keeping the limit: `python -m bench.judging`.

The judge is a stub on this machine that answers at once. Prints one JSON line.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from spanwise_collector.evals.assembly import PanelMaker
from spanwise_collector.evals.chat_http import HttpEndpoint
from spanwise_collector.evals.config import EvaluatorEntry
from spanwise_collector.evals.evals_file import EvalsConfig, JudgeConfig
from spanwise_collector.evals.outcomes import Outcomes
from spanwise_collector.evals.releases import Releases
from spanwise_collector.evals.rubric import Criterion, Rubric
from spanwise_collector.evals.work import Worker
from spanwise_collector.ingest.records import Record
from spanwise_collector.store.database import Database
from spanwise_collector.store.migrate import migrate
from spanwise_evaluators.model import Sample, Verdict
from tests.support.judge_server import judge_server
from tests.support.judging import judge_entry, make_world, prices
from tests.support.otlp import NOW_NS, record, span, traces, transformer

SPANS = 400
"""In a record."""


@dataclass(frozen=True, slots=True)
class Length:
    """An evaluator that costs nothing itself."""

    name: str = "length"
    version: str = "1"

    def __call__(self, sample: Sample) -> Verdict | None:
        """How long the answer is."""
        return Verdict(float(len(sample.output)))


def made(count: int) -> list[Record]:
    """Records of calls with a kilobyte of input and output each."""
    found = []
    for number in range(count):
        spans = [
            span(
                "ask",
                {
                    "gen_ai.operation.name": "chat",
                    "input.value": f"question {number} {at} " + "x " * 250,
                    "output.value": f"answer {number} {at} " + "y " * 250,
                },
                trace_id=(number * SPANS + at + 1).to_bytes(16, "big"),
                start_ns=NOW_NS - 2_000_000_000,
            )
            for at in range(SPANS)
        ]
        found.append(record(traces(*spans), offset=number))
    return found


def timed(do: Callable[[], object]) -> float:
    """Seconds."""
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=25, help="of 400 spans (default: 25)")
    parser.add_argument("--judged", type=int, default=400, help="calls of the judge (default: 400)")
    options = parser.parse_args()
    records = made(options.records)
    with tempfile.TemporaryDirectory() as directory, judge_server() as server:
        database = Database.open(f"chdb://{Path(directory)}/engine")
        migrate(database)
        endpoint = HttpEndpoint()
        world = make_world(database, endpoint, clock=time.monotonic)

        def worker(config: EvalsConfig) -> tuple[Worker, PanelMaker]:
            maker = PanelMaker(lambda: config, world)
            counts = Outcomes(database, now=world.now, new_id=world.new_id)
            first_seen = Releases(database).first_seen
            return Worker(transformer(prices()), maker.current, first_seen, counts, os.urandom), maker

        reading, _ = worker(EvalsConfig(evaluators=((EvaluatorEntry(evaluator="length", project="shop"), Length()),)))
        read_s = timed(lambda: [reading.work([one], []) for one in records])
        share = options.judged / (options.records * SPANS)
        entry = judge_entry(server.url, sample=min(1.0, share), usd_per_day=1000, concurrency=8)
        rubric = Rubric("", (Criterion("", "Is it good?"),))
        judging, maker = worker(EvalsConfig(judges=(JudgeConfig(entry, rubric),)))
        judged_s = timed(lambda: [judging.work([one], []) for one in records])
        calls = len(server.requests)
        cached_s = timed(lambda: [judging.work([one], []) for one in records])
        assert len(server.requests) == calls, "a cached verdict was asked for again"
        rows = database.query("SELECT count() FROM judge_money").rows[0][0]
        maker.close()
        endpoint.close()
        database.close()
    spans = options.records * SPANS
    print(
        json.dumps(
            {
                "benchmark": "judging",
                "spans": spans,
                "evaluated_spans_per_s": round(spans / read_s),
                "judged": calls,
                "judged_per_s": round(calls / judged_s, 1),
                "cached_per_s": round(calls / cached_s, 1),
                "ledger_rows": rows,
            }
        )
    )


if __name__ == "__main__":
    main()
