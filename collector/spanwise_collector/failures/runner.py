"""Watching traces as a part of the service: a round every so often."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

from spanwise_collector.failures.trace_round import TraceWatcher
from spanwise_collector.periodic import MORE, Periodic

log = logging.getLogger(__name__)

COUNTS: Final = {
    "traces": "Traces that were looked at for loops, retry storms and missing ends.",
    "found": "Failures of traces that were found.",
}


def trace_runner(
    watcher: TraceWatcher,
    *,
    is_leader: Callable[[], bool],
    interval_s: float,
    clock: Callable[[], float] = time.monotonic,
) -> Periodic:
    """Watches traces on a thread of its own; what comes after the stop is found after the next start.

    Args:
        watcher: does the rounds.
        is_leader: whether this collector is the one to do it; asked before each round.
        interval_s: from the end of a round to the next.
        clock: monotonic seconds.
    """

    def step() -> Mapping[str, int]:
        found = watcher.round()
        if found.failures:
            log.info("found %d loops, retry storms and unfinished traces", found.failures)
        return {"traces": found.traces, "found": found.failures, MORE: found.more}

    return Periodic("trace_failures", step, counts=COUNTS, is_leader=is_leader, interval_s=interval_s, clock=clock)
