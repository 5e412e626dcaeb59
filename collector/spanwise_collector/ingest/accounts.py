"""Who sent how much: the rows of `producers` and `ingest_rejects` that one batch makes."""

from dataclasses import dataclass, field
from typing import Final

from spanwise_collector.ingest.records import Record
from spanwise_collector.normalise.columns import Row
from spanwise_collector.normalise.context import Sender, cut
from spanwise_collector.normalise.limits import MAX_RECORD_MS, MIN_RECORD_MS
from spanwise_schemas.wire import Envelope, is_replayed

_NO_SENDER: Final = ("", "", "")
_MAX_DETAIL: Final = 1000


@dataclass(frozen=True, slots=True)
class Rejection:
    """A refused record, or a group of items inside it that were refused for the same reason.

    Attributes:
        record: the record.
        reason: stable short code, a key of `problems.REFUSALS`.
        detail: a sentence with the value that was found and the remedy; of a group, about its first item.
        items: how many spans or log records were refused.
    """

    record: Record
    reason: str
    detail: str
    items: int


@dataclass(slots=True)
class _Account:
    records: int = 0
    items: int = 0
    rejected: int = 0
    duplicates: int = 0
    erased: int = 0
    max_seq: int = 0
    dropped: int = 0
    first_ms: int = MAX_RECORD_MS
    last_ms: int = 0
    seqs: list[int] = field(default_factory=list)


class Accounts:
    """Sums per producer, project, service and SDK over one batch."""

    def __init__(self) -> None:
        self._accounts: dict[tuple[str, str, str, str], _Account] = {}

    def of_record(self, record: Record, envelope: Envelope | None) -> "RecordAccount":
        """The account of one record's items; a record without our headers, or a replayed one, keeps none."""
        return RecordAccount(self._accounts, record, envelope)

    def rows(self) -> list[Row]:
        """Rows of `producers`, in order of their keys."""
        return [
            (
                *key,
                one.records,
                one.items,
                one.max_seq,
                one.dropped,
                one.rejected,
                one.duplicates,
                one.first_ms,
                one.last_ms,
                one.erased,
                one.seqs,
            )
            for key, one in sorted(self._accounts.items())
        ]


class RecordAccount:
    """Books the items of one record."""

    def __init__(
        self, accounts: dict[tuple[str, str, str, str], _Account], record: Record, envelope: Envelope | None
    ) -> None:
        self._accounts = accounts
        self._record = record
        self._envelope = envelope
        self._booked = False
        # Its producer has numbered and counted it once, and it was booked when it was refused. Booked again it would
        # stand for a record that was lost.
        self._replayed = is_replayed(record.headers)

    @property
    def expected(self) -> int:
        """How many items are in a record that cannot be read: as its headers say, else 1."""
        return self._envelope.spans if self._envelope is not None and self._envelope.spans else 1

    def add(
        self, sender: Sender | None, *, items: int, rejected: int = 0, duplicates: int = 0, erased: int = 0
    ) -> None:
        """Book items of one resource.

        Args:
            sender: the resource, or None where it could not be read.
            items: how many arrived, whatever became of them.
            rejected: of these, refused.
            duplicates: of these, already stored.
            erased: of these, left out because they were erased.
        """
        if self._envelope is None or self._replayed:
            return
        who = _NO_SENDER if sender is None else (sender.project, sender.service, sender.sdk)
        account = self._accounts.setdefault((cut(self._envelope.producer, set()), *who), _Account())
        # A record with several resources is one record: it counts where it is booked first.
        if not self._booked:
            account.records += 1
            account.seqs.append(self._envelope.seq)
        self._booked = True
        account.items += items
        account.rejected += rejected
        account.duplicates += duplicates
        account.erased += erased
        account.max_seq = max(account.max_seq, self._envelope.seq)
        account.dropped = max(account.dropped, self._envelope.dropped)
        time_ms = storable_time(self._record.timestamp_ms)
        account.first_ms = min(account.first_ms, time_ms)
        account.last_ms = max(account.last_ms, time_ms)


def storable_time(time_ms: int) -> int:
    """A record's timestamp as the tables can hold it.

    A time that is no time (a broken clock wrote the record) goes to the upper end, where a time to live does not delete
    the row before anyone saw it.
    """
    return time_ms if MIN_RECORD_MS <= time_ms <= MAX_RECORD_MS else MAX_RECORD_MS


def reject_row(rejection: Rejection, envelope: Envelope | None) -> Row:
    """The row of `ingest_rejects`."""
    record = rejection.record
    return (
        record.topic,
        record.topic_id,
        record.partition,
        record.offset,
        "" if envelope is None else cut(envelope.producer, set()),
        rejection.reason,
        rejection.detail[:_MAX_DETAIL],
        min(rejection.items, 2**32 - 1),
        len(record.value or b""),
        storable_time(record.timestamp_ms),
    )
