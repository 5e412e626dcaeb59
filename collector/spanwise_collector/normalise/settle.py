"""Which spans bear the bill of a provider call, where several report it. Pure: spans in, reasons out.

Five rules, in turn; what one has taken out, the next does not see. docs/decisions/0008-one-bill.md has the reasons.

1. *The same answer.* Spans that overlap in time and name the same response id, wherever they are: two instrumentations,
   or one and the provider's own SDK, also in different traces.
2. *Wrappers of one call.* A call around one other call that repeats its usage, or has none.
3. *The same usage inside.* In one trace, a call inside the time of another of equal usage by another instrumentation.
4. *The provider's own span.* What a provider's SDK reports, inside the time of a call of equal usage without a response
   id, also in another trace.
5. *Wrappers of several calls*, with the sum of their usage, or that of one of them.

An instrumentation makes one span per call. So two spans of one scope are two calls unless one is above the other or
both say the same of the same answer, and each call takes at most one span of every other scope for its own: parallel
calls with equal numbers all count.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final, NamedTuple

from spanwise_schemas.usage_reasons import (
    ANSWERED_LATER,
    NO_USAGE_INSIDE,
    SAME_RESPONSE,
    SAME_USAGE_INSIDE,
    WRAPS_CALLS,
)

Key = tuple[bytes, bytes]
"""Trace id and span id."""

PROVIDER_SDKS: Final = ("com.anthropic.sdk",)
"""How scopes of spans begin that a provider's own SDK makes: these are nearest to what the provider said."""

_MAX_DEPTH: Final = 1_000
# Counting errors of a known kind: a stream's first token counted twice, one per call.
_NEAR_TOKENS: Final = 2
_NEAR_SHARE: Final = 0.01


class Call(NamedTuple):
    """A span that alone would bear the bill of a call. Times are microseconds.

    Attributes:
        trace: trace id.
        span: span id.
        start: of the span.
        end: of the span.
        scope: instrumentation scope's name.
        response_id: the provider's id of the answer; empty where it is not known.
        input: input tokens.
        output: output tokens.
        details: how many further sorts of tokens it tells (cached, reasoning, audio, ...).
    """

    trace: bytes
    span: bytes
    start: int
    end: int
    scope: str
    response_id: str
    input: int
    output: int
    details: int = 0

    @property
    def key(self) -> Key:
        """Names the span."""
        return self.trace, self.span


def not_bearing(calls: Iterable[Call], parents: Mapping[Key, bytes]) -> dict[Key, str]:
    """The spans that do not bear a bill, because another one bears the bill of the same call.

    Of spans of one call the one with the most detailed usage bears it (its cost is the most exact), then that of the
    provider's own SDK, then the outermost (it has the whole time that the application waited).

    Args:
        calls: of one project, in any order.
        parents: parent span id of each span of their traces, of whatever kind, as far as they are known.

    Returns:
        Reason by span; the same for any order of `calls`.
    """
    distinct = set(calls)
    if len(distinct) < 2:
        return {}
    whole, found = _put_together(distinct, parents)
    left = sorted(whole, key=_outermost_first)
    world = _World(left, parents)
    for rule in (_same_answers, _single_wrappers, _same_usages, _own_spans, _wrappers):
        found |= rule(left, world)
        left = [call for call in left if call.key not in found]
    return found


def _put_together(calls: Iterable[Call], parents: Mapping[Key, bytes]) -> tuple[list[Call], dict[Key, str]]:
    """Calls that came as two spans put together: the request without usage, and later the answer at one point in time.

    Returns:
        The calls, of which those answers begin with their request; and reasons of the requests.
    """
    siblings: dict[tuple[bytes, bytes, str], list[Call]] = {}
    for call in calls:
        siblings.setdefault((call.trace, parents.get(call.key, b""), call.scope), []).append(call)
    whole: list[Call] = []
    found: dict[Key, str] = {}
    for together in siblings.values():
        waiting: list[Call] = []
        for call in sorted(together, key=lambda call: (call.end, call)):
            if call.start == call.end and waiting:
                request = waiting.pop(0)
                found[request.key] = ANSWERED_LATER
                call = call._replace(start=request.start)
            elif not (call.input or call.output or call.response_id):
                waiting.append(call)
                continue
            whole.append(call)
        whole += waiting
    return whole, found


def _outermost_first(call: Call) -> tuple[object, ...]:
    return call.start, -call.end, call


def _worth(call: Call) -> tuple[object, ...]:
    """Sorts the spans of one call: the one that bears its bill comes first."""
    return (
        not (call.input or call.output),
        -call.details,
        not is_own(call.scope),
        *_outermost_first(call),
    )


