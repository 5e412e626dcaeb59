"""Latency per phase and the account of spans, from what was observed."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bench.outage.app import FIELDS
from bench.samples import quantile
from spanwise_schemas.wire import Envelope

SHARES: Final = {"p50": 0.5, "p99": 0.99, "max": 1.0}


@dataclass(frozen=True)
class Call:
    """One call.

    Attributes:
        at: monotonic seconds at its begin.
        whole: seconds it took.
        own: seconds of the function's own work in it.
        control: seconds of a piece of work of always the same length after it; 0 where there was none.
    """

    at: float
    whole: float
    own: float
    control: float


def unpacked(numbers: "array[float]") -> list[Call]:
    """The calls as the application wrote them."""
    return [Call(*numbers[at : at + FIELDS]) for at in range(0, len(numbers), FIELDS)]


def latency(calls: Sequence[Call], bare: Sequence[Call]) -> dict[str, float]:
    """What observing adds to a call, in milliseconds, in one phase.

    Args:
        calls: of the observed function.
        bare: of the same function without Spanwise, in the same time.

    Returns:
        `added`: of each observed call, its time without that of its own work. `control`: of work that is always the
        same and takes about as long, in the process without Spanwise; its p99 and maximum are the machine's.
        `call_difference`: quantiles of whole calls, observed minus bare; it holds too what the background threads
        take from the function's own work.
    """
    added = [(call.whole - call.own) * 1e3 for call in calls]
    control = [call.control * 1e3 for call in bare]
    whole, plain = ([call.whole * 1e3 for call in some] for some in (calls, bare))
    found: dict[str, float] = {"calls": len(calls)}
    for name, times in (("added", added), ("control", control)):
        for label, share in SHARES.items():
            found[f"{name}_{label}_ms"] = round(quantile(times, share), 3)
    for label, share in SHARES.items():
        found[f"call_difference_{label}_ms"] = round(quantile(whole, share) - quantile(plain, share), 3)
    return found


def account(
    stats: Mapping[str, Any], spans: Mapping[tuple[str, str], int], envelopes: Iterable[Envelope]
) -> dict[str, Any]:
    """Whether every span is on the broker or reported as dropped.

    Args:
        stats: `spanwise.stats()` after the last flush.
        spans: how often each span, by name and id, is on the broker.
        envelopes: of the producer's records there.

    Returns:
        `unaccounted` is what was emitted and is neither on the broker nor counted as dropped: 0 when all is well.
        `header_dropped` is what the last record's header says; it must be `dropped`.
    """
    last = max(envelopes, key=lambda one: one.seq)
    dropped = sum(stats["dropped"].values())
    return {
        "emitted": stats["emitted"],
        "on_broker": len(spans),
        "on_broker_again": sum(spans.values()) - len(spans),
        "dropped": dropped,
        "dropped_by_reason": stats["dropped"],
        "queued": stats["queued"],
        "unaccounted": stats["emitted"] - len(spans) - dropped,
        "header_dropped": last.dropped,
        "exact": stats["emitted"] == len(spans) + dropped and last.dropped == dropped,
    }
