"""The client turns whatever happens into an error that says what to do."""

from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest

from spanwise_dashboard import errors
from spanwise_dashboard.client import Client
from spanwise_dashboard.state import Filters
from spanwise_schemas.api import Problem, Projects

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)


def client(answer: Callable[[httpx.Request], httpx.Response]) -> Client:
    """A client whose requests are answered by a function."""
    return Client("http://collector.test", timeout_s=2, transport=httpx.MockTransport(answer))


def problem(status: int, **fields: object) -> Callable[[httpx.Request], httpx.Response]:
    """Answers a problem document."""
    document = Problem.model_validate({"title": "Wrong", "status": status, **fields}).model_dump()
    return lambda request: httpx.Response(status, json=document)


def failing(error: type[httpx.TransportError]) -> Callable[[httpx.Request], httpx.Response]:
    """Fails on the way."""

    def answer(request: httpx.Request) -> httpx.Response:
        raise error("refused", request=request)

    return answer


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (failing(httpx.ConnectError), errors.CollectorAwayError),
        (failing(httpx.ConnectTimeout), errors.CollectorAwayError),
        (failing(httpx.RemoteProtocolError), errors.CollectorAwayError),
        (failing(httpx.ReadTimeout), errors.CollectorSlowError),
        (problem(404), errors.NotFoundError),
        (problem(422), errors.RequestRefusedError),
        (problem(400), errors.RequestRefusedError),
        (problem(503), errors.CollectorNotReadyError),
        (problem(504), errors.CollectorSlowError),
        (problem(500), errors.ApiError),
        (lambda request: httpx.Response(502, text="<html>bad gateway"), errors.UnexpectedAnswerError),
        (lambda request: httpx.Response(200, text="<html>hello"), errors.UnexpectedAnswerError),
        (lambda request: httpx.Response(200, json={"items": 5}), errors.UnexpectedAnswerError),
        (lambda request: httpx.Response(302, headers={"location": "/login"}), errors.UnexpectedAnswerError),
    ],
)
def test_errors_by_remedy(answer: Callable[[httpx.Request], httpx.Response], expected: type[errors.ApiError]) -> None:
    """Each way to fail has the error whose remedy helps, and every error has a remedy."""
    with client(answer) as asking, pytest.raises(errors.ApiError) as caught:
        asking.projects()

    assert type(caught.value) is expected
    assert caught.value.remedy


def test_a_refused_parameter_is_named() -> None:
    """The message says which parameter and why."""
    lines = [{"parameter": "from", "detail": "must be before `to`"}]
    with (
        client(problem(422, errors=lines)) as asking,
        pytest.raises(errors.RequestRefusedError, match="from: must be before"),
    ):
        asking.projects()


def test_away_names_the_address_and_the_setting() -> None:
    """With the collector away, the message has its address and the remedy the setting."""
    with client(failing(httpx.ConnectError)) as asking, pytest.raises(errors.CollectorAwayError) as caught:
        asking.projects()

    assert "http://collector.test" in str(caught.value)
    assert "SPANWISE_API_URL" in caught.value.remedy


def test_query_of_the_list() -> None:
    """Filters that are set are sent, those that are not are left out; a list is one parameter per value."""
    seen: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url)
        return httpx.Response(200, json={"items": []})

    filters = Filters(environment=("a", "b"), q="x & y", min_cost_usd=0.0)
    with client(answer) as asking:
        asking.traces("p", START, END, filters, limit=10, cursor="c/1")

    assert seen[0].params.multi_items() == [
        ("project", "p"),
        ("from", "2026-01-01T00:00:00Z"),
        ("to", "2026-01-02T00:00:00Z"),
        ("environment", "a"),
        ("environment", "b"),
        ("q", "x & y"),
        ("min_cost_usd", "0.0"),
        ("limit", "10"),
        ("cursor", "c/1"),
    ]


@pytest.mark.parametrize("trace_id", ["../projects", "", "a?b", "a/b", "ä"])
def test_ids_from_the_address_do_not_become_paths(trace_id: str) -> None:
    """An id that is none is not found, and nothing is asked."""

    def answer(request: httpx.Request) -> httpx.Response:
        raise AssertionError(request.url)

    with client(answer) as asking, pytest.raises(errors.NotFoundError):
        asking.trace("p", trace_id)


def test_unknown_fields_are_ignored() -> None:
    """An older dashboard reads a newer collector."""
    with client(lambda request: httpx.Response(200, json={"items": [], "novelty": 1})) as asking:
        assert asking.projects() == Projects(items=[])
