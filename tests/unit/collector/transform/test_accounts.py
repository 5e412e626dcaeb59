"""What producers said of themselves, and what became of it."""

from collections.abc import Sequence

import pytest

from spanwise_schemas.wire import Envelope
from tests.support.otlp import NOW_MS, RESOURCE, SPAN, TRACE, logs, record, rows, span, traces, transform

SDK = {"telemetry.sdk.name": "opentelemetry", "telemetry.sdk.version": "1.45.2"}


def envelope(producer: str = "p1", *, seq: int, spans: int, dropped: int = 0) -> list[tuple[str, bytes]]:
    """Headers of a record."""
    return Envelope(producer, seq, spans, dropped).to_headers()


def test_one_row_per_producer_and_project() -> None:
    """Records, items, refusals, duplicates, the highest sequence and the last number of drops are summed per batch."""
    bad = span("bad", trace_id=b"")
    mixed = traces(span(), span(), bad)
    other = traces(span(span_id=b"other000"), resource=RESOURCE | SDK | {"spanwise.project": "lab"})
    mixed.resource_spans.extend(other.resource_spans)

    batch = transform(
        record(mixed, offset=1, headers=envelope(seq=4, spans=4, dropped=2), timestamp_ms=NOW_MS - 5),
        record(traces(span(span_id=b"third000")), offset=2, headers=envelope(seq=5, spans=1, dropped=3)),
        record(b"broken", offset=3, headers=envelope("p2", seq=0, spans=7)),
        record(traces(span(span_id=b"nobodys0")), offset=4),
    )

    def row(
        producer: str, project: str, service: str, sdk: str, seq_list: Sequence[int] = (), **counts: int
    ) -> dict[str, object]:
        counted = ("n_records", "n_spans", "max_seq", "dropped", "n_rejected", "n_duplicates", "n_erased")
        names = (*counted, "first_ts", "last_ts")
        assert set(counts) <= set(names)
        key: dict[str, object] = {"producer": producer, "project_id": project, "service": service, "sdk": sdk}
        return {**key, **dict.fromkeys(names, 0), **counts, "seq_list": list(seq_list)}

    assert rows(batch, "producers") == [
        row(
            "p1",
            "lab",
            "bot",
            "opentelemetry 1.45.2",
            n_spans=1,
            max_seq=4,
            dropped=2,
            first_ts=NOW_MS - 5,
            last_ts=NOW_MS - 5,
        ),
        row(
            "p1",
            "shop",
            "bot",
            "",
            [4, 5],
            n_records=2,
            n_spans=4,
            max_seq=5,
            dropped=3,
            n_rejected=1,
            n_duplicates=1,
            first_ts=NOW_MS - 5,
            last_ts=NOW_MS,
        ),
        row("p2", "", "", "", [0], n_records=1, n_spans=7, n_rejected=7, first_ts=NOW_MS, last_ts=NOW_MS),
    ]
    assert (4, 8, 1) == (batch.spans, batch.rejected, batch.duplicates)


def test_repeats_are_dropped_and_counted() -> None:
    """A span that was stored before, or comes twice in the batch, is dropped: the first one stays."""
    first, again, before = span("first"), span("again"), span("before", span_id=b"before00")

    batch = transform(record(traces(first, again, before)), seen=[TRACE + b"before00"])

    assert (["first"], 2, [TRACE + SPAN]) == (
        [row["name"] for row in rows(batch, "spans")],
        batch.duplicates,
        batch.span_ids,
    )


@pytest.mark.parametrize("request_", [traces(), logs()])
def test_nothing_inside(request_: object) -> None:
    """A request without items is refused, so that its record does not pass unseen."""
    (rejection,) = transform(record(request_)).rejections  # type: ignore[arg-type]

    assert "no_items" == rejection.reason


def test_empty_batch() -> None:
    """No records make no tables."""
    batch = transform()

    assert ({}, [], 0, 0) == (batch.tables, batch.rejections, batch.spans, batch.bytes)


def test_tables_in_order_of_insert() -> None:
    """Spans go first, the record of what was refused last."""
    batch = transform(
        record(traces(span(values={"input.value": "x"})), headers=envelope(seq=0, spans=1)), record(b"broken")
    )

    assert ["spans", "span_io", "producers", "ingest_rejects"] == list(batch.tables)
