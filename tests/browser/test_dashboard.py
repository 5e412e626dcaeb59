"""What a person sees and does, in a real browser over a real Streamlit server."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from spanwise_schemas.api import Problem
from tests.browser.conftest import WAIT_MS, Served
from tests.support.dashboard_data import BIG_TRACE_ID, ERROR_TRACE_ID, HOSTILE, HOSTILE_TRACE_ID, OK_TRACE_ID

expect.set_options(timeout=WAIT_MS)


def parameters(page: Page) -> dict[str, list[str]]:
    """The query parameters in the address bar."""
    return parse_qs(urlsplit(page.url).query)


def rows(page: Page, label: str) -> Locator:
    """The lines of a table."""
    return page.get_by_role("table", name=label).locator("tbody tr")


def test_overview_shows_numbers_and_charts(page: Page, served: Served) -> None:
    """The first page has the totals, four drawn charts, and the tables."""
    page.goto(served.url)

    expect(page.get_by_test_id("stMetric")).to_have_count(8)
    expect(page.get_by_test_id("stMetricValue").first).to_have_text(re.compile(r"^\d+$"))
    expect(page.locator("svg[role=img]")).to_have_count(4)
    expect(page.locator("[data-bar=succeeded]").first).to_be_visible()
    expect(rows(page, "By model").filter(has_text="gpt-4o-mini")).to_be_visible()
    expect(page).to_have_title("Overview · Spanwise")


def test_model_leads_to_its_traces(page: Page, served: Served) -> None:
    """Clicking a model opens the traces that used it."""
    page.goto(f"{served.url}/?range=7d")
    page.get_by_role("link", name="claude-sonnet-4-5").click()

    expect(page.get_by_role("heading", name="Traces")).to_be_visible()
    expect(page.get_by_text("Reset 1 filter")).to_be_visible()
    assert parameters(page) == {"project": ["default"], "range": ["7d"], "model": ["claude-sonnet-4-5"]}


def test_dragging_over_a_chart_zooms(page: Page, served: Served) -> None:
    """Dragging over a chart narrows the time range to what was dragged over."""
    page.goto(served.url)
    chart = page.locator("svg[role=img]").first
    expect(chart).to_be_visible()
    # The table is drawn last: until then the chart may still move, and the mouse would press beside it.
    expect(page.get_by_role("row", name=re.compile("nightly_reindex"))).to_be_visible()
    box = chart.bounding_box()
    while box != (box := chart.bounding_box()):
        page.wait_for_timeout(100)
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 60, steps=4)
    page.mouse.up()

    expect(page).to_have_url(re.compile(r"from=.*to="))
    expect(page.get_by_text("From", exact=True)).to_be_visible()


def test_filter_lands_in_the_address_and_reload_shows_the_same(page: Page, served: Served) -> None:
    """What is filtered is in the address; opening that address elsewhere gives the same list."""
    matching = [
        trace.summary
        for trace in served.api.data.traces
        if trace.summary.status == "error" and "card" in trace.summary.input_preview
    ]
    page.goto(f"{served.url}/traces?range=7d")
    expect(rows(page, "Traces")).to_have_count(50)
    page.get_by_placeholder("Search in inputs and outputs").fill("card")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("q=card"))
    page.get_by_test_id("stButtonGroup").get_by_text("Failed").click()
    expect(page).to_have_url(re.compile("status=error"))
    expect(page.get_by_text("Reset 2 filters")).to_be_visible()
    expect(rows(page, "Traces")).to_have_count(len(matching))
    shown = rows(page, "Traces").all_inner_texts()

    page.reload()
    expect(page.get_by_text("Reset 2 filters")).to_be_visible()
    expect(rows(page, "Traces")).to_have_count(len(matching))

    assert rows(page, "Traces").all_inner_texts() == shown
    assert page.get_by_placeholder("Search in inputs and outputs").input_value() == "card"


def test_chips_take_filters_away(page: Page, served: Served) -> None:
    """A chip's cross removes its filter, the button removes all."""
    page.goto(f"{served.url}/traces?status=error&environment=production&tag=vip")
    page.get_by_role("button", name="Remove the filter Environment production").click()
    expect(page.get_by_text("Reset 2 filters")).to_be_visible()
    assert parameters(page) == {"status": ["error"], "tag": ["vip"]}

    page.get_by_text("Reset 2 filters").click()

    expect(page.get_by_text("Reset 2 filters")).to_have_count(0)
    expect(page).to_have_url(f"{served.url}/traces")


