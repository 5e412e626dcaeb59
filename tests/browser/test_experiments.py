"""Datasets and experiments in a real browser, over a real Streamlit server and the real API."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, expect

from spanwise_collector.store.database import Database
from tests.browser.conftest import WAIT_MS
from tests.browser.servers import dashboard
from tests.browser.test_alerts import settled
from tests.browser.test_dashboard import parameters, rows
from tests.support.curated import curated_app, served
from tests.support.curated_data import lots
from tests.support.databases import EmptyDatabases

expect.set_options(timeout=WAIT_MS)


@pytest.fixture(scope="module")
def stored(empty_databases: EmptyDatabases) -> Iterator[Database]:
    """A database with datasets and experiments."""
    with empty_databases.lend(readers=3) as database:
        lots(database)
        yield database


@pytest.fixture(scope="module")
def address(stored: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The dashboard over the real API."""
    log = tmp_path_factory.mktemp("experiments") / "streamlit.log"
    app = curated_app(stored, lambda: datetime.now(UTC))
    with served(app) as api_url, dashboard(api_url, log) as url:
        yield url


def test_from_the_list_to_the_difference_of_two_answers(page: Page, address: str) -> None:
    """An experiment opens beside the run before it; an item opens with both outputs; the address opens the same."""
    page.goto(f"{address}/experiments")
    rows(page, "Experiments").filter(has_text="concise-prompt").locator(".rowlink").click()
    expect(page.get_by_role("heading", name="Baseline: main")).to_be_visible()
    metrics = page.get_by_role("list", name="Metrics").locator("> li")
    expect(metrics).to_have_count(4)
    expect(metrics.first).to_contain_text("worse")
    zero, reach = (metrics.first.locator(each).bounding_box() for each in (".zero", ".reach"))
    assert zero is not None
    assert reach is not None
    assert reach["x"] < zero["x"]
    settled(page)
    rows(page, "Items").first.locator(".rowlink").click()

    outputs = page.get_by_role("group", name="Outputs")
    expect(outputs.locator("del").first).to_be_visible()
    expect(outputs.locator("ins").first).to_contain_text("Settings")
    page.reload()
    expect(page.get_by_role("group", name="Outputs").locator("ins").first).to_be_visible()
    assert parameters(page)["candidate"] == ["concise-prompt-3"]


def test_swapping_the_sides(page: Page, address: str) -> None:
    """What was worse is better."""
    page.goto(f"{address}/experiments?candidate=concise-prompt-3")
    settled(page)
    page.get_by_role("button", name="Swap").click()
    expect(page.get_by_role("heading", name="Candidate: main")).to_be_visible()
    exact = page.get_by_role("list", name="Metrics").locator("> li").filter(has_text="exact")
    expect(exact).to_contain_text("better")
    assert parameters(page)["baseline"] == ["concise-prompt-3"]


def test_an_old_version_of_a_dataset(page: Page, address: str) -> None:
    """Chosen from the versions; its items are those of then; a text narrows them; an item opens in full."""
    page.goto(f"{address}/datasets")
    rows(page, "Datasets").filter(has_text="support-questions").locator(".rowlink").click()
    expect(page.get_by_text("of 178")).to_be_visible()
    settled(page)
    rows(page, "Versions").filter(has_text="from tickets.csv").locator(".rowlink").click()
    expect(page.get_by_text("of 120")).to_be_visible()
    expect(page.get_by_text("version 1 of 3")).to_be_visible()
    settled(page)
    find = page.get_by_label("Find")
    find.fill("(3)")
    find.press("Enter")
    expect(rows(page, "Items")).to_have_count(1)
    settled(page)
    rows(page, "Items").first.locator(".rowlink").click()

    expect(page.get_by_role("group", name="Item")).to_contain_text("Do you ship to Norway")
    assert (parameters(page)["version"], parameters(page)["item"]) == (["1"], ["q0003"])


def test_what_people_wrote_stays_text(page: Page, address: str) -> None:
    """No markup of theirs becomes an element, in lists, items and differences."""
    for path in (
        "datasets",
        "datasets?dataset=hostile&item=h",
        "experiments",
        "experiments?candidate=hostile-1&row=h",
    ):
        page.goto(f"{address}/{path}")
        expect(page.get_by_text("window.pwned=1").first).to_be_visible()
        assert page.evaluate("window.pwned === undefined")
        assert page.locator(".sw img, .sw script, [href^='javascript'], img[src*='evil']").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 800])
def test_the_pages_fit_the_screen(browser: Browser, address: str, scheme: str, width: int) -> None:
    """No page is wider than the screen."""
    context = browser.new_context(
        viewport={"width": width, "height": 1000}, color_scheme="dark" if scheme == "dark" else "light"
    )
    opened = context.new_page()
    opened.set_default_timeout(WAIT_MS)
    for path in ("datasets", "datasets?dataset=support-questions", "experiments?candidate=concise-prompt-3&row=q0001"):
        opened.goto(f"{address}/{path}")
        expect(opened.locator(".sw").first).to_be_visible()
        settled(opened)
        assert opened.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth")
    context.close()
