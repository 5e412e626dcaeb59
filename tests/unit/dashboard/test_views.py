"""The pages, run by Streamlit's own test runner against the fake of the API."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import streamlit
from streamlit.testing.v1 import AppTest

from spanwise_schemas.api import Problem
from tests.support.dashboard_data import (
    BIG_TRACE_ID,
    ERROR_TRACE_ID,
    HOSTILE,
    HOSTILE_TRACE_ID,
    OK_TRACE_ID,
    Dataset,
    empty,
    little,
    lots,
)
from tests.support.dashboard_fake import FakeApi, serve

Open = Callable[..., AppTest]
TIMEOUT_S = 120


def run_app(start: str) -> None:
    """The script under test; Streamlit runs its text, so it imports for itself."""
    from spanwise_dashboard.app import main

    main(start)


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[FakeApi, Open]]:
    """The fake, and a function that opens a page with query parameters."""
    streamlit.cache_resource.clear()
    api = FakeApi(empty(datetime.now(UTC)))

    def opened(page: str, **parameters: str | list[str]) -> AppTest:
        app = AppTest.from_function(run_app, args=(page,), default_timeout=TIMEOUT_S)
        for key, value in parameters.items():
            app.query_params[key] = value
        return app.run()

    with serve(api) as url:
        monkeypatch.setenv("SPANWISE_API_URL", url)
        yield api, opened


def use(api: FakeApi, dataset: Callable[[datetime], Dataset]) -> None:
    """Fills the fake."""
    api.data = dataset(datetime.now(UTC))


def few_hundred(now: datetime) -> Dataset:
    """A lot, but made in a moment."""
    return lots(now, traces=130, big_spans=300)


def drawn(app: AppTest, component: str) -> list[dict[str, Any]]:
    """What our components of that name were given to draw."""
    protos = [element.proto for element in app.get("bidi_component")]
    return [
        json.loads(proto.json or proto.bytes) for proto in protos if proto.component_name == f"spanwise_{component}"
    ]


def table(app: AppTest, label: str) -> list[list[str]]:
    """The texts of a table, by its label."""
    found = next(each for each in drawn(app, "table") if each["label"] == label)
    return [[cell["text"] for cell in row["cells"]] for row in found["rows"]]


def said(app: AppTest) -> str:
    """All text that Streamlit draws."""
    texts = [
        *app.markdown,
        *app.subheader,
        *app.text,
        *app.caption,
        *app.info,
        *app.success,
        *app.warning,
        *app.error,
        *app.code,
    ]
    return "\n".join(str(element.value) for element in texts)


def test_overview_of_a_new_installation(open_page: tuple[FakeApi, Open]) -> None:
    """Without any data the first page shows how to send a first trace."""
    app = open_page[1]("overview")

    assert not app.exception
    assert "Nothing has arrived yet" in said(app)
    assert "spanwise.init(" in said(app)
    assert app.metric.values == []


def test_overview_shows_the_numbers(open_page: tuple[FakeApi, Open]) -> None:
    """The totals are the collector's, formatted."""
    api, opened = open_page
    use(api, little)
    app = opened("overview")

    assert not app.exception
    assert {metric.label: metric.value for metric in app.metric} == {
        "Requests": "2",
        "Error rate": "50.0%",
        "p50 latency": "2.50 s",
        "p95 latency": "2.50 s",
        "p99 latency": "2.50 s",
        "Tokens": "5,840",
        "Cost": "$0.0200",
        "Users": "2",
    }
    assert [chart["title"] for chart in drawn(app, "chart")] == [
        "Requests over time",
        "Latency over time",
        "Cost by model over time",
        "Tokens over time",
    ]
    assert [row[0] for row in table(app, "By request")] == ["answer_question"]


def test_overview_names_unpriced_calls(open_page: tuple[FakeApi, Open]) -> None:
    """A cost that leaves calls out says so."""
    api, opened = open_page
    use(api, few_hundred)

    assert "have no known price and are left out of the cost" in said(opened("overview"))


