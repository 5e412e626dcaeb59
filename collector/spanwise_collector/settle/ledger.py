"""What was stored since the last round: ranges of offsets from the ledger, each once."""

from dataclasses import dataclass, field
from typing import Final

from spanwise_collector.ingest.seen import ktopic
from spanwise_collector.store.database import Reader

OVERLAP_MS: Final = 60_000
"""Ledger rows carry the clocks of several collectors; so far back each round looks again."""
MAX_RANGES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Stretch:
    """Offsets [first, last] of a partition, as `spans` has them."""

    ktopic: str
    partition: int
    first: int
    last: int


@dataclass(slots=True)
class LedgerReader:
    """Reads on in the ledger.

    Args:
        max_spans: of one round, about.
    """

    max_spans: int = 100_000
    _since_ms: int = 0
    _seen: dict[tuple[str, int, int], int] = field(default_factory=dict)
    _given: dict[tuple[str, int, int], int] = field(default_factory=dict)

    def next(self, reader: Reader, oldest_ms: int) -> tuple[list[Stretch], bool]:
        """Stretches that were not given before, joined where they follow each other, and whether there are more.

        They count as given once `done` is called.

        Args:
            reader: the store.
            oldest_ms: ledger rows before this are not looked at.
        """
        since = max(oldest_ms, self._since_ms - OVERLAP_MS)
        self._seen = {key: ts for key, ts in self._seen.items() if ts >= since}
        rows = reader.query(
            "SELECT topic, topic_id, part, off_from, off_to, n_spans, toUnixTimestamp64Milli(ts) FROM ingest_ledger "
            "WHERE ts >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND n_spans > 0 "
            "ORDER BY ts, topic, topic_id, part, off_from LIMIT {limit:UInt32}",
            {"since": since, "limit": MAX_RANGES + len(self._seen)},
        ).rows
        found: list[Stretch] = []
        self._given = {}
        spans = 0
        more = False
        for topic, topic_id, part, first, last, n_spans, ts in rows:
            stretch = Stretch(ktopic(topic, topic_id), part, first, last)
            key = (stretch.ktopic, part, first)
            if key in self._seen:
                continue
            if spans and spans + n_spans > self.max_spans:
                more = True
                break
            spans += n_spans
            self._given[key] = ts
            found.append(stretch)
        return _joined(found), more

    @property
    def since_ms(self) -> int:
        """The newest row of the ledger that was worked on, milliseconds since the epoch; 0 before the first."""
        return self._since_ms

    def done(self) -> None:
        """What `next` gave was worked on."""
        self._seen |= self._given
        self._since_ms = max([self._since_ms, *self._given.values()])


def _joined(found: list[Stretch]) -> list[Stretch]:
    joined: list[Stretch] = []
    for one in sorted(found, key=lambda one: (one.ktopic, one.partition, one.first)):
        before = joined[-1] if joined else None
        if before and (before.ktopic, before.partition, before.last + 1) == (one.ktopic, one.partition, one.first):
            joined[-1] = Stretch(one.ktopic, one.partition, before.first, one.last)
        else:
            joined.append(one)
    return joined