def test_row_opens_the_trace_and_span_shows_its_messages(page: Page, served: Served) -> None:
    """From the list to a trace to a span's conversation; the address says where one is, also after a reload."""
    page.goto(f"{served.url}/traces?user=user-009&q=export")
    rows(page, "Traces").last.locator(".rowlink").click()
    tree = page.get_by_role("tree")
    expect(tree.get_by_role("treeitem")).to_have_count(7)
    tree.get_by_role("treeitem", name=re.compile("^chat, llm")).click()
    expect(page).to_have_url(re.compile("span=0000000000000006"))
    expect(page.get_by_text("You are the support assistant of Acme. Be brief.")).to_be_visible()
    expect(page.get_by_text("→ lookup_invoice")).to_be_visible()
    expect(page.get_by_text('"INV-2041"')).to_be_visible()

    page.reload()

    expect(page.get_by_role("treeitem", selected=True)).to_have_attribute("aria-label", re.compile("^chat, llm"))
    expect(page.get_by_text("You are the support assistant of Acme. Be brief.")).to_be_visible()


def test_back_goes_to_the_filtered_list(page: Page, served: Served) -> None:
    """The way back from a trace keeps the filters."""
    page.goto(f"{served.url}/trace?trace={OK_TRACE_ID}&status=error&range=7d")
    page.get_by_test_id("stMainBlockContainer").get_by_role("link", name="Traces").click()

    expect(page.get_by_text("Reset 1 filter")).to_be_visible()
    assert parameters(page) == {"project": ["default"], "range": ["7d"], "status": ["error"]}


def test_session_leads_to_its_traces(page: Page, served: Served) -> None:
    """The session in a trace's header opens all traces of the session."""
    page.goto(f"{served.url}/trace?trace={OK_TRACE_ID}")
    page.get_by_role("link", name="user-009-3").click()

    expect(page.get_by_text("Reset 1 filter")).to_be_visible()
    assert parameters(page)["session"] == ["user-009-3"]


def test_failed_trace_opens_at_its_exception(page: Page, served: Served) -> None:
    """A failure is on the screen without a click: the exception with its stack trace."""
    page.goto(f"{served.url}/trace?trace={ERROR_TRACE_ID}")

    expect(page.get_by_text("openai.RateLimitError", exact=True)).to_be_visible()
    expect(page.get_by_text('File "bot.py", line 41, in answer')).to_be_visible()
    expect(page.get_by_role("treeitem", selected=True)).to_have_attribute("aria-label", re.compile("^chat.*failed$"))


def test_big_trace_opens_scrolls_and_stays_small(page: Page, served: Served) -> None:
    """Of 5,000 spans only those in sight are in the page, at the top, in the middle and at the end."""
    page.goto(f"{served.url}/trace?trace={BIG_TRACE_ID}&span=0000000000000001")
    tree = page.get_by_role("tree")
    items = tree.get_by_role("treeitem")
    expect(items.first).to_have_attribute("aria-label", re.compile("^nightly_reindex"))
    heights = tree.evaluate("node => [node.scrollHeight, node.clientHeight]")
    counts = []
    for share in (0.5, 1.0):
        tree.evaluate("(node, share) => { node.scrollTop = share * (node.scrollHeight - node.clientHeight) }", share)
        at = "row-4999" if share == 1.0 else "row-2500"
        expect(tree.locator(f"#{at}")).to_be_attached()
        counts.append(items.count())

    assert heights == [5000 * 28, 620]
    assert max(counts) < 60


def test_big_trace_by_keyboard(page: Page, served: Served) -> None:
    """Arrows move, right and left open and close, Enter selects; the end is one key away."""
    page.goto(f"{served.url}/trace?trace={BIG_TRACE_ID}&span=0000000000000001")
    tree = page.get_by_role("tree")
    tree.focus()
    page.keyboard.press("ArrowDown")
    expect(tree).to_have_attribute("aria-activedescendant", "row-1")
    page.keyboard.press("ArrowLeft")
    expect(tree.locator("#row-1")).to_have_attribute("aria-expanded", "false")
    expect(tree.locator("#row-2")).to_have_attribute("aria-label", re.compile("^step_1,"))
    page.keyboard.press("ArrowRight")
    expect(tree.locator("#row-1")).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("End")
    expect(tree).to_have_attribute("aria-activedescendant", "row-4999")
    page.keyboard.press("Enter")

    expect(tree.locator("#row-4999")).to_have_attribute("aria-selected", "true")
    expect(page).to_have_url(re.compile("span=0000000000001388"))


