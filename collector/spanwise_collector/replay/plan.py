"""Which batches a replay reads again, and which rows it takes over as they are."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Final, Self

from spanwise_collector.ingest.ledger import Range
from spanwise_collector.ingest.seen import ktopic
from spanwise_collector.ingest.source import LogRange, Partition
from spanwise_collector.query.values import time_of
from spanwise_collector.replay.spec import ReplayError, ReplaySpec
from spanwise_collector.store.change import literal
from spanwise_collector.store.database import Reader

MAX_BATCHES: Final = 500_000
_TIMEOUT_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """Offsets [first, last] of a partition, by the topic's name and id."""

    topic: str
    topic_id: str
    part: int
    first: int
    last: int

    @property
    def sql(self) -> str:
        """Condition on a row of `spans`."""
        return (
            f"(ktopic = {literal(ktopic(self.topic, self.topic_id))} AND kpart = {self.part} "
            f"AND koff BETWEEN {self.first} AND {self.last})"
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """What a replay reads again.

    Attributes:
        stretches: offsets that are read again, one stretch per partition.
        early: for every partition, the offsets up to the last that was stored when the plan was made.
        batches: how many batches lie in the stretches.
        records: how many records.
    """

    stretches: tuple[Stretch, ...]
    early: tuple[Stretch, ...]
    batches: int
    records: int

    @property
    def in_range(self) -> str:
        """Condition on a row of `spans`: it came from a record that is read again."""
        return f"({' OR '.join(stretch.sql for stretch in self.stretches)})"

    @property
    def is_early(self) -> str:
        """Condition on a row of `spans`: it was stored when the plan was made. Rows that never lay in Kafka were."""
        return f"(ktopic = '' OR {' OR '.join(stretch.sql for stretch in self.early)})"

    def to_json(self) -> str:
        """As text; `from_json` reads it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What `to_json` wrote."""
        found = json.loads(text)
        for name in ("stretches", "early"):
            found[name] = tuple(Stretch(**one) for one in found[name])
        return cls(**found)


def batches_of(reader: Reader, stretch: Stretch) -> list[Range]:
    """The batches of a stretch as they were stored, by offset."""
    rows = reader.query(
        "SELECT DISTINCT off_from, off_to FROM ingest_ledger WHERE topic = {topic:String} AND topic_id = {id:String} "
        "AND part = {part:UInt16} AND off_from >= {first:UInt64} AND off_to <= {last:UInt64} ORDER BY off_from",
        {
            "topic": stretch.topic,
            "id": stretch.topic_id,
            "part": stretch.part,
            "first": stretch.first,
            "last": stretch.last,
        },
        timeout_s=_TIMEOUT_S,
    ).rows
    partition = Partition(stretch.topic, stretch.part)
    return [Range(partition, stretch.topic_id, int(first), int(last)) for first, last in rows]


def make_plan(reader: Reader, spec: ReplaySpec) -> Plan:
    """Choose the batches.

    Args:
        reader: the store in use.
        spec: what is asked for.

    Raises:
        ReplayError: nothing was stored in that time, or too much for one replay.
    """
    rows = reader.query(
        "SELECT topic, topic_id, part, min(off_from), max(off_to), uniqExact(off_from), sum(n_records) "
        "FROM ingest_ledger WHERE last_record_ts >= fromUnixTimestamp64Micro({from:Int64}, 'UTC') "
        "AND first_record_ts < fromUnixTimestamp64Micro({to:Int64}, 'UTC') "
        "GROUP BY topic, topic_id, part ORDER BY topic, topic_id, part",
        {"from": spec.start_us, "to": spec.end_us},
        timeout_s=_TIMEOUT_S,
    ).rows
    if not rows:
        raise ReplayError(
            f"No batch with records from {time_of(spec.start_us)} to {time_of(spec.end_us)} was stored. The times are "
            "those of the records in Kafka; `spanwise audit` shows what the ledger has."
        )
    batches, records = (sum(int(row[at]) for row in rows) for at in (5, 6))
    if batches > MAX_BATCHES:
        raise ReplayError(f"That are {batches:,} batches, more than {MAX_BATCHES:,}: take a shorter time range.")
    early = reader.query(
        "SELECT topic, topic_id, part, 0, max(off_to) FROM ingest_ledger GROUP BY topic, topic_id, part "
        "ORDER BY topic, topic_id, part",
        timeout_s=_TIMEOUT_S,
    ).rows
    return Plan(_stretches(rows), _stretches(early), batches, records)


def _stretches(rows: Sequence[Sequence[object]]) -> tuple[Stretch, ...]:
    return tuple(
        Stretch(str(topic), str(topic_id), int(str(part)), int(str(first)), int(str(last)))
        for topic, topic_id, part, first, last, *_ in rows
    )


def check_held(plan: Plan, ids: Mapping[str, str], held: Mapping[str, Mapping[int, LogRange]]) -> None:
    """Whether Kafka still has all of it.

    Args:
        plan: what is to be read.
        ids: topic to its id now.
        held: topic to what its partitions hold.

    Raises:
        ReplayError: it has not; the message says from when on it has.
    """
    missing = []
    for topic, stretches in groupby(plan.stretches, key=lambda one: one.topic):
        for one in stretches:
            has = held.get(topic, {}).get(one.part)
            if ids.get(topic, "") != one.topic_id:
                missing.append(f"{topic}[{one.part}] was made anew since: its old records are gone")
            elif has is None or has.start > one.first:
                gone = "is gone" if has is None else f"begins at offset {has.start}, {one.first} is needed"
                missing.append(f"{topic}[{one.part}] {gone}")
    if missing:
        shown = "; ".join(missing[:3]) + (f"; and {len(missing) - 3} more" if len(missing) > 3 else "")
        raise ReplayError(
            f"Kafka does not hold all of that time range any more ({shown}). Take a later --from; to keep more for the "
            "next time, raise the topics' retention.ms. The packaged broker keeps its log in memory, until it stops."
        )
