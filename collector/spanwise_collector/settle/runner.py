"""Settling as a part of the service: a thread that takes a round every few seconds."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Final

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from spanwise_collector.settle.settler import Settler
from spanwise_collector.store.amend import AmendmentBusyError
from spanwise_collector.store.errors import StoreError, TransientStoreError

log = logging.getLogger(__name__)

STOP_S: Final = 10.0
_HELP: Final = {
    "rounds": "Rounds of settling.",
    "traces": "Traces that were judged again because spans had arrived.",
    "spans": "Stored spans whose bill was moved.",
    "busy": "Rounds left to another collector that was amending.",
    "failures": "Rounds that failed; the next begins where they did.",
    "seconds": "Time spent, in seconds.",
}


@dataclass(frozen=True, slots=True)
class SettleCounters:
    """Sums since the start; see `_HELP`."""

    rounds: int = 0
    traces: int = 0
    spans: int = 0
    busy: int = 0
    failures: int = 0
    seconds: float = 0.0


class SettleRunner(Collector):
    """Settles on a thread of its own, from `start` to `stop`; a failed round is logged, counted and tried again.

    Args:
        settler: does the rounds.
        is_leader: whether this collector is the one to settle; asked before each round.
        interval_s: from the end of a round to the next.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        settler: Settler,
        *,
        is_leader: Callable[[], bool],
        interval_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settler = settler
        self._is_leader = is_leader
        self._interval_s = interval_s
        self._clock = clock
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="spanwise-settle", daemon=True)
        self.counters = SettleCounters()

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End after the round that is under way and one more, for what ingest has stored at last."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(STOP_S)
            if self._thread.is_alive():
                log.error("settling did not end within %.0f s; the next start goes on with it", STOP_S)
            elif self._is_leader():
                self.step()

    def collect(self) -> Iterator[Metric]:
        """For Prometheus: one family per counter."""
        for field in fields(SettleCounters):
            yield CounterMetricFamily(
                f"spanwise_settle_{field.name}", _HELP[field.name], value=getattr(self.counters, field.name)
            )

    def _run(self) -> None:
        wait_s = self._interval_s
        while not self._stopped.wait(wait_s):
            wait_s = self._interval_s
            if self._is_leader() and self.step():
                wait_s = 0.0

    def step(self) -> bool:
        """One round; whether there is more to do at once."""
        began = self._clock()
        now = self.counters
        more = False
        try:
            found = self._settler.round()
            more = found.more
            now = replace(now, traces=now.traces + found.traces, spans=now.spans + found.spans)
            if found.spans:
                log.info("settled %d of %d traces' spans: each provider call counts once", found.spans, found.traces)
        except AmendmentBusyError:
            now = replace(now, busy=now.busy + 1)
        except TransientStoreError as error:
            now = replace(now, failures=now.failures + 1)
            log.warning("settling is tried again in %g s: %s", self._interval_s, error)
        except StoreError:
            now = replace(now, failures=now.failures + 1)
            log.exception("settling failed; it is tried again in %g s, and ingest goes on", self._interval_s)
        self.counters = replace(now, rounds=now.rounds + 1, seconds=now.seconds + self._clock() - began)
        return more
