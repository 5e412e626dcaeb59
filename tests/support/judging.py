"""Judges for tests: entries, money, and a world whose waits cost no time."""

import itertools
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from spanwise_collector.alerts.claims import Store
from spanwise_collector.evals.assembly import World
from spanwise_collector.evals.chat_http import ChatEndpoint
from spanwise_collector.evals.config import JudgeEntry
from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.ingest.price_file import parse_price_file

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
_makers = itertools.count()
MODEL = "judge-1"
IN_N, OUT_N = 1_000, 4_000
"""Nano-dollars per token of `MODEL`."""
PRICES = f"""
[[models]]
provider = "own"
model = "{MODEL}"
input = {IN_N / 1000}
output = {OUT_N / 1000}
"""


def prices() -> PriceBook:
    """A price list with the judge's model: 1 and 4 dollars per million tokens."""
    return PriceBook(parse_price_file(PRICES))


def charged_n(charged: list[tuple[int, int]]) -> int:
    """Nano-dollars for tokens of input and output."""
    return sum(tokens_in * IN_N + tokens_out * OUT_N for tokens_in, tokens_out in charged)


def judge_entry(url: str = "http://127.0.0.1:9", **fields: Any) -> JudgeEntry:
    """A judge of the project `shop` that judges everything."""
    return JudgeEntry.model_validate(
        {
            "name": "helpful",
            "project": "shop",
            "endpoint": url,
            "provider": "own",
            "model": MODEL,
            "rubric": "rubric.md",
            "usd_per_day": 10,
            "timeout_seconds": 20,
            "max_tokens": 200,
            **fields,
        }
    )


@dataclass
class Waits:
    """Waits that only are noted."""

    waited: list[float] = field(default_factory=list)

    def __call__(self, seconds: float) -> None:
        self.waited.append(seconds)


def make_world(store: Store, endpoint: ChatEndpoint, **changes: Any) -> World:
    """A world at noon, with unique ids and no waiting."""
    ids = itertools.count()
    lock = threading.Lock()
    prefix = f"{next(_makers)}"

    def new_id() -> str:
        with lock:
            return f"{prefix}-{next(ids)}"

    parts: dict[str, Any] = {
        "store": store,
        "endpoint": endpoint,
        "prices": prices(),
        "environ": {},
        "now": lambda: NOON,
        "now_ns": lambda: int(NOON.timestamp()) * 1_000_000_000,
        "clock": lambda: 0.0,
        "wait": Waits(),
        "jitter": lambda: 0.5,
        "new_id": new_id,
    }
    return World(**{**parts, **changes})


def in_threads(jobs: Mapping[str, Callable[[], object]] | list[Callable[[], object]], threads: int = 8) -> list[Any]:
    """Run all, side by side; their results in order."""
    work = list(jobs.values()) if isinstance(jobs, Mapping) else jobs
    with ThreadPoolExecutor(threads) as pool:
        return [future.result(60) for future in [pool.submit(one) for one in work]]
