"""From a finished span to an acknowledged record: intake queue, encoding thread, outbox, delivering thread, transport.

Two threads, because a delivery may wait for seconds on a broker that hangs and encoding must go on meanwhile: an
encoded, compressed span takes a hundredth of the memory of a Python object.
"""

import logging
import queue
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spanwise._gate import import_gate
from spanwise._guard import guard
from spanwise._queue import IntakeQueue
from spanwise._scores import Score
from spanwise._stats import Stats
from spanwise._tally import Tally
from spanwise._transport import Record, Refused, Sent, Transport, TransportUnavailableError, Unsent
from spanwise_schemas.wire import LOGS_TOPIC, SPANS_TOPIC, Envelope

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from spanwise._encode import SpanEncoder
    from spanwise._mask import Masking
    from spanwise._outbox import Chunk, Outbox

logger: Final = logging.getLogger("spanwise")

# Reasons of drops, as `stats` and docs/sdk.md name them.
QUEUE_FULL: Final = "queue_full"
BUFFER_FULL: Final = "buffer_full"
TOO_LARGE: Final = "too_large"
ENCODE_FAILED: Final = "encode_failed"
REFUSED: Final = "refused"
EXIT: Final = "exit"
AFTER_SHUTDOWN: Final = "after_shutdown"
INTERNAL_ERROR: Final = "internal_error"
DROP_REASONS: Final = (QUEUE_FULL, BUFFER_FULL, TOO_LARGE, ENCODE_FAILED, REFUSED, EXIT, AFTER_SHUTDOWN, INTERNAL_ERROR)

_SAMPLED_OUT: Final = "sampled_out"

_BATCH_ITEMS: Final = 128
_BATCH_WEIGHT: Final = 2_000_000
_REST: Final = 3.0  # times as long as encoding a batch took: in a burst the processor belongs to the application
_DELIVERY_BYTES: Final = 4_000_000  # raw bytes in hand of the delivering thread
_SPAN_WEIGHT: Final = 3_000  # of a span object without its texts, measured on CPython 3.11
_BACKOFF_S: Final = (0.1, 5.0)
_FLUSH_POLL_S: Final = 0.005
# Loaded in the background, not with `import spanwise`: 60 ms.
_MODULES: Final = ("spanwise._encode", "spanwise._outbox", "spanwise._pack")
_JOIN_S: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineOptions:
    """Bounds of a pipeline; see the settings of the same names."""

    max_queue_bytes: int
    max_buffer_bytes: int
    linger_s: float
    put_timeout_s: float
    stamp: Mapping[str, str]
    masking: "Masking | None" = None


