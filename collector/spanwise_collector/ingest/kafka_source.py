"""Kafka by kafka-python: the only module of the collector that knows that package.

kafka-python calls rebalance listeners on the loop that also sends heartbeats, so ours only notes what happened, pauses
what is new and returns. Joining a group is completed inside `poll` alone; therefore `commit`, called from the same
thread, can never carry a partition that was lost over into a newer generation of the group.
"""

import socket
import time
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka import errors as kafka_errors
from kafka.consumer.subscription_state import ConsumerRebalanceListener
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.structs import MemberState, OffsetAndMetadata

from spanwise_collector.ingest.records import Record
from spanwise_collector.ingest.settings import IngestSettings, KafkaConnection
from spanwise_collector.ingest.source import (
    Assigned,
    Commit,
    Event,
    FencedError,
    Fetched,
    LogRange,
    MissingTopicError,
    OutOfRange,
    Partition,
    Reject,
    Revoked,
    SourceError,
    TransientSourceError,
)

# Above any record a source topic may hold by configuration, with headers.
MAX_REJECT_BYTES: Final = 64_000_000
HEADER_OMITTED: Final = "spanwise-reject-omitted-bytes"
MAX_POLL_RECORDS: Final = 2_000
FETCH_MAX_BYTES: Final = 32_000_000
PARTITION_FETCH_BYTES: Final = 8_000_000
METADATA_AGE_S: Final = 5.0
# A start that nobody answers says so after this time, and tries again.
BOOTSTRAP_TIMEOUT_MS: Final = 3_000
MISSING_TOPIC_RETRY_S: Final = 0.2
PROBE_TIMEOUT_S: Final = 2.0
REBALANCE_WAIT_S: Final = 5.0
REBALANCE_POLL_MS: Final = 200
# kafka-python wants connections to idle longer than a request may take.
IDLE_MARGIN_S: Final = 60.0


def connection_options(connection: KafkaConnection) -> dict[str, Any]:
    """Arguments that consumer, producer and admin client share."""
    timeout_ms = int(connection.request_timeout_s * 1000)
    options: dict[str, Any] = {
        "bootstrap_servers": [server.strip() for server in connection.bootstrap.split(",") if server.strip()],
        "client_id": "spanwise-collector",
        "security_protocol": connection.security_protocol,
        "request_timeout_ms": timeout_ms,
        "connections_max_idle_ms": timeout_ms + int(IDLE_MARGIN_S * 1000),
        "bootstrap_timeout_ms": min(timeout_ms, BOOTSTRAP_TIMEOUT_MS),
        "reconnect_backoff_max_ms": 1_000,
    }
    if connection.security_protocol.startswith("SASL_"):
        options["sasl_mechanism"] = connection.sasl_mechanism
        options["sasl_plain_username"] = connection.sasl_username
        options["sasl_plain_password"] = connection.sasl_password
    if connection.ssl_cafile:
        options["ssl_cafile"] = connection.ssl_cafile
    return options


@contextmanager
def translated(what: str) -> Iterator[None]:
    """kafka-python's errors as ours, sorted by remedy."""
    try:
        yield
    except kafka_errors.CommitFailedError as error:
        if any(isinstance(cause, kafka_errors.RebalanceInProgressError) for cause in error.args):
            raise TransientSourceError(f"Kafka is rebalancing the group ({what}).") from error
        raise FencedError(f"Kafka refused ({what}): this collector is not a member of the group any more.") from error
    except (
        kafka_errors.FencedInstanceIdError,
        kafka_errors.UnknownMemberIdError,
        kafka_errors.IllegalGenerationError,
    ) as error:
        raise FencedError(f"Kafka refused ({what}): {error}") from error
    except kafka_errors.UnknownTopicOrPartitionError as error:
        raise MissingTopicError(f"Kafka does not know the topic ({what}).") from error
    except (kafka_errors.RetriableError, kafka_errors.RebalanceInProgressError) as error:
        raise TransientSourceError(f"Kafka does not answer ({what}): {_text(error)}") from error
    except kafka_errors.KafkaError as error:
        raise SourceError(f"Kafka refused ({what}): {_text(error)}") from error
    except OSError as error:
        raise TransientSourceError(f"Kafka cannot be reached ({what}): {error}") from error


