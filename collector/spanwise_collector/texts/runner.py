"""Looking at texts as a part of the service: a round every hour, or as often as is said."""

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from spanwise_collector.periodic import MORE, Periodic
from spanwise_collector.texts.worker import TextWorker

INTERVAL_S: Final = timedelta(hours=1).total_seconds()
COUNTS: Final = {"texts": "Texts that were looked at.", "models": "References that were fitted."}


def text_runner(
    worker: TextWorker,
    *,
    is_leader: Callable[[], bool],
    interval_s: float = INTERVAL_S,
    clock: Callable[[], float] = time.monotonic,
) -> Periodic:
    """Looks at texts on a thread of its own; the first round begins at once.

    Args:
        worker: does the rounds.
        is_leader: whether this collector is the one to do it; asked before each round. Two at once store nothing twice.
        interval_s: from the end of a round to the next.
        clock: monotonic seconds.
    """

    def step() -> Mapping[str, int]:
        found = worker.round()
        return {"texts": found.texts, "models": found.models, MORE: found.more}

    return Periodic("texts", step, counts=COUNTS, is_leader=is_leader, interval_s=interval_s, at_once=True, clock=clock)
