"""Settling as a part of the service: a round every few seconds."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

from spanwise_collector.periodic import MORE, Periodic
from spanwise_collector.settle.settler import Settler
from spanwise_collector.store.amend import AmendmentBusyError

log = logging.getLogger(__name__)

COUNTS: Final = {
    "traces": "Traces that were judged again because spans had arrived.",
    "spans": "Stored spans whose bill was moved.",
    "busy": "Rounds left to another collector that was amending.",
}


def settle_runner(
    settler: Settler,
    *,
    is_leader: Callable[[], bool],
    interval_s: float,
    clock: Callable[[], float] = time.monotonic,
) -> Periodic:
    """Settles on a thread of its own; at the stop once more, for what ingest has stored at last.

    Args:
        settler: does the rounds.
        is_leader: whether this collector is the one to settle; asked before each round.
        interval_s: from the end of a round to the next.
        clock: monotonic seconds.
    """

    def step() -> Mapping[str, int]:
        try:
            found = settler.round()
        except AmendmentBusyError:
            return {"busy": 1}
        if found.spans:
            log.info("settled %d of %d traces' spans: each provider call counts once", found.spans, found.traces)
        return {"traces": found.traces, "spans": found.spans, MORE: found.more}

    runner = Periodic(
        "settle",
        step,
        counts=COUNTS,
        is_leader=is_leader,
        interval_s=interval_s,
        at_stop=lambda: runner.round(),
        clock=clock,
    )
    return runner
