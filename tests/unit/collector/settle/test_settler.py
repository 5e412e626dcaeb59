"""Settling what is stored: totals are the truth's however the spans of a call were spread over batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spanwise_collector.ingest.landing import Lander, Work
from spanwise_collector.ingest.ledger import Range
from spanwise_collector.ingest.records import Record
from spanwise_collector.ingest.source import Partition
from spanwise_collector.ingest.steps import no_step
from spanwise_collector.query.metrics import get_series
from spanwise_collector.query.overview import get_overview
from spanwise_collector.query.rollups import MetricFilter
from spanwise_collector.query.traces import TraceFilter, list_traces
from spanwise_collector.query.window import DAY, HOUR, Window
from spanwise_collector.settle.settler import Round, Settler
from spanwise_collector.store.amend import Amender
from spanwise_collector.store.database import Database
from tests.support import otlp

NOW = datetime.fromtimestamp(otlp.NOW_MS / 1000, UTC)
NOW_US = otlp.NOW_MS * 1000
BEGAN_NS = (otlp.NOW_MS - 300_000) * 1_000_000
A, B, C, D, E, F, G = (bytes([number]) * 16 for number in range(1, 8))
NATIVE = "com.anthropic.sdk.python"
CALL = {"gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o"}


@dataclass(frozen=True)
class Sent:
    """One span as a client sends it; times in seconds."""

    number: int
    trace: bytes
    parent: int
    scope: str
    start: float
    end: float
    operation: str
    usage: tuple[int, int] = (0, 0)
    answer: str = ""
    name: str = "chat"

    def span(self) -> Span:
        """As OTLP."""
        values: dict[str, object] = {"gen_ai.operation.name": self.operation, **CALL}
        if any(self.usage):
            values |= {"gen_ai.usage.input_tokens": self.usage[0], "gen_ai.usage.output_tokens": self.usage[1]}
        if self.answer:
            values["gen_ai.response.id"] = self.answer
        return otlp.span(
            self.name,
            values,
            trace_id=self.trace,
            span_id=self.number.to_bytes(8, "big"),
            parent=self.parent.to_bytes(8, "big") if self.parent else b"",
            start_ns=BEGAN_NS + int(self.start * 1e9),
            end_ns=BEGAN_NS + int(self.end * 1e9),
        )


# An agent with two calls, each reported by a framework's wrapper with their sum, an instrumentation, and the provider's
# own SDK: once as a child, once in a trace of its own. A call that stands alone. And two that two roots report, one of
# them without the answer's id.
SCENE = (
    Sent(1, A, 0, "framework", 0, 100, "invoke_agent", (300, 30), name="answer"),
    Sent(2, A, 1, "framework", 1, 99, "chat", (300, 30)),
    Sent(3, A, 2, "framework", 2, 50, "execute_tool", name="step"),
    Sent(4, A, 3, "instrumentation", 3, 40, "chat", (100, 10), "r1"),
    Sent(5, A, 2, "instrumentation", 60, 90, "chat", (200, 20), "r2"),
    Sent(6, A, 5, NATIVE, 61, 89, "chat", (200, 20), "r2"),
    Sent(7, B, 0, NATIVE, 4, 39, "chat", (100, 10), "r1", name="native"),
    Sent(8, C, 0, "instrumentation", 70, 80, "chat", (50, 5), "r3", name="alone"),
    Sent(9, D, 0, "instrumentation", 75, 85, "chat", (40, 5), "r4", name="around"),
    Sent(10, E, 0, NATIVE, 76, 84, "chat", (40, 4), "r4", name="native"),
    Sent(11, F, 0, "blind", 30, 45, "chat", (60, 6), name="blind"),
    Sent(12, G, 0, NATIVE, 31, 44, "chat", (60, 6), "r5", name="native"),
)
COST = 450 * 2_500 + 45 * 10_000


class World:
    """A collector's store, in which batches arrive."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._transformer = otlp.transformer()
        self._next = [0, 0, 0]
        self._lander = Lander(
            database,
            None,  # type: ignore[arg-type]
            code_version="test",
            clock=lambda: 0.0,
            now=lambda: NOW,
            on_step=no_step,
        )

    def arrive(self, partition: int, sent: Sequence[Sent]) -> None:
        """Store a batch with one record per span."""
        first = self._next[partition]
        records = [
            Record(
                "otlp_spans",
                "topic-id",
                partition,
                first + position,
                otlp.NOW_MS,
                None,
                otlp.traces(one.span(), scope=one.scope).SerializeToString(),
                (),
            )
            for position, one in enumerate(sent)
        ]
        self._next[partition] += len(sent)
        covered = Range(Partition("otlp_spans", partition), "topic-id", first, first + len(sent) - 1)
        self._lander.land(Work(covered, records, self._transformer.transform(records, set())))

    def settler(self) -> Settler:
        """A settler that knows nothing yet, as after a start."""
        amender = Amender(self.database, owner="test", now=lambda: NOW)
        return Settler(self.database, amender, window=timedelta(hours=1), now=lambda: NOW)

    def totals(self) -> dict[str, object]:
        """Calls, tokens and cost as every page shows them."""
        window = Window(NOW_US - 2 * DAY, NOW_US + DAY)
        wanted = MetricFilter("shop")
        now = get_overview(self.database, wanted, window).current
        page = list_traces(self.database, TraceFilter("shop", window), limit=10, cursor=None, now_us=NOW_US)
        by_name = get_overview(self.database, wanted, window).by_name
        charts = {
            (metric, step): sum(
                value
                for line in get_series(
                    self.database, wanted, Window(NOW_US - HOUR, NOW_US), metric, "none", step
                ).series
                for value in line.values
                if value is not None
            )
            for metric in ("llm_calls", "input_tokens", "output_tokens", "cost_nanousd")
            for step in (60, 600, 3_600, 86_400)
        }
        return {
            "overview": (now.llm_calls, now.usage.input, now.usage.output, now.cost_nanousd, now.unpriced_calls),
            "names": {one.key: (one.usage.input, one.cost_nanousd or 0) for one in by_name},
            "traces": sum(one.llm_calls for one in page.items),
            "tokens": (sum(one.input_tokens for one in page.items), sum(one.output_tokens for one in page.items)),
            "cost": sum(one.cost_nanousd or 0 for one in page.items),
            "charts": charts,
        }


