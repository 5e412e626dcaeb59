"""What both protocols do with a body: decompress, decode, mask, split, write, wait for Kafka."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any, Final, Protocol

from spanwise_collector.normalise.decode import decode
from spanwise_collector.normalise.problems import Refused
from spanwise_collector.receive.access import Access
from spanwise_collector.receive.admission import Lease
from spanwise_collector.receive.answers import Form, Taken
from spanwise_collector.receive.errors import NotTakenError, Reason
from spanwise_collector.receive.inflate import Encoding, inflate
from spanwise_collector.receive.json_form import read_json
from spanwise_collector.receive.limits import ReceiveLimits
from spanwise_collector.receive.meters import Meters
from spanwise_collector.receive.producer import RecordWriter
from spanwise_collector.receive.signals import Signal
from spanwise_collector.receive.split import Packed, Split, split

ACK_MARGIN: Final = 1.25
"""Times the time after which Kafka's client itself gives a record up; its clock starts a little later."""
log = logging.getLogger(__name__)


class RequestMasker(Protocol):
    """Hides what must not be stored."""

    def mask_request(self, message: Any) -> bool:
        """Change a decoded request in place; whether anything was changed."""


@dataclass(frozen=True, slots=True)
class Body:
    """A body as it came.

    Attributes:
        data: the bytes.
        encoding: how they are compressed.
        form: what they are after decompression.
    """

    data: bytes
    encoding: Encoding
    form: Form


class Intake:
    """Takes requests. Parsing runs on threads, so that the event loop answers others meanwhile."""

    def __init__(
        self,
        *,
        writer: RecordWriter,
        threads: Executor,
        limits: ReceiveLimits,
        meters: Meters,
        masker: RequestMasker | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Ready.

        Args:
            writer: where records go.
            threads: run what takes long.
            limits: of size and time.
            meters: what is counted.
            masker: applied to every request; None for none.
            clock: seconds that never go back.
        """
        self._writer = writer
        self._threads = threads
        self._limits = limits
        self._meters = meters
        self._masker = masker
        self._clock = clock

    async def take(self, signal: Signal, body: Body, access: Access, lease: Lease) -> Taken:
        """Store a request in Kafka.

        Args:
            signal: what it is.
            body: as it came.
            access: what its sender may do.
            lease: pays for the bytes after decompression.

        Returns:
            What became of it, once Kafka has acknowledged everything.

        Raises:
            NotTakenError: the request is wrong, or Kafka has not acknowledged; then part of it may be in Kafka, and
                what is sent again is recognised there by its span ids.
        """
        loop = asyncio.get_running_loop()
        started, writes, parts = await loop.run_in_executor(self._threads, self._begin, signal, body, access, lease)
        refused = parts.refused
        if writes:
            too_large = await self._acknowledged(writes, parts.records)
            self._meters.acknowledged(self._clock() - started)
            refused = refused + too_large
        taken = Taken(parts.items - (refused.total() - parts.refused.total()), refused)
        self._meters.taken(signal, taken)
        return taken

    def _begin(
        self, signal: Signal, body: Body, access: Access, lease: Lease
    ) -> tuple[float, list[Future[None]], Split]:
        data = inflate(body.data, body.encoding, self._limits.decoded_bytes, lease.grow)
        request, original, refused = self._decoded(signal, data, body.form)
        if self._masker is not None and self._masker.mask_request(request):
            original = None
        partitions = self._writer.partitions(signal.topic)
        parts = split(signal, request, original, partitions=partitions, project_of=access.project_of)
        started = self._clock()
        writes = self._writer.send(signal.topic, parts.records) if parts.records else []
        return started, writes, Split(parts.records, parts.refused + refused)

    @staticmethod
    def _decoded(signal: Signal, data: bytes, form: Form) -> tuple[Any, bytes | None, Counter[str]]:
        if form == "json":
            request, lost = read_json(signal, data)
            return request, None, _bad_items(lost)
        try:
            decoded = decode(signal.request, data)
        except Refused as error:
            raise NotTakenError(
                Reason.BAD_BODY,
                f"The body is not an OTLP protobuf request with {signal.noun} ({error.reason}). Protobuf is sent as "
                "application/x-protobuf, JSON as application/json.",
            ) from error
        return decoded.request, None if decoded.mended else data, _bad_items(decoded.lost)

    async def _acknowledged(self, writes: list[Future[None]], records: list[Packed]) -> Counter[str]:
        """Wait for all records.

        Returns:
            Items of records that the brokers found too large, which sending again would not change.

        Raises:
            NotTakenError: a record has failed for another reason.
        """
        waiting = [asyncio.wrap_future(write) for write in writes]
        await asyncio.wait(waiting, timeout=self._limits.ack_seconds * ACK_MARGIN)
        refused: Counter[str] = Counter()
        failure: NotTakenError | None = None
        for one, record in zip(waiting, records, strict=True):
            if not one.done():
                one.cancel()
                failure = NotTakenError(
                    Reason.AWAY, f"Kafka did not acknowledge within {self._limits.ack_seconds:g} s."
                )
            elif (error := one.exception()) is not None:
                if not isinstance(error, NotTakenError):
                    raise error
                if error.reason is Reason.TOO_LARGE:
                    log.warning("%s", error.detail)
                    refused["too_large"] += record.items
                else:
                    failure = error
        if failure is not None:
            raise failure
        return refused


def _bad_items(count: int) -> Counter[str]:
    return Counter({"bad_item": count} if count else {})
