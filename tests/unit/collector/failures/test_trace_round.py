"""Rounds over stored traces, on the real engine."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from prometheus_client import CollectorRegistry, generate_latest

from spanwise_collector.failures.runner import trace_runner
from spanwise_collector.failures.trace_round import TraceRound, TraceWatcher
from spanwise_collector.failures.trace_steps import content_hash
from spanwise_collector.ingest.landing import Lander, Work
from spanwise_collector.ingest.ledger import Range
from spanwise_collector.ingest.source import Partition
from spanwise_collector.ingest.steps import no_step
from spanwise_collector.store.database import Database
from spanwise_collector.store.errors import TransientStoreError
from tests.support import otlp

NOW = datetime.fromtimestamp(otlp.NOW_MS / 1000, UTC)
FAILED = Status(code=Status.STATUS_CODE_ERROR, message="Slow down")
HOUR = timedelta(hours=1)


class World:
    """A store in which batches arrive, and a clock."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = NOW
        self._transformer = otlp.transformer()
        self._next = 0
        self._lander = Lander(
            database,
            None,  # type: ignore[arg-type]
            code_version="test",
            clock=lambda: 0.0,
            now=lambda: NOW,
            on_step=no_step,
        )

    def arrive(self, *spans: Span, service: str = "bot") -> None:
        """Store a batch of one record."""
        resource = {**otlp.RESOURCE, "service.name": service, "service.version": "1.2"}
        record = otlp.record(otlp.traces(*spans, resource=resource), offset=self._next)
        covered = Range(Partition("otlp_spans", 3), "topic-id", self._next, self._next)
        self._next += 1
        self._lander.land(Work(covered, [record], self._transformer.transform([record], set())))

    def watcher(self) -> TraceWatcher:
        """One that knows nothing yet, as after a start."""
        return TraceWatcher(self.database, window=timedelta(days=1), unfinished_after=HOUR, now=lambda: self.now)

    def stored(self) -> list[tuple[Any, ...]]:
        """Class, finer class, trace's last digit, span's last digit, and what was taken over; in order."""
        return self.database.query(
            "SELECT failure_class, failure_sub, reinterpretAsUInt8(substring(trace_id, 16)), "
            "reinterpretAsUInt8(substring(span_id, 8)), kind, name, tool_name, release, user_id, cost_n, "
            "fingerprint != 0 FROM failures WHERE source = 'trace' ORDER BY ALL"
        ).rows


def ids(trace: int, span: int, parent: int) -> dict[str, Any]:
    """Ids that end in a number; parent 0 for a root."""
    return {
        "trace_id": trace.to_bytes(16, "big"),
        "span_id": span.to_bytes(8, "big"),
        "parent": parent.to_bytes(8, "big") if parent else b"",
        "start_ns": otlp.NOW_NS - 60_000_000_000 + span * 1_000_000_000,
        "end_ns": otlp.NOW_NS - 59_000_000_000 + span * 1_000_000_000,
    }


def root(trace: int) -> Span:
    """The root of a trace, with a user."""
    return otlp.span("answer", {"gen_ai.operation.name": "invoke_agent", "user.id": "u-1"}, **ids(trace, 1, 0))


def tool(trace: int, span: int, arguments: str, parent: int = 1) -> Span:
    """A call of a tool."""
    values = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "search",
        "gen_ai.tool.call.arguments": arguments,
        "user.id": "u-1",
    }
    return otlp.span("execute_tool search", values, **ids(trace, span, parent))


def model(trace: int, span: int, *, failed: bool) -> Span:
    """A model call with an input that is the same each time."""
    values = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]),
        **({} if failed else {"gen_ai.usage.input_tokens": 400, "gen_ai.usage.output_tokens": 100}),
    }
    return otlp.span("chat gpt-4o", values, status=FAILED if failed else None, **ids(trace, span, 1))


def loop(trace: int) -> Sequence[Span]:
    """Three calls with the same arguments, written in three ways."""
    ways = ('{"q": "shoes", "n": 3}', '{"n":3,"q":"shoes"}', '{ "q": "shoes","n": 3 }')
    return [tool(trace, 2 + at, arguments) for at, arguments in enumerate(ways)]


LOOP = ("loop", "same_call", 1, 4, "tool", "execute_tool search", "search", "1.2", "u-1", 0, 1)
STORM = ("retry_storm", "recovered", 2, 4, "llm", "chat gpt-4o", "", "1.2", "", 2_000_000, 1)


