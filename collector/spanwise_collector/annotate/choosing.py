"""Which targets are chosen, and with which probability. Pure.

Each source of a queue (the random share, each rule) draws for itself: a target is drawn where a number in [0, 1) that
follows from queue, source and target is below the source's share. A target is in the queue when one source drew it, so
its inclusion probability is 1 - product(1 - share) over all sources that it matches, drawn or not (inclusion-exclusion
for independent draws). Weighted by its inverse, all items together stand for everything that the queue is about.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from math import prod
from typing import Final

from spanwise_schemas.api_annotations import Queue

RANDOM: Final = "random"
SECOND: Final = "second reviewer"
MOST_HALVINGS: Final = 40
UNIT_SQL: Final = (
    "reinterpretAsUInt64(reverse(substring(SHA256(concat({salt}, '\\0', {source}, '\\0', {target})), 1, 8))) "
    "/ 18446744073709551616."
)
"""What `unit` computes, in ClickHouse; to be formatted with expressions for text."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A target that a source may have drawn.

    Attributes:
        trace_id: 16 bytes.
        span_id: 8 bytes; zeros for the whole trace.
        started: when it started.
        units: its number for each source: the random share's, then each rule's.
        matches: whether it matches each source; the first is always so.
    """

    trace_id: bytes
    span_id: bytes
    started: datetime
    units: tuple[float, ...]
    matches: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A target that is in the queue.

    Attributes:
        candidate: the target.
        stratum: `random`, or `rule:` and the name of the first rule that drew it.
        inclusion_p: probability with which it came into the queue, in (0, 1].
        wanted: reviews that it is to have, 1 or 2.
    """

    candidate: Candidate
    stratum: str
    inclusion_p: float
    wanted: int


def sources_of(queue: Queue) -> tuple[tuple[str, float], ...]:
    """Name and share of each source; the first is the random share, which may be 0."""
    return ((RANDOM, queue.random_share), *((f"rule:{rule.name}", rule.share) for rule in queue.rules))


def unit(salt: str, source: str, target: str) -> float:
    """A number in [0, 1) that is the same whenever it is asked for.

    Args:
        salt: the queue's id.
        source: what draws.
        target: trace id and, for spans, span id, upper-case hex.
    """
    digest = sha256(f"{salt}\0{source}\0{target}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def target_text(trace_id: bytes, span_id: bytes) -> str:
    """A target as `unit` takes it."""
    return (trace_id + (span_id if any(span_id) else b"")).hex().upper()


def choose(salt: str, queue: Queue, candidates: Sequence[Candidate], room: int) -> list[Chosen]:
    """The targets that come into the queue, the oldest first.

    Where more were drawn than there is room for, all shares are halved until it suffices. So the probabilities stay
    known; taking the first ones would make them unknown.

    Args:
        salt: the queue's id.
        queue: its sources.
        candidates: of one stretch of time: all that a source drew, and any others.
        room: how many fit.
    """
    sources = sources_of(queue)
    for halvings in range(MOST_HALVINGS):
        shares = [share / 2**halvings for _, share in sources]
        drawn = [one for one in candidates if any(_draws(one, shares))]
        if len(drawn) <= room:
            return [
                _chosen(salt, queue, [name for name, _ in sources], shares, one)
                for one in sorted(drawn, key=lambda one: (one.started, one.trace_id, one.span_id))
            ]
    return []


def _draws(candidate: Candidate, shares: Sequence[float]) -> list[bool]:
    return [
        match and unit < share for match, unit, share in zip(candidate.matches, candidate.units, shares, strict=True)
    ]


def _chosen(salt: str, queue: Queue, names: Sequence[str], shares: Sequence[float], candidate: Candidate) -> Chosen:
    first = _draws(candidate, shares).index(True)
    missed = prod(1 - share for share, match in zip(shares, candidate.matches, strict=True) if match)
    second = unit(salt, SECOND, target_text(candidate.trace_id, candidate.span_id)) < queue.second_share
    return Chosen(candidate, names[first], 1 - missed, 2 if second else 1)
