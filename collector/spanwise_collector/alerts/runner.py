"""Evaluating alert rules as a part of the service: a round every minute."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from spanwise_collector.alerts.engine import Engine
from spanwise_collector.periodic import MORE, Periodic

COUNTS: Final = {
    "rules": "Rules that were evaluated, each time.",
    "series": "Series of rules that were evaluated, each time.",
    "errors": "Rules that could not be evaluated, each time.",
    "transitions": "Changes of an alert's state.",
    "notices": "Notifications handed over.",
}


def alert_runner(
    engine: Engine,
    *,
    is_leader: Callable[[], bool],
    interval_s: float,
    now: Callable[[], datetime],
    clock: Callable[[], float] = time.monotonic,
) -> Periodic:
    """Evaluates on a thread of its own.

    Args:
        engine: does the rounds.
        is_leader: whether this collector is the one to evaluate; asked before each round.
        interval_s: from the end of a round to the next.
        now: the time of day, UTC.
        clock: monotonic seconds.
    """

    def step() -> Mapping[str, int]:
        done = engine.round(now())
        return {
            "rules": done.rules,
            "series": done.series,
            "errors": done.errors,
            "transitions": done.happenings,
            "notices": done.notices,
            MORE: done.waiting,
        }

    return Periodic("alerts", step, counts=COUNTS, is_leader=is_leader, interval_s=interval_s, clock=clock)