def _text(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def probe(bootstrap: str) -> None:
    """Connect to any of the brokers, before kafka-python does: it leaves sockets behind where nobody answers.

    Raises:
        OSError: none answers.
    """
    failure = OSError("no address")
    for server in bootstrap.split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), PROBE_TIMEOUT_S).close()
        except OSError as error:
            failure = error
        else:
            return
    raise failure


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    """Notes rebalances as events. Runs on kafka-python's loop: nothing here may wait."""

    def __init__(self, source: "KafkaSource") -> None:
        self._source = source

    def on_partitions_revoked(self, revoked: Collection[Any]) -> None:
        self._source._note_revoked(revoked)

    def on_partitions_lost(self, lost: Collection[Any]) -> None:
        self._source._joins_again = True
        self._source._note_revoked(lost)

    def on_partitions_assigned(self, assigned: Collection[Any]) -> None:
        self._source._note_assigned(assigned)


class KafkaSource:
    """`Source` on Kafka, in a consumer group or with partitions given by configuration."""

    def __init__(self, settings: IngestSettings) -> None:
        """Connect.

        Raises:
            TransientSourceError: no broker answers.
            SourceError: they refuse (rights, wrong protocol).
        """
        self._settings = settings
        self._timeout_ms = int(settings.kafka.request_timeout_s * 1000)
        self._events: deque[Assigned | Revoked] = deque()
        self._ids: dict[str, str] = {}
        self._partitions_checked = -float("inf")
        group = settings.assignment == "group"
        self._joins_again = bool(settings.group_instance)
        options = connection_options(settings.kafka)
        with translated("connecting"):
            self._admin = KafkaAdminClient(**options)
            try:
                self._consumer = KafkaConsumer(
                    **options,
                    group_id=settings.group if group else None,
                    group_instance_id=settings.group_instance or None if group else None,
                    # Positions are moved by us alone: a pin or a release is the only commit, and a position outside of
                    # the log is an event to decide upon, never a silent jump.
                    enable_auto_commit=False,
                    auto_offset_reset="none",
                    # Records of aborted transactions never happened.
                    isolation_level="read_committed",
                    partition_assignment_strategy=[CooperativeStickyAssignor],
                    session_timeout_ms=int(settings.session_timeout_s * 1000),
                    heartbeat_interval_ms=int(min(3.0, settings.session_timeout_s / 4) * 1000),
                    max_poll_interval_ms=300_000,
                    max_poll_records=MAX_POLL_RECORDS,
                    fetch_max_bytes=FETCH_MAX_BYTES,
                    max_partition_fetch_bytes=PARTITION_FETCH_BYTES,
                    fetch_min_bytes=1,
                    fetch_max_wait_ms=250,
                    metadata_max_age_ms=int(METADATA_AGE_S * 1000),
                    allow_auto_create_topics=False,
                    metrics_enabled=False,
                )
            except BaseException:
                self._admin.close()
                raise
            if group:
                self._consumer.subscribe(topics=list(settings.topics), listener=_Listener(self))
        self._closed = False

    def poll(self, timeout_s: float) -> list[Event]:
        """See `Source.poll`."""
        if self._settings.assignment == "static":
            self._assign_static()
        fetched: dict[Any, list[Any]] = {}
        out_of_range: list[Event] = []
        try:
            with translated("fetching"):
                try:
                    fetched = self._poll(timeout_s)
                except kafka_errors.OffsetOutOfRangeError as error:
                    out_of_range = [OutOfRange(_ours(tp)) for tp in error.args[0]]
                except kafka_errors.LogTruncationError as error:
                    out_of_range = [OutOfRange(_ours(tp)) for tp in error.divergent_offsets]
        except TransientSourceError:
            fetched = {}  # kafka-python reconnects by itself, and says so through end_offsets and topic_id
        events: list[Event] = []
        while self._events:
            events.append(self._events.popleft())
        events += out_of_range
        events += [Fetched(_ours(tp), [self._record(record) for record in records]) for tp, records in fetched.items()]
        return events

    def _poll(self, timeout_s: float) -> dict[Any, list[Any]]:
        """Poll, and stay while the group rebalances.

        kafka-python forgets a join that completed between two polls and joins again, which makes the others join again:
        members that poll with pauses between can go on like this for minutes.
        """
        # With something to tell already, only what is here is taken along.
        fetched = self._poll_once(0 if self._events else int(timeout_s * 1000))
        deadline = time.monotonic() + REBALANCE_WAIT_S
        while not fetched and not self._events and self._rebalancing() and time.monotonic() < deadline:
            fetched = self._poll_once(REBALANCE_POLL_MS)
        return fetched

    def _poll_once(self, timeout_ms: int) -> dict[Any, list[Any]]:
        """Poll, and insist on a join that is not completed when the time is over.

        A join that new partitions call for (or a topic that was not known yet) counts as needed only until the leader
        has assigned. When that happens between two polls, kafka-python takes the join for done and never its result:
        without partitions and without heartbeats for ever. Asking again costs nothing while a join is on its way.

        And some joins leave a partition to nobody, until the next one; after these we ask for one more:
        a member with a name of its own that comes back is given its old part without a rebalance, also when it ended
        between giving a partition up and the join by which others get that; and a member that was thrown out while it
        was silent may have joined with the claim to what it had before, so that the leader waits for it to give up what
        it does not have.
        """
        fetched: dict[Any, list[Any]] = self._consumer.poll(timeout_ms=timeout_ms)
        if self._settings.assignment == "group":
            state = self._consumer.group_metadata().state
            if state is MemberState.REBALANCING:
                self._consumer._coordinator.request_rejoin()
            elif self._joins_again and state is MemberState.STABLE:
                self._joins_again = False
                self._consumer._coordinator.request_rejoin()
        return fetched

    def _rebalancing(self) -> bool:
        return self._settings.assignment == "group" and self._consumer.group_metadata().state is MemberState.REBALANCING

    def seek(self, partition: Partition, offset: int) -> None:
        """See `Source.seek`."""
        if _theirs(partition) in self._consumer.assignment():
            self._consumer.seek(_theirs(partition), offset)

    def pause(self, partitions: Collection[Partition]) -> None:
        """See `Source.pause`."""
        self._consumer.pause(*self._assigned(partitions))

    def resume(self, partitions: Collection[Partition]) -> None:
        """See `Source.resume`."""
        self._consumer.resume(*self._assigned(partitions))

    def committed(self, partition: Partition) -> Commit | None:
        """See `Source.committed`."""
        with translated(f"reading the committed offset of {partition}"):
            found = self._consumer.committed(_theirs(partition), metadata=True, timeout_ms=self._timeout_ms)
        return None if found is None or found.offset < 0 else Commit(found.offset, found.metadata or "")

    def commit(self, partition: Partition, commit: Commit) -> None:
        """See `Source.commit`."""
        if _theirs(partition) not in self._consumer.assignment():
            raise FencedError(f"{partition} is not assigned to this collector any more.")
        with translated(f"committing {partition}"):
            self._consumer.commit(
                {_theirs(partition): OffsetAndMetadata(commit.offset, commit.metadata, -1)}, timeout_ms=self._timeout_ms
            )

    def log_range(self, partition: Partition) -> LogRange:
        """See `Source.log_range`."""
        with translated(f"reading the offsets of {partition}"):
            tp = _theirs(partition)
            start = self._consumer.beginning_offsets([tp], timeout_ms=self._timeout_ms)[tp]
        return LogRange(start, self.end_offsets([partition])[partition])

    def end_offsets(self, partitions: Collection[Partition]) -> Mapping[Partition, int]:
        """See `Source.end_offsets`."""
        if not partitions:
            return {}
        with translated("reading end offsets"):
            found = self._consumer.end_offsets([_theirs(p) for p in partitions], timeout_ms=self._timeout_ms)
        # The packaged broker answers with the first offset of the last batch of records, plus one. What it says beside
        # fetched records is right.
        have = self._consumer.assignment()
        fetched = {tp: self._consumer.highwater(tp) or 0 for tp in found if tp in have}
        return {_ours(tp): max(offset, fetched.get(tp, 0)) for tp, offset in found.items()}

    def topic_id(self, topic: str) -> str:
        """See `Source.topic_id`."""
        described = self._describe([topic])[topic]
        if described is None:
            self._ids.pop(topic, None)
            raise MissingTopicError(f"The topic {topic} does not exist.")
        self._ids[topic] = str(described["topic_id"] or "")
        return self._ids[topic]

    def close(self) -> None:
        """See `Source.close`."""
        if self._closed:
            return
        self._closed = True
        with translated("closing"):
            self._consumer.close(autocommit=False, timeout_ms=self._timeout_ms)
            self._admin.close()

    def _describe(self, topics: Sequence[str]) -> dict[str, dict[str, Any] | None]:
        with translated("reading topics"):
            found = {topic["name"]: topic for topic in self._admin.describe_topics(list(topics))}
        described: dict[str, dict[str, Any] | None] = {}
        for topic in topics:
            entry = found.get(topic)
            code = 0 if entry is None else entry["error_code"]
            if entry is None or code == kafka_errors.UnknownTopicOrPartitionError.errno:
                described[topic] = None
            elif code:
                with translated(f"reading topic {topic}"):
                    raise kafka_errors.for_code(code)()
            else:
                described[topic] = entry
        return described

    def _assign_static(self) -> None:
        """Assign what the settings name; with "all" as well what was added to the topics since."""
        now = time.monotonic()
        if now - self._partitions_checked < METADATA_AGE_S:
            return
        try:
            described = self._describe(self._settings.topics)
        except TransientSourceError:
            return  # the same question is asked again; the loop learns from topic_id that nobody answers
        wanted = {
            TopicPartition(topic, entry["partition_index"])
            for topic, found in described.items()
            if found is not None
            for entry in found["partitions"]
            if self._settings.partitions is None or entry["partition_index"] in self._settings.partitions
        }
        # Asked again at once while a topic is missing, later when all are there.
        self._partitions_checked = (
            now if all(found is not None for found in described.values()) else now - METADATA_AGE_S + 0.2
        )
        have = set(self._consumer.assignment())
        added = wanted - have
        if added:
            self._consumer.assign(sorted(have | wanted))
            self._note_assigned(added)

    def _assigned(self, partitions: Collection[Partition]) -> list[Any]:
        have = self._consumer.assignment()
        return [tp for tp in map(_theirs, partitions) if tp in have]

    def _note_assigned(self, assigned: Collection[Any]) -> None:
        for tp in assigned:
            # A position keeps kafka-python from looking for one; being paused keeps it from reading there.
            self._consumer.seek(tp, 0)
            self._consumer.pause(tp)
        if assigned:
            self._events.append(Assigned(tuple(sorted(_ours(tp) for tp in assigned))))

    def _note_revoked(self, revoked: Collection[Any]) -> None:
        if revoked:
            self._events.append(Revoked(tuple(sorted(_ours(tp) for tp in revoked))))

    def _record(self, record: Any) -> Record:
        return Record(
            topic=record.topic,
            topic_id=self._ids.get(record.topic, ""),
            partition=record.partition,
            offset=record.offset,
            timestamp_ms=record.timestamp,
            key=record.key,
            value=record.value,
            headers=tuple(record.headers or ()),
        )


