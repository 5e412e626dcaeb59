"""Spans to failures: what decides, fingerprints, and the sender's own ones."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.failures.classes import CLASSES
from spanwise_collector.failures.classify import Ended, classify
from spanwise_collector.failures.failure import MAX_TITLE, Failure
from spanwise_collector.failures.fingerprint import VERSION, fingerprint

STACK = 'Traceback (most recent call last):\n  File "/srv/app/orders.py", line 5, in parse\n    int(x)\nValueError: x\n'


def ended(**values: Any) -> Ended:
    """A failed span of no kind in particular."""
    found: dict[str, Any] = {
        "project": "shop",
        "kind": "other",
        "name": "step",
        "has_failed": True,
        "tool_name": "",
        "provider": "",
        "error_type": "",
        "message": "",
        "events": (),
        "names": (),
        "texts": (),
        "output": "",
        "answer": None,
        "override": "",
    }
    return Ended(**(found | values))


def raised(error_type: str, message: str, stack: str = "") -> list[dict[str, Any]]:
    """The events of a span in which an exception was recorded."""
    details = {"exception.type": error_type, "exception.message": message, "exception.stacktrace": stack}
    return [{"type": "event", "name": "exception", "attributes": details}]


def failure(**values: Any) -> Failure:
    """The failure of a span that has one."""
    found = classify(ended(**values))
    assert found is not None
    return found


def test_fingerprints_stay() -> None:
    """These numbers are in people's databases: they change only with `VERSION`."""
    assert "f2" == VERSION
    assert 18_093_943_948_914_457_332 == fingerprint("shop", "timeout", "x")
    frames = failure(events=raised("app.ValueError", "no order 7", STACK))
    assert fingerprint("shop", "exception", "", "ValueError", "app.orders.parse") == frames.fingerprint


def test_an_exception_on_its_way_up_is_one_problem() -> None:
    """Every span that an exception passes reports it: name and kind do not part them, the project does."""
    events = raised("ValueError", "no order 7", STACK)
    inner, outer = failure(events=events), failure(events=events, kind="agent", name="answer")
    assert inner == outer
    assert inner.fingerprint != failure(events=events, project="billing").fingerprint


def test_a_providers_error_is_one_problem_with_what_it_fails() -> None:
    """Only the model call knows its provider; the spans around it report the same error without."""
    events = raised("openai.RateLimitError", "Error code: 429 - Rate limit reached")
    call = failure(events=events, kind="llm", provider="openai")
    outer = failure(events=events, kind="chain", name="answer")
    assert call.fingerprint == outer.fingerprint
    assert (call.title, outer.title) == (
        "Rate limit (openai 429): Rate limit reached",
        "Rate limit (429): Rate limit reached",
    )


@pytest.mark.parametrize(
    ("values", "sub", "title"),
    [
        ({"error_type": "TimeoutError"}, "timeout", "search: Timeout"),
        (
            {"events": raised("ValueError", "no order 7", STACK)},
            "",
            "search: ValueError in app.orders.parse: no order <num>",
        ),
        ({"message": "it broke"}, "", "search: Failed: it broke"),
        ({"names": ("http.response.status_code",), "texts": ("503",)}, "overload", "search: Overloaded (503)"),
    ],
)
def test_tools(values: Mapping[str, Any], sub: str, title: str) -> None:
    """A failed tool is a tool error whatever failed in it, which is the finer class."""
    found = failure(kind="tool", tool_name="search", **values)
    assert ("tool_error", sub, title) == (found.failure_class, found.sub, found.title)
    assert found.fingerprint != failure(kind="tool", tool_name="book", **values).fingerprint


def test_retrievers() -> None:
    """No documents is a failure; what was not recorded is none, and neither is an empty list from another kind."""
    found = failure(kind="retriever", has_failed=False, output='{"documents": []}')
    assert ("empty_retrieval", "No documents found: step") == (found.failure_class, found.title)
    for kind, output in (("retriever", ""), ("retriever", '[{"content": "x"}]'), ("chain", "[]")):
        assert classify(ended(kind=kind, has_failed=False, output=output)) is None


def test_the_sender_decides() -> None:
    """Spans with the same fingerprint of the sender's are one problem, however they failed; class and title stay."""
    one = failure(error_type="ValueError", message="a", override="checkout")
    other = failure(error_type="KeyError", message="b", override="checkout")
    assert one.fingerprint == other.fingerprint != failure(error_type="ValueError", message="a").fingerprint
    assert ("exception", "ValueError: a") == (one.failure_class, one.title)
    assert classify(ended(has_failed=False, override="checkout")) is None


def test_an_attribute_tells_the_status() -> None:
    """HTTP clients' spans say it there; numbers that are none are passed over."""
    names = ("rpc.grpc.status_code", "http.status_code", "error.code")
    found = failure(names=names, texts=("14", "429", "x"))
    assert ("rate_limit", "Rate limit (429): step") == (found.failure_class, found.title)


@given(
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["llm", "tool", "retriever", "other"]),
            "name": st.text(max_size=30),
            "tool_name": st.text(max_size=300),
            "error_type": st.text(max_size=300),
            "message": st.text(max_size=300),
            "override": st.text(max_size=5),
            "output": st.text(max_size=10),
        }
    ),
    st.text(max_size=300),
)
def test_any_failed_span(values: dict[str, Any], stack: str) -> None:
    """Each has a documented class, a title of one short line and a fingerprint, the same each time."""
    found = failure(events=raised("", "", stack), **values)
    assert found == failure(events=raised("", "", stack), **values)
    assert found.failure_class in CLASSES
    assert 0 < found.fingerprint < 2**64
    assert len(found.title) <= MAX_TITLE
    assert "\n" not in found.title
