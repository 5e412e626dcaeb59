"""What the dashboard expects of the API, on the fake that its tests use and on the real one over the real engine."""

import itertools
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest
import uvicorn

from spanwise_collector.api.annotating import make_annotating
from spanwise_collector.api.app import create_app
from spanwise_collector.failures.issue_book import IssueBook
from spanwise_collector.settings import Settings
from spanwise_collector.store.database import Database
from spanwise_dashboard.client import Client
from spanwise_dashboard.errors import NotFoundError, RequestRefusedError
from spanwise_dashboard.state import Filters
from spanwise_schemas.api import TraceSummary
from spanwise_schemas.api_costs import CostDimension
from tests.support import dashboard_costs
from tests.support.dashboard_data import ERROR_TRACE_ID, OK_TRACE_ID, Dataset, chat_trace, little
from tests.support.dashboard_fake import FakeApi, serve
from tests.support.dashboard_rows import store
from tests.support.rows import T0

NOW = T0 + timedelta(hours=1)
START, END = NOW - timedelta(hours=24), NOW
YESTERDAY_TRACE_ID = "d" * 32
LLM_SPAN = "0000000000000006"


def known() -> Dataset:
    """Two traces of the last minutes, and one in the window before."""
    data = little(NOW)
    data.add(chat_trace(random.Random(3), YESTERDAY_TRACE_ID, NOW - timedelta(hours=30)))
    return data


@contextmanager
def real(database: Database) -> Iterator[str]:
    """The real API on a free port; yields its address."""
    settings, issues = Settings(clickhouse="chdb:///unused"), IssueBook(database, lambda: NOW)
    ids = (f"{number:016x}" for number in itertools.count(1))
    annotating = make_annotating(database, now=lambda: NOW, new_id=lambda: next(ids))
    app = create_app(database=database, settings=settings, issues=issues, annotating=annotating, clock=lambda: NOW)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="off"))
    started = threading.Event()
    startup = server.startup

    async def report(sockets: list[object] | None = None) -> None:
        await startup(sockets)  # type: ignore[arg-type]
        started.set()

    server.startup = report  # type: ignore[assignment,method-assign]
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert started.wait(60), "the API did not start"
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(30)


@pytest.fixture(params=["fake", "real"])
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    """A client of an API that holds `known()`."""
    if request.param == "fake":
        with serve(FakeApi(known())) as url, Client(url) as asking:
            yield asking
        return
    database: Database = request.getfixturevalue("database")
    store(database, known())
    with real(database) as url, Client(url) as asking:
        yield asking


def listed(client: Client, **filters: object) -> list[str]:
    """Ids of the traces of the last day that match."""
    page = client.traces("default", START, END, replace(Filters(), **filters))  # type: ignore[arg-type]
    return [item.trace_id for item in page.items]


def rounded(summary: TraceSummary) -> dict[str, object]:
    """A row of the list as it reads; the tables keep microseconds."""
    return summary.model_dump() | {
        "duration_ms": round(summary.duration_ms, 2),
        "start_time": summary.start_time.isoformat(),
    }


def test_projects(client: Client) -> None:
    """The project that sent data is known."""
    assert [item.name for item in client.projects().items] == ["default"]


def test_rows_of_the_list(client: Client) -> None:
    """Every field of a row is what was stored, newest first."""
    page = client.traces("default", START, END, Filters())

    assert [rounded(item) for item in page.items] == [rounded(trace.summary) for trace in reversed(known().traces[:2])]
    assert page.next_cursor is None


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"status": ("error",)}, [ERROR_TRACE_ID]),
        ({"status": ("error", "ok")}, [ERROR_TRACE_ID, OK_TRACE_ID]),
        ({"model": ("gpt-4o",)}, [OK_TRACE_ID]),
        ({"kind": ("guardrail",)}, [ERROR_TRACE_ID, OK_TRACE_ID]),
        ({"kind": ("evaluator",)}, []),
        ({"name": ("answer_question",)}, [ERROR_TRACE_ID, OK_TRACE_ID]),
        ({"environment": ("staging",)}, []),
        ({"user": "user-009"}, [OK_TRACE_ID]),
        ({"session": "user-056-1"}, [ERROR_TRACE_ID]),
        ({"q": "declined"}, [ERROR_TRACE_ID]),
        ({"min_cost_usd": 0.01}, [OK_TRACE_ID]),
        ({"max_duration_ms": 2400.0}, [OK_TRACE_ID]),
        ({"user": "user-009", "status": ("error",)}, []),
    ],
)
def test_filters(client: Client, filters: dict[str, object], expected: list[str]) -> None:
    """Each filter leaves what matches it; several leave what matches all."""
    assert listed(client, **filters) == expected


