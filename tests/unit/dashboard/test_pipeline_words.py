"""The pipeline's state in a sentence."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.ingest.refusals import REASON
from spanwise_collector.normalise.problems import REFUSALS
from spanwise_dashboard.pipeline import Verdict, remedy, verdict
from spanwise_schemas.api import PartitionState, Pipeline, PipelineTotals

NUMBERS = st.integers(0, 10**9)


def pipeline(
    stored: int, *, lag: int | None = 0, paused: str = "", freshness: float | None = 900.0, **totals: int
) -> Pipeline:
    """A pipeline whose ledger adds up."""
    refused = totals.get("rejected", 0), totals.get("duplicates", 0)
    return Pipeline(
        totals=PipelineTotals(
            emitted=stored + sum(refused),
            stored=stored,
            rejected=refused[0],
            duplicates=refused[1],
            dropped=totals.get("dropped", 0),
            lag=lag,
            freshness_ms=freshness,
        ),
        partitions=[
            PartitionState(
                topic="otlp_spans", partition=0, next_offset=5, paused_reason=paused, last_batch=datetime.now(UTC)
            )
        ],
        producers=[],
        rejects=[],
    )


def test_all_is_well() -> None:
    """When everything is stored, one sentence says so."""
    assert verdict(pipeline(12_340)) == Verdict(
        "good", "All 12,340 spans and scores that arrived are stored; 0 records are waiting."
    )


def test_trouble_is_named() -> None:
    """What was rejected, left out, dropped or is late is listed."""
    said = verdict(pipeline(90, rejected=7, duplicates=3, dropped=2, lag=1, freshness=61_000.0))

    assert said == Verdict(
        "warn",
        "Of 100 spans and scores that arrived, 90 are stored; 1 record is waiting.",
        (
            "7 spans or scores rejected; the table below says why.",
            "3 duplicates left out: sent twice, stored once.",
            "2 spans or scores dropped at the source: its queue was full, or Kafka out of reach.",
            "Records are 1m 01s old when they are stored: the collector is behind. Add a collector.",
        ),
    )


def test_a_waiting_partition_is_the_worst() -> None:
    """While ingest waits the tone is the gravest, and it says that nothing is lost."""
    said = verdict(pipeline(5, paused="the disk is full", lag=None))

    assert (said.tone, said.sentence) == (
        "bad",
        "All 5 spans and scores that arrived are stored; an unknown number of records is waiting.",
    )
    assert said.details == (
        "1 partition waits: hover over “paused” below for the reason. Nothing is lost meanwhile, Kafka keeps it.",
    )


def test_nothing_yet() -> None:
    """An idle pipeline is not praised."""
    assert verdict(pipeline(0, freshness=None)) == Verdict("idle", "Nothing has arrived in this time range.")


@given(NUMBERS, NUMBERS, NUMBERS)
def test_good_only_when_nothing_was_lost(stored: int, rejected: int, dropped: int) -> None:
    """The reassuring tone is kept for pipelines that lost nothing."""
    said = verdict(pipeline(stored, rejected=rejected, dropped=dropped))

    assert (said.tone == "good") == (stored > 0 and rejected == 0 and dropped == 0)


def test_every_reason_has_a_remedy() -> None:
    """Each code that the collector gives has its own advice here."""
    general = remedy("a reason of the future")

    assert [reason for reason in (*REFUSALS, REASON) if remedy(reason) == general] == []
