"""What masking costs in ingest, on one core: `python -m bench.masking` prints one JSON line.

The same records, model calls of 2 kB as in `bench.normalise`, become rows without masks, with patterns and with keys as
well. Time is the process's CPU time, the best of the rounds; the rounds of all settings alternate, so that what else
happens on the machine falls on all of them.
"""

import argparse
import json
import random
from typing import Final

from bench.normalise import NOW_MS, RECORD_BYTES, best, request
from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.ingest.records import Record
from spanwise_collector.ingest.transform import Transformer
from spanwise_collector.normalise.masking import Masker
from spanwise_schemas.masking import Masks

SPAN_BYTES: Final = 2_000
SETTINGS: Final = {
    "unmasked": ("", ""),
    "one_pattern": ("email", ""),
    "all_patterns": ("all", ""),
    "patterns_and_keys": ("all", "*password*,*secret*,authorization"),
}


def main() -> None:
    """Measure all settings and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=5_000, help="spans per setting and round (default 5,000)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, of which the best counts (default 3)")
    given = parser.parse_args()
    rng = random.Random(1)
    per_record = RECORD_BYTES // SPAN_BYTES
    values = [request(rng, per_record, SPAN_BYTES) for _ in range(max(1, given.spans // per_record))]
    records = [Record("otlp_spans", "topic", 0, at, NOW_MS, None, one) for at, one in enumerate(values)]
    spans = per_record * len(values)
    transformers = {}
    for name, (patterns, keys) in SETTINGS.items():
        masks = Masks.of(patterns, keys)
        transformers[name] = Transformer(prices=PriceBook(), masker=None if masks is None else Masker(masks))
    seconds = dict.fromkeys(SETTINGS, float("inf"))
    for _ in range(given.rounds):
        for name, transformer in transformers.items():
            taken = best(1, lambda made=transformer: made.transform(records, frozenset()))  # type: ignore[misc]
            seconds[name] = min(seconds[name], taken)
    figures = {f"{name}_us_per_span": round(taken / spans * 1e6, 2) for name, taken in seconds.items()}
    print(json.dumps({"benchmark": "masking", "span_bytes": SPAN_BYTES, "spans": spans, **figures}))


if __name__ == "__main__":
    main()
