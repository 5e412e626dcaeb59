"""The pure parts of `python -m bench.outage` and `python -m bench.flood`."""

import math
import time
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bench.flood.__main__ import Sent, final
from bench.flood.records import BROKEN, records
from bench.outage.figures import Call, account, latency, unpacked
from bench.samples import Memory, quantile, watched
from spanwise_schemas.wire import Envelope

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(FINITE, min_size=1), st.floats(min_value=0, max_value=1))
def test_a_quantile_is_the_smallest_value_that_enough_values_do_not_exceed(values: list[float], share: float) -> None:
    """Counted: at least the share is at or below it, and no smaller value has that property."""
    found = quantile(values, share)
    needed = max(1, math.ceil(share * len(values)))

    assert found in values
    assert sum(value <= found for value in values) >= needed
    assert sum(value < found for value in values) < needed


def test_a_quantile_of_nothing_is_an_error() -> None:
    """There is no value to name."""
    with pytest.raises(ValueError, match="at least one"):
        quantile([], 0.5)


def test_memory_is_told_of_the_samples_inside_a_time() -> None:
    """Begin inside, end outside."""
    memory = Memory([(0.0, 900.0), (1.0, 10.0), (2.0, 30.0), (3.0, 20.0), (4.0, 900.0)])

    assert memory.between(1.0, 4.0) == {"median_mb": 20.0, "max_mb": 30.0}


def test_a_process_that_has_ended_has_no_more_samples() -> None:
    """Watching ends quietly, with the samples there are."""
    with watched(2**22 + 1) as memory:
        time.sleep(0)

    assert memory.samples == []


def test_added_latency_is_the_call_without_its_own_work() -> None:
    """And the difference of whole calls beside it."""
    calls = unpacked(array("d", (0.0, 0.004, 0.001, 0.0, 1.0, 0.003, 0.001, 0.0)))
    bare = [Call(0.0, 0.001, 0.001, 0.0003), Call(1.0, 0.001, 0.001, 0.0005)]

    assert calls == [Call(0.0, 0.004, 0.001, 0.0), Call(1.0, 0.003, 0.001, 0.0)]
    assert latency(calls, bare) == {
        "calls": 2,
        "added_p50_ms": 2.0,
        "added_p99_ms": 3.0,
        "added_max_ms": 3.0,
        "control_p50_ms": 0.3,
        "control_p99_ms": 0.5,
        "control_max_ms": 0.5,
        "call_difference_p50_ms": 2.0,
        "call_difference_p99_ms": 3.0,
        "call_difference_max_ms": 3.0,
    }


@pytest.mark.parametrize(
    ("emitted", "header", "unaccounted", "is_exact"),
    [(7, 4, 0, True), (8, 4, 1, False), (7, 3, 0, False)],
    ids=["exact", "a span is missing", "the header tells less"],
)
def test_every_emitted_span_is_on_the_broker_or_dropped(
    emitted: int, header: int, unaccounted: int, is_exact: bool
) -> None:
    """A span that came twice counts once; the last record by number tells the drops."""
    stats = {"emitted": emitted, "queued": 0, "dropped": {"buffer_full": 3, "queue_full": 1}}
    envelopes = [Envelope("a" * 32, 1, 2, header), Envelope("a" * 32, 0, 1, 0)]

    found = account(stats, {("a", "1"): 1, ("a", "2"): 2, ("b", "3"): 1}, envelopes)

    assert found == {
        "emitted": emitted,
        "on_broker": 3,
        "on_broker_again": 1,
        "dropped": 4,
        "dropped_by_reason": stats["dropped"],
        "queued": 0,
        "unaccounted": unaccounted,
        "header_dropped": header,
        "exact": is_exact,
    }


def test_flood_records_have_ids_of_their_own_and_every_so_many_cannot_be_read() -> None:
    """No span id comes twice, though the templates do; apart from ids nothing changes."""
    made = records(2_000, broken_every=10)
    some = [next(made) for _ in range(20)]
    requests = [ExportTraceServiceRequest.FromString(value) for value, _ in some if value != BROKEN]
    spans = [span for one in requests for span in one.resource_spans[0].scope_spans[0].spans]

    assert [number for number, (value, _) in enumerate(some) if value == BROKEN] == [9, 19]
    assert sum(inside for value, inside in some if value != BROKEN) == len(spans)
    assert len({span.span_id for span in spans}) == len({span.trace_id for span in spans}) == len(spans)
    assert {(len(span.trace_id), len(span.span_id), span.name) for span in spans} == {(16, 8, "chat gpt-4o")}


@pytest.mark.parametrize("missing", ["stored", "rejected", "lag", "rows", "ledger_records", "gaps"])
def test_the_flood_is_exact_only_when_all_accounts_agree(missing: str) -> None:
    """Sent, ledger and tables; one that differs is enough."""
    totals = {"stored": 10, "rejected": 1, "duplicates": 0, "lag": 0}
    store = {"spans": 10, "distinct": 10, "ledger_records": 3, "gaps": []}
    sent = Sent(records=3, spans=10, broken=1)
    assert final(sent, totals, store)["exact"]

    match missing:
        case "rows":
            store["spans"] = 9
        case "ledger_records":
            store["ledger_records"] = 2
        case "gaps":
            store["gaps"] = ["partition 0"]
        case _:
            totals[missing] += 1

    assert not final(sent, totals, store)["exact"]
