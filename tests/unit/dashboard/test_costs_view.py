"""The Costs page and the explanation of a span, as Streamlit draws them over the fake of the API."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from spanwise_dashboard.views.costs import figures, reported_note
from spanwise_dashboard.views.what_if import cache_facts, model_facts, nothing_repeated, split_model
from spanwise_schemas.api import Problem, Usage
from spanwise_schemas.api_costs import (
    CacheSavings,
    CacheWhatIf,
    Costs,
    CostTotals,
    Duplicates,
    ModelWhatIf,
    ReportedCosts,
)
from tests.support.dashboard_data import OK_TRACE_ID, Dataset, empty, little
from tests.support.dashboard_fake import FakeApi
from tests.unit.dashboard.test_views import Open, drawn, few_hundred, open_page, said, table, use

__all__ = ["open_page"]
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LLM_SPAN, AGENT_SPAN = "0000000000000006", "0000000000000004"
Page = tuple[FakeApi, Open]


def texts(app: object, component: str) -> list[str]:
    """Texts of the facts that a component draws."""
    return [fact["text"] for each in drawn(app, component) for fact in each["facts"]]  # type: ignore[arg-type]


def test_costs_of_a_new_installation(open_page: Page) -> None:
    """Without any data the page shows how to send a first trace."""
    app = open_page[1]("costs")

    assert not app.exception
    assert "Nothing has arrived yet" in said(app)


def test_costs_of_a_quiet_time_offer_a_wider_one(open_page: Page) -> None:
    """An empty window says what to look at, and goes to the next longer one."""
    api, opened = open_page

    def quiet(now: datetime) -> Dataset:
        found = little(now - timedelta(days=3))
        found.now = now
        return found

    use(api, quiet)
    app = opened("costs")

    assert not app.exception
    assert "No model calls in this time range" in said(app)
    app.button[-1].click().run()
    assert app.query_params["range"] == "7d"


def test_costs_are_the_collectors_numbers(open_page: Page) -> None:
    """Totals, the breakdown by model, and no tables for what is not there."""
    api, opened = open_page
    use(api, little)
    app = opened("costs")

    assert not app.exception
    assert {metric.label: metric.value for metric in app.metric} == {
        "Cost": "$0.0200",
        "Per 1k calls": "$5.00",
        "Model calls": "4",
        "Tokens in": "5,317",
        "Tokens out": "523",
        "Cached input": "19.3%",
        "Cache saved": "—",
        "Repeats": "1",
    }
    assert [row[0] for row in table(app, "Costs by model")] == ["gpt-4o", "claude-sonnet-4-5", "gpt-4o-mini"]
    assert [chart["title"] for chart in drawn(app, "chart")] == ["Cost by model over time"]
    labels = {each["label"] for each in drawn(app, "table")}
    assert labels == {"Costs by model", "Told more than once", "Repeated inputs"}


@pytest.mark.parametrize(
    ("by", "label", "links"),
    [
        ("user", "Costs by user", True),
        ("session", "Costs by session", True),
        ("request", "Costs by request", True),
        ("environment", "Costs by environment", True),
        ("name", "Costs by span", False),
        ("prompt", "Costs by prompt", False),
        ("release", "Costs by release", False),
    ],
)
def test_costs_by_every_dimension(open_page: Page, by: str, label: str, links: bool) -> None:
    """The address says by what; where traces can be filtered by it, lines lead to them."""
    api, opened = open_page
    use(api, few_hundred)
    app = opened("costs", by=by)

    assert not app.exception
    found = next(each for each in drawn(app, "table") if each["label"] == label)
    assert found["rows"]
    assert all(bool(row["href"]) == links for row in found["rows"])


def test_long_breakdowns_begin_short(open_page: Page) -> None:
    """Twelve lines, and all on demand."""
    api, opened = open_page
    use(api, few_hundred)
    app = opened("costs", by="user")
    whole = len(
        {
            trace.summary.user_id
            for trace in api.data.traces
            if trace.summary.start_time > api.data.now - timedelta(days=1)
        }
    )

    assert len(table(app, "Costs by user")) == 12
    app.button(key="costs-more").click().run()
    assert len(table(app, "Costs by user")) == whole


def test_unpriced_models_come_with_the_lines_to_paste(open_page: Page) -> None:
    """What has no cost is named with what to do; the lines for the price file are ready."""
    api, opened = open_page
    use(api, few_hundred)
    app = opened("costs")

    [line] = table(app, "Calls without a cost")
    assert line[0] == "llama-3.3-70b-local"
    assert "Fill in its prices" in line[-1]
    assert any('model = "llama-3.3-70b-local"' in str(code.value) for code in app.code)


def test_what_if_another_model(open_page: Page) -> None:
    """A model in the address is priced; choosing another one goes into the address."""
    api, opened = open_page
    use(api, little)
    app = opened("costs", to_model="openai/gpt-4o-mini")

    assert not app.exception
    assert {row[0] for row in table(app, "By model, on another model")} == {
        "gpt-4o",
        "claude-sonnet-4-5",
    }
    app.selectbox(key="what-if-model").set_value("openai/gpt-4o").run()
    assert app.query_params["to_model"] == "openai/gpt-4o"


def test_what_if_a_model_is_in_no_list(open_page: Page) -> None:
    """It is said that there is no price."""
    api, opened = open_page
    use(api, little)

    assert "No price list knows nobody/nothing." in said(opened("costs", to_model="nobody/nothing"))


def test_what_if_a_cache(open_page: Page) -> None:
    """Repeated inputs are counted, for the life time in the address."""
    api, opened = open_page
    use(api, few_hundred)
    app = opened("costs", cache="exact-1d")

    assert not app.exception
    assert 0 < len(table(app, "Repeated inputs")) <= 8
    assert any("ttl_seconds=86400" in request for request in api.requests)
    app.selectbox(key="cache-life").set_value(300).run()
    assert app.query_params["cache"] == "exact-5m"


def test_a_collector_that_is_slow_is_said(open_page: Page) -> None:
    """The page says what happened and what to do."""
    api, opened = open_page
    use(api, little)
    api.failing = Problem(title="Too slow", status=504, detail="The query took too long.")

    assert "The query took too long." in said(opened("costs"))


def costs(now: CostTotals, before: CostTotals, **more: object) -> Costs:
    """Costs of two windows."""
    parts: dict[str, object] = {"caching": CacheSavings(), "reported": ReportedCosts(), **more}
    return Costs(start=NOW, end=NOW, current=now, previous=before, **parts)


NO_REPEATS = Duplicates(spans=0, usage=Usage(), cost_nanousd=None, items=[])


def test_unknown_is_never_zero() -> None:
    """Calls without a price have no cost and no cost per call."""
    found = {
        each.label: each.value
        for each in figures(costs(CostTotals(calls=3, unpriced_calls=3), CostTotals(calls=0)), NO_REPEATS)
    }

    assert (found["Cost"], found["Per 1k calls"], found["Cached input"], found["Cache saved"]) == ("—", "—", "—", "—")


def test_hardly_any_calls_before_are_not_compared() -> None:
    """Changes against next to nothing would be noise."""
    now, before = CostTotals(calls=1000, cost_nanousd=10**9), CostTotals(calls=1, cost_nanousd=1)

    assert {each.change.text for each in figures(costs(now, before), NO_REPEATS)} == {""}
    assert figures(costs(now, CostTotals(calls=500, cost_nanousd=5 * 10**8)), NO_REPEATS)[0].change.text == "+100%"


@pytest.mark.parametrize(
    ("reported", "note"),
    [
        (ReportedCosts(), ""),
        (
            ReportedCosts(calls=2, reported_nanousd=2_000_000_000, computed_nanousd=1_000_000_000),
            "2 calls came with a cost from the client: $2.00 in all, where the price list says $1.00 (+100%). What was "
            "reported counts.",
        ),
        (ReportedCosts(only_reported_calls=1), "1 call came with a cost from the client; no list has their price."),
    ],
)
def test_reported_costs_are_told_beside_the_lists(reported: ReportedCosts, note: str) -> None:
    """Only where there are any."""
    assert reported_note(reported) == note


def test_models_are_named_with_or_without_a_provider() -> None:
    """The first slash parts them; names of models may have more."""
    assert [split_model(text) for text in ("openai/gpt-4o", "gpt-4o", "openrouter/meta/llama")] == [
        ("openai", "gpt-4o"),
        ("", "gpt-4o"),
        ("openrouter", "meta/llama"),
    ]


def swap(**values: object) -> ModelWhatIf:
    """A what-if of ten calls, eight of them compared."""
    known: dict[str, object] = {
        "calls": 10,
        "compared_calls": 8,
        "cost_nanousd": 10**9,
        "cost_there_nanousd": 4 * 10**8,
    }
    parts = {
        "start": NOW,
        "end": NOW,
        "provider": "p",
        "model": "m",
        "price_version": "v",
        "by_model": [],
        "assumptions": [],
    }
    return ModelWhatIf(**{**parts, **known, **values})


def test_what_the_other_model_comes_to() -> None:
    """Both sums, the change, and the calls that are in neither."""
    assert [(fact.label, fact.text, fact.tone) for fact in model_facts(swap())] == [
        ("Cost", "$1.00", ""),
        ("There", "$0.4000", ""),
        ("Change", "-60.0%", "good"),
        ("", "2 calls left out", "warn"),
    ]
    nothing = swap(compared_calls=0, cost_nanousd=None, cost_there_nanousd=None)
    assert [fact.text for fact in model_facts(nothing)] == ["—", "—", "10 calls left out"]


def cache(**values: object) -> CacheWhatIf:
    """A cache that hit half of ten calls."""
    parts: dict[str, object] = {
        "start": NOW,
        "end": NOW,
        "match": "exact",
        "ttl_seconds": 300,
        "calls": 10,
        "hits": 5,
        "hit_rate": 0.5,
        "cost_nanousd": 100,
        "saved_nanousd": 40,
        "top": [],
        "assumptions": [],
    }
    return CacheWhatIf(**{**parts, **values})


def test_what_a_cache_comes_to_and_what_speaks_against_it() -> None:
    """Hits, rate, saving; streamed, varied and unpriced hits only where there are any."""
    assert [fact.text for fact in cache_facts(cache())] == ["5 of 10 calls", "50.0%", "$0.000000040 (40.0%)"]
    against = cache(streamed_hits=1, varied_hits=2, unpriced_hits=3)
    assert [(fact.label, fact.text) for fact in cache_facts(against)[3:]] == [
        ("Streamed", "1"),
        ("With temperature", "2"),
        ("Without a price", "3"),
    ]


@pytest.mark.parametrize(("calls", "words"), [(0, "bodies are kept for 14 days"), (4, "within 5 minutes")])
def test_an_empty_table_of_repeats_says_why(calls: int, words: str) -> None:
    """No input is stored, or none came again."""
    assert words in nothing_repeated(cache(calls=calls, hits=0, hit_rate=None))


@pytest.mark.parametrize("dataset", [empty, little])
def test_costs_ask_for_the_window_in_the_address(open_page: Page, dataset: Callable[[datetime], Dataset]) -> None:
    """Environment and time of the address go to the collector."""
    api, opened = open_page
    use(api, dataset)
    opened("costs", environment=["staging"], **{"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"})

    asked = [request for request in api.requests if request.startswith("/api/v1/costs?")]
    assert all("from=2026-01-01" in request and "environment=staging" in request for request in asked)
    assert bool(asked) == bool(api.data.projects)


def test_explain_shows_where_values_come_from(open_page: Page) -> None:
    """The span's fields with their attributes, bill, tokens and cost in words, and what is left over."""
    api, opened = open_page
    use(api, little)
    app = opened("trace", trace=OK_TRACE_ID, span=LLM_SPAN)
    app.segmented_control(key="span-view").set_value("explain").run()

    assert not app.exception
    fields = {row[0]: (row[1], row[2]) for row in table(app, "Fields")}
    assert fields["tok_input"] == ("2196", "gen_ai.usage.input_tokens")
    assert [row[0] for row in table(app, "Left unmapped")] == ["http.route", "spanwise.metadata.plan", "thread.id"]
    assert "This span bears the bill" in said(app)
    assert "gen_ai.usage.input_tokens says 2,196, of which 512 read from the cache" in said(app)


def test_a_span_that_does_not_bear_the_bill_says_why(open_page: Page) -> None:
    """In the details and in the explanation."""
    api, opened = open_page
    use(api, little)
    app = opened("trace", trace=OK_TRACE_ID, span=AGENT_SPAN)
    for view in ("details", "explain"):
        app.segmented_control(key="span-view").set_value(view).run()
        assert "It is no model call" in said(app)


def test_details_show_the_request(open_page: Page) -> None:
    """Parameters of the request, and that the answer was streamed."""
    api, opened = open_page
    use(api, little)
    app = opened("trace", trace=OK_TRACE_ID, span=LLM_SPAN)
    app.segmented_control(key="span-view").set_value("details").run()

    assert table(app, "Request parameters") == [["temperature", "0.2"], ["max_tokens", "800"]]
    assert "streamed" in texts(app, "facts")


def test_the_overview_tells_cost_and_tokens_by_request(open_page: Page) -> None:
    """Tokens and cost of all model calls in the traces of one name."""
    api, opened = open_page
    use(api, little)

    [row] = table(opened("overview"), "By request")

    assert (row[0], row[-2:]) == ("answer_question", ["5,840", "$0.0200"])
