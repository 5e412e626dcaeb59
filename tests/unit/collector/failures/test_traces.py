"""Loops, retry storms and traces without an end, from the steps of a trace."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.failures.classes import CLASSES
from spanwise_collector.failures.traces import MAX_CYCLE, Step, trace_failures, unfinished

ROOT = bytes(8)
TRIED = "Tried the same model call 3 times or more (rate_limit)"
HOUR = 3_600_000_000


def span_id(number: int) -> bytes:
    """8 bytes that end in a number."""
    return number.to_bytes(8, "big")


def tools(calls: str, *, arguments: Sequence[int] = ()) -> list[Step]:
    """Calls of tools, one letter each, with the same arguments for the same letter unless they are given."""
    return [
        Step(span_id(at + 1), ROOT, "tool", "step", letter, (list(arguments) or [7] * len(calls))[at], at, at + 1)
        for at, letter in enumerate(calls)
    ]


def tries(outcomes: str, *, content: int = 7, parent: bytes = b"parent!!", why: str = "rate_limit") -> list[Step]:
    """Model calls with one input: `x` for one that failed, `.` for one that did not."""
    return [
        Step(
            span_id(at + 1),
            parent,
            "llm",
            "chat",
            "",
            content,
            at,
            at + 1,
            has_failed=one == "x",
            failure_class=why if one == "x" else "",
        )
        for at, one in enumerate(outcomes)
    ]


def told(steps: Sequence[Step]) -> list[tuple[str, str, str, int]]:
    """Class, finer class, title and the number of the span at which it shows."""
    return [
        (one.failure.failure_class, one.failure.sub, one.failure.title, int.from_bytes(one.span, "big"))
        for one in trace_failures("shop", steps)
    ]


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ("", []),
        ("ab", []),
        ("aa", []),
        ("abab", []),
        ("aaa", [("same_call", "Called a 3 times or more with the same arguments", 3)]),
        ("abacaxa", [("same_call", "Called a 3 times or more with the same arguments", 5)]),
        ("aaaaaaa", [("same_call", "Called a 3 times or more with the same arguments", 3)]),
        ("ababab", [("cycle", "Called a, b in turn, 3 times or more, with the same arguments", 6)]),
        ("xbababa", [("cycle", "Called a, b in turn, 3 times or more, with the same arguments", 7)]),
        ("abcdabcdabcd", [("cycle", "Called a, b, c, d in turn, 3 times or more, with the same arguments", 12)]),
        (
            "abcde" * 3,
            [("same_call", f"Called {tool} 3 times or more with the same arguments", 11 + at)
             for at, tool in enumerate("abcde")],
        ),
        (
            "abababccc",
            [
                ("cycle", "Called a, b in turn, 3 times or more, with the same arguments", 6),
                ("same_call", "Called c 3 times or more with the same arguments", 9),
            ],
        ),
    ],
)  # fmt: skip
def test_loops(calls: str, expected: list[tuple[str, str, int]]) -> None:
    """Equal calls count wherever they are; a cycle is one problem, not one for each of its calls."""
    assert [("loop", *one) for one in expected] == told(tools(calls))


def test_other_arguments_are_no_loop() -> None:
    """An agent that searches and reads in turn, each time for something else, is at work.

    Of one that does not say what it called with, nothing can be said.
    """
    assert [] == told(tools("ababab", arguments=[1, 2, 3, 4, 5, 6]))
    assert [] == told(tools("aaa", arguments=[0, 0, 0]))


def test_a_cycle_has_no_beginning() -> None:
    """It is the same problem wherever it is entered."""
    numbers = {trace_failures("shop", tools(calls))[0].failure.fingerprint for calls in ("abcabcabc", "bcabcabca")}
    assert 1 == len(numbers)
    assert MAX_CYCLE == 4


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ("xx", []),
        ("x.x", []),
        ("...", []),
        ("xx.", [("recovered", f"{TRIED} before it succeeded: chat", 3)]),
        ("xxx", [("exhausted", f"{TRIED} and failed each time: chat", 3)]),
        ("xxxx.", [("recovered", f"{TRIED} before it succeeded: chat", 3)]),
    ],
)
def test_retry_storms(outcomes: str, expected: list[tuple[str, str, int]]) -> None:
    """Three tries of one input, of which the first two failed; whether the last one succeeded is another problem."""
    assert [("retry_storm", *one) for one in expected] == told(tries(outcomes))


def test_what_is_no_retry() -> None:
    """Calls with another input, other parents, or without a known input are not tries of one call."""
    first = tries("xxx")
    assert [] == told([step._replace(content=number) for number, step in enumerate(first)])
    assert [] == told([step._replace(parent=span_id(number)) for number, step in enumerate(first)])
    assert [] == told(tries("xxx", content=0))


def test_unfinished() -> None:
    """A trace without its root is unfinished once nothing has come for long; the span nearest to it tells where."""
    steps = [
        Step(span_id(3), span_id(2), "tool", "search", "search", 1, 20, 30),
        Step(span_id(2), span_id(1), "chain", "plan 7", "", 0, 10, 40),
    ]
    found = unfinished("shop", steps, 40 + HOUR, HOUR)
    assert found is not None
    assert ("unfinished_trace", "", "The trace never ended; the first that is known of it: plan 7", span_id(2)) == (
        found.failure.failure_class,
        found.failure.sub,
        found.failure.title,
        found.span,
    )
    other = unfinished("shop", [steps[1]._replace(name="plan 8")], 40 + HOUR, HOUR)
    assert other is not None
    assert found.failure.fingerprint == other.failure.fingerprint
    assert unfinished("shop", steps, 39 + HOUR, HOUR) is None
    assert unfinished("shop", [*steps, steps[0]._replace(is_root=True)], 40 + HOUR, HOUR) is None
    assert unfinished("shop", [], HOUR, 0) is None


STEPS = st.lists(
    st.builds(
        Step,
        span=st.integers(1, 12).map(span_id),
        parent=st.integers(0, 3).map(span_id),
        kind=st.sampled_from(["tool", "llm", "agent"]),
        name=st.sampled_from(["a", "b 1"]),
        tool=st.sampled_from(["", "t", "u"]),
        content=st.integers(0, 2),
        start=st.integers(0, 9),
        end=st.integers(0, 9),
        has_failed=st.booleans(),
        is_root=st.booleans(),
        failure_class=st.sampled_from(["", "timeout"]),
    ),
    max_size=24,
    unique_by=lambda step: step.span,
)


@given(STEPS, st.randoms(use_true_random=False))
def test_any_trace(steps: list[Step], rng: random.Random) -> None:
    """The order in which spans are stored makes no difference; everything found is documented and shows at a span."""
    shuffled = rng.sample(steps, len(steps))
    found = trace_failures("shop", steps)
    assert found == trace_failures("shop", shuffled)
    for failure, span in found:
        assert "trace" == CLASSES[failure.failure_class].level
        assert failure.sub in CLASSES[failure.failure_class].subs
        assert span in {step.span for step in steps}
