"""Rounds of settling: what was stored since the last one is judged together with what was there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from spanwise_collector.normalise.settle import Call, Key, not_bearing
from spanwise_collector.query.values import micros
from spanwise_collector.settle.ledger import LedgerReader
from spanwise_collector.settle.stored import contested_traces, load
from spanwise_collector.store.amend import Amender, Store
from spanwise_collector.store.change import Change, literal

TRACES_AT_ONCE: Final = 500
SPANS_PER_CHANGE: Final = 500


@dataclass(frozen=True, slots=True)
class Round:
    """What a round did.

    Attributes:
        traces: that were judged.
        spans: whose bill was moved.
        more: whether another round has work already.
    """

    traces: int = 0
    spans: int = 0
    more: bool = False


class Settler:
    """Moves the bills of stored spans.

    Args:
        store: the database.
        amender: makes the changes.
        window: spans that start before are left as they are. Twice as far back is read, for the traces that are older.
        now: the time of day, UTC.
    """

    def __init__(self, store: Store, amender: Amender, *, window: timedelta, now: Callable[[], datetime]) -> None:
        self._store = store
        self._amender = amender
        self._window = window
        self._now = now
        self._ledger = LedgerReader()

    def round(self) -> Round:
        """Judge what is new.

        Raises:
            AmendmentBusyError: another collector is at it; nothing is lost, the next round begins where this one did.
            StoreError: as the store says; likewise.
        """
        self._amender.resume()
        now = micros(self._now())
        window = self._window // timedelta(microseconds=1)
        stretches, more = self._ledger.next(self._store, (now - window) // 1000)
        traces = spans = 0
        for project, found in contested_traces(self._store, stretches, now - window).items():
            for start in range(0, len(found), TRACES_AT_ONCE):
                some = found[start : start + TRACES_AT_ONCE]
                spans += self._settle(project, some, now - 2 * window)
                traces += len(some)
        self._ledger.done()
        return Round(traces, spans, more)

    def _settle(self, project: str, traces: Sequence[bytes], low_us: int) -> int:
        near = load(self._store, project, traces, low_us)
        reasons = not_bearing(near.calls.values(), near.parents)
        wrong = {
            near.calls[key]: reasons.get(key, "")
            for key, stored in sorted(near.reasons.items())
            if stored != reasons.get(key, "")
        }
        changes = iter(wrong.items())
        while some := dict(islice(changes, SPANS_PER_CHANGE)):
            self._amender.apply("settle", change_of(project, some))
        return len(wrong)


def change_of(project: str, reasons: Mapping[Call, str]) -> Change:
    """The change that gives spans their reasons; an empty one makes a span bear its bill."""
    by_reason: dict[str, list[Key]] = {}
    for call, reason in reasons.items():
        by_reason.setdefault(reason, []).append(call.key)
    word = literal("")
    for reason, keys in sorted(by_reason.items(), reverse=True):
        if reason:
            word = f"if({_among(keys)}, {literal(reason)}, {word})"
    return Change(
        project,
        min(call.start for call in reasons),
        max(call.start for call in reasons) + 1,
        _among([call.key for call in reasons]),
        {"counts_usage": f"{word} = ''", "usage_reason": word},
    )


def _among(keys: Sequence[Key]) -> str:
    listed = ", ".join(f"(unhex('{trace.hex()}'), unhex('{span.hex()}'))" for trace, span in keys)
    return f"(trace_id, span_id) IN ({listed})"
