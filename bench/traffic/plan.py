"""What a stream of traffic is: its size, its nuisances, and the regressions that are put into it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

NuisanceKind = Literal["holiday", "surge", "trend", "launch", "gap"]
InjectionKind = Literal["latency", "tokens", "cost", "error", "refusal", "score", "volume", "mix"]

NUISANCES: Final[tuple[NuisanceKind, ...]] = ("holiday", "surge", "trend", "launch", "gap")

DIMENSIONS: Final[Mapping[str, Mapping[str, float]]] = {
    "model": {"gpt-4.1-mini": 0.5, "mistral-small": 0.3, "gpt-4.1": 0.2},
    "prompt_version": {"v7": 0.7, "v8": 0.3},
    "release": {"2.3.0": 0.75, "2.4.0": 0.25},
    "environment": {"production": 0.9, "staging": 0.1},
    "route": {"chat": 0.45, "search": 0.2, "summarise": 0.15, "extract": 0.12, "agent": 0.08},
    "tool": {"none": 0.5, "search_orders": 0.2, "get_customer": 0.15, "calculator": 0.1, "send_email": 0.05},
    "user_group": {"free": 0.5, "pro": 0.25, "team": 0.15, "enterprise": 0.1},
    "language": {"en": 0.62, "de": 0.14, "es": 0.1, "fr": 0.07, "ja": 0.05, "pt": 0.02},
}
"""Each value with its usual share of the requests."""

START: Final = datetime(2026, 9, 7, tzinfo=UTC)
"""A Monday."""


@dataclass(frozen=True, slots=True)
class Nuisance:
    """Something ordinary that must wake nobody.

    holiday: a weekday with a weekend's rhythm and 40 % of its traffic. surge: three times the traffic for three days,
    4 % slower. trend: the whole stream grows by 5 % and gets slower and wordier by 1 % a week. launch: for ten hours
    four times the traffic, mostly new users in chat, 5 % slower. gap: no data for nine hours.

    Attributes:
        kind: which.
        day: on which it begins, from the start; not used by a trend.
    """

    kind: NuisanceKind
    day: int = 0


@dataclass(frozen=True, slots=True)
class Rollout:
    """A new value of a dimension, unknown before.

    Attributes:
        dimension: of `DIMENSIONS`.
        value: first seen with this rollout.
        start_h: hours from the start of the stream.
        share: of the requests that get it from then on.
    """

    dimension: str
    value: str
    start_h: float
    share: float


@dataclass(frozen=True, slots=True)
class Injection:
    """A regression with its truth.

    Attributes:
        kind: what it changes. latency, tokens, cost, error, refusal and volume are multiplied by `size`; it is added to
            score; of the requests that a mix change hits, the share `size` gets the value `to` of `dimension`.
        size: see there.
        start_h: hours from the start of the stream.
        end_h: where it ends; None for never.
        where: only requests with all these values, by dimension.
        share: of those requests that are hit.
        dimension: of a mix change.
        to: value that a mix change favours.
    """

    kind: InjectionKind
    size: float
    start_h: float
    end_h: float | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    share: float = 1.0
    dimension: str = ""
    to: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """A stream before its regressions.

    Attributes:
        seed: decides every draw.
        per_day: requests on an average weekday without nuisance.
        days: length.
        start: first midnight, UTC.
        nuisances: in it.
        rollouts: in it.
        scored: share of the requests that have an eval score.
    """

    seed: int
    per_day: int
    days: int = 42
    start: datetime = START
    nuisances: tuple[Nuisance, ...] = ()
    rollouts: tuple[Rollout, ...] = ()
    scored: float = 0.25
