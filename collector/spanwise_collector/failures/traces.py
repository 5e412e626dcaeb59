"""Failures that only a whole trace shows: loops, retry storms, roots that never ended. Pure: steps in, failures out."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from spanwise_collector.failures.failure import Failure, Found, titled
from spanwise_collector.failures.fingerprint import fingerprint
from spanwise_collector.failures.masks import mask
from spanwise_evaluators.reading.short import short

REPEATS: Final = 3
"""Equal calls, and tries, from which on something is wrong: two happen in healthy traces."""
MAX_CYCLE: Final = 4
"""Calls that may be repeated in turn."""
_FIRST_TRIES: Final = REPEATS - 1


class Step(NamedTuple):
    """One span of a trace. Times are microseconds since the epoch.

    Attributes:
        span: span id.
        parent: span id of its parent; zeros for a root.
        kind: what the span did.
        name: of the span.
        tool: tool that ran, or "".
        content: a hash of what went in, equal for what is the same; 0 where it was not recorded.
        start: of the span.
        end: of the span.
        has_failed: whether its status is an error.
        is_root: whether it has no parent.
        failure_class: of the span, or "".
    """

    span: bytes
    parent: bytes
    kind: str
    name: str
    tool: str
    content: int
    start: int
    end: int
    has_failed: bool = False
    is_root: bool = False
    failure_class: str = ""


class TraceFailure(NamedTuple):
    """A failure and the span at which it shows."""

    failure: Failure
    span: bytes


_Call = tuple[str, int]
"""A tool and what it was called with."""


def trace_failures(project: str, steps: Iterable[Step]) -> list[TraceFailure]:
    """Loops and retry storms of a trace; the same for any order of its steps.

    Args:
        project: cleaned name.
        steps: of the trace, those that are stored.
    """
    ordered = sorted(steps, key=lambda step: (step.start, step.end, step.span))
    found = [*_loops(ordered), *_storms(ordered)]
    return [_failure(project, one, span) for one, span in dict(found).items()]


def unfinished(project: str, steps: Iterable[Step], now_us: int, after_us: int) -> TraceFailure | None:
    """A trace whose root never ended: none of its spans is the root, and for long nothing has come.

    Args:
        project: cleaned name.
        steps: of the trace, those that are stored.
        now_us: the time of day.
        after_us: how long after the end of the last span a root is still waited for.
    """
    ordered = sorted(steps, key=lambda step: (step.start, step.end, step.span))
    if not ordered or any(step.is_root for step in ordered) or now_us - max(step.end for step in ordered) < after_us:
        return None
    known = {step.span for step in ordered}
    top = next((step for step in ordered if step.parent not in known), ordered[0])
    title = f"The trace never ended; the first that is known of it: {short(top.name)}"
    return _failure(project, Found("unfinished_trace", "", title, (top.kind, mask(top.name))), top.span)


def _failure(project: str, found: Found, span: bytes) -> TraceFailure:
    number = fingerprint(project, found.failure_class, *found.key)
    return TraceFailure(Failure(found.failure_class, found.sub, titled(found.title), number), span)


def _loops(ordered: Sequence[Step]) -> Iterable[tuple[Found, bytes]]:
    """Calls of tools, in order: cycles first, then equal calls that are in none, one failure for each tool."""
    steps = [step for step in ordered if step.kind == "tool" and step.content]
    calls: list[_Call] = [(step.tool or step.name, step.content) for step in steps]
    in_cycle: set[_Call] = set()
    cycle = _cycle(calls)
    if cycle is not None:
        at, length = cycle
        members = calls[at : at + length]
        in_cycle.update(members)
        tools = _first_in_order([tool for tool, _ in members])
        listed = ", ".join(short(tool) for tool in tools)
        title = f"Called {listed} in turn, {REPEATS} times or more, with the same arguments"
        yield Found("loop", "cycle", title, ("cycle", *tools)), steps[at + length * REPEATS - 1].span
    counts: Counter[_Call] = Counter()
    for step, call in zip(steps, calls, strict=True):
        counts[call] += 1
        if counts[call] == REPEATS and call not in in_cycle:
            title = f"Called {short(call[0])} {REPEATS} times or more with the same arguments"
            yield Found("loop", "same_call", title, ("same_call", call[0])), step.span


def _cycle(calls: Sequence[_Call]) -> tuple[int, int] | None:
    """Position and length of the first cycle of two to `MAX_CYCLE` different calls, repeated `REPEATS` times."""
    for at in range(len(calls)):
        for length in range(2, MAX_CYCLE + 1):
            part = calls[at : at + length]
            if len(set(part)) > 1 and list(calls[at : at + length * REPEATS]) == list(part) * REPEATS:
                return at, length
    return None


def _first_in_order(tools: list[str]) -> tuple[str, ...]:
    """The rotation that is first in order: a cycle is the same wherever it is entered."""
    return min(tuple(tools[at:] + tools[:at]) for at in range(len(tools)))


def _storms(ordered: Sequence[Step]) -> Iterable[tuple[Found, bytes]]:
    """Model calls with one parent and one input, of which the first failed."""
    tries: dict[tuple[bytes, int], list[Step]] = {}
    for step in ordered:
        if step.kind == "llm" and step.content:
            tries.setdefault((step.parent, step.content), []).append(step)
    for same in tries.values():
        if len(same) < REPEATS or not all(step.has_failed for step in same[:_FIRST_TRIES]):
            continue
        sub = "exhausted" if all(step.has_failed for step in same) else "recovered"
        why = same[0].failure_class
        end = "and failed each time" if sub == "exhausted" else "before it succeeded"
        because = f" ({why})" if why else ""
        title = f"Tried the same model call {REPEATS} times or more{because} {end}: {short(same[0].name)}"
        yield Found("retry_storm", sub, title, (sub, mask(same[0].name), why)), same[REPEATS - 1].span
