"""Writing refused records to their topics once more: which, in what form, and until all are acknowledged.

docs/decisions/0014-replayed-rejects.md says why the headers of the producer stay, and what ingest makes of them.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from spanwise_collector.ingest.landing import REJECT_HEADER
from spanwise_collector.ingest.records import Record
from spanwise_collector.normalise.limits import MAX_RECORD_MS, MIN_RECORD_MS
from spanwise_collector.rejects.log import Outgoing, RejectLog
from spanwise_collector.rejects.model import Origin, Position, Refusal
from spanwise_schemas.wire import HEADER_REPLAYED

CHUNK_RECORDS: Final = 500
CHUNK_BYTES: Final = 16_000_000
"""Records that are in memory and on their way at a time; a single larger one goes alone."""
MAX_GAP: Final = 50
"""Records between two wanted ones that are read and left: cheaper than to seek."""

NO_ORIGIN: Final = "its headers do not say where it lay"
NOT_KEPT: Final = "its bytes were too large for the rejects topic and are not kept"
SAME_RECORD: Final = "the same record was refused for several reasons"
REFUSED_AGAIN: Final = "it was replayed before and refused again, which is another reject"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run writes.

    Attributes:
        chosen: each original record once, the oldest reject first.
        skipped: why others are left out, and how many.
    """

    chosen: list[Refusal]
    skipped: Counter[str]

    @property
    def bytes(self) -> int:
        """Bytes of all values."""
        return sum(one.size for one in self.chosen)


def plan(refusals: Iterable[Refusal], replayed_before: Iterable[str] = ()) -> Plan:
    """Choose what can be written, every original record at most once.

    Args:
        refusals: what was asked for.
        replayed_before: positions in the rejects topic whose replay was refused again. Of such a chain the newest is
            enough: with the older ones each run would double what cannot be stored.
    """
    before = set(replayed_before)
    chosen: dict[tuple[str, Position], Refusal] = {}
    skipped: Counter[str] = Counter()
    for one in refusals:
        if one.origin is None:
            skipped[NO_ORIGIN] += 1
        elif not one.is_kept:
            skipped[NOT_KEPT] += 1
        elif str(one.at) in before:
            skipped[REFUSED_AGAIN] += 1
        elif (one.origin.topic_id, one.origin.at) in chosen:
            skipped[SAME_RECORD] += 1
        else:
            chosen[one.origin.topic_id, one.origin.at] = one
    # The order in which they were refused, so in which they lay; and neighbours are read together.
    return Plan(sorted(chosen.values(), key=lambda one: one.at), skipped)


def outgoing(record: Record, origin: Origin) -> Outgoing:
    """A record of the rejects topic as it was, with a header that says from where it was replayed.

    It keeps the time of the original, which its scores are ordered by, unless that is no time at all.

    Args:
        record: as it lies in the rejects topic.
        origin: where it lay.
    """
    at = Position(record.topic, record.partition, record.offset)
    headers = tuple(
        (key, value or b"")
        for key, value in record.headers
        if not key.startswith(REJECT_HEADER) and key != HEADER_REPLAYED
    )
    is_time = MIN_RECORD_MS <= origin.timestamp_ms <= MAX_RECORD_MS
    return Outgoing(
        topic=origin.at.topic,
        partition=origin.at.partition,
        key=record.key,
        value=record.value or b"",
        headers=(*headers, (HEADER_REPLAYED, str(at).encode())),
        timestamp_ms=origin.timestamp_ms if is_time else None,
    )


@dataclass(slots=True)
class Outcome:
    """How far a run came.

    Attributes:
        acknowledged: records that all in-sync replicas have.
        failures: position in the rejects topic, and why it was not acknowledged.
    """

    acknowledged: int = 0
    failures: list[tuple[Position, str]] = field(default_factory=list)


def replay(log: RejectLog, chosen: Sequence[Refusal], progress: Callable[[Outcome], None]) -> Outcome:
    """Write records to where they lay, a chunk at a time, each once.

    It ends early when not one record of a chunk is acknowledged: the brokers are away, or everything is refused.

    Args:
        log: where they are read and written.
        chosen: of `plan`.
        progress: is told after each chunk.

    Raises:
        SourceError: they cannot be read.
    """
    outcome = Outcome()
    for chunk in _chunks(chosen):
        records = _records(log, chunk)
        there = [(one, records[one.at]) for one in chunk if one.at in records]
        outcome.failures += [(one.at, "it is not in the topic any more") for one in chunk if one.at not in records]
        if not there:
            continue
        said = log.write([outgoing(record, one.origin) for one, record in there if one.origin is not None])
        failures = [(one.at, why) for (one, _), why in zip(there, said, strict=True) if why]
        outcome.acknowledged += len(there) - len(failures)
        outcome.failures += failures
        progress(outcome)
        if len(failures) == len(there):
            break
    return outcome


def _chunks(chosen: Sequence[Refusal]) -> Iterator[list[Refusal]]:
    chunk: list[Refusal] = []
    size = 0
    for one in chosen:
        if chunk and (len(chunk) == CHUNK_RECORDS or size + one.size > CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(one)
        size += one.size
    if chunk:
        yield chunk


def _records(log: RejectLog, chunk: Sequence[Refusal]) -> dict[Position, Record]:
    """The records of a chunk by position; neighbours are read together."""
    wanted = {one.at for one in chunk}
    found: dict[Position, Record] = {}
    start = 0
    for end in range(1, len(chunk) + 1):
        first, last = chunk[start].at, chunk[end - 1].at
        following = chunk[end].at if end < len(chunk) else None
        if (
            following is not None
            and following.partition == last.partition
            and following.offset - last.offset <= MAX_GAP
        ):
            continue
        for record in log.read(first.partition, first.offset, last.offset + 1):
            at = Position(record.topic, record.partition, record.offset)
            if at in wanted:
                found[at] = record
        start = end
    return found
