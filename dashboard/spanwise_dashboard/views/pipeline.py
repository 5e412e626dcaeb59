"""Whether everything that was sent has arrived, and where the rest is."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import streamlit as st

from spanwise_dashboard import remembered
from spanwise_dashboard.components.table import Badge, Cell, Column, Row, table
from spanwise_dashboard.context import Context
from spanwise_dashboard.controls import refresh_seconds, title_bar
from spanwise_dashboard.format import ago, compact, count, duration, plural, size
from spanwise_dashboard.notices import explained
from spanwise_dashboard.pipeline import remedy, verdict
from spanwise_schemas.api import PartitionState, Pipeline, ProducerState, Reject

MAX_PROBLEMS: Final = 10
"""Lines that are shown; the command has all."""


def page(context: Context) -> None:
    """Draws the page."""
    title_bar(context, "Pipeline")
    st.fragment(_body, run_every=refresh_seconds())(context)


def _body(context: Context) -> None:
    with explained():
        start, end = context.window()
        with st.spinner("Asking the collector …"):
            pipeline = context.client.pipeline(start, end)
        said = verdict(pipeline)
        {"good": st.success, "warn": st.warning, "bad": st.error, "idle": st.info}[said.tone](said.sentence)
        if said.details:
            st.markdown("\n".join(f"- {line}" for line in said.details))
        _figures(pipeline)
        _audit(context)
        _rejects(pipeline.rejects, context.now())
        with st.container(key="tables"):
            _partitions(pipeline.partitions, context.now())
            _storage(pipeline)
        _producers(pipeline.producers, context.now())


def _figures(pipeline: Pipeline) -> None:
    totals = pipeline.totals
    figures = (
        ("Arrived", compact(totals.emitted), "Spans and scores in the records that were read from Kafka."),
        ("Stored", compact(totals.stored), "Spans and scores that are in the tables, each once."),
        ("Scores", compact(totals.scores), "Evaluation results among what is stored."),
        (
            "Rejected",
            compact(totals.rejected),
            "Refused for good; the original bytes are in the topic spanwise_rejects.",
        ),
        ("Duplicates", compact(totals.duplicates), "Sent twice by a producer and stored once."),
        (
            "Dropped",
            compact(totals.dropped),
            "Given up at the source, as the producers report: queue full or broker away.",
        ),
        (
            "Waiting",
            compact(totals.lag),
            "Records in Kafka that are not stored yet; a dash while Kafka does not answer.",
        ),
        ("Freshness", duration(totals.freshness_ms), "Median age of a record when it was stored, last 5 minutes."),
    )
    with st.container(key="kpis"):
        for label, value, text in figures:
            st.metric(label, value, help=text, border=True)


def _audit(context: Context) -> None:
    """Whether ledger, tables and producers agree; said apart, so that a slow answer holds up nothing else."""
    with explained(), st.spinner("Reconciling the ledger …"):
        audit = remembered.audit(context.client, context.state().time, context.now())
        if not audit.partitions:
            return
        if not audit.problems:
            partitions = plural(len(audit.partitions), "partition")
            producers = plural(audit.producers_total, "producer")
            st.caption(
                f":material/done_all: Accounted for: offsets, rows and rejects of {partitions} agree, "
                f"and no records of {producers} are missing."
            )
            return
        with st.container(border=True, key="audit"):
            st.subheader(":material/report: Not accounted for", anchor=False)
            for problem in audit.problems[:MAX_PROBLEMS]:
                st.text(problem)
            more = len(audit.problems) - MAX_PROBLEMS
            st.caption(
                (f"{more} more: " if more > 0 else "")
                + "`spanwise audit` says the same, for a scheduler; docs/delivery.md says what each line means."
            )


def _rejects(rejects: Sequence[Reject], now: datetime) -> None:
    if not rejects:
        return
    st.subheader("Why data was rejected", anchor=False)
    columns = (
        Column("Reason", width="22%"),
        Column("Count", "right", width="80px"),
        Column("Last", width="100px", hide=520),
        Column("What to do", wrap=True),
        Column("Topic", width="130px", hide=900),
    )
    rows = [
        Row(
            f"{reject.topic}/{reject.reason}",
            (
                Cell(reject.reason, mono=True),
                Cell(count(reject.count)),
                Cell(ago(reject.last_seen, now)),
                Cell(remedy(reject.reason)),
                Cell(reject.topic, mono=True),
            ),
        )
        for reject in rejects
    ]
    table("Rejects", columns, rows, key="table-rejects", empty="")


def _partitions(partitions: Sequence[PartitionState], now: datetime) -> None:
    columns = (
        Column("Partition", width="34%"),
        Column("Read up to", "right", hide=460),
        Column("Waiting", "right"),
        Column("Stored", "right", hide=380),
        Column("Last batch", "right"),
    )
    rows = [
        Row(
            f"{each.topic}/{each.partition}",
            (
                Cell(
                    f"{each.topic} / {each.partition}", badges=_pause(each), dot="bad" if each.paused_reason else "good"
                ),
                Cell(count(each.next_offset), title=f"The log ends at {count(each.end_offset)}"),
                Cell(count(each.lag), tone="warn" if each.lag else ""),
                Cell(compact(each.spans_stored), title=count(each.spans_stored)),
                Cell(ago(each.last_batch, now)),
            ),
        )
        for each in partitions
    ]
    with st.container():
        st.subheader("Kafka partitions", anchor=False)
        empty = "This collector reads no partition. Start one with the role ingest."
        table("Partitions", columns, rows, key="table-partitions", empty=empty)


def _pause(partition: PartitionState) -> tuple[Badge, ...]:
    return (Badge("paused", "bad", partition.paused_reason),) if partition.paused_reason else ()


def _storage(pipeline: Pipeline) -> None:
    total = sum(pipeline.tables.values())
    rows = [
        Row(name, (Cell(name, mono=True, bar=octets / total if total else 0.0), Cell(size(octets))))
        for name, octets in sorted(pipeline.tables.items(), key=lambda item: -item[1])
    ]
    if rows:
        rows.append(Row("total", (Cell("Total"), Cell(size(total)))))
    with st.container():
        st.subheader("Storage", anchor=False)
        columns = (Column("Table"), Column("On disk", "right", width="40%"))
        table("Storage", columns, rows, key="table-storage", empty="The tables are empty.")


def _producers(producers: Sequence[ProducerState], now: datetime) -> None:
    columns = (
        Column("Producer", width="24%", help="One per sending process."),
        Column("Project", hide=900),
        Column("Arrived", "right"),
        Column("Rejected", "right", hide=620),
        Column("Duplicates", "right", hide=760),
        Column("Dropped", "right", help="Given up at the source, as it last reported."),
        Column("Missing", "right", help="Gaps in its numbering of records: those that never arrived, or not yet."),
        Column("SDK", hide=1000),
        Column("Last seen", "right"),
    )
    rows = [
        Row(
            each.producer,
            (
                Cell(
                    each.service or "(no service name)",
                    sub=f"{each.producer[:6]}…{each.producer[-6:]}",
                    title=each.producer,
                ),
                Cell(each.project),
                Cell(compact(each.emitted), title=count(each.emitted)),
                Cell(count(each.rejected), tone="bad" if each.rejected else "muted"),
                Cell(count(each.duplicates), tone="" if each.duplicates else "muted"),
                Cell(count(each.dropped), tone="bad" if each.dropped else "muted"),
                Cell(count(each.missing_records), tone="bad" if each.missing_records else "muted"),
                Cell(each.sdk),
                Cell(ago(each.last_seen, now)),
            ),
        )
        for each in producers
    ]
    st.subheader("Producers", anchor=False)
    empty = "No process has sent anything in this time range."
    table("Producers", columns, rows, key="table-producers", empty=empty)