def _ours(tp: Any) -> Partition:
    return Partition(tp.topic, tp.partition)


def _theirs(partition: Partition) -> Any:
    return TopicPartition(partition.topic, partition.number)


class KafkaRejectSink:
    """`RejectSink` on Kafka: acknowledged by all in-sync replicas."""

    def __init__(self, settings: IngestSettings) -> None:
        self._topic = settings.rejects_topic
        self._timeout_s = settings.kafka.request_timeout_s * 2
        with translated("connecting"):
            self._producer = KafkaProducer(
                **connection_options(settings.kafka),
                acks="all",
                # After one record that the broker finds too large, kafka-python's idempotent producer fails for ever.
                enable_idempotence=False,
                compression_type="lz4",
                max_request_size=MAX_REJECT_BYTES,
                max_block_ms=int(settings.kafka.request_timeout_s * 1000),
                delivery_timeout_ms=int(self._timeout_s * 1000),
                linger_ms=5,
                allow_auto_create_topics=False,
                metrics_enabled=False,
            )

    def publish(self, rejects: Sequence[Reject]) -> None:
        """See `RejectSink.publish`."""
        with translated(f"publishing to {self._topic}"):
            sent = [
                self._producer.send(
                    self._topic,
                    key=reject.key,
                    # kafka-python sends no record that has neither.
                    value=b"" if reject.key is None and reject.value is None else reject.value,
                    headers=list(reject.headers),
                )
                for reject in rejects
            ]
            deadline = time.monotonic() + self._timeout_s
            self._producer.flush(timeout=self._timeout_s)
            refused = [
                reject
                for reject, future in zip(rejects, sent, strict=True)
                if not _accepted(future, max(0.0, deadline - time.monotonic()))
            ]
        if refused:
            self.publish([without_value(reject) for reject in refused])

    def close(self) -> None:
        """See `RejectSink.close`."""
        with translated("closing"):
            self._producer.close(timeout=5)


