"""Which targets are scored, and with which probability. Pure: the same target is chosen again when it is read again.

`pi = min(1, base * boost[stratum])`. A target is chosen when a hash of its id and a salt, as a number in [0, 1), is
below pi; so the probability that is stored with a score is the one with which it was chosen, whatever was sampled
before.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from spanwise_collector.evals.config import Stratum, fits
from spanwise_collector.evals.targets import Target

REST: Final = "rest"
_HOUR_US: Final = 3_600_000_000
FirstSeen = Callable[[str, str, int], int]
"""When a release of a project was first seen, microseconds since the epoch: project, release, start of a span of it."""


@dataclass(frozen=True, slots=True)
class Chance:
    """With what a target was chosen.

    Attributes:
        probability: in (0, 1].
        stratum: "" where everything is scored and no strata are told apart.
    """

    probability: float
    stratum: str


def chance_of(target: Target, base: float, strata: Sequence[Stratum], first_seen: FirstSeen) -> Chance:
    """The probability with which a target is chosen, and its stratum: the first that fits, else `rest`."""
    for stratum in strata:
        if _belongs(target, stratum, first_seen):
            return Chance(min(1.0, base * stratum.boost), stratum.name)
    return Chance(base, REST if strata else "")


def is_chosen(target_id: bytes, salt: str, probability: float) -> bool:
    """Whether a target is in the sample.

    Args:
        target_id: of span or trace.
        salt: other salts give independent samples.
        probability: in (0, 1].
    """
    drawn = int.from_bytes(sha256(salt.encode() + b"\0" + target_id).digest()[:8], "big") / 2**64
    return drawn < probability


def _belongs(target: Target, stratum: Stratum, first_seen: FirstSeen) -> bool:
    if stratum.failure_class and not (target.failure_class and fits(target.failure_class, stratum.failure_class)):
        return False
    if stratum.span_name and not fits(target.name, stratum.span_name):
        return False
    if stratum.min_output_tokens is not None and target.output_tokens < stratum.min_output_tokens:
        return False
    if stratum.min_duration_ms is not None and target.duration_us < stratum.min_duration_ms * 1000:
        return False
    if stratum.new_release_hours is not None:
        if not target.release:
            return False
        age_us = target.start_us - first_seen(target.project, target.release, target.start_us)
        return age_us <= stratum.new_release_hours * _HOUR_US
    return True
