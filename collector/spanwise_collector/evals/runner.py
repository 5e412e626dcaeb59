"""The role `evals` as a part of a service: its thread, its connections, its state."""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from spanwise_collector.evals.lanes import Work
from spanwise_collector.evals.loop import EvalLoop, LoopCounts
from spanwise_collector.evals.publish import Publisher
from spanwise_collector.evals.stopping import Stopping
from spanwise_collector.ingest.pins import Pins
from spanwise_collector.ingest.source import Source, SourceError, TransientSourceError
from spanwise_collector.store.errors import StoreError

log = logging.getLogger(__name__)

BATCHES: Final = 4
"""Partitions whose batches are worked on at the same time."""
STEP_S: Final = 0.1
AGAIN_S: Final = 5.0
FINISH_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class EvalsStatus:
    """How the role stands in this process.

    Attributes:
        running: whether it reads.
        waiting: what hinders it, for people; empty for nothing.
        lag: records that wait; None where that is not known.
        counts: since the start.
    """

    running: bool = False
    waiting: str = ""
    lag: int | None = None
    counts: LoopCounts = field(default_factory=LoopCounts)


class EvalsRunner(Collector):
    """Runs evals on a thread of its own. Whatever happens to it, it begins again after some seconds; ingest goes on.

    Args:
        connect: makes the source and what keeps its positions.
        work: makes scores of records.
        publisher: sends them.
        stopping: wakes what waits inside of `work`.
        cut: ends what `work` waits for outside of this process.
        clock: seconds that never go back.
        again_s: seconds until it begins again after it failed.
    """

    def __init__(
        self,
        *,
        connect: Callable[[], tuple[Source, Pins]],
        work: Work,
        publisher: Publisher,
        stopping: Stopping,
        cut: Callable[[], None],
        clock: Callable[[], float],
        again_s: float = AGAIN_S,
    ) -> None:
        self._connect = connect
        self._work = work
        self._publisher = publisher
        self._stopping = stopping
        self._cut = cut
        self._clock = clock
        self._again_s = again_s
        self._ending = threading.Event()
        self._drain = False
        self._status = EvalsStatus()
        self._before = LoopCounts()
        self._thread = threading.Thread(target=self._run, name="spanwise-evals", daemon=True)

    def status(self) -> EvalsStatus:
        """A snapshot; callable from any thread."""
        return self._status

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self, timeout_s: float, *, drain: bool = False) -> None:
        """Stop; safe to call twice, and when it never started.

        Args:
            timeout_s: how long what was begun may take. What is not finished then is done again at the next start.
            drain: first score everything that is in Kafka now.
        """
        if not self._thread.is_alive():
            return
        self._drain = drain
        self._ending.set()
        self._thread.join(timeout_s)
        self._stopping.stop()
        if self._thread.is_alive():
            self._cut()
            self._thread.join(FINISH_S)
        if self._thread.is_alive():
            log.error("evals did not end; what was not finished is done again at the next start")

    def collect(self) -> Iterator[Metric]:
        """For Prometheus."""
        status = self._status
        yield GaugeMetricFamily(
            "spanwise_evals_up", "Whether evals read spans now.", float(status.running and not status.waiting)
        )
        if status.lag is not None:
            yield GaugeMetricFamily("spanwise_evals_lag", "Records that wait to be scored.", status.lag)
        for name, text, value in (
            ("records", "Records of spans that were read.", status.counts.records),
            ("scores", "Scores that were sent.", status.counts.scores),
            ("retries", "Batches that were tried again.", status.counts.retries),
            ("skipped", "Batches that were left out after failing several times.", status.counts.skipped),
            ("lost", "Records that Kafka deleted before they were read.", status.counts.lost),
            ("too_large", "Scores and spans of judges that Kafka found too large.", self._publisher.lost),
        ):
            yield CounterMetricFamily(f"spanwise_evals_{name}", text, value)

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._serve()
            except TransientSourceError as error:
                self._trouble(f"Kafka does not answer. Trying again. ({error})")
            except (SourceError, StoreError) as error:
                self._trouble(str(error))
            except Exception as error:  # the top of a thread: whatever it is, it begins again
                log.exception("evals met an error that they do not know")
                self._trouble(f"{type(error).__name__}: {error}")
            self._ending.wait(self._again_s)
        self._status = replace(self._status, running=False)

    def _trouble(self, text: str) -> None:
        if text != self._status.waiting:
            log.error("evals wait: %s", text)
        self._status = replace(self._status, running=False, waiting=text)

    def _serve(self) -> None:
        source, pins = self._connect()
        self._before = self._status.counts
        with ThreadPoolExecutor(BATCHES, thread_name_prefix="spanwise-evals-batch") as executor:
            loop = EvalLoop(
                source=source,
                pins=pins,
                work=self._work,
                publisher=self._publisher,
                executor=executor,
                clock=self._clock,
            )
            try:
                self._read(loop)
            finally:
                self._stopping_jobs(loop)
                with suppress(SourceError):
                    source.close()

    def _read(self, loop: EvalLoop) -> None:
        while not self._ending.is_set():
            loop.step(STEP_S)
            self._show(loop)
        while self._drain and not self._stopping.is_set:
            loop.step(STEP_S)
            self._show(loop)
            with suppress(TransientSourceError):
                if loop.caught_up():
                    return
        while loop.busy and not self._stopping.is_set:
            loop.step(STEP_S, finish=True)
            self._show(loop)

    def _stopping_jobs(self, loop: EvalLoop) -> None:
        """After a stop that came too early for them, batches end at their next wait."""
        deadline = self._clock() + FINISH_S
        while self._stopping.is_set and loop.busy and self._clock() < deadline:
            with suppress(SourceError, StoreError):
                loop.step(STEP_S, finish=True)

    def _show(self, loop: EvalLoop) -> None:
        counts, before = loop.counts, self._before
        total = LoopCounts(
            before.records + counts.records,
            before.scores + counts.scores,
            before.retries + counts.retries,
            before.skipped + counts.skipped,
            before.lost + counts.lost,
        )
        self._status = EvalsStatus(running=True, waiting=loop.waiting, lag=loop.lag(), counts=total)
