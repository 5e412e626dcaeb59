"""Queues are filled from what is stored, over the real engine."""

import itertools
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from spanwise_collector.annotate.candidates import read_candidates
from spanwise_collector.annotate.choosing import sources_of, target_text, unit
from spanwise_collector.annotate.filler import Filler, stretches
from spanwise_collector.annotate.items import Items
from spanwise_collector.annotate.queues import Queues, StoredQueue
from spanwise_collector.query.values import micros
from spanwise_collector.query.window import DAY, HOUR, Window
from spanwise_collector.store.database import Database
from spanwise_schemas.api_annotations import Item, Queue
from tests.support.rows import T0, Span, insert, llm, span_id, trace_id

NOW = T0 + timedelta(hours=1)
WINDOW = Window(micros(T0) - DAY, micros(NOW))


def queue(**values: Any) -> Queue:
    """A queue of everything, filled without delay."""
    given = {"name": "q", "questions": [{"name": "correct"}], "random_share": 1.0, "delay_minutes": 0}
    return Queue.model_validate(given | values)


class Bench:
    """A filler over a database, at a time that tests set."""

    def __init__(self, database: Database) -> None:
        ids = (f"{number:016x}" for number in itertools.count(1))
        self.now = NOW
        clock: Callable[[], datetime] = lambda: self.now  # noqa: E731
        self.database = database
        self.queues = Queues(database, now=clock, new_id=lambda: next(ids))
        self.items = Items(database)
        self.filler = Filler(database, self.queues, self.items, clock)

    def made(self, project: str = "default", **values: Any) -> StoredQueue:
        """A new queue, filled once."""
        known = self.queues.add(project, queue(**values), "me")
        self.filler.fill(known)
        return known

    def found(self, known: StoredQueue) -> list[Item]:
        """Its items."""
        return self.items.of(known.project, known.queue_id)

    def traces(self, known: StoredQueue) -> list[int]:
        """Numbers of the traces in it."""
        return [int(item.trace_id, 16) for item in self.found(known)]


@pytest.fixture
def bench(database: Database) -> Bench:
    """With nothing stored."""
    return Bench(database)


def scored(database: Database, *rows: dict[str, Any]) -> None:
    """Store scores of traces."""
    plain = {
        "project_id": "default",
        "target": "trace",
        "span_id": bytes(8),
        "label": "",
        "source": "llm",
        "ts": T0 + timedelta(minutes=1),
        "version": 1,
    }
    made = [
        plain | row | {"score_id": number.to_bytes(16, "big"), "trace_id": trace_id(row["trace_id"])}
        for number, row in enumerate(rows, 1)
    ]
    schema = pa.schema(
        [
            ("project_id", pa.string()),
            ("score_id", pa.binary(16)),
            ("target", pa.string()),
            ("trace_id", pa.binary(16)),
            ("span_id", pa.binary(8)),
            ("name", pa.string()),
            ("value", pa.float64()),
            ("label", pa.string()),
            ("source", pa.string()),
            ("ts", pa.timestamp("us", "UTC")),
            ("version", pa.uint64()),
        ]
    )
    database.insert("scores", pa.RecordBatch.from_pylist(made, schema=schema), token="scores")


def trees(numbers: Sequence[int], **values: Any) -> list[Span]:
    """Traces of a root and a model call below it, which says what is given; one second apart."""
    found = []
    for number in numbers:
        at = number * 1_000.0
        project = values.get("project", "default")
        found.append(Span(trace=number, span=2 * number, at_ms=at, name="answer", kind="chain", project=project))
        found.append(llm(trace=number, span=2 * number + 1, parent=2 * number, at_ms=at + 1, **values))
    return found


def test_the_store_draws_as_python_does(database: Database) -> None:
    """The number of a target is the same in SQL and in Python, for traces and for spans, for every source."""
    insert(database, trees(range(1, 40)))
    rule = {"name": "prod", "where": {"environment": ["prod"]}, "share": 1.0}
    for target, size in (("trace", 39), ("span", 39)):
        asked = queue(target=target, rules=[rule])
        found = read_candidates(database, "default", "salt", asked, WINDOW)

        assert len(found) == size
        for one in found:
            text = target_text(one.trace_id, one.span_id)
            assert one.units == tuple(unit("salt", name, text) for name, _ in sources_of(asked))


def test_a_queue_of_traces(bench: Bench) -> None:
    """Whole traces, once each, of this project, the oldest first; a probability of 1 where everything is chosen."""
    insert(bench.database, [*trees(range(1, 4)), *trees([9], project="lab")])

    found = bench.found(bench.made())

    assert [(int(item.trace_id, 16), item.span_id, item.stratum, item.inclusion_probability) for item in found] == [
        (number, "", "random", 1.0) for number in (1, 2, 3)
    ]
    assert [item.started for item in found] == [T0 + timedelta(seconds=number) for number in (1, 2, 3)]


def test_a_queue_of_spans(bench: Bench) -> None:
    """Spans of the kinds that are asked for."""
    insert(bench.database, trees([1, 2]))

    calls = bench.found(bench.made(target="span"))
    chains = bench.found(bench.made(target="span", kinds=["chain"]))

    assert [item.span_id for item in calls] == [span_id(3).hex(), span_id(5).hex()]
    assert [item.span_id for item in chains] == [span_id(2).hex(), span_id(4).hex()]


