"""Failures and comparisons in a real browser over a real Streamlit server."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import WAIT_MS, Served
from tests.browser.test_alerts import settled
from tests.browser.test_dashboard import parameters, rows
from tests.support.dashboard_data import ERROR_TRACE_ID, HOSTILE
from tests.support.dashboard_failure_data import ARGUMENTS_ID, HOSTILE_ISSUE_ID, NEW_ID, REOPENED_ID

expect.set_options(timeout=WAIT_MS)


def test_an_issue_opens_and_leads_to_an_example(page: Page, served: Served) -> None:
    """From the list to the issue; its address opens the same; from there to the span that failed."""
    page.goto(f"{served.url}/failures")
    line = rows(page, "Issues").filter(has_text="is a required property")
    expect(line.locator(".trend > span")).to_have_count(24)
    line.locator(".rowlink").click()

    expect(page.get_by_role("heading", name=re.compile("is a required property"))).to_be_visible()
    assert parameters(page) == {"project": ["default"], "issue": [ARGUMENTS_ID]}
    page.reload()
    expect(page.get_by_role("img", name="Failures over time")).to_be_visible()
    expect(rows(page, "Fingerprints").first).to_be_visible()
    rows(page, "Examples").first.locator(".rowlink").click()
    expect(page.get_by_role("tree")).to_be_visible()
    assert parameters(page)["trace"] == [ERROR_TRACE_ID]


def test_chips_narrow_the_list(page: Page, served: Served) -> None:
    """A class is chosen and given up by its chip; the others keep their counts."""
    page.goto(f"{served.url}/failures")
    expect(rows(page, "Issues").nth(8)).to_be_visible()
    settled(page)
    page.get_by_role("button", name="timeout 212").click()
    expect(rows(page, "Issues")).to_have_count(1)
    assert parameters(page)["class"] == ["timeout"]
    settled(page)
    expect(page.get_by_role("button", name="truncation 1,840")).to_be_visible()
    page.get_by_role("button", name="timeout 212").click()

    expect(rows(page, "Issues").nth(8)).to_be_visible()


def test_resolving_from_the_page(page: Page, served: Served) -> None:
    """Name and note given, button pressed: it leaves the list of what is to do."""
    page.goto(f"{served.url}/failures?issue={REOPENED_ID}")
    settled(page)
    page.get_by_role("button", name="Resolve").first.click()
    form = page.get_by_test_id("stForm").filter(has_text="Note").filter(visible=True)
    form.get_by_label("Your name").fill("Grace")
    form.get_by_label("Note").fill("The limit is 4 million now.")
    form.get_by_role("button", name="Resolve").click()

    expect(page.get_by_text("resolved by Grace", exact=True)).to_be_visible()
    expect(page.get_by_text("The limit is 4 million now.")).to_be_visible()
    page.get_by_test_id("stMain").get_by_role("link", name="Failures").click()
    expect(rows(page, "Issues").first).to_be_visible()
    expect(rows(page, "Issues").filter(has_text="429 Rate limit")).to_have_count(0)


def test_merging_what_is_the_same(page: Page, served: Served) -> None:
    """Another issue is searched by its title and becomes a part; hostile titles are plain options."""
    page.goto(f"{served.url}/failures?issue={NEW_ID}")
    settled(page)
    page.get_by_role("button", name="Merge").first.click()
    search = page.get_by_label("Search by title")
    search.fill("pwned")
    search.press("Enter")
    page.get_by_test_id("stMultiSelect").filter(visible=True).locator("input").click()
    page.get_by_role("option").first.click()
    search.click()  # closes the list of options
    expect(page.get_by_role("option")).to_have_count(0)
    assert page.evaluate("window.pwned === undefined")
    assert page.locator("[href^='javascript'], img[src*='evil']").count() == 0
    page.get_by_role("button", name="Merge into this one").click()

    expect(page.locator(".fact").filter(has_text="Failures").first).to_contain_text("43")
    assert served.api.failed is not None
    assert served.api.failed.merged == {HOSTILE_ISSUE_ID: NEW_ID}
    served.api.failed.merged.clear()


def test_comparing_time_ranges_explains_what_is_clicked(page: Page, served: Served) -> None:
    """Intervals are drawn around zero; a click on a number says where its difference comes from."""
    page.goto(f"{served.url}/compare")
    lines = page.get_by_role("list", name="Metrics").locator("> li")
    expect(lines).to_have_count(8)
    worst = lines.first
    expect(worst).to_contain_text("worse")
    zero, reach = (worst.locator(each).bounding_box() for each in (".zero", ".reach"))
    assert zero is not None
    assert reach is not None
    assert reach["x"] > zero["x"]
    expect(rows(page, "Where it comes from").first).to_be_visible()
    settled(page)
    lines.filter(has_text="Cost per request").get_by_role("link").click()

    expect(page.get_by_role("combobox", name="Number")).to_have_value("Cost per request")
    assert parameters(page)["signal"] == ["cost_per_request"]


def test_comparing_releases(page: Page, served: Served) -> None:
    """The newest two, and swapped; a release may be named anything."""
    page.goto(f"{served.url}/compare")
    page.get_by_role("radio", name="Releases").click()
    expect(page.get_by_role("heading", name="B: 2026.11.4")).to_be_visible()
    settled(page)
    page.get_by_role("button", name="Swap").click()
    expect(page.get_by_role("heading", name="B: 2026.11.3")).to_be_visible()
    assert parameters(page)["a"] == ["2026.11.4"]
    settled(page)
    rows(page, "Failures").first.locator(".rowlink").click()

    expect(page.get_by_role("heading", name=re.compile("is a required property"))).to_be_visible()


def test_what_people_wrote_stays_text(page: Page, served: Served) -> None:
    """No markup of theirs becomes an element, on either page."""
    for path in ("failures", f"failures?issue={HOSTILE_ISSUE_ID}", "compare?compare=release"):
        page.goto(f"{served.url}/{path}")
        expect(page.get_by_text("window.pwned=1").first).to_be_visible()
        assert page.evaluate("window.pwned === undefined")
        assert page.locator(".sw img, .sw script, [href^='javascript']").count() == 0
    settled(page)
    page.get_by_role("combobox", name="B").click()
    expect(page.get_by_role("option").filter(has_text=HOSTILE[:20])).to_be_visible()
    assert page.evaluate("window.pwned === undefined")
    assert page.locator("[href^='javascript'], img[src*='evil']").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 800])
def test_failures_and_comparisons_fit_the_screen(browser: Browser, served: Served, scheme: str, width: int) -> None:
    """No page is wider than the screen."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    main = "document.querySelector('[data-testid=stMain]')"
    fits = {}
    for path, sign in (
        ("failures?state=all", ".trend"),
        (f"failures?issue={ARGUMENTS_ID}", "table[aria-label=Fingerprints] td"),
        ("compare", "table[aria-label=Examples] td"),
        ("compare?compare=model", ".reach"),
    ):
        page.goto(f"{served.url}/{path}")
        expect(page.locator(sign).first).to_be_visible()
        fits[path] = page.evaluate(f"{main}.scrollWidth <= {main}.clientWidth")
    context.close()

    assert fits == dict.fromkeys(fits, True)