def test_paging(client: Client) -> None:
    """Following the cursors shows every trace once, newest first."""
    seen, cursor = [], ""
    for _ in range(4):
        page = client.traces("default", START - timedelta(days=1), END, Filters(), limit=1, cursor=cursor)
        seen += [item.trace_id for item in page.items]
        if page.next_cursor is None:
            break
        cursor = page.next_cursor

    assert seen == [ERROR_TRACE_ID, OK_TRACE_ID, YESTERDAY_TRACE_ID]


def test_trace(client: Client) -> None:
    """A trace has all its spans in order of start, each at its offset."""
    found = client.trace("default", OK_TRACE_ID)
    expected = known().traces[0]

    assert rounded(found.summary) == rounded(expected.summary)
    assert [
        (span.name, span.parent_span_id, round(span.offset_ms, 2), round(span.duration_ms, 2)) for span in found.spans
    ] == [
        (span.name, span.parent_span_id, round(span.offset_ms, 2), round(span.duration_ms, 2))
        for span in expected.spans
    ]
    assert not found.truncated


def test_span_with_its_bodies(client: Client) -> None:
    """A span's bodies are as recorded, and its cost says how it came about."""
    found = client.span("default", OK_TRACE_ID, LLM_SPAN)
    expected = known().spans[(OK_TRACE_ID, LLM_SPAN)]

    assert (found.input, found.output, found.bodies) == (expected.input, expected.output, "stored")
    assert (found.cost.source, found.cost.total_nanousd) == ("computed", expected.cost.total_nanousd)
    assert (found.user_id, found.session_id, found.attributes) == (
        expected.user_id,
        expected.session_id,
        expected.attributes,
    )


def test_overview(client: Client) -> None:
    """Totals of the window and of the one before it, by model and by name."""
    found = client.overview("default", START, END, Filters())

    assert (found.current.requests, found.current.errors, found.previous.requests) == (2, 1, 1)
    assert found.current.cost_nanousd == sum(trace.summary.cost_nanousd or 0 for trace in known().traces[:2])
    assert {group.key: group.calls for group in found.by_model} == {
        "gpt-4o": 1,
        "gpt-4o-mini": 2,
        "claude-sonnet-4-5": 1,
    }
    assert [(group.key, group.calls, group.errors) for group in found.by_name] == [("answer_question", 2, 1)]


def test_metric_series(client: Client) -> None:
    """The steps of a series cover the window, and its values add up to the total."""
    found = client.metrics("default", START, END, "requests", Filters(), step_seconds=3600)

    assert [line.key for line in found.series] == [""]
    assert found.times[0] <= START
    assert found.times[-1] + timedelta(seconds=3600) >= END
    assert sum(value or 0 for value in found.series[0].values) == 2


def test_cost_by_model(client: Client) -> None:
    """Cost by model adds up to the cost of the window."""
    found = client.metrics("default", START, END, "cost_nanousd", Filters(), group_by="model", step_seconds=3600)
    total = client.overview("default", START, END, Filters()).current.cost_nanousd

    assert sorted(line.key for line in found.series if any(line.values)) == [
        "claude-sonnet-4-5",
        "gpt-4o",
        "gpt-4o-mini",
    ]
    assert sum(value or 0 for line in found.series for value in line.values) == total


def test_facets(client: Client) -> None:
    """What can be filtered by is what is there."""
    found = client.facets("default", START, END)

    assert (set(found.environments), set(found.names)) == ({"production"}, {"answer_question"})
    assert {"gpt-4o", "gpt-4o-mini", "claude-sonnet-4-5"} == set(found.models)


def test_pipeline(client: Client) -> None:
    """The state of the pipeline reads."""
    totals = client.pipeline(START, END).totals

    assert totals.emitted == totals.stored + totals.rejected + totals.duplicates


def test_audit(client: Client) -> None:
    """What is told of the ledger adds up."""
    audit = client.audit(START, END)

    assert audit.emitted == audit.stored + audit.rejected + audit.duplicates