def test_overview_of_a_quiet_time_offers_a_wider_one(open_page: tuple[FakeApi, Open]) -> None:
    """An empty window offers the next longer one, and goes there."""
    api, opened = open_page
    use(api, little)
    app = opened("overview", **{"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"})
    assert "No requests in this time range" in said(app)

    app.button[0].click().run()

    assert app.query_params == {"range": "14d"}
    assert app.metric[0].value == "2"


def test_overview_asks_for_what_the_address_says(open_page: tuple[FakeApi, Open]) -> None:
    """Project, filters and time range of the address reach the collector."""
    api, opened = open_page
    use(api, little)
    opened("overview", project="default", environment="staging", range="1h")
    asked = [request for request in api.requests if "/overview?" in request]

    assert len(asked) == 1
    assert "project=default" in asked[0]
    assert "environment=staging" in asked[0]


def test_project_selector_only_when_there_is_a_choice(open_page: tuple[FakeApi, Open]) -> None:
    """One project needs no selector; several have one, and choosing goes into the address."""
    api, opened = open_page
    use(api, little)
    assert [box.label for box in opened("overview").sidebar.selectbox] == []
    use(api, few_hundred)
    streamlit.cache_resource.clear()
    app = opened("overview")

    app.sidebar.selectbox[0].select("search-assistant").run()

    assert app.query_params == {"project": "search-assistant"}


def test_time_range_goes_into_the_address(open_page: tuple[FakeApi, Open]) -> None:
    """Choosing a range changes the address; a custom one starts from what was shown."""
    api, opened = open_page
    use(api, little)
    app = opened("traces")
    app.main.selectbox[0].select("1h").run()
    assert app.query_params == {"range": "1h"}

    app.main.selectbox[0].select("custom").run()

    assert set(app.query_params) == {"from", "to"}
    start, end = (datetime.fromisoformat(str(app.query_params[key])) for key in ("from", "to"))
    assert end - start == timedelta(hours=1)


def test_traces_newest_first(open_page: tuple[FakeApi, Open]) -> None:
    """The list shows what is to be known of each trace, and its rows lead to it."""
    api, opened = open_page
    use(api, little)
    app = opened("traces", range="1h")
    rows = table(app, "Traces")
    links = [row["href"] for row in drawn(app, "table")[0]["rows"]]

    assert [[row[0], *row[2:8]] for row in rows] == [
        ["answer_question", "2.50 s", "$0.0093", "3,103", "7", "claude-sonnet-4-5 +1", "user-056"],
        ["answer_question", "2.26 s", "$0.0107", "2,737", "7", "gpt-4o +1", "user-009"],
    ]
    assert links == [f"trace?project=default&range=1h&trace={trace}" for trace in (ERROR_TRACE_ID, OK_TRACE_ID)]


def test_traces_filtered_by_the_address(open_page: tuple[FakeApi, Open]) -> None:
    """Filters in the address filter the list and are shown as chips."""
    api, opened = open_page
    use(api, little)
    app = opened("traces", status="error", q="card")
    chips = drawn(app, "facts")[0]

    assert [row["id"] for row in drawn(app, "table")[0]["rows"]] == [ERROR_TRACE_ID]
    assert [(fact["label"], fact["text"], fact["value"]) for fact in chips["facts"]] == [
        ("Status", "Failed", "status=Failed"),
        ("Text", "card", "q=card"),
    ]
    assert chips["actions"] == [{"action": "reset", "text": "Reset 2 filters"}]


def test_searching_goes_into_the_address(open_page: tuple[FakeApi, Open]) -> None:
    """A search keeps the other filters and goes to the first page."""
    api, opened = open_page
    use(api, few_hundred)
    app = opened("traces", environment="production", cursor="50")

    app.main.text_input(key="filter-q").set_value("invoice").run()

    assert app.query_params == {"environment": "production", "q": "invoice"}


def test_filter_form(open_page: tuple[FakeApi, Open]) -> None:
    """The form's values go into the address together."""
    api, opened = open_page
    use(api, little)
    app = opened("traces")
    app.multiselect(key="filter-kind").set_value(["tool"])
    app.text_input(key="filter-user").set_value(" user-056 ")
    app.number_input(key="filter-min_duration_ms").set_value(100.0)

    next(button for button in app.button if button.label == "Apply").click().run()

    assert app.query_params == {"kind": "tool", "user": "user-056", "min_duration_ms": "100"}


