"""Work that one collector of many does again and again, on a thread of its own, with its counts for Prometheus."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from spanwise_collector.store.errors import StoreError, TransientStoreError

log = logging.getLogger(__name__)

STOP_S: Final = 10.0
MORE: Final = "more"
"""A count of this name that is not 0 means: there is more to do at once. It is not added up."""
_OWN: Final = {
    "rounds": "Rounds.",
    "failures": "Rounds that failed; the next one tries again.",
    "seconds": "Time spent, in seconds.",
}


class Periodic(Collector):
    """Calls `step` from `start` to `stop`; a round that failed is logged, counted and tried again.

    Whatever a round raises, also when it asks whether this collector is the one, the thread goes on.

    Attributes:
        counts: sums since the start, by name; `rounds`, `failures` and `seconds` besides those of the step.

    Args:
        name: a word for threads, logs and metrics: `spanwise_<name>_<count>`.
        step: one round; returns what it did, by name of the count.
        counts: name of each count to its help text.
        is_leader: whether this collector is the one to do it; asked before each round.
        interval_s: from the end of a round to the next, and before the first.
        at_once: the first round begins without waiting.
        at_stop: called once the thread has ended.
        stop_s: how long `stop` waits for the round that is under way.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], Mapping[str, int]],
        *,
        counts: Mapping[str, str],
        is_leader: Callable[[], bool],
        interval_s: float,
        at_once: bool = False,
        at_stop: Callable[[], object] | None = None,
        stop_s: float = STOP_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._step = step
        self._help = {**_OWN, **counts}
        self._is_leader = is_leader
        self._interval_s = interval_s
        self._first_s = 0.0 if at_once else interval_s
        self._at_stop = at_stop
        self._stop_s = stop_s
        self._clock = clock
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"spanwise-{name}", daemon=True)
        self.counts: dict[str, float] = dict.fromkeys(self._help, 0)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End after the round that is under way; waits for it as long as was said."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(self._stop_s)
            if self._thread.is_alive():
                log.error("%s did not end within %.0f s; the next start goes on with it", self._name, self._stop_s)
                return
        if self._at_stop is not None:
            try:
                self._at_stop()
            except StoreError as error:
                log.warning("%s could not finish: %s", self._name, error)

    def collect(self) -> Iterator[Metric]:
        """For Prometheus: one family per count."""
        for name, text in self._help.items():
            yield CounterMetricFamily(f"spanwise_{self._name}_{name}", text, value=self.counts[name])

    def _run(self) -> None:
        wait_s = self._first_s
        while not self._stopped.wait(wait_s):
            wait_s = 0.0 if self.round() else self._interval_s

    def round(self) -> bool:
        """One round, where this collector is the one; whether there is more to do at once."""
        began = self._clock()
        more = False
        try:
            if not self._is_leader():
                return False
            for name, count in self._step().items():
                if name == MORE:
                    more = bool(count)
                else:
                    self.counts[name] += count
        except TransientStoreError as error:
            self.counts["failures"] += 1
            log.warning("%s is tried again in %g s: %s", self._name, self._interval_s, error)
        except Exception:  # the top of a thread: whatever it is, the next round is taken
            self.counts["failures"] += 1
            log.exception("%s failed; it is tried again in %g s, and the rest goes on", self._name, self._interval_s)
        self.counts["rounds"] += 1
        self.counts["seconds"] += self._clock() - began
        return more