def test_other_projects_are_apart(client: Client) -> None:
    """Another project's traces are not shown."""
    assert client.traces("other", START, END, Filters()).items == []


@pytest.mark.parametrize("trace_id", ["0" * 31 + "1", "abc"])
def test_a_trace_that_is_not_there(client: Client, trace_id: str) -> None:
    """An unknown trace, or an id that is none, is not found or refused with a reason."""
    with pytest.raises((NotFoundError, RequestRefusedError)) as caught:
        client.trace("default", trace_id)

    assert str(caught.value)


def test_a_wrong_cursor_is_refused(client: Client) -> None:
    """A cursor that the API did not make is refused, naming the parameter."""
    with pytest.raises(RequestRefusedError, match="cursor"):
        client.traces("default", START, END, Filters(), cursor="made-up")


def test_a_window_that_ends_before_it_starts_is_refused(client: Client) -> None:
    """The refusal says which parameter is wrong."""
    with pytest.raises(RequestRefusedError, match="from"):
        client.overview("default", END, START, Filters())


def test_costs(client: Client) -> None:
    """Totals of the window and of the one before it are those of the traces."""
    found = client.costs("default", START, END, Filters())
    overview = client.overview("default", START, END, Filters())

    for costs, totals in ((found.current, overview.current), (found.previous, overview.previous)):
        assert (costs.calls, costs.usage, costs.cost_nanousd) == (totals.llm_calls, totals.usage, totals.cost_nanousd)
        assert costs.unpriced_calls == totals.unpriced_calls


@pytest.mark.parametrize("dimension", get_args(CostDimension))
def test_costs_by_each_dimension(client: Client, dimension: CostDimension) -> None:
    """Groups add up to the totals and are the same on both, dearest first."""
    found = client.costs_by("default", START, END, Filters(), dimension)
    expected = dashboard_costs.breakdown(known(), (START, END), known().traces[:2], known().traces[2:], dimension)
    totals = client.costs("default", START, END, Filters()).current

    assert [group.model_dump() for group in found.groups] == [group.model_dump() for group in expected.groups]
    assert sum(group.totals.cost_nanousd or 0 for group in found.groups) == totals.cost_nanousd
    assert sum(group.totals.calls for group in found.groups) == totals.calls


def test_unpriced_and_duplicates(client: Client) -> None:
    """Every call of the data has a price; one agent repeats the tokens of its call."""
    repeats = client.duplicates("default", START, END, Filters())
    [agent] = repeats.items

    assert client.unpriced("default", START, END, Filters()).items == []
    assert (agent.reason, agent.name, agent.spans, agent.example_trace_id) == (
        "not_a_model_call",
        "support_agent",
        1,
        OK_TRACE_ID,
    )
    assert repeats.usage == known().spans[(OK_TRACE_ID, LLM_SPAN)].summary.usage


def test_what_if_another_model(client: Client) -> None:
    """Calls of language models are priced on another one that the list knows, and on none that it does not."""
    listed = {(one.provider, one.model) for one in client.priced_models().items}
    found = client.what_if_model("default", START, END, Filters(), provider="openai", model="gpt-4o")
    unknown = client.what_if_model("default", START, END, Filters(), provider="", model="no such model")

    assert ("openai", "gpt-4o") in listed
    assert found.calls == 2
    assert found.price_version.startswith("genai-prices ")
    assert {swap.model for swap in found.by_model} == {"gpt-4o", "claude-sonnet-4-5"}
    assert (unknown.price_version, unknown.cost_there_nanousd) == ("", None)


def test_what_if_a_cache(client: Client) -> None:
    """Inputs that differ are no repeats, whatever the life time."""
    found = client.what_if_cache("default", START, END, Filters(), match="exact", ttl_seconds=86_400)

    assert (found.calls, found.hits, found.hit_rate, found.top) == (1, 0, 0.0, [])


def test_explain(client: Client) -> None:
    """A span's fields come with what gave them; an unknown span is not found."""
    [found] = client.explain("default", OK_TRACE_ID, LLM_SPAN).spans
    given = {one.field: one.attribute for one in found.fields}

    assert (given["tok_input"], given["finish_reason"]) == ("gen_ai.usage.input_tokens", "output")
    assert found.counts_usage
    with pytest.raises(NotFoundError):
        client.explain("default", OK_TRACE_ID, "f" * 16)