def test_no_match_offers_a_way_out(open_page: tuple[FakeApi, Open]) -> None:
    """Filters that leave nothing over can be reset there and then."""
    api, opened = open_page
    use(api, little)
    app = opened("traces", user="nobody")
    assert "No trace matches" in said(app)

    next(button for button in app.button if button.label == "Reset the filters").click().run()

    assert app.query_params == {}
    assert len(table(app, "Traces")) == 2


def test_paging_there_and_back(open_page: tuple[FakeApi, Open]) -> None:
    """Next follows the collector's cursor, Previous goes back the way one came."""
    api, opened = open_page
    use(api, few_hundred)
    app = opened("traces", range="7d")
    first = table(app, "Traces")
    pages = []
    for label in ("Next", "Next", "Previous", "Previous"):
        next(button for button in app.button if button.label == label).click().run()
        pages.append(app.query_params.get("cursor"))

    assert pages == ["50", "100", "50", None]
    assert table(app, "Traces") == first


def test_trace_opens_at_the_failure(open_page: tuple[FakeApi, Open]) -> None:
    """A failed trace opens with the span that failed first, its exception and its messages."""
    api, opened = open_page
    use(api, little)
    app = opened("trace", trace=ERROR_TRACE_ID)
    waterfall = drawn(app, "waterfall")[0]
    error, body = drawn(app, "conversation")

    assert app.query_params["span"] == "0000000000000006"
    names = "answer_question retrieve_articles embed_query support_agent lookup_invoice chat check_grounded"
    assert " ".join(span["name"] for span in waterfall["spans"]) == names
    assert [span["depth"] for span in waterfall["spans"]] == [0, 1, 2, 1, 2, 2, 1]
    assert error["sections"][0]["messages"][0]["role"] == "openai.RateLimitError"
    assert [message["role"] for message in body["sections"][0]["messages"]] == ["system", "user", "assistant", "tool"]
    assert body["sections"][1]["empty"] == "Nothing was recorded."


def test_span_details_say_how_the_cost_came_about(open_page: tuple[FakeApi, Open]) -> None:
    """Tokens, cost, price list, origin and attributes of the span in the address."""
    api, opened = open_page
    use(api, little)
    app = opened("trace", trace=OK_TRACE_ID, span="0000000000000006")

    app.segmented_control(key="span-view").set_value("details").run()

    assert table(app, "Tokens and cost") == [
        ["Input", "2,196", "$0.0055", "$2.50"],
        ["\u2003of which read from cache", "512", "", ""],
        ["Output", "523", "$0.0052", "$10.00"],
        ["\u2003of which reasoning", "64", "", ""],
        ["Total", "2,719", "$0.0107", ""],
    ]
    assert "Computed from the tokens with the price list genai-prices 0.2.3." in said(app)
    assert ["spanwise.metadata.plan", "enterprise"] in table(app, "Attributes")


def test_raw_bodies_are_as_recorded(open_page: tuple[FakeApi, Open]) -> None:
    """The raw view changes no letter."""
    api, opened = open_page
    use(api, little)
    app = opened("trace", trace=OK_TRACE_ID, span="0000000000000006")

    app.segmented_control(key="span-view").set_value("raw").run()

    recorded = api.data.spans[(OK_TRACE_ID, "0000000000000006")]
    shown = [section["messages"][0]["parts"][0]["text"] for section in drawn(app, "conversation")[0]["sections"]]
    assert shown == [recorded.input, recorded.output]


def test_big_trace_reads_each_span_once(open_page: tuple[FakeApi, Open]) -> None:
    """All spans are handed to the tree, and bodies are asked for one span only."""
    api, opened = open_page
    use(api, few_hundred)
    app = opened("trace", trace=BIG_TRACE_ID)

    assert len(drawn(app, "waterfall")[0]["spans"]) == 300
    assert len([request for request in api.requests if "/spans/" in request]) == 1