def _accepted(future: Any, timeout_s: float) -> bool:
    """Waits for the acknowledgement; False when the topic's limit on the size of a record is too low for this one."""
    try:
        future.get(timeout=timeout_s)
    except kafka_errors.MessageSizeTooLargeError:
        return False
    return True


def without_value(reject: Reject) -> Reject:
    """The reject without its bytes; its headers still say where the original lies.

    Raises:
        SourceError: it has no value already.
    """
    if reject.value is None:
        raise SourceError("The rejects topic refuses even a record without a value; look at its max.message.bytes.")
    return Reject(reject.key, None, (*reject.headers, (HEADER_OMITTED, str(len(reject.value)).encode())))


def ensure_topics(settings: IngestSettings) -> list[str]:
    """Make the topics that do not exist.

    Returns:
        The names of those that were made.

    Raises:
        TransientSourceError: no broker answers.
        SourceError: they refuse (rights, a replication factor above the number of brokers).
    """
    wanted: dict[str, dict[str, Any]] = {
        topic: {"num_partitions": settings.topic_partitions, "replication_factor": settings.topic_replication}
        for topic in settings.topics
    }
    # Refused records come with their original bytes, which may be larger than the default limit allows.
    wanted[settings.rejects_topic] = {
        "num_partitions": 1,
        "replication_factor": settings.topic_replication,
        "configs": {"max.message.bytes": str(MAX_REJECT_BYTES)},
    }
    made: list[str] = []
    with translated("making topics"):
        admin = KafkaAdminClient(**connection_options(settings.kafka))
        try:
            known = {topic["name"] for topic in admin.describe_topics(list(wanted)) if not topic["error_code"]}
            for topic, options in wanted.items():
                if topic in known:
                    continue
                try:
                    admin.create_topics({topic: options})
                except kafka_errors.TopicAlreadyExistsError:
                    continue  # another collector was faster
                made.append(topic)
        finally:
            admin.close()
    return made
