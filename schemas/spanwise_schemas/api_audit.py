"""Answer of /api/v1/audit: whether everything that was sent is accounted for."""

from datetime import datetime

from pydantic import Field

from spanwise_schemas.api import Model


class OffsetRange(Model):
    """Offsets of a partition, both ends inside.

    Attributes:
        first: first offset.
        last: last offset.
        detail: what is known of them.
    """

    first: int
    last: int
    detail: str = ""


class AuditPartition(Model):
    """What the ledger has of one partition, beside what the tables have."""

    topic: str
    topic_id: str = Field(description="A topic that was made anew under the same name is another one.")
    partition: int
    first_offset: int
    last_offset: int
    batches: int
    records: int
    spans: int
    scores: int
    contents: int
    rejected: int
    duplicates: int
    erased: int = Field(0, description="Spans and log records that were left out because they had been erased.")
    rejects_noted: int = Field(description="Items of the rejects that are noted one by one; as many as `rejected`.")
    missing: list[OffsetRange] = Field(
        description="Offsets that no batch covers: Kafka had deleted them before they were read, or passed over."
    )
    repeated: list[OffsetRange] = Field(description="Offsets that two batches cover: what is in them may count twice.")
    empty: list[OffsetRange] = Field(
        description="Batches of whose spans no row is in the tables, though the ledger has them and they are too young "
        "to have expired."
    )
    surplus: list[OffsetRange] = Field(description="Batches of which the tables have more spans than the ledger.")
    next_offset: int | None = Field(None, description="What is read next; null where this collector does not read it.")
    end_offset: int | None = Field(None, description="End of the log; null while it is not known.")


class AuditProducer(Model):
    """A producer whose numbers do not add up."""

    producer: str
    project: str
    service: str = ""
    records: int = Field(description="That arrived from it.")
    last_sequence: int = Field(description="Its records are numbered from 0 on.")
    missing_records: int = Field(description="How many numbers never arrived, or not yet.")
    missing: list[OffsetRange] = Field(
        [],
        description="Which numbers; at most 100 ranges, of the 20 producers that miss most. Empty where it is not "
        "known, as of records that an older version stored.",
    )
    dropped: int = Field(description="Spans and scores that it gave up itself, and said so.")
    last_seen: datetime


class Audit(Model):
    """Whether everything is accounted for: `problems` says what is not."""

    start: datetime
    end: datetime
    partitions: list[AuditPartition]
    producers: list[AuditProducer] = Field(description="Those with gaps or drops, most missing first; at most 200.")
    producers_total: int
    emitted: int = Field(description="Spans, scores and contents in the records that were read.")
    stored: int
    rejected: int
    duplicates: int
    erased: int = Field(0, description="Left out because they had been erased.")
    dropped: int = Field(description="At the source, as producers say; counted, not missing.")
    waiting: int | None = Field(None, description="Records in Kafka that are not yet stored; null where not known.")
    problems: list[str] = Field(description="In words; empty when everything is accounted for.")