def test_zooming_into_a_span(page: Page, served: Served) -> None:
    """A double-click spreads a short span of a long trace over the lane, and the whole trace comes back."""
    page.goto(f"{served.url}/trace?trace={BIG_TRACE_ID}&span=0000000000000001")
    row = page.get_by_role("tree").locator("#row-3")
    expect(row).to_be_visible()

    def share() -> float:
        width: float = row.evaluate(
            "row => row.querySelector('.bar').offsetWidth / row.querySelector('.lane').offsetWidth"
        )
        return width

    small = share()
    row.dblclick()
    expect(page.get_by_role("button", name="Whole trace")).to_be_visible()
    zoomed = share()
    page.get_by_role("button", name="Whole trace").click()

    assert (small < 0.05, zoomed > 0.9, share() < 0.05) == (True, True, True)


def test_search_within_a_trace(page: Page, served: Served) -> None:
    """Searching leaves the matching spans and the way to them."""
    page.goto(f"{served.url}/trace?trace={OK_TRACE_ID}")
    page.get_by_role("searchbox", name="Search spans").fill("embed")

    expect(page.get_by_role("treeitem")).to_have_count(3)
    expect(page.get_by_text("1 of 7")).to_be_visible()


def test_next_error_walks_through_the_failures(page: Page, served: Served) -> None:
    """Among 5,000 spans the failed ones are a click away each."""
    page.goto(f"{served.url}/trace?trace={BIG_TRACE_ID}&span=0000000000000001")
    selected = page.get_by_role("treeitem", selected=True)
    found = []
    for _ in range(2):
        page.get_by_role("button", name="Next error (9)").click()
        expect(selected).to_have_attribute("aria-label", re.compile("failed$"))
        found.append(selected.get_attribute("id"))

    assert found == ["row-500", "row-1000"]


def test_hostile_content_stays_text(page: Page, served: Served) -> None:
    """Markup of users and models is shown letter by letter: nothing runs, loads, links or is formatted."""
    for path in ("", "traces", f"trace?trace={HOSTILE_TRACE_ID}&span=0000000000000002"):
        page.goto(f"{served.url}/{path}")
        expect(page.get_by_text("<script>window.pwned=1</script>").first).to_be_visible()
        assert page.evaluate("window.pwned") is None
        assert page.locator("a[href^='javascript:'], img[src*='evil'], img[src='x'], .katex").count() == 0

    expect(page.get_by_text(HOSTILE, exact=True).first).to_be_visible()
    page.get_by_text("image (not loaded)").click()
    expect(page.get_by_text("http://evil.invalid/i.png")).to_be_visible()
    page.get_by_role("radio", name="Details").click()
    expect(page.get_by_role("table", name="Origin")).to_be_visible()

    assert page.evaluate("window.pwned") is None


@pytest.mark.parametrize(("scheme", "ground"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(15, 18, 25)")])
@pytest.mark.parametrize("width", [1440, 800])
def test_light_and_dark_fit_the_screen(browser: Browser, served: Served, scheme: str, ground: str, width: int) -> None:
    """Both themes follow the system's choice, and no page is wider than the screen."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    seen = []
    for path, text in (
        ("", "By model"),
        ("traces", "Started"),
        (f"trace?trace={OK_TRACE_ID}", "Input"),
        ("pipeline", "Producers"),
    ):
        page.goto(f"{served.url}/{path}")
        expect(page.get_by_text(text, exact=True).first).to_be_visible()
        seen.append(page.evaluate("getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"))
        main = "document.querySelector('[data-testid=stMain]')"
        assert page.evaluate(f"{main}.scrollWidth <= {main}.clientWidth"), path
    context.close()

    assert seen == [ground] * 4


def test_no_unfinished_chrome(page: Page, served: Served) -> None:
    """Streamlit's deploy button and developer menu are not there."""
    page.goto(served.url)
    expect(page.get_by_test_id("stMetric").first).to_be_visible()

    assert page.get_by_test_id("stAppDeployButton").count() == 0
    assert page.get_by_text("Rerun").count() == 0


def test_refresh_by_itself(page: Page, served: Served) -> None:
    """With a refresh chosen, the page shows what is new without a click."""
    page.goto(f"{served.url}/pipeline?refresh=10s")
    expect(page.get_by_text("Producers", exact=True)).to_be_visible()
    try:
        served.api.failing = Problem(title="Not ready", status=503, detail="The store is busy.")
        expect(page.get_by_text("The store is busy.")).to_be_visible()
    finally:
        served.api.failing = None

    expect(page.get_by_text("Producers", exact=True)).to_be_visible()
