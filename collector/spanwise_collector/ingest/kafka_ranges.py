"""Ranges of records read from Kafka once more, outside of ingest: no group, nothing is committed."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka import errors as kafka_errors

from spanwise_collector.ingest.kafka_source import connection_options, probe, translated
from spanwise_collector.ingest.records import Record
from spanwise_collector.ingest.settings import KafkaConnection
from spanwise_collector.ingest.source import LogRange, TransientSourceError

POLL_MS: Final = 200
PROBE_S: Final = 2.0
"""Where the end of a partition lies is asked by fetching its last record, for so long at most."""
FETCH_BYTES: Final = 16_000_000
MAX_POLL_RECORDS: Final = 200


class KafkaRanges:
    """Reads what a Kafka still holds. One thread uses it.

    Args:
        connection: how to reach the brokers.
        clock: monotonic seconds.

    Raises:
        TransientSourceError: no broker answers.
        SourceError: they refuse.
    """

    def __init__(self, connection: KafkaConnection, clock: Callable[[], float] = time.monotonic) -> None:
        self._connection = connection
        self._clock = clock
        self._timeout_ms = int(connection.request_timeout_s * 1000)
        with translated("connecting"):
            probe(connection.bootstrap)
            self._consumer = KafkaConsumer(
                **connection_options(connection),
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="none",
                isolation_level="read_committed",
                max_poll_records=MAX_POLL_RECORDS,
                max_partition_fetch_bytes=FETCH_BYTES,
                fetch_max_bytes=FETCH_BYTES,
                allow_auto_create_topics=False,
                metrics_enabled=False,
            )

    def topic_id(self, topic: str) -> str:
        """The broker's id of a topic; empty when there is no such topic, or when the broker gives none."""
        with translated(f"reading {topic}"):
            return next((str(found["topic_id"] or "") for found in self._described(topic)), "")

    def ranges(self, topic: str) -> Mapping[int, LogRange]:
        """What each partition of a topic holds; empty when there is no such topic."""
        with translated(f"reading the offsets of {topic}"):
            places = [
                TopicPartition(topic, partition["partition_index"])
                for found in self._described(topic)
                for partition in found["partitions"]
            ]
            if not places:
                return {}
            starts = self._consumer.beginning_offsets(places, timeout_ms=self._timeout_ms)
            ends = self._consumer.end_offsets(places, timeout_ms=self._timeout_ms)
            return {
                place.partition: LogRange(starts[place], self._end(place, starts[place], ends[place]))
                for place in places
            }

    def _described(self, topic: str) -> list[Any]:
        admin = KafkaAdminClient(**connection_options(self._connection))
        try:
            return [found for found in admin.describe_topics([topic]) if not found["error_code"]]
        finally:
            admin.close()

    def _end(self, place: Any, start: int, end: int) -> int:
        # The packaged broker answers with the first offset of the last batch of records, plus one. What it says beside
        # fetched records is right.
        if end <= start:
            return int(end)
        self._consumer.assign([place])
        self._consumer.seek(place, end - 1)
        deadline = self._clock() + PROBE_S
        while self._clock() < deadline and not self._consumer.poll(timeout_ms=POLL_MS):
            pass
        return max(int(end), self._consumer.highwater(place) or 0)

    def read(self, topic: str, partition: int, first: int, end: int) -> Iterator[Record]:
        """The records with offsets from `first` on and before `end`, offsets rising; holes are possible.

        Their `topic_id` is empty.

        Raises:
            TransientSourceError: no broker answers in time.
            SourceError: they refuse.
        """
        place = TopicPartition(topic, partition)
        what = f"reading {topic}[{partition}] from {first}"
        with translated(what):
            if self._consumer.assignment() != {place}:
                self._consumer.assign([place])
            self._consumer.seek(place, first)
        deadline = self._clock() + self._connection.request_timeout_s
        position = first
        while position < end:
            with translated(what):
                try:
                    fetched = self._consumer.poll(timeout_ms=POLL_MS).get(place, [])
                except kafka_errors.OffsetOutOfRangeError:
                    return  # Kafka has deleted them since
                now_at = int(self._consumer.position(place, timeout_ms=self._timeout_ms))
            if now_at > position:
                deadline = self._clock() + self._connection.request_timeout_s
            elif self._clock() > deadline:
                raise TransientSourceError(f"Kafka does not answer ({what}).")
            position = now_at
            for record in fetched:
                if record.offset >= end:
                    return
                yield _record(record)

    def close(self) -> None:
        """Close the connection.

        Raises:
            SourceError: closing failed; nothing depends on it.
        """
        with translated("closing"):
            self._consumer.close(autocommit=False, timeout_ms=self._timeout_ms)


def _record(record: Any) -> Record:
    return Record(
        topic=record.topic,
        topic_id="",
        partition=record.partition,
        offset=record.offset,
        timestamp_ms=record.timestamp,
        key=record.key,
        value=record.value,
        headers=tuple(record.headers or ()),
    )
