"""What was erased is left out by ingest, counted, and by the same memory again where a batch is built again."""

from collections.abc import Sequence
from typing import Any

import pytest

from spanwise_collector.ingest.erased import NOTHING, Erased, Mark, digest_of
from spanwise_collector.ingest.ledger import LEDGER_TABLE
from spanwise_collector.ingest.pins import TablePins
from spanwise_collector.ingest.source import Partition
from spanwise_collector.ingest.steps import Step
from spanwise_collector.store.database import Database
from spanwise_schemas.attributes import SCORE_EVENT
from spanwise_schemas.wire import Envelope
from tests.support.ingest_world import World
from tests.support.otlp import NOW_MS, NOW_NS, attributes, logs, record, rows, span, traces, transformer

TRACE, OTHER = b"t" * 16, b"o" * 16
BEFORE_US = NOW_MS * 1000
ANN = Mark(1, "shop", "user", (digest_of("shop", "user", "ann"),), BEFORE_US)
ENVELOPE = Envelope("p", 0, 3, 0).to_headers()


def made(erased: Erased, *spans: Any, headers: Sequence[tuple[str, bytes]] = ()) -> Any:
    """The batch of one record."""
    return transformer().transform([record(traces(*spans), headers=headers)], frozenset(), erased)


def of_user(user: str, number: int, *, trace: bytes = OTHER, **fields: Any) -> Any:
    """A span of a user."""
    return span(values={"user.id": user}, trace_id=trace, span_id=bytes([number]) * 8, **fields)


def test_users_before_the_erasure() -> None:
    """Spans of an erased user that started before are left out; those of others and later ones are not."""
    late = of_user("ann", 3, start_ns=NOW_NS + 1_000_000, end_ns=NOW_NS + 2_000_000)

    batch = made(Erased([ANN], 1), of_user("ann", 1), of_user("bob", 2), late, headers=ENVELOPE)

    assert [row["span_id"] for row in rows(batch, "spans")] == [bytes([2]) * 8, bytes([3]) * 8]
    assert (batch.spans, batch.erased, batch.duplicates, batch.erasures) == (2, 1, 0, 1)
    assert rows(batch, "erasure_drops") == [
        {"project_id": "shop", "number": 1, "trace_id": OTHER, "n_items": 1, "ts": NOW_MS}
    ]
    (producer,) = rows(batch, "producers")
    assert (producer["n_spans"], producer["n_erased"], producer["n_duplicates"]) == (3, 1, 0)


def test_traces_whole() -> None:
    """Of an erased trace spans and scores are left out whenever they started, as often as they come."""
    erased = Erased([Mark(7, "shop", "traces", (TRACE,))], 7)
    here = of_user("", 1, trace=TRACE)

    batch = made(erased, here, here, of_user("", 2))

    assert (batch.spans, batch.erased, batch.duplicates) == (1, 2, 0)
    score = logs().resource_logs[0].scope_logs[0].log_records.add()
    score.event_name = SCORE_EVENT
    score.trace_id = TRACE
    score.attributes.extend(attributes({"gen_ai.evaluation.name": "good", "gen_ai.evaluation.score.value": 1.0}))
    batch = transformer().transform([record(logs(score))], frozenset(), erased)
    assert (batch.scores, batch.erased, list(batch.tables)) == (0, 1, ["erasure_drops"])


def test_other_projects_are_let_be() -> None:
    """The same user and the same trace in another project are others."""
    erased = Erased([ANN, Mark(2, "lab", "traces", (OTHER,))], 2)

    assert made(erased, of_user("bob", 1)).spans == 1
    assert "lab" in erased.projects
    assert not erased.projects["lab"].of_people("ann", "", 0)


def test_nothing_costs_nothing() -> None:
    """Without erasures the batch is the one that it ever was."""
    batch = made(NOTHING, of_user("ann", 1))

    assert (batch.spans, batch.erased, batch.erasures, "erasure_drops" in batch.tables) == (1, 0, 0, False)


@pytest.mark.parametrize("version", [0, 1, 2, 3])
def test_at_a_version(version: int) -> None:
    """A snapshot as it was: what came later is not in it."""
    marks = [ANN, Mark(2, "shop", "traces", (TRACE,)), Mark(3, "shop", "traces", (TRACE, OTHER))]

    at = Erased(marks, 3).at(version)

    assert at.version == version
    shop = at.projects.get("shop")
    assert (shop.of_trace(TRACE) if shop else 0) == (2 if version >= 2 else 0)
    assert (shop.of_trace(OTHER) if shop else 0) == (3 if version >= 3 else 0)
    assert (shop.of_people("ann", "", 0) if shop else 0) == (1 if version >= 1 else 0)


def test_a_pinned_batch_is_built_by_the_same_memory() -> None:
    """After a crash the batch has the version that its pin names, whatever was erased since; the next the latest."""
    world = World(partitions=1, collectors=1)
    world.erasures.latest = Erased((), 3)
    world.produce(0, ["new"])
    world.collectors[0].crash_at[:] = [Step.INSERTED]
    for _ in range(6):
        world.now += 2.0
        world.step(0)
        world.insert(0)
    world.restart(0)
    world.erasures.latest = Erased((), 9)
    world.heal()
    world.produce(0, ["new"])
    world.heal()

    ledger = {row["off_from"]: row["erasures"] for row in world.store.rows[LEDGER_TABLE]}
    assert ledger == {0: 3, 1: 9}


def test_pins_in_the_table_keep_the_version(database: Database) -> None:
    """For static assignment as well."""
    pins = TablePins(database, code_version="v", version=iter(range(1, 9)).__next__)
    partition = Partition("otlp_spans", 0)

    pins.pin(partition, "id", 5, 9, 12)
    pinned = pins.load(partition, "id")
    pins.release(partition, "id", 10)
    released = pins.load(partition, "id")

    assert pinned is not None
    assert (pinned.next_offset, pinned.pinned_to, pinned.erasures) == (5, 9, 12)
    assert released is not None
    assert (released.next_offset, released.pinned_to, released.erasures) == (10, None, 0)
