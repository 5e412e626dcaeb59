"""How fast records become rows, on one core: `python -m bench.normalise` prints one JSON line.

Each size is a record of model calls in the GenAI conventions as our SDK sends them: 0.6 kB (lean), 2 kB (a short
conversation) and 10 kB. The floor is parsing the same protobuf and doing nothing with it. Time is the process's CPU
time, the best of the rounds, since others may be at work on the machine. `compiled` tells whether the transform is
compiled (docs/operations.md).
"""

import argparse
import json
import random
import time
from collections.abc import Callable
from typing import Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.ingest.records import Record
from spanwise_collector.ingest.transform import Transformer
from spanwise_collector.normalise import spans as inner_loop

SIZES: Final = {"lean": 600, "full": 2_000, "long": 10_000}
NOW_MS: Final = 1_795_348_800_000
RECORD_BYTES: Final = 900_000
WORDS: Final = [
    "the",
    "customer",
    "asks",
    "where",
    "her",
    "order",
    "of",
    "last",
    "week",
    "is",
    "and",
    "whether",
    "a",
    "refund",
    "is",
    "possible",
    "please",
    "check",
]


def request(rng: random.Random, spans: int, size: int) -> bytes:
    """A request with model calls of about a size."""
    made = ExportTraceServiceRequest()
    group = made.resource_spans.add()
    for key, value in (
        ("service.name", "support-bot"),
        ("service.version", "1.4.2"),
        ("spanwise.project", "shop"),
        ("deployment.environment.name", "prod"),
        ("telemetry.sdk.name", "opentelemetry"),
        ("telemetry.sdk.version", "1.45.2"),
    ):
        group.resource.attributes.add(key=key).value.string_value = value
    scoped = group.scope_spans.add()
    scoped.scope.name = "spanwise"
    for number in range(spans):
        add_call(scoped, rng, number, size)
    return made.SerializeToString()


def add_call(scoped: object, rng: random.Random, number: int, size: int) -> None:
    """One model call."""
    span = scoped.spans.add()  # type: ignore[attr-defined]
    span.trace_id, span.span_id, span.parent_span_id = rng.randbytes(16), rng.randbytes(8), rng.randbytes(8)
    span.name = "chat gpt-4o"
    span.start_time_unix_nano = NOW_MS * 1_000_000 - 10**10 + number * 1_000
    span.end_time_unix_nano = span.start_time_unix_nano + rng.randrange(10**9)
    body = max(40, size - 560)
    texts = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.response.id": f"chatcmpl-{rng.randbytes(12).hex()}",
        "session.id": f"session-{number % 100}",
        "user.id": f"user-{number % 50}",
        "gen_ai.input.messages": message("user", rng, body * 2 // 3),
        "gen_ai.output.messages": message("assistant", rng, body // 3),
    }
    for key, text in texts.items():
        span.attributes.add(key=key).value.string_value = text
    counts = {
        "gen_ai.usage.input_tokens": 1_000 + number,
        "gen_ai.usage.output_tokens": 150,
        "gen_ai.usage.cache_read.input_tokens": 512,
    }
    for key, count in counts.items():
        span.attributes.add(key=key).value.int_value = count
    span.attributes.add(key="gen_ai.response.time_to_first_chunk").value.double_value = 0.2
    span.attributes.add(key="gen_ai.response.finish_reasons").value.array_value.values.add().string_value = "stop"


def message(role: str, rng: random.Random, size: int) -> str:
    """Message JSON with a text of about a size."""
    text = ""
    while len(text) < size:
        text += rng.choice(WORDS) + " "
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text[:size]}]}])


def best(rounds: int, work: Callable[[], object]) -> float:
    """CPU seconds of the fastest round."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def measure(size: int, *, spans: int, rounds: int) -> dict[str, float | int]:
    """Figures for spans of one size."""
    rng = random.Random(size)
    per_record = max(1, min(500, RECORD_BYTES // size))
    values = [request(rng, per_record, size) for _ in range(max(1, spans // per_record))]
    records = [Record("otlp_spans", "topic", 0, at, NOW_MS, None, one) for at, one in enumerate(values)]
    transformer = Transformer(prices=PriceBook())
    made = transformer.transform(records, frozenset())
    if made.spans != per_record * len(values) or made.rejected or made.warnings:
        raise SystemExit(f"expected {per_record * len(values)} clean spans, got {made.spans}: {made.rejections[:1]}")
    floor = best(rounds, lambda: [ExportTraceServiceRequest.FromString(one) for one in values])
    whole = best(rounds, lambda: transformer.transform(records, frozenset()))
    return {
        "span_bytes": round(sum(map(len, values)) / made.spans),
        "spans": made.spans,
        "spans_per_second": round(made.spans / whole),
        "us_per_span": round(whole / made.spans * 1e6, 2),
        "parse_only_us_per_span": round(floor / made.spans * 1e6, 2),
    }


def main() -> None:
    """Measure all sizes and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=20_000, help="spans per size and round (default 20,000)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, of which the best counts (default 5)")
    given = parser.parse_args()
    figures = {name: measure(size, spans=given.spans, rounds=given.rounds) for name, size in SIZES.items()}
    compiled = not str(inner_loop.__file__).endswith(".py")
    print(json.dumps({"benchmark": "normalise", "compiled": compiled, **figures}))


if __name__ == "__main__":
    main()