class Pipeline:
    """Delivers what it is given, or counts it as dropped. A `spanwise._runtime.Sink`.

    Always: emitted = sent + dropped + queued.
    """

    def __init__(
        self,
        options: PipelineOptions,
        transport: Transport,
        *,
        producer: str,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.producer = producer
        self._options = options
        self._transport = transport
        self._jitter = jitter
        # Two tallies: the application's threads never wait for the background threads' counting, nor the other way
        # round.
        self._app = Tally()
        self._work = Tally()
        self._intake: IntakeQueue[ReadableSpan | Score] = IntakeQueue(options.max_queue_bytes)
        self._encoder: SpanEncoder | None = None
        self._outbox: Outbox | None = None
        self._nudges: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._own_threads: set[int] = set()
        self._start_lock = threading.RLock()
        self._started = False
        self._closed = False
        self._attempts = 0
        self._hurry = 0
        self._seq = 0
        self._sent = 0
        self._last_error: str | None = None
        self._down = False

    # --- the application's side

    def span(self, span: "ReadableSpan") -> None:
        """Take a finished span."""
        if threading.get_ident() in self._own_threads:
            return  # an instrumentation has seen our own sending
        weight = _SPAN_WEIGHT
        attributes: dict[str, object] = {} if span.attributes is None else span.attributes.copy()  # type: ignore[attr-defined]
        for value in attributes.values():
            if type(value) is str:
                weight += len(value)
        self._put(span, weight)

    def score(self, score: Score) -> None:
        """Take a score."""
        self._put(score, _SPAN_WEIGHT)

    def sampled_out(self) -> None:
        """Count a span that sampling has left out."""
        self._app.add(_SAMPLED_OUT)

    def warm_up(self) -> None:
        """Begin to connect: a span has started, so there will be something to send."""
        if not self._started and not self._closed:
            self._start()

    def _put(self, item: "ReadableSpan | Score", weight: int) -> None:
        if self._closed:
            self._app.add(AFTER_SHUTDOWN)
            return
        if not self._started:
            self._start()
        if not self._intake.put(item, weight, self._options.put_timeout_s):
            self._app.add(QUEUE_FULL)

    def _start(self) -> None:
        """Start the threads with the first item: a process that only forks workers never has any."""
        with self._start_lock:
            if self._started:
                return
            import_gate.starting()
            for name, target in (("spanwise-encode", self._encode_loop), ("spanwise-deliver", self._deliver_loop)):
                thread = threading.Thread(target=target, name=name, daemon=True)
                self._threads.append(thread)
                thread.start()
            self._started = True

    # --- looking and waiting

    def stats(self) -> Stats:
        """What became of everything so far."""
        app, work = self._app.as_dict(), self._work.as_dict()
        dropped = {reason: app.get(reason, 0) + work.get(reason, 0) for reason in DROP_REASONS}
        emitted, sent = self._emitted(), self._sent
        return Stats(
            producer=self.producer,
            emitted=emitted,
            sent=sent,
            dropped={reason: count for reason, count in dropped.items() if count},
            queued=max(0, emitted - sent - sum(dropped.values())),
            sampled_out=app.get(_SAMPLED_OUT, 0),
            mask_failed=work.get("mask_failed", 0),
            internal_errors=guard.errors,
            last_error=self._last_error,
        )

    def _emitted(self) -> int:
        return self._intake.accepted + self._app.get(QUEUE_FULL) + self._app.get(AFTER_SHUTDOWN)

    def _dropped(self) -> int:
        return sum(self._app.get(reason) + self._work.get(reason) for reason in DROP_REASONS)

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything emitted so far is sent or dropped.

        Returns:
            False when the time was up before.
        """
        target = self._emitted()
        if self._sent + self._dropped() >= target:
            return True
        deadline = time.monotonic() + timeout_s
        self._hurry += 1
        try:
            self._intake.wake()
            self._attempts = 0
            self._nudges.put(None)
            while self._sent + self._dropped() < target:
                if not self._started or time.monotonic() >= deadline:
                    return False
                # Polling, because this also runs in a signal handler; see `_queue`.
                time.sleep(_FLUSH_POLL_S)
            return True
        finally:
            self._hurry -= 1

    def close(self, timeout_s: float) -> None:
        """Flush, stop the threads, and count what is left as dropped. Safe to call again."""
        deadline = time.monotonic() + timeout_s
        self.flush(max(timeout_s / 2, timeout_s - 2 * _JOIN_S))  # the rest is for stopping
        if self._closed:
            return
        self._closed = True
        if not self._started:
            return
        self._intake.wake()
        if self._outbox is not None:
            self._outbox.close()
        self._nudges.put(None)
        for thread in self._threads:
            thread.join(max(0.01, min(_JOIN_S, deadline - time.monotonic())))
        if any(thread.is_alive() for thread in self._threads):
            self._transport.abandon()
        else:
            self._transport.close(max(0.01, min(_JOIN_S, deadline - time.monotonic())))
        left = self._emitted() - self._sent - self._dropped()
        if left > 0:
            self._app.add(EXIT, left)
            reason = f" Last error: {self._last_error}." if self._last_error else ""
            logger.warning(
                "%d spans or scores were not sent within %.1f s at exit and are dropped.%s", left, timeout_s, reason
            )

    def abandon(self) -> None:
        """In a forked child: the threads, connections and pending spans belong to the parent."""
        self._closed = True
        self._transport.abandon()

    # --- the encoding thread

    def _encode_loop(self) -> None:
        self._enter_own_thread()
        import_gate.load(*_MODULES)
        from spanwise import _outbox

        outbox = self._outbox = _outbox.Outbox(self._options.max_buffer_bytes)
        while not self._closed:
            self._intake.wait(self._options.linger_s)
            while items := self._intake.take(_BATCH_ITEMS, _BATCH_WEIGHT):
                began = time.perf_counter()
                try:
                    chunks = self._encoded(items)
                except Exception as error:
                    self._work.add(INTERNAL_ERROR, len(items))
                    guard.report("encode spans", error)
                    continue
                for chunk in chunks:
                    dropped = outbox.put(chunk)
                    if dropped:
                        self._work.add(BUFFER_FULL, dropped)
                if not self._hurry:
                    self._intake.rest((time.perf_counter() - began) * _REST)

    def _encoded(self, items: "Sequence[ReadableSpan | Score]") -> "list[Chunk]":
        from spanwise import _encode
        from spanwise._outbox import Chunk

        losses = _encode.Losses()
        stamp, masking = self._options.stamp, self._options.masking
        chunks: list[Chunk] = []
        spans = [item for item in items if not isinstance(item, Score)]
        if spans:
            if self._encoder is None:
                self._encoder = _encode.SpanEncoder(stamp, masking)
            request = self._encoder.encode(spans, losses)
            kept = len(spans) - losses.encode_failed - losses.too_large
            if kept:
                chunks.append(Chunk.of(SPANS_TOPIC, kept, request))
        scores = [item for item in items if isinstance(item, Score)]
        if scores:
            failed = losses.encode_failed
            logs = _encode.encode_score_batch(scores, stamp, masking, losses)
            kept = len(scores) - (losses.encode_failed - failed)
            if kept:
                chunks.append(Chunk.of(LOGS_TOPIC, kept, logs.SerializeToString()))
        for reason, count in (
            (ENCODE_FAILED, losses.encode_failed),
            (TOO_LARGE, losses.too_large),
            ("mask_failed", losses.mask_failed),
        ):
            if count:
                if not self._work.get(reason):
                    logger.warning(
                        "Spanwise: %s, first: %s. Counted in spanwise.stats().", reason, losses.details[reason]
                    )
                self._work.add(reason, count)
        return chunks

    # --- the delivering thread

    def _deliver_loop(self) -> None:
        self._enter_own_thread()
        while self._outbox is None and not self._closed:
            time.sleep(_FLUSH_POLL_S)
        outbox = self._outbox
        # Connect while the first span is still running.
        try:
            self._transport.partitions(SPANS_TOPIC)
        except TransportUnavailableError as error:
            self._last_error = str(error)  # the first delivery tells, when there is something to tell about
        except Exception as error:
            guard.report("connect", error)
        finally:
            import_gate.settled()
        while outbox is not None and not self._closed:
            chunks = outbox.take(_DELIVERY_BYTES)
            if not chunks:
                return
            try:
                self._deliver(chunks)
            except Exception as error:
                self._work.add(INTERNAL_ERROR, sum(chunk.items for chunk in chunks))
                guard.report("send spans", error)

    def _deliver(self, chunks: "list[Chunk]") -> None:
        """Send some chunks, again and again until each of their records is taken or refused."""
        from spanwise._pack import pack

        records: list[Record] | None = None
        while not self._closed:
            try:
                if records is None:
                    topic = chunks[0].topic
                    packed = pack(topic, (chunk.request() for chunk in chunks), self._transport.partitions(topic))
                    records = [
                        Record(one.topic, one.partition, one.key, one.value, self._envelope(one.items))
                        for one in packed
                    ]
                outcomes = self._transport.deliver(records)
            except TransportUnavailableError as error:
                self._wait_for_receiver(str(error))
                continue
            again: list[Record] = []
            for record, outcome in zip(records, outcomes, strict=True):
                match outcome:
                    case Sent():
                        self._sent += record.envelope.spans
                    case Refused(detail):
                        self._count_refused(record, detail)
                    case Unsent(detail):
                        again.append(record)
            records = again
            if not records:
                self._receiver_is_back()
                return
            self._wait_for_receiver(detail)

    def _envelope(self, items: int) -> Envelope:
        seq, self._seq = self._seq, self._seq + 1
        return Envelope(producer=self.producer, seq=seq, spans=items, dropped=self._dropped())

    def _count_refused(self, record: Record, detail: str) -> None:
        self._last_error = detail
        if not self._work.get(REFUSED):
            logger.warning(
                "The receiver refused %d spans or scores: %s. Counted in spanwise.stats().",
                record.envelope.spans,
                detail,
            )
        self._work.add(REFUSED, record.envelope.spans)

    def _wait_for_receiver(self, detail: str) -> None:
        """Say once that the receiver is away, then wait: doubling, jittered, ended early by `flush` and `close`."""
        self._last_error = detail
        if not self._down:
            self._down = True
            logger.warning(
                "Spanwise cannot send now (%s). It goes on trying and keeps up to %d bytes. Your code is running on.",
                detail,
                self._options.max_buffer_bytes,
            )
        low, high = _BACKOFF_S
        pause = min(high, low * 2.0 ** min(self._attempts, 16)) * (0.5 + self._jitter() / 2)
        self._attempts += 1
        try:
            self._nudges.get(timeout=pause)
        except queue.Empty:
            return

    def _receiver_is_back(self) -> None:
        self._attempts = 0
        if self._down:
            self._down = False
            logger.warning("Spanwise is sending again; %d dropped so far.", self._dropped())

    def _enter_own_thread(self) -> None:
        from opentelemetry import context

        self._own_threads.add(threading.get_ident())
        # The keys by which OpenTelemetry's instrumentations know that a call is not the application's.
        context.attach(
            context.set_value(
                "suppress_instrumentation", True, context.set_value("suppress_http_instrumentation", True)
            )
        )