def _near(one: Call, other: Call) -> bool:
    """Whether two usages are those of one call: equal but for small errors, or one is not known."""
    if not (one.input or one.output) or not (other.input or other.output):
        return True
    return all(
        abs(mine - theirs) <= max(_NEAR_TOKENS, _NEAR_SHARE * min(mine, theirs))
        for mine, theirs in ((one.input, other.input), (one.output, other.output))
    )


def _distance(one: Call, other: Call) -> int:
    return abs(one.input - other.input) + abs(one.output - other.output)


class _World:
    """Who is above whom, and which scopes' spans each call has taken for its own."""

    def __init__(self, calls: Iterable[Call], parents: Mapping[Key, bytes]) -> None:
        self._parents = parents
        self.calls = list(calls)
        self.scopes = {call.key: {call.scope} for call in self.calls}
        self._bearers: dict[Key, Call] = {}

    def take(self, bearer: Call, losers: Iterable[Call]) -> None:
        """Note that one bears the bill of the others."""
        for loser in losers:
            self.scopes[bearer.key] |= self.scopes[loser.key]
            self._bearers[loser.key] = bearer

    def bearer(self, call: Call) -> Call:
        """The one that bears the bill of a call's answer; the call itself where no other does."""
        while call.key in self._bearers:
            call = self._bearers[call.key]
        return call

    def above(self, call: Call) -> Iterator[Key]:
        """Its ancestors from the nearest on; a loop ends."""
        trace, at = call.key
        for _ in range(_MAX_DEPTH):
            parent = self._parents.get((trace, at))
            if parent is None or not any(parent) or parent == call.span:
                return
            at = parent
            yield trace, at

    def related(self, one: Call, other: Call) -> bool:
        """Whether one is an ancestor of the other."""
        return one.trace == other.trace and (other.key in self.above(one) or one.key in self.above(other))


@dataclass(slots=True)
class _Group:
    """Spans of one call, the outermost first.

    Attributes:
        calls: in the order in which they came.
        scopes: of all of them.
        end: of the last of them.
    """

    calls: list[Call]
    scopes: set[str]
    end: int

    @property
    def first(self) -> Call:
        return self.calls[0]

    def add(self, call: Call, scopes: set[str]) -> None:
        self.calls.append(call)
        self.scopes |= scopes
        self.end = max(self.end, call.end)


def _grouped(calls: Sequence[Call], world: _World, belongs: Callable[[_Group, Call, _World], bool]) -> list[Call]:
    """Spans that share a call with one that is worth more.

    Spans come by their start. Of the groups that one may belong to it takes the one of the nearest usage, then the one
    that ends first: whatever starts later could lie in the longer ones too, so this leaves the fewest spans over.
    """
    still_open: list[_Group] = []
    shared: list[_Group] = []
    for call in calls:
        still_open = [group for group in still_open if group.end >= call.start]
        fitting = [group for group in still_open if belongs(group, call, world)]
        if not fitting:
            still_open.append(_Group([call], set(world.scopes[call.key]), call.end))
            continue
        group = min(fitting, key=lambda group: (_distance(group.first, call), group.end))
        if len(group.calls) == 1:
            shared.append(group)
        group.add(call, world.scopes[call.key])
    losers: list[Call] = []
    for group in shared:
        bearer, *others = sorted(group.calls, key=_worth)
        world.take(bearer, others)
        losers += others
    return losers


def _same_answers(calls: Sequence[Call], world: _World) -> dict[Key, str]:
    by_answer: dict[str, list[Call]] = {}
    for call in calls:
        if call.response_id:
            by_answer.setdefault(call.response_id, []).append(call)
    losers: list[Call] = []
    for same in by_answer.values():
        if len(same) > 1:
            losers += _grouped(same, world, _is_same_answer)
    return {call.key: SAME_RESPONSE for call in losers}


def _is_same_answer(group: _Group, call: Call, world: _World) -> bool:
    first = group.first
    if not (call.start < group.end or call.start == first.start or call.start == call.end):
        return False
    if any(world.related(one, call) for one in group.calls):
        # An outer span with the last answer's id may hold the sum of several.
        return all(_near(one, call) for one in group.calls)
    if call.scope in group.scopes:
        return call.end <= group.end and (call.input, call.output) == (first.input, first.output)
    return True


def _same_usages(calls: Sequence[Call], world: _World) -> dict[Key, str]:
    by_usage: dict[tuple[bytes, int], list[Call]] = {}
    for call in calls:
        if call.input or call.output:
            by_usage.setdefault((call.trace, call.input), []).append(call)
    losers: list[Call] = []
    for same in by_usage.values():
        if len(same) > 1:
            losers += _grouped(same, world, _is_inside)
    return {call.key: SAME_USAGE_INSIDE for call in losers}


