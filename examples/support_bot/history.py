"""Four weeks in the life of the support bot: made-up traces of the shape that the live one sends.

When requests come, how long they take and what goes wrong is drawn by `bench.traffic`, with its seasons, weekends,
heavy tails and slow drifts. Three things get worse in the last days, for the dashboard to find:

1. A new version of the prompt, v3, which half of the requests get, declines far more often.
2. The provider Mistral becomes slow.
3. Users of the group `enterprise` send whole documents along, so that their requests cost several times as much.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import Final

import numpy as np

from bench.traffic import Injection, Plan, Request, Rollout, columns, draw, requests, select
from examples.support_bot.conversation import Conversation
from examples.support_bot.made import MadeTrace

DAYS: Final = 28
PROMPT_HOURS_AGO: Final = 96
PROVIDER_HOURS_AGO: Final = 60
GROUP_HOURS_AGO: Final = 48
"""Hours before the end at which each of the three begins."""
REFUSES: Final = 20.0
SLOWS: Final = 2.5
GROWS: Final = 10.0
"""By how much: refusals of v3, latency at Mistral, input of the enterprise group."""


def make_traces(*, seed: int, until: datetime, traces: int) -> Iterator[MadeTrace]:
    """Traces of the `DAYS` days before `until`, in order of time.

    Args:
        seed: the same seed, end and number give the same traces.
        until: end of the last trace at the latest; with a time zone.
        traces: how many.
    """
    random = Random(seed)
    for request in made_requests(seed=seed, until=until, count=traces):
        yield Conversation(random, request, until).trace()


def made_requests(*, seed: int, until: datetime, count: int) -> list[Request]:
    """What is asked of the bot, in order of time; arguments as in `make_traces`."""
    first = datetime.combine((until - timedelta(days=DAYS)).astimezone(UTC).date(), time.min, UTC)
    # Two minutes short of the end: a trace takes at most some ninety seconds, and none may end after `until`.
    begin_h, end_h = ((one - first) / timedelta(hours=1) for one in (until - timedelta(days=DAYS), until))
    plan = Plan(
        seed=seed,
        # A fifth more than wanted, of which as many as wanted are taken.
        per_day=max(50, round(1.2 * count / DAYS / 0.85)),
        days=DAYS + 1,
        start=first,
        rollouts=(Rollout("prompt_version", "v9", end_h - PROMPT_HOURS_AGO, 0.5),),
        scored=0.3,
    )
    worse = (
        Injection("refusal", REFUSES, end_h - PROMPT_HOURS_AGO, where={"prompt_version": "v9"}),
        Injection("latency", SLOWS, end_h - PROVIDER_HOURS_AGO, where={"model": "mistral-small"}),
        Injection("tokens", GROWS, end_h - GROUP_HOURS_AGO, where={"user_group": "enterprise"}),
    )
    made = columns(draw(plan), worse)
    inside = np.flatnonzero((made.hours >= begin_h) & (made.hours < end_h - 0.04))
    taken = np.random.default_rng(seed).permutation(inside)[:count]
    mask = np.zeros(made.hours.size, dtype=np.bool_)
    mask[taken] = True
    return list(requests(plan, select(made, mask)))