def test_what_arrives_is_judged_with_what_was_there(database: Database) -> None:
    """A loop whose calls come in three batches, and a retry storm in one, are found once, with what they concern."""
    world = World(database)
    watcher = world.watcher()
    first, second, third = loop(1)
    world.arrive(root(1), first)
    world.arrive(root(2), model(2, 2, failed=True), model(2, 3, failed=True), model(2, 4, failed=False))
    assert TraceRound(traces=1, failures=1) == watcher.round()
    world.arrive(second)
    assert 0 == watcher.round().failures
    world.arrive(third)
    assert 1 == watcher.round().failures
    assert TraceRound() == watcher.round()
    assert [LOOP, STORM] == world.stored()


def test_a_repeat_stores_nothing(database: Database) -> None:
    """A watcher that starts anew looks at everything again; one that did not see the rows writes the same block."""
    world = World(database)
    world.arrive(root(1), *loop(1))
    assert 1 == world.watcher().round().failures
    assert TraceRound(traces=1, failures=0) == world.watcher().round()

    class Blind:
        """A store whose answer about what is there comes from before."""

        insert = database.insert

        def query(self, sql: str, *arguments: Any, **more: Any) -> Any:
            if "FROM failures" in sql:
                sql = sql.replace("WHERE", "WHERE 0 AND")
            return database.query(sql, *arguments, **more)

    again = TraceWatcher(Blind(), window=timedelta(days=1), unfinished_after=HOUR, now=lambda: NOW)
    assert 1 == again.round().failures
    assert [LOOP] == world.stored()


def test_traces_without_an_end(database: Database) -> None:
    """A root that never comes is missed after an hour, once.

    One that comes late is not missed, and neither are those of a service whose callers send nothing.
    """
    world = World(database)
    watcher = world.watcher()
    world.arrive(root(1), tool(1, 2, "{}"))
    world.arrive(root(2), tool(2, 2, "{}"))
    world.arrive(tool(3, 2, "{}"))
    world.arrive(tool(4, 2, "{}"))
    for trace in (5, 6, 7):
        world.arrive(tool(trace, 2, "{}", parent=9), service="behind")
    assert 0 == watcher.round().failures
    world.arrive(root(4))
    world.now = NOW + timedelta(minutes=30)
    assert 0 == watcher.round().failures
    world.now = NOW + 2 * HOUR
    assert 1 == watcher.round().failures
    assert TraceRound() == watcher.round()
    assert 0 == world.watcher().round().failures
    assert [
        ("unfinished_trace", "", 3, 2, "tool", "execute_tool search", "search", "1.2", "u-1", 0, 1)
    ] == world.stored()


def test_projects_are_apart(database: Database) -> None:
    """The same trace id in another project is another trace."""
    world = World(database)
    first, second, third = loop(1)
    world.arrive(root(1), first, second)
    resource = {"spanwise.project": "other"}
    record = otlp.record(otlp.traces(root(1), third, resource=resource), offset=1)
    covered = Range(Partition("otlp_spans", 3), "topic-id", 1, 1)
    world._lander.land(Work(covered, [record], otlp.transformer().transform([record], set())))
    assert 0 == world.watcher().round().failures


def test_a_runner(database: Database) -> None:
    """A failed round is counted and tried again with nothing lost; only the leader looks; the counters go out."""
    world = World(database)
    world.arrive(root(1), *loop(1))

    class Away(TraceWatcher):
        """Cannot reach its store at first."""

        failed = False

        def round(self) -> TraceRound:
            if not self.failed:
                self.failed = True
                raise TransientStoreError("away")
            return super().round()

    watcher = Away(database, window=timedelta(days=1), unfinished_after=HOUR, now=lambda: NOW)
    runner = trace_runner(watcher, is_leader=lambda: True, interval_s=0.0, clock=lambda: 0.0)
    assert (False, False) == (runner.round(), runner.round())
    assert (2, 1, 1, 1) == (
        runner.counts["rounds"],
        runner.counts["failures"],
        runner.counts["traces"],
        runner.counts["found"],
    )
    registry = CollectorRegistry()
    registry.register(runner)
    assert b"spanwise_trace_failures_found_total 1.0\n" in generate_latest(registry)


def test_its_thread(database: Database) -> None:
    """It asks whether it leads before each round, and ends when it is told to."""
    asked: list[bool] = []

    def never() -> bool:
        asked.append(True)
        return False

    runner = trace_runner(World(database).watcher(), is_leader=never, interval_s=0.001)
    runner.start()
    while len(asked) < 3:
        pass
    runner.stop()
    assert 0 == runner.counts["rounds"]


def test_equal_arguments() -> None:
    """The order of members and white space make no difference, values and text that is no JSON do."""
    assert content_hash('{"a": 1, "b": [2]}') == content_hash('{"b":[2],"a":1}') != content_hash('{"a": 1, "b": [3]}')
    assert content_hash("shoes") != content_hash("shoes ")
