"""Records that were refused and written to their topic once more: which of their spans are stored already.

A record that was refused in part has spans in the store from the first time, or from an earlier replay, far more
offsets ago than the duplicate filter looks back. For the few records that say of themselves that they were replayed
the store is asked by trace id. The answer depends on the log alone, as that of the filter: only spans from earlier
offsets of the same partition count, and a replay goes to the partition that the record lay in.
"""

from collections.abc import Callable, Collection, Container, Sequence
from typing import Final

from spanwise_collector.ingest.records import Record
from spanwise_collector.ingest.seen import Queries
from spanwise_collector.normalise.front import Front
from spanwise_collector.normalise.problems import Refused
from spanwise_collector.normalise.traces import read_traces
from spanwise_schemas.wire import LOGS_TOPIC, is_replayed

TRACES_PER_QUERY: Final = 1_000

StoredAmong = Callable[[str, int, int, Collection[bytes]], Collection[bytes]]
"""(ktopic, partition, end offset, ids) to those of the ids (trace id + span id) that are stored from offsets before."""


class AlsoSeen(Container[bytes]):
    """The duplicate filter, and some spans beside it."""

    def __init__(self, seen: Container[bytes], stored: Collection[bytes]) -> None:
        self._seen = seen
        self._stored = frozenset(stored)

    def __contains__(self, span: object) -> bool:
        """Whether the span is stored."""
        return span in self._stored or span in self._seen


def ids_of_replayed(records: Sequence[Record], front: Front) -> set[bytes]:
    """Trace id + span id (24 bytes) of the spans in replayed records; none for log records and unreadable ones.

    Scores and bodies of log records replace each other by their ids in the store.
    """
    ids: set[bytes] = set()
    for record in records:
        if not is_replayed(record.headers) or record.topic == LOGS_TOPIC or not record.value:
            continue
        try:
            traces = read_traces(record.value, front)
        except Refused:
            continue
        for _, scopes in traces.groups:
            for _, spans in scopes:
                ids.update(span.trace_id + span.span_id for span, _, _ in spans)
    return ids


def stored_among(database: Queries) -> StoredAmong:
    """Asks the table `spans`."""

    def read(ktopic: str, partition: int, end: int, ids: Collection[bytes]) -> Collection[bytes]:
        traces = sorted({span[:16].hex() for span in ids if len(span) == 24})
        stored: set[bytes] = set()
        for start in range(0, len(traces), TRACES_PER_QUERY):
            stored.update(read_part(ktopic, partition, end, traces[start : start + TRACES_PER_QUERY]))
        return stored.intersection(ids)

    def read_part(ktopic: str, partition: int, end: int, traces: list[str]) -> set[bytes]:
        rows = database.query(
            "SELECT DISTINCT toFixedString(concat(trace_id, span_id), 24) FROM spans "
            "WHERE trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16)) "
            # A topic that was made anew under the same name has another id; what came from the one before is earlier.
            "AND startsWith(ktopic, {name:String}) AND kpart = {partition:UInt16} "
            "AND (ktopic != {topic:String} OR koff < {end:UInt64})",
            {
                "traces": traces,
                "name": f"{ktopic.partition('/')[0]}/",
                "topic": ktopic,
                "partition": partition,
                "end": end,
            },
        ).rows
        return {bytes(ids) for (ids,) in rows}

    return read