TRUTH = {
    "overview": (5, 450, 45, COST, 0),
    # By name of the span that bears the bill, where that is a root's: the provider's own SDK has done the first call.
    "names": {
        "alone": (50, 175_000),
        "answer": (0, 0),
        "native": (200, 700_000),
        "around": (0, 0),
        "blind": (0, 0),
    },
    "traces": 5,
    "tokens": (450, 45),
    "cost": COST,
    "charts": {
        (metric, step): value
        for metric, value in (("llm_calls", 5), ("input_tokens", 450), ("output_tokens", 45), ("cost_nanousd", COST))
        for step in (60, 600, 3_600, 86_400)
    },
}


def spread(*batches: Sequence[int]) -> list[tuple[int, list[Sent]]]:
    """Batches of spans by their numbers, each on the next partition."""
    return [(at % 3, [SCENE[number - 1] for number in batch]) for at, batch in enumerate(batches)]


@pytest.mark.parametrize(
    "batches",
    [
        spread(range(1, 13)),
        spread([4, 6, 8, 9, 12], [5, 7, 3], [2, 1, 10, 11]),
        spread([1, 2, 3, 10, 11], [4, 5, 8, 9], [6, 7, 12]),
        spread(*([number] for number in range(1, 13))),
        spread(*([number] for number in range(12, 0, -1))),
        spread([7, 2, 9], [3, 12], [6, 10], [4, 5, 8, 1, 11]),
    ],
    ids=["together", "inner-first", "outer-first", "one-by-one", "backwards", "mixed"],
)
@pytest.mark.parametrize("when", ["each", "end"])
def test_totals_are_the_truth(database: Database, batches: list[tuple[int, list[Sent]]], when: str) -> None:
    """However a scene is spread over batches and partitions, settled in between or at the end, calls count once."""
    world = World(database)
    settler = world.settler()
    for partition, sent in batches:
        world.arrive(partition, sent)
        if when == "each":
            settler.round()
    settler.round()

    assert world.totals() == TRUTH
    assert Round(0, 0) == settler.round()
    # After a start everything in the window is judged again, with the same outcome.
    assert 0 == world.settler().round().spans
    assert world.totals() == TRUTH


def test_reasons_are_stored(database: Database) -> None:
    """Each span that bears no bill says why."""
    world = World(database)
    for partition, sent in spread(*([number] for number in range(1, 13))):
        world.arrive(partition, sent)
    world.settler().round()

    found = database.query("SELECT reinterpretAsUInt64(reverse(span_id)), usage_reason, counts_usage FROM spans").rows
    assert {
        1: ("not_a_model_call", False),
        2: ("wraps_calls", False),
        3: ("", False),
        4: ("same_response", False),
        5: ("same_response", False),
        6: ("", True),
        7: ("", True),
        8: ("", True),
        9: ("same_response", False),
        10: ("", True),
        11: ("same_usage_inside", False),
        12: ("", True),
    } == {number: (reason, counts) for number, reason, counts in found}
