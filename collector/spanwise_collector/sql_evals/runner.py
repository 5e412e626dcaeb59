"""Evaluators as a part of the service: new spans, then a turn for each job that scores history."""

from collections.abc import Callable, Mapping
from typing import Final

from spanwise_collector.periodic import MORE, Periodic
from spanwise_collector.sql_evals.backfill import Backfiller
from spanwise_collector.sql_evals.live import LiveRounds

COUNTS: Final = {
    "scored": "New spans that were scored.",
    "failed": "Rounds of an evaluator that failed; it is tried again, and off after five in a row.",
    "backfilled": "Spans of history that were scored.",
}


def sql_evals_runner(
    live: LiveRounds,
    backfiller: Backfiller,
    *,
    is_leader: Callable[[], bool],
    interval_s: float,
    at_stop: Callable[[], object] | None = None,
) -> Periodic:
    """Scores on a thread of its own.

    Args:
        live: scores what is new.
        backfiller: scores history.
        is_leader: whether this collector is the one to do it; asked before each round.
        interval_s: from the end of a round to the next.
        at_stop: called once the thread has ended.
    """

    def step() -> Mapping[str, int]:
        first = live.step()
        second = backfiller.step()
        more = {MORE: first[MORE] | second[MORE]}
        return {**first, **second, **more}

    return Periodic(
        "sql_evals",
        step,
        counts=COUNTS,
        is_leader=is_leader,
        interval_s=interval_s,
        at_once=True,
        at_stop=at_stop,
    )
