"""Writes what evals made to Kafka, and waits until it is acknowledged."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from typing import Final

from spanwise_collector.evals.scores_out import CallOut, ScoreOut, calls_request, scores_request
from spanwise_collector.receive.errors import NotTakenError, Reason
from spanwise_collector.receive.producer import RecordWriter
from spanwise_collector.receive.signals import LOGS, TRACES, Signal
from spanwise_collector.receive.split import split

ACK_S: Final = 10.0


@dataclass(slots=True)
class Made:
    """What a batch of records became.

    Attributes:
        scores: to `otlp_logs`.
        calls: to `otlp_spans`.
    """

    scores: list[ScoreOut] = field(default_factory=list)
    calls: list[CallOut] = field(default_factory=list)

    def add(self, other: "Made") -> None:
        """Take in what another part made."""
        self.scores += other.scores
        self.calls += other.calls


class Publisher:
    """Sends and waits.

    Args:
        writer: of records.
        clock: seconds that never go back.
        topics: where scores and spans go; for tests with topics of their own.
    """

    def __init__(
        self, writer: RecordWriter, clock: Callable[[], float], topics: tuple[str, str] = (LOGS.topic, TRACES.topic)
    ) -> None:
        self._writer = writer
        self._clock = clock
        self._topics = topics
        self.lost = 0
        """Scores and spans that Kafka finds too large, which no second attempt would change."""

    def publish(self, made: Made) -> None:
        """Send everything; returns when all of it is acknowledged by all replicas.

        Raises:
            NotTakenError: Kafka is away or slow. Everything may be sent again: scores replace themselves.
        """
        scores_topic, spans_topic = self._topics
        sent: list[tuple[int, Future[None]]] = []
        if made.calls:
            sent += self._send(TRACES, spans_topic, calls_request(made.calls))
        if made.scores:
            sent += self._send(LOGS, scores_topic, scores_request(made.scores))
        self._wait(sent)

    def _send(self, signal: Signal, topic: str, request: object) -> list[tuple[int, Future[None]]]:
        parts = split(signal, request, None, partitions=self._writer.partitions(topic), project_of=lambda _resource: "")
        self.lost += sum(parts.refused.values())
        futures = self._writer.send(topic, parts.records)
        return [(record.items, future) for record, future in zip(parts.records, futures, strict=True)]

    def _wait(self, sent: Sequence[tuple[int, Future[None]]]) -> None:
        deadline = self._clock() + ACK_S
        for items, future in sent:
            try:
                future.result(max(0.0, deadline - self._clock()))
            except FutureTimeoutError:
                raise NotTakenError(
                    Reason.AWAY, f"Kafka did not acknowledge scores within {ACK_S:g} s; they are sent again."
                ) from None
            except NotTakenError as error:
                if error.reason is not Reason.TOO_LARGE:
                    raise
                self.lost += items
