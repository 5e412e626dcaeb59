"""Alerts and drift in a real browser over a real Streamlit server."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import WAIT_MS, Served
from tests.browser.test_dashboard import parameters, rows
from tests.support.dashboard_alert_data import FIRING_ID, HOSTILE_ALERT_ID
from tests.support.dashboard_data import ERROR_TRACE_ID

expect.set_options(timeout=WAIT_MS)
SLOW_CALLS = "f1a0000000000002"


def settled(page: Page) -> None:
    """Waits until the page is drawn: what is typed or clicked before is lost with the old widgets."""
    expect(page.locator("[data-testid='stApp'][data-test-script-state='notRunning']")).to_be_visible()
    expect(page.locator("[data-stale='true']")).to_have_count(0)


def test_a_firing_alert_opens_with_chart_and_cause(page: Page, served: Served) -> None:
    """From the list to the alert; its address opens the same."""
    page.goto(f"{served.url}/alerts")
    page.get_by_role("link", name=re.compile("9.4% of the requests fail")).click()

    expect(page.get_by_role("heading", name=re.compile("9.4% of the requests fail"))).to_be_visible()
    assert parameters(page) == {"project": ["default"], "alert": [FIRING_ID]}
    page.reload()
    expect(page.locator("svg[role=img] .usual-area").first).to_be_visible()
    expect(page.locator("svg[role=img] .mark-label")).to_have_text(["began", "fired"])
    expect(rows(page, "Where it comes from").first).to_contain_text("model gpt-4o, prompt answer@v7")
    expect(rows(page, "Examples")).to_have_count(3)
    expect(page).to_have_title("Alerts · Spanwise")


def test_the_chart_reads_its_values(page: Page, served: Served) -> None:
    """Moving over it says what was measured and what is usual."""
    page.goto(f"{served.url}/alerts?alert={FIRING_ID}")
    chart = page.locator("svg[role=img]").first
    expect(chart.locator(".measured-line").first).to_be_visible()
    box = chart.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.98, box["y"] + 100)

    expect(page.locator(".tip").filter(has_text="usual")).to_contain_text(re.compile(r"Error rate\d+(\.\d+)?%"))


def test_an_example_leads_to_its_trace(page: Page, served: Served) -> None:
    """From what changed to the trace that shows it."""
    page.goto(f"{served.url}/alerts?alert={FIRING_ID}")
    rows(page, "Examples").first.locator(".rowlink").click()

    expect(page.get_by_role("tree")).to_be_visible()
    assert parameters(page)["trace"] == [ERROR_TRACE_ID]


def test_acknowledging_from_the_page(page: Page, served: Served) -> None:
    """Name given, button pressed: the alert bears the name, in the list too."""
    # One that no other test of this module looks at.
    served.api.answer("/api/v1/alerts")
    assert served.api.told is not None
    served.api.told.alerts = [
        alert.model_copy(update={"acknowledged_by": "", "acknowledged_at": None})
        if alert.alert_id == SLOW_CALLS
        else alert
        for alert in served.api.told.alerts
    ]
    page.goto(f"{served.url}/alerts?alert={SLOW_CALLS}")
    settled(page)
    page.get_by_role("button", name="Acknowledge").first.click()
    form = page.get_by_test_id("stForm").filter(has_text="Note")
    form.get_by_label("Your name").fill("Grace")
    form.get_by_role("button", name="Acknowledge").click()

    expect(page.get_by_text("acknowledged by Grace")).to_be_visible()
    page.get_by_test_id("stMain").get_by_role("link", name="Alerts").click()
    expect(page.locator(".card").filter(has_text="claude-sonnet-4-5")).to_contain_text("acknowledged by Grace")


def test_tabs_are_addresses(page: Page, served: Served) -> None:
    """Each tab has its own, and history its time range."""
    page.goto(f"{served.url}/alerts?range=14d")
    for name, table in (("History", "Alerts"), ("Rules", "Rules"), ("Silences", "Silences"), ("Channels", "Channels")):
        page.get_by_role("radio", name=name).click()
        expect(rows(page, table).first).to_be_visible()
        assert parameters(page)["tab"] == [name.lower()]


def test_a_rule_is_checked_and_previewed(page: Page, served: Served) -> None:
    """What is wrong stands at the field; once it is right, the preview shows when it would have fired."""
    page.goto(f"{served.url}/alerts?tab=rules")
    page.get_by_role("button", name="New rule").click()
    expect(page.get_by_role("heading", name="New rule")).to_be_visible()
    settled(page)
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("alert").filter(has_text="pattern")).to_be_visible()
    settled(page)
    page.get_by_role("textbox", name="Id *").fill("my-rule")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="pattern")).to_have_count(0)
    settled(page)
    page.get_by_role("button", name="Preview", exact=True).click()

    expect(page.get_by_text("It would have fired twice in the last 14 days")).to_be_visible()
    expect(page.locator(".fires-area")).to_have_count(2)
    expect(rows(page, "Would have fired")).to_have_count(2)


def test_a_channel_is_tested(page: Page, served: Served) -> None:
    """The page says what became of it."""
    page.goto(f"{served.url}/alerts?tab=channels")
    rows(page, "Channels").filter(has_text="team").get_by_role("button", name="Test").click()

    expect(page.get_by_text("The test did not reach team: 404 no_service.")).to_be_visible()


def test_a_silence_is_lifted(page: Page, served: Served) -> None:
    """Its button takes it away."""
    page.goto(f"{served.url}/alerts?tab=silences")
    planned = rows(page, "Silences").filter(has_text="Move of the database")
    planned.get_by_role("button", name="Lift").click()

    expect(planned).to_have_count(0)
    expect(rows(page, "Silences").first).to_be_visible()


def test_drift_shows_findings_and_opens_examples(page: Page, served: Served) -> None:
    """Charts, shares, subjects; an example opens its trace."""
    page.goto(f"{served.url}/drift")
    expect(page.get_by_text("5 of 9 series are different from the days before.")).to_be_visible()
    expect(page.locator("svg[role=img] .measured-line").first).to_be_visible()
    expect(page.get_by_role("list", name="Shares").locator("> li")).to_have_count(3)
    page.get_by_role("link", name="Why does my renewal cost 20% more?").click()

    expect(page.get_by_role("tree")).to_be_visible()
    assert parameters(page)["trace"] == [ERROR_TRACE_ID]


def test_what_people_wrote_stays_text(page: Page, served: Served) -> None:
    """No markup of theirs becomes an element, on either page."""
    for path in (f"alerts?alert={HOSTILE_ALERT_ID}", f"alerts?alert={FIRING_ID}", "drift"):
        page.goto(f"{served.url}/{path}")
        expect(page.get_by_text("window.pwned=1").locator("visible=true").first).to_be_visible()
        assert page.evaluate("window.pwned === undefined")
        assert page.locator(".sw img, .sw script, [href^='javascript']").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 800])
def test_alerts_and_drift_fit_the_screen(browser: Browser, served: Served, scheme: str, width: int) -> None:
    """No page is wider than the screen."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    main = "document.querySelector('[data-testid=stMain]')"
    fits = {}
    for path, sign in (
        ("alerts", ".card"),
        (f"alerts?alert={FIRING_ID}", ".measured-line"),
        ("alerts?tab=rules&rule=slow-calls", "[data-testid=stMultiSelect], [data-testid=stTextInput]"),
        ("drift", ".rows"),
    ):
        page.goto(f"{served.url}/{path}")
        expect(page.locator(sign).first).to_be_visible()
        fits[path] = page.evaluate(f"{main}.scrollWidth <= {main}.clientWidth")
    context.close()

    assert fits == dict.fromkeys(fits, True)
