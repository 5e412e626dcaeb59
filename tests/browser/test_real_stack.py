"""The whole road in a browser: a decorated function, Kafka, ClickHouse, the API, a page; no part of it is a fake."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from spanwise_collector.embedded.broker import free_port
from tests.browser.conftest import WAIT_MS
from tests.support.running import ask, command, eventually, ready, run_program, up_arguments

expect.set_options(timeout=WAIT_MS)

# gpt-4.1-mini costs 0.40, cached 0.10 and out 1.60 dollars a million tokens:
# 600 * 0.4 + 400 * 0.1 + 100 * 1.6 = 440 micro-dollars.
PROGRAM = """
import spanwise

spanwise.init(environment="test", release="9.9.9", service="shop")

@spanwise.observe(kind="tool")
def look_up(order: str) -> str:
    return f"{order} is on its way"

@spanwise.observe(kind="chain")
def assistant(question: str) -> str:
    found = look_up("10482")
    with spanwise.span("ask", kind="llm") as span:
        span.set_input([{"role": "user", "content": question}])
        span.set_model("gpt-4.1-mini", provider="openai")
        span.set_usage(input_tokens=1000, output_tokens=100, cache_read_tokens=400)
        span.set_output({"role": "assistant", "content": found})
    spanwise.score("helpful", True, trace_id=spanwise.current_span().trace_id, source="user")
    return found

with spanwise.session("s-1"), spanwise.user("ada"):
    assistant("Where is my order?")
"""


@pytest.fixture(scope="module")
def dashboard_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`spanwise up` that has stored the one trace of `PROGRAM`."""
    directory = tmp_path_factory.mktemp("stack")
    arguments = up_arguments(directory / "data", "--dashboard-port", str(free_port()))
    with command(*arguments, output=directory / "output") as running:
        state = ready(running, directory / "data")
        run_program(PROGRAM, SPANWISE_KAFKA=state.kafka)

        def all_stored() -> bool | None:
            return ask(state.collector, "/api/v1/pipeline")["totals"]["stored"] == 4 or None

        eventually(all_stored, what="three spans and a score")
        yield state.dashboard


def test_a_decorated_function_is_on_the_dashboard(page: Page, dashboard_url: str) -> None:
    """The overview counts the request and its cost; its trace opens from the list, with tree, messages and score."""
    page.goto(dashboard_url)
    metrics = page.get_by_test_id("stMetricValue")
    expect(metrics.first).to_have_text("1")
    expect(metrics.filter(has_text="$0.00044")).to_be_visible()

    page.get_by_test_id("stSidebar").get_by_role("link", name="Traces").click()
    page.get_by_role("table", name="Traces").locator(".rowlink").click()
    tree = page.get_by_role("tree")
    expect(tree.get_by_role("treeitem")).to_have_count(3)
    tree.get_by_role("treeitem", name=re.compile("^ask, llm")).click()

    expect(page.get_by_text("Where is my order?")).to_be_visible()
    expect(page.get_by_text("10482 is on its way")).to_be_visible()
    expect(page.get_by_text("$0.00044").first).to_be_visible()
    expect(page.get_by_text("helpful").first).to_be_visible()


def test_the_pipeline_page_says_that_all_is_stored(page: Page, dashboard_url: str) -> None:
    """Three spans and a score were emitted, and the page says in a sentence that they are stored."""
    page.goto(f"{dashboard_url}/pipeline")

    expect(page.get_by_text(re.compile(r"^All 4 .* stored"))).to_be_visible()
    expect(page.get_by_text(re.compile(r"offsets, rows and rejects of \d partitions? agree"))).to_be_visible()
