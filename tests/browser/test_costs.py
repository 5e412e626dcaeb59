"""The Costs page and explanations in a real browser over a real Streamlit server."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import WAIT_MS, Served
from tests.browser.test_dashboard import parameters, rows
from tests.support.dashboard_data import OK_TRACE_ID

expect.set_options(timeout=WAIT_MS)


def test_costs_page_shows_where_money_goes(page: Page, served: Served) -> None:
    """Totals, a drawn chart, the breakdown, and what the sums leave out."""
    page.goto(f"{served.url}/costs")

    expect(page.get_by_test_id("stMetric")).to_have_count(8)
    expect(page.locator("svg[role=img]")).to_have_count(1)
    expect(rows(page, "Costs by model").filter(has_text="claude-sonnet-4-5")).to_be_visible()
    expect(rows(page, "Calls without a cost").filter(has_text="llama-3.3-70b-local")).to_be_visible()
    expect(rows(page, "Told more than once").filter(has_text="support_agent")).to_be_visible()
    expect(page).to_have_title("Costs · Spanwise")


def test_choosing_a_dimension_lands_in_the_address_and_leads_to_traces(page: Page, served: Served) -> None:
    """By user: the address says so, and a line opens the user's traces."""
    page.goto(f"{served.url}/costs?range=7d")
    page.get_by_role("radio", name="User", exact=True).click()
    first = rows(page, "Costs by user").first.locator(".rowlink")
    expect(first).to_be_visible()
    expect(page).to_have_url(re.compile("by=user"))
    user = first.inner_text()

    first.click()

    expect(page.get_by_role("heading", name="Traces")).to_be_visible()
    assert parameters(page) == {"project": ["default"], "range": ["7d"], "user": [user]}


def test_what_if_is_asked_and_answered(page: Page, served: Served) -> None:
    """A model chosen from the list is priced, and the address brings the answer back."""
    page.goto(f"{served.url}/costs?range=7d")
    # While the page is still being drawn, what is typed is lost with the old list.
    expect(page.get_by_text("Nearly the same")).to_be_visible()
    expect(page.locator("[data-testid='stApp'][data-test-script-state='notRunning']")).to_be_visible()
    expect(page.locator("[data-stale='true']")).to_have_count(0)
    model = page.get_by_role("combobox", name="Model")
    model.click()
    model.press_sequentially("gpt-4o-mini", delay=30)
    expect(page.get_by_role("option").filter(has_text="openai/gpt-4o-mini")).to_be_visible()
    model.press("Enter")
    answered = rows(page, "By model, on another model")
    expect(answered.filter(has_text="claude-sonnet-4-5")).to_be_visible()

    page.reload()

    expect(answered.filter(has_text="claude-sonnet-4-5")).to_be_visible()
    page.get_by_text("Nearly the same").click()
    expect(page).to_have_url(re.compile("cache=near-1h"))


def test_lines_for_the_price_file_are_a_click_away(page: Page, served: Served) -> None:
    """They unfold, ready to be copied."""
    page.goto(f"{served.url}/costs")
    page.get_by_text("Lines for the price file").click()

    expect(page.get_by_text('model = "llama-3.3-70b-local"')).to_be_visible()


def test_a_repeat_opens_its_span_and_says_why_it_is_not_counted(page: Page, served: Served) -> None:
    """From the table of what is counted once to the explanation of a span."""
    page.goto(f"{served.url}/costs")
    rows(page, "Told more than once").first.locator(".rowlink").click()
    expect(page.get_by_role("treeitem", selected=True)).to_have_attribute("aria-label", re.compile("^support_agent"))
    page.get_by_role("radio", name="Explain").click()

    expect(page.get_by_text("Not in the sums. It is no model call")).to_be_visible()


def test_explain_names_the_attributes(page: Page, served: Served) -> None:
    """Each field of a model call with the attribute that gave it."""
    page.goto(f"{served.url}/trace?trace={OK_TRACE_ID}&span=0000000000000006")
    page.get_by_role("radio", name="Explain").click()

    expect(rows(page, "Fields").filter(has_text="gen_ai.usage.input_tokens")).to_be_visible()
    expect(rows(page, "Left unmapped").filter(has_text="http.route")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 800])
def test_costs_fit_the_screen(browser: Browser, served: Served, scheme: str, width: int) -> None:
    """Neither the Costs page nor an explanation is wider than the screen."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    main = "document.querySelector('[data-testid=stMain]')"
    page.goto(f"{served.url}/costs?to_model=openai/gpt-4o-mini")
    expect(rows(page, "Repeated inputs").first).to_be_visible()
    costs_fit = page.evaluate(f"{main}.scrollWidth <= {main}.clientWidth")
    page.goto(f"{served.url}/trace?trace={OK_TRACE_ID}&span=0000000000000006")
    page.get_by_role("radio", name="Explain").click()
    expect(rows(page, "Fields").first).to_be_visible()
    explain_fits = page.evaluate(f"{main}.scrollWidth <= {main}.clientWidth")
    context.close()

    assert (costs_fit, explain_fits) == (True, True)