def test_hostile_content_stays_out_of_markdown(open_page: tuple[FakeApi, Open]) -> None:
    """What users and models write never reaches an element of Streamlit that reads Markdown or HTML."""
    api, opened = open_page
    use(api, few_hundred)
    apps = [
        opened("trace", trace=HOSTILE_TRACE_ID, span="0000000000000002"),
        opened("traces", user=HOSTILE),
        opened("overview"),
    ]
    labels = [button.label for app in apps for button in app.button]

    assert [HOSTILE in said(app) for app in apps] == [False] * 3
    assert [label for label in labels if "script" in label] == []


def test_missing_trace(open_page: tuple[FakeApi, Open]) -> None:
    """A trace that is not there says so and why that may be."""
    api, opened = open_page
    use(api, little)
    shown = said(opened("trace", trace="0123"))

    assert "Trace 0123 is not in project default." in shown
    assert "It may have passed its retention time" in shown


def test_no_trace_chosen(open_page: tuple[FakeApi, Open]) -> None:
    """The trace page without a trace points to the list."""
    assert "No trace is chosen" in said(open_page[1]("trace"))


def test_pipeline_says_all_is_well(open_page: tuple[FakeApi, Open]) -> None:
    """The sentence at the top is the summary."""
    api, opened = open_page
    use(api, little)
    app = opened("pipeline")
    scores = sum(len(trace.scores) for trace in api.data.traces)

    assert [element.value for element in app.success] == [
        f"All {14 + scores} spans and scores that arrived are stored; 0 records are waiting."
    ]
    assert [row[0] for row in table(app, "Partitions")] == ["otlp_spans / 0", "otlp_spans / 1"]
    assert "agree, and no records of 1 producer are missing" in said(app)


def test_pipeline_in_trouble(open_page: tuple[FakeApi, Open]) -> None:
    """Rejects come with what to do, losses with who lost."""
    api, opened = open_page
    use(api, few_hundred)
    app = opened("pipeline")

    assert len(app.warning) == 1
    assert [row[:2] for row in table(app, "Rejects")] == [["bad_trace_id", "5"], ["not_protobuf", "2"]]
    assert [row[5] for row in table(app, "Producers")] == ["0", "240", "0"]
    assert "otlp_spans/1: offsets 812 to 815 were never stored (4 records)" in said(app)


@pytest.mark.parametrize("page", ["overview", "traces", "trace", "pipeline"])
def test_collector_away(page: str, open_page: tuple[FakeApi, Open], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every page says that the collector is away and how to start it."""
    monkeypatch.setenv("SPANWISE_API_URL", "http://127.0.0.1:9")
    app = open_page[1](page, trace=OK_TRACE_ID)

    assert not app.exception
    assert "The collector is not reachable" in said(app)
    assert "spanwise up" in said(app)


@pytest.mark.parametrize(
    ("status", "title"),
    [(503, "The collector is not ready"), (500, "Something went wrong"), (504, "The collector took too long")],
)
def test_error_answers(status: int, title: str, open_page: tuple[FakeApi, Open]) -> None:
    """An error of the collector is shown with its detail as plain text."""
    api, opened = open_page
    api.failing = Problem(title="x", status=status, detail=HOSTILE)
    app = opened("overview")

    assert not app.exception
    assert title in said(app)
    assert any(HOSTILE in element.value for element in app.text)


def test_trying_again_after_an_error(open_page: tuple[FakeApi, Open]) -> None:
    """When the collector is back, trying again shows the page."""
    api, opened = open_page
    use(api, little)
    api.failing = Problem(title="x", status=503)
    app = opened("overview")
    api.failing = None

    next(button for button in app.button if button.label == "Try again").click().run()

    assert app.metric[0].value == "2"


def test_wrong_setting(open_page: tuple[FakeApi, Open], monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that cannot be used is named on the page."""
    monkeypatch.setenv("SPANWISE_API_URL", "collector:4318")

    assert "SPANWISE_API_URL is 'collector:4318'" in said(open_page[1]("overview"))