@pytest.mark.parametrize(
    "where",
    [
        {"release": ["v2"]},
        {"prompt": ["reply@7"]},
        {"prompt": ["reply"]},
        {"model": ["m-2"]},
        {"environment": ["staging"]},
        {"provider": ["acme"]},
        {"release": ["v2"], "prompt": ["reply"], "route": ["answer"]},
    ],
)
@pytest.mark.parametrize("target", ["trace", "span"])
def test_what_a_queue_is_about(bench: Bench, where: dict[str, Any], target: str) -> None:
    """Filters hold for a span itself, or for any span of a trace; all of them must."""
    insert(bench.database, trees([1, 2]))
    insert(
        bench.database,
        trees([3], release="v2", prompt=("reply", "7"), model="m-2", env="staging", provider="acme"),
    )

    assert bench.traces(bench.made(target=target, where=where)) == [3]


def test_rules(bench: Bench) -> None:
    """A failure, a low score of the judge, a judge and a user who disagree: each alone fills a queue."""
    insert(bench.database, trees(range(1, 7)))
    insert(bench.database, trees([7], status="error", failure=("timeout", "", "Timed out", 5)))
    scored(
        bench.database,
        {"trace_id": 1, "name": "helpful", "value": 0.2},
        {"trace_id": 2, "name": "helpful", "value": 0.9},
        {"trace_id": 2, "name": "thumbs", "value": 0.0, "source": "user"},
        {"trace_id": 3, "name": "helpful", "value": 0.9},
        {"trace_id": 3, "name": "thumbs", "value": None, "label": "up", "source": "user"},
        {"trace_id": 4, "name": "helpful", "value": 0.1, "source": "code"},
        {"trace_id": 5, "name": "thumbs", "value": None, "label": "Down", "source": "user"},
        {"trace_id": 6, "name": "helpful", "value": 0.1, "project_id": "lab"},
    )

    def chosen(**rule: Any) -> list[tuple[int, str]]:
        known = bench.made(random_share=0, rules=[{"name": "r", **rule}])
        return [(int(item.trace_id, 16), item.stratum) for item in bench.found(known)]

    assert chosen(failures=["timeout"]) == [(7, "rule:r")]
    assert chosen(score="helpful", below=0.5) == [(1, "rule:r")]
    assert chosen(score="helpful", source="code", below=0.5) == [(4, "rule:r")]
    assert chosen(score="helpful", above=0.5) == [(2, "rule:r"), (3, "rule:r")]
    assert chosen(disagrees="helpful") == [(2, "rule:r")]
    assert chosen(score="helpful", below=0.5, failures=["timeout"]) == []


def test_a_random_item_that_a_rule_matches_has_the_probability_of_both(bench: Bench) -> None:
    """Whichever drew it: its weight must be that of both chances together."""
    insert(bench.database, trees(range(1, 400)))
    insert(bench.database, trees(range(400, 800), release="v2"))
    rule = {"name": "new", "where": {"release": ["v2"]}, "share": 0.5}
    found = bench.found(bench.made(random_share=0.2, rules=[rule], max_open=5000))

    told = {(int(item.trace_id, 16) >= 400, item.stratum, round(item.inclusion_probability, 9)) for item in found}
    assert told == {(False, "random", 0.2), (True, "random", 0.6), (True, "rule:new", 0.6)}


def test_time_is_looked_at_once(bench: Bench) -> None:
    """A second look adds what came since, and nothing twice; deleting a queue ends it."""
    insert(bench.database, trees([1, 2]))
    known = bench.made()
    bench.now = NOW + timedelta(hours=2)
    insert(bench.database, [Span(trace=3, span=60, at_ms=2 * 3_600_000)])

    assert [dict(bench.filler.step()) for _ in range(2)] == [{"items": 1, "passed": 0}, {"items": 0, "passed": 0}]
    assert bench.traces(known) == [1, 2, 3]
    bench.queues.delete(known)
    insert(bench.database, [Span(trace=4, span=61, at_ms=2 * 3_600_000 + 1)])
    bench.now += timedelta(hours=2)
    assert (dict(bench.filler.step()), bench.traces(known)) == ({"items": 0, "passed": 0}, [1, 2, 3])


def test_a_full_queue_passes_time_over_and_says_so(bench: Bench) -> None:
    """What waits already is enough: nothing is added until some is reviewed, and the page can say why."""
    insert(bench.database, trees(range(1, 9)))
    known = bench.made(max_open=8)
    bench.now = NOW + timedelta(hours=2)
    insert(bench.database, [Span(trace=30, span=60, at_ms=2 * 3_600_000)])

    assert dict(bench.filler.step()) == {"items": 0, "passed": 1}
    stored = bench.queues.get("default", known.queue_id)
    assert stored is not None
    assert "8 items wait already" in stored.note
    assert stored.filled_to == bench.now


def test_a_new_queue_looks_back_no_further_than_was_said(bench: Bench) -> None:
    """Its past is cut into days; nothing older than the lookback, nothing younger than the delay."""
    known = bench.queues.add("default", queue(lookback_hours=60, delay_minutes=30), "me")

    found = stretches(known, NOW)

    assert [one.length for one in found] == [DAY, DAY, 12 * HOUR - HOUR // 2]
    assert (found[0].start, found[-1].end) == (micros(NOW) - 60 * HOUR, micros(NOW) - HOUR // 2)


def test_a_queue_that_is_off_is_not_filled(bench: Bench) -> None:
    """It keeps what it has."""
    insert(bench.database, trees([1]))

    assert bench.traces(bench.made(enabled=False)) == []
