"""Scores that do not come over OTLP: made into the log records that they would have been, and written to Kafka."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import SEVERITY_NUMBER_INFO, LogRecord

from spanwise_collector.normalise.problems import REFUSALS
from spanwise_collector.query.values import micros
from spanwise_collector.receive.access import Access, Doorkeeper
from spanwise_collector.receive.admission import Admission, Lease
from spanwise_collector.receive.errors import NotTakenError, Reason
from spanwise_collector.receive.intake import Body, Intake
from spanwise_collector.receive.limits import ReceiveLimits
from spanwise_collector.receive.signals import Signal
from spanwise_schemas import attributes as names
from spanwise_schemas.api_scores import NewScore

SCOPE: Final = "spanwise.api"


class ScoreSender:
    """Writes scores to Kafka.

    Attributes:
        limits: of size and time.

    Args:
        signal: of log records: into which topic.
        intake: takes requests.
        doorkeeper: who may send.
        admission: bounds what is in memory.
        limits: of size and time.
        new_id: 32 hex digits that were never used before.
        now: current time, UTC.
    """

    def __init__(
        self,
        *,
        signal: Signal,
        intake: Intake,
        doorkeeper: Doorkeeper,
        admission: Admission,
        limits: ReceiveLimits,
        new_id: Callable[[], str],
        now: Callable[[], datetime],
    ) -> None:
        self.limits = limits
        self._signal = signal
        self._intake = intake
        self._doorkeeper = doorkeeper
        self._admission = admission
        self._new_id = new_id
        self._now = now

    def admit(self, headers: Mapping[str, str], peer: str) -> Access:
        """What a sender may do; see `Doorkeeper.admit`.

        Raises:
            NotTakenError: no key, a wrong one, or one without the right.
        """
        return self._doorkeeper.admit(headers, peer)

    @contextmanager
    def request(self) -> Iterator[Lease]:
        """What one request holds in memory.

        Raises:
            NotTakenError: too much is in flight.
        """
        with self._admission.request() as lease:
            yield lease

    async def send(self, scores: Sequence[NewScore], access: Access, lease: Lease, *, project: str = "") -> list[str]:
        """Write scores; returns once Kafka has acknowledged all of them.

        Args:
            scores: at least one.
            access: what their sender may do.
            lease: pays for the bytes.
            project: theirs; empty for the sender's own one.

        Returns:
            Their ids, in order.

        Raises:
            NotTakenError: they are not stored, or it is not known.
        """
        ids = [one.score_id.lower() or self._new_id() for one in scores]
        await self._take(
            [entry_of(*pair, self._now()) for pair in zip(scores, ids, strict=True)], access, lease, project
        )
        return ids

    async def take_back(self, score: NewScore, access: Access, lease: Lease, *, project: str) -> None:
        """Write that a score no longer holds.

        Args:
            score: as it was stored, with its id.
            access: what the sender may do.
            lease: pays for the bytes.
            project: the score's.

        Raises:
            NotTakenError: it is not stored, or that is not known.
        """
        entry = entry_of(score, score.score_id, self._now())
        entry.attributes.append(KeyValue(key=names.SCORE_DELETED, value=AnyValue(bool_value=True)))
        await self._take([entry], access, lease, project)

    async def _take(self, entries: Sequence[LogRecord], access: Access, lease: Lease, project: str) -> None:
        request = ExportLogsServiceRequest()
        group = request.resource_logs.add()
        if project:
            group.resource.attributes.append(KeyValue(key=names.PROJECT, value=AnyValue(string_value=project)))
        scoped = group.scope_logs.add()
        scoped.scope.name = SCOPE
        scoped.log_records.extend(entries)
        body = Body(request.SerializeToString(), "identity", "protobuf")
        taken = await self._intake.take(self._signal, body, access, lease)
        if taken.refused:
            why = " ".join(REFUSALS[reason] for reason in sorted(taken.refused))
            raise NotTakenError(Reason.TOO_LARGE, f"{taken.refusals} of {len(entries)} scores are not stored. {why}")


def entry_of(score: NewScore, score_id: str, now: datetime) -> LogRecord:
    """The log record that a score would have been over OTLP.

    Args:
        score: what is said.
        score_id: 32 hex digits.
        now: the score's time where it tells none, UTC.
    """
    told: dict[str, str | float | bool] = {
        names.SCORE_NAME: score.name,
        names.SCORE_SOURCE: score.source,
        names.SCORE_ID: score_id,
    }
    if isinstance(score.value, str):
        told[names.SCORE_LABEL] = score.value
    elif score.value is not None:
        told[names.SCORE_VALUE] = score.value
    said = {
        names.SCORE_LABEL: score.label,
        names.SCORE_EXPLANATION: score.explanation,
        names.SCORE_EVALUATOR: score.evaluator,
        names.SCORE_EVALUATOR_VERSION: score.evaluator_version,
        names.SCORE_STRATUM: score.stratum,
        names.SESSION_ID: score.session_id,
    }
    told.update({key: text for key, text in said.items() if text})
    if score.inclusion_probability != 1:
        told[names.SCORE_INCLUSION] = score.inclusion_probability
    time_ns = micros(score.time or now) * 1000
    return LogRecord(
        time_unix_nano=time_ns,
        observed_time_unix_nano=time_ns,
        severity_number=SEVERITY_NUMBER_INFO,
        event_name=names.SCORE_EVENT,
        trace_id=bytes.fromhex(score.trace_id),
        span_id=bytes.fromhex(score.span_id),
        attributes=[KeyValue(key=key, value=_any(value)) for key, value in told.items()],
    )


def _any(value: str | float | bool) -> AnyValue:
    if isinstance(value, str):
        return AnyValue(string_value=value)
    return AnyValue(bool_value=value) if isinstance(value, bool) else AnyValue(double_value=value)
