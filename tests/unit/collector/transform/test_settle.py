"""One bill per provider call: cases by hand, and worlds of calls that instrumentations report in every way we know."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.normalise.settle import Call, Key, not_bearing

T1, T2 = b"t" * 16, b"u" * 16
NONE = bytes(8)


def sid(number: int) -> bytes:
    """A span id."""
    return number.to_bytes(8, "big")


def call(
    number: int,
    start: int,
    end: int,
    usage: tuple[int, int] = (100, 10),
    *,
    scope: str = "a",
    answer: str = "",
    trace: bytes = T1,
    details: int = 0,
) -> Call:
    """A call that reports usage."""
    return Call(trace, sid(number), start, end, scope, answer, *usage, details)


def settled(calls: Sequence[Call], parents: dict[int, int] | None = None) -> dict[int, str]:
    """Reason by number of span, where every span of the first trace has the parent that is given for it."""
    tree: dict[Key, bytes] = {one.key: NONE for one in calls}
    tree |= {(T1, sid(child)): sid(parent) for child, parent in (parents or {}).items()}
    return {int.from_bytes(span, "big"): reason for (_, span), reason in not_bearing(calls, tree).items()}


NATIVE = "com.anthropic.sdk.python"


@pytest.mark.parametrize(
    ("calls", "parents", "expected"),
    [
        # The provider's own SDK and an instrumentation around it, in two traces; the latter counts a token too many.
        (
            [call(1, 0, 100, (100, 11), answer="r"), call(2, 10, 90, scope=NATIVE, answer="r", trace=T2)],
            {},
            {1: "same_response"},
        ),
        # The more detailed one bears the bill, and only then the provider's own.
        (
            [call(1, 0, 100, answer="r", details=2), call(2, 10, 90, scope=NATIVE, answer="r", trace=T2)],
            {},
            {2: "same_response"},
        ),
        # A server that gives every answer the same id.
        ([call(1, 0, 10, answer="x"), call(2, 10, 20, answer="x"), call(3, 20, 30, answer="x")], {}, {}),
        # Such a server, asked in parallel by two instrumentations: two calls, whatever their numbers are.
        (
            [
                call(1, 0, 100, (50, 5), answer="x"),
                call(2, 1, 99, (50, 5), scope="b", answer="x"),
                call(3, 10, 110, (70, 7), answer="x"),
                call(4, 11, 109, (70, 7), scope="b", answer="x"),
            ],
            {},
            {2: "same_response", 4: "same_response"},
        ),
        # A wrapper with the usage of its only call, through a span of another kind.
        ([call(1, 0, 100), call(3, 20, 80)], {3: 2, 2: 1}, {1: "wraps_calls"}),
        # With the sum of its calls, or with the last one's.
        ([call(1, 0, 100, (300, 30)), call(2, 10, 40), call(3, 50, 90, (200, 20))], {2: 1, 3: 1}, {1: "wraps_calls"}),
        ([call(1, 0, 100, (200, 20)), call(2, 10, 40), call(3, 50, 90, (200, 20))], {2: 1, 3: 1}, {1: "wraps_calls"}),
        # With the sum and the last one's response id.
        (
            [
                call(1, 0, 100, (300, 30), answer="r2"),
                call(2, 10, 40, answer="r1"),
                call(3, 50, 90, (200, 20), answer="r2"),
            ],
            {2: 1, 3: 1},
            {1: "wraps_calls"},
        ),
        # Without usage of its own, or the one inside without.
        ([call(1, 0, 100, (0, 0)), call(2, 10, 90)], {2: 1}, {1: "wraps_calls"}),
        ([call(1, 0, 100), call(2, 10, 90, (0, 0))], {2: 1}, {2: "no_usage_inside"}),
        # A wrapper that tells more of the same usage bears the bill itself.
        ([call(1, 0, 100, details=1), call(2, 10, 90)], {2: 1}, {2: "same_usage_inside"}),
        # Wrappers of wrappers.
        ([call(1, 0, 100), call(2, 5, 95), call(3, 10, 90)], {2: 1, 3: 2}, {1: "wraps_calls", 2: "wraps_calls"}),
        # A call made by a tool inside of a call is a call of its own.
        ([call(1, 0, 100, (900, 90)), call(2, 10, 90)], {2: 1}, {}),
        ([call(1, 0, 100, answer="r1"), call(2, 10, 90, answer="r2")], {2: 1}, {}),
        # Two instrumentations side by side, without ids.
        ([call(1, 0, 100), call(2, 10, 90, scope="b")], {}, {2: "same_usage_inside"}),
        # Equal numbers in parallel, by one instrumentation; or in two traces.
        ([call(1, 0, 100), call(2, 10, 90)], {}, {}),
        ([call(1, 0, 100), call(2, 10, 90, scope="b", trace=T2)], {}, {}),
        # In two traces, but one is of the provider's own SDK, and the other did not learn the answer's id.
        (
            [call(1, 0, 100), call(2, 10, 90, scope=NATIVE, answer="r", trace=T2)],
            {},
            {1: "same_usage_inside"},
        ),
        # Two such pairs at once: each takes one.
        (
            [
                call(1, 0, 100),
                call(2, 10, 90, scope=NATIVE, answer="r", trace=T2),
                call(3, 5, 120),
                call(4, 15, 110, scope=NATIVE, answer="s", trace=T2),
            ],
            {},
            {1: "same_usage_inside", 3: "same_usage_inside"},
        ),
        # Not so where the other knows another id, the counts differ, or the time is not inside.
        ([call(1, 0, 100, answer="q"), call(2, 10, 90, scope=NATIVE, answer="r", trace=T2)], {}, {}),
        ([call(1, 0, 100, (100, 12)), call(2, 10, 90, scope=NATIVE, answer="r", trace=T2)], {}, {}),
        ([call(1, 0, 100), call(2, 10, 190, scope=NATIVE, answer="r", trace=T2)], {}, {}),
        # Ids that differ.
        ([call(1, 0, 100, answer="r1"), call(2, 10, 90, scope="b", answer="r2")], {}, {}),
        # A framework's own id around the provider's.
        ([call(1, 0, 100, answer="run-1"), call(2, 10, 90, scope="b", answer="r2")], {2: 1}, {1: "wraps_calls"}),
        # A stream in two spans, the request and at the end the answer; with the provider's own SDK below the request.
        ([call(1, 0, 5, (0, 0)), call(2, 100, 100)], {1: 9, 2: 9}, {1: "answered_later"}),
        ([call(1, 0, 5, (0, 0)), call(2, 100, 100, (0, 0))], {1: 9, 2: 9}, {1: "answered_later"}),
        (
            [call(1, 0, 5, (0, 0)), call(2, 100, 100), call(3, 1, 99, scope=NATIVE, answer="r", details=1)],
            {1: 9, 2: 9, 3: 1},
            {1: "answered_later", 2: "same_usage_inside"},
        ),
        # Two such streams at once, and a call without usage whose answer is not known.
        (
            [call(1, 0, 5, (0, 0)), call(2, 1, 6, (0, 0)), call(3, 50, 50), call(4, 60, 60), call(5, 70, 80, (0, 0))],
            {},
            {1: "answered_later", 2: "answered_later"},
        ),
        # Parents in a circle.
        ([call(1, 0, 100), call(2, 10, 90)], {1: 2, 2: 1}, {1: "wraps_calls"}),
    ],
)
def test_cases(calls: list[Call], parents: dict[int, int], expected: dict[int, str]) -> None:
    """Each way in which clients report a call twice, and each in which two calls only look alike."""
    assert expected == settled(calls, parents)
    assert expected == settled(calls[::-1], parents)


@dataclass(frozen=True)
class World:
    """Calls that were really made, and what instrumentations reported of them."""

    real: int
    tokens: tuple[int, int]
    calls: tuple[Call, ...]
    parents: dict[Key, bytes]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Real calls, in parallel or not, each reported by one to three instrumentations and put together by wrappers."""
    calls: list[Call] = []
    parents: dict[Key, bytes] = {}
    number = iter(range(1, 10_000))
    total_in = total_out = real = 0
    same_numbers = draw(st.booleans())

    def add(trace: bytes, parent: bytes, *values: object) -> bytes:
        span = sid(next(number))
        parents[trace, span] = parent
        if values:
            calls.append(Call(trace, span, *values))  # type: ignore[arg-type]
        return span

    for tree in range(draw(st.integers(1, 4))):
        trace = bytes([tree + 1]) * 16
        root = add(trace, NONE)
        inside: list[tuple[int, int]] = []
        amount = draw(st.integers(1, 4))
        wrapper = draw(st.sampled_from(["", "sum", "last", "bare"]))
        top = root
        if wrapper:
            top = sid(next(number))
            parents[trace, top] = root
        for position in range(amount):
            usage = (70, 7) if same_numbers else (draw(st.integers(50, 10**6)), draw(st.integers(50, 10**5)))
            start = position * draw(st.integers(0, 300))
            answer = f"r{tree}.{position}" if draw(st.booleans()) else ""
            middle = add(trace, top)
            around = add(trace, middle, start, start + 250, "outer", answer, *usage, draw(st.integers(0, 2)))
            if draw(st.booleans()):  # another instrumentation, inside of it or beside it, or the provider's own SDK
                beside = draw(st.booleans())
                add(trace, middle if beside else around, start + 1, start + 249, "inner", answer, *usage, 1)
            if answer and draw(st.booleans()):
                add(bytes([tree + 101]) * 16, NONE, start + 2, start + 248, NATIVE, answer, usage[0], usage[1] + 1, 0)
            inside.append(usage)
            real += 1
            total_in, total_out = total_in + usage[0], total_out + usage[1]
        if wrapper:
            said = {
                "sum": (sum(one for one, _ in inside), sum(one for _, one in inside)),
                "last": inside[-1],
                "bare": (0, 0),
            }[wrapper]
            calls.append(Call(trace, top, 0, 2_000, "framework", "", *said))
    return World(real, (total_in, total_out), tuple(calls), parents)


@given(worlds(), st.randoms(use_true_random=False))
def test_exactly_one_bearer_for_each_real_call(world: World, chance: random.Random) -> None:
    """However a call is reported, one span bears its bill, the sums are the truth's, and order does not matter."""
    found = not_bearing(world.calls, world.parents)
    shuffled = list(world.calls)
    chance.shuffle(shuffled)
    left = [one for one in world.calls if one.key not in found]

    assert found == not_bearing(shuffled, world.parents)
    assert world.real == len(left)
    assert world.tokens[0] == sum(one.input for one in left)
    assert abs(world.tokens[1] - sum(one.output for one in left)) <= world.real  # a native SDK's may be one more