def _is_inside(group: _Group, call: Call, world: _World) -> bool:
    ids = {one.response_id for one in (*group.calls, call)} - {""}
    # Of related spans the wrappers' rule has judged already.
    return (
        call.end <= group.first.end
        # Of a stream that was cut, or counted by its pieces, the last token may be missing.
        and abs(call.output - group.first.output) <= 1
        and world.scopes[call.key].isdisjoint(group.scopes)
        and len(ids) < 2
        and not any(world.related(one, call) for one in group.calls)
    )


def is_own(scope: str) -> bool:
    """Whether a scope's spans are made by a provider's own SDK."""
    return scope.startswith(PROVIDER_SDKS)


def _own_spans(calls: Sequence[Call], world: _World) -> dict[Key, str]:
    """Spans of a provider's SDK and those of instrumentations that did not learn the answer's id.

    An instrumentation that starts a trace of its own leaves no parent to tell that both are one call. A provider's SDK
    reports every call, so one inside the time of a call with equal counts is that call; another instrumentation's could
    be a call of its own.
    """
    by_usage: dict[tuple[int, int], list[Call]] = {}
    for call in calls:
        if call.input and call.output and (is_own(call.scope) or not call.response_id):
            by_usage.setdefault((call.input, call.output), []).append(call)
    losers: list[Call] = []
    for same in by_usage.values():
        if len(same) > 1:
            losers += _grouped(same, world, _is_own_span)
    return {call.key: SAME_USAGE_INSIDE for call in losers}


def _is_own_span(group: _Group, call: Call, world: _World) -> bool:
    return (
        is_own(call.scope)
        and call.end <= group.first.end
        and not is_own(group.first.scope)
        and world.scopes[call.key].isdisjoint(group.scopes)
    )


def _single_wrappers(calls: Sequence[Call], world: _World) -> dict[Key, str]:
    return _wrappers(calls, world, at_most=1)


def _wrappers(calls: Sequence[Call], world: _World, *, at_most: int = sys.maxsize) -> dict[Key, str]:
    contested = Counter(call.trace for call in world.calls)
    by_trace: dict[bytes, list[Call]] = {}
    # Those that have lost their bill, too: what bears it may lie in another trace.
    for call in world.calls:
        if contested[call.trace] > 1:
            by_trace.setdefault(call.trace, []).append(call)
    left = {call.key for call in calls}
    found: dict[Key, str] = {}
    for together in by_trace.values():
        found |= _wrappers_of_trace(together, left, world, at_most)
    return found


def _wrappers_of_trace(calls: Sequence[Call], left: Set[Key], world: _World, at_most: int) -> dict[Key, str]:
    """From the innermost outwards: each call against the bearers of those inside of it."""
    among = {call.key for call in calls}
    ancestors = {call.key: [key for key in world.above(call) if key in among] for call in calls}
    inside: dict[Key, dict[Call, None]] = {}
    found: dict[Key, str] = {}
    for call in sorted(calls, key=lambda call: (-len(ancestors[call.key]), -call.start, call.end)):
        bearing = inside.pop(call.key, {})
        bearing.pop(call, None)
        if 0 < len(bearing) <= at_most and call.key in left:
            found |= _verdicts(call, list(bearing), world)
        bearing[world.bearer(call)] = None
        if ancestors[call.key]:
            inside.setdefault(ancestors[call.key][0], {}).update((one, None) for one in bearing if one.key not in found)
    return found


def _verdicts(call: Call, inner: Sequence[Call], world: _World) -> dict[Key, str]:
    """What a call and those inside of it are to each other."""
    counted = [one for one in inner if one.input or one.output]
    if not (call.input or call.output):
        return {call.key: WRAPS_CALLS}
    if not counted:
        return {one.key: NO_USAGE_INSIDE for one in inner if one.response_id in ("", call.response_id)}
    ids = {one.response_id for one in counted} - {""}
    if len(counted) > 1:
        total = call._replace(input=sum(one.input for one in counted), output=sum(one.output for one in counted))
        is_repeated = (
            call.response_id in ids
            or _near(call, total)
            or any(one.input == call.input and abs(one.output - call.output) <= 1 for one in counted)
        )
        return {call.key: WRAPS_CALLS} if is_repeated else {}
    (only,) = counted
    if call.response_id and only.response_id:
        # A framework may give the answer an id of its own.
        is_own = call.scope != only.scope and (call.input, call.output) == (only.input, only.output)
        if call.response_id != only.response_id and not is_own:
            return {}
    elif not _near(call, only):
        return {}
    if _worth(call)[:3] < _worth(only)[:3]:
        world.take(call, [only])
        return {only.key: SAME_USAGE_INSIDE}
    world.take(only, [call])
    return {call.key: WRAPS_CALLS}
