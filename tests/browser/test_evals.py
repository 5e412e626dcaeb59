"""The Evals page in a real browser, over the real API and a real database."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import WAIT_MS
from tests.browser.servers import dashboard
from tests.browser.test_dashboard import rows
from tests.support.databases import EmptyDatabases
from tests.support.eval_data import HOSTILE, few_scores, many_scores, no_scores, serve

expect.set_options(timeout=WAIT_MS)
FILLED = {"none": no_scores, "few": few_scores, "many": many_scores}


@pytest.fixture(scope="module")
def sites(empty_databases: EmptyDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Addresses of dashboards over a database without scores, with few, and with many."""
    now = datetime.now(UTC)
    logs = tmp_path_factory.mktemp("evals")
    none, few, many = (empty_databases.lend(readers=4) for _ in FILLED)
    with none as a, few as b, many as c:
        databases = dict(zip(FILLED, (a, b, c), strict=True))
        for name, database in databases.items():
            FILLED[name](database, now)
        with (
            serve(a, now) as api_a,
            serve(b, now) as api_b,
            serve(c, now) as api_c,
            dashboard(api_a, logs / "none.log") as url_a,
            dashboard(api_b, logs / "few.log") as url_b,
            dashboard(api_c, logs / "many.log") as url_c,
        ):
            yield dict(zip(FILLED, (url_a, url_b, url_c), strict=True))


def choose(page: Page, label: str, option: str) -> None:
    """Pick one of a list."""
    page.get_by_role("combobox", name=re.compile(label)).click()
    page.get_by_role("option", name=option).click()


def test_without_scores_the_page_says_how_to_make_some(page: Page, sites: dict[str, str]) -> None:
    """A line of code to copy, and a wider time range."""
    page.goto(f"{sites['none']}/evals")

    expect(page.get_by_text("No scores in this time range")).to_be_visible()
    expect(page.get_by_text("spanwise.score(")).to_be_visible()
    page.get_by_role("button", name="Widen the time range").click()
    expect(page).to_have_url(re.compile("range=7d"))


def test_few_scores_are_shown_with_how_little_they_say(page: Page, sites: dict[str, str]) -> None:
    """Nine of twelve: 75 %, and anything from 47 to 91 %."""
    page.goto(f"{sites['few']}/evals")

    metrics = page.get_by_test_id("stMetric")
    expect(metrics.filter(has_text="Mean")).to_contain_text("75.0%")
    expect(metrics.filter(has_text="Mean")).to_contain_text("46.8% to 91.1%")
    expect(rows(page, "Distribution of has_source").filter(has_text="yes")).to_contain_text("9")
    expect(page.get_by_text("How far judges are right")).to_have_count(0)


def test_a_judge_is_shown_beside_people(page: Page, sites: dict[str, str]) -> None:
    """Raw and corrected mean, kappa and the gate of each version, the band drawn."""
    page.goto(f"{sites['many']}/evals?range=14d&score=helpful")

    metrics = page.get_by_test_id("stMetric")
    expect(metrics).to_have_count(4)
    expect(metrics.filter(has_text="Corrected, 2026-11")).to_contain_text(re.compile(r"\d\d\.\d% to \d\d\.\d%"))
    expect(page.locator("[data-line=helpful]")).to_have_count(1)
    expect(page.locator("path[data-band=helpful]")).to_have_count(1)
    expect(page.get_by_text("helpful, judged by gpt-4o-judge 2026-11")).to_be_visible()
    expect(page.get_by_text(re.compile("^Agrees with people: kappa")).first).to_be_visible()
    expect(page.get_by_text("older version")).to_be_visible()


def test_a_poor_judge_is_not_trusted_and_says_so(page: Page, sites: dict[str, str]) -> None:
    """Its card is red, and says what it may not do and how far off it is."""
    page.goto(f"{sites['many']}/evals?range=14d&score=polite")

    card = page.locator(".card.tone-bad")
    expect(card).to_contain_text("not trusted")
    expect(card).to_contain_text("it may not raise alerts")
    expect(card).to_contain_text("The judge is too strict.")


def test_a_split_has_a_line_for_each_value(page: Page, sites: dict[str, str]) -> None:
    """Chosen on the page, kept in the address; the release that is worse is marked."""
    page.goto(f"{sites['many']}/evals?range=14d&score=helpful")
    choose(page, "Split by", "Release")

    expect(page).to_have_url(re.compile("split=release"))
    expect(page.locator("[data-line]")).to_have_count(2)
    expect(rows(page, "Means by release").filter(has_text="2.4.0")).to_contain_text("lower")

    choose(page, "Score", "grounded")
    expect(page).to_have_url(re.compile("score=grounded"))
    expect(page.get_by_role("img", name="Distribution of grounded")).to_be_visible()


def test_words_are_shown_as_shares(page: Page, sites: dict[str, str]) -> None:
    """The share of one word over time, and of all of them."""
    page.goto(f"{sites['many']}/evals?range=14d&score=intent")

    expect(page.get_by_test_id("stMetric").filter(has_text="Share of delivery")).to_be_visible()
    expect(rows(page, "Distribution of intent")).to_have_count(4)


def test_the_worst_answers_lead_to_their_traces(page: Page, sites: dict[str, str]) -> None:
    """What models wrote is text, whatever it looks like; a click opens the trace."""
    page.goto(f"{sites['many']}/evals?range=14d&score=polite")
    worst = rows(page, "Worst answers")

    expect(worst.filter(has_text=HOSTILE).first).to_be_visible()
    assert page.locator("img[src=x]").count() == 0
    worst.first.locator(".rowlink").click()
    expect(page).to_have_url(re.compile(r"/trace\?.*trace=[0-9a-f]{32}"))
    expect(page.get_by_role("tree")).to_be_visible()


def test_environments_and_time_filter(page: Page, sites: dict[str, str]) -> None:
    """As on other pages: the address has them, and the numbers follow."""
    page.goto(f"{sites['many']}/evals?range=14d&score=grounded")
    scores = page.get_by_test_id("stMetric").filter(has_text="Scores")
    expect(scores).to_contain_text("3,000")

    page.goto(f"{sites['many']}/evals?range=14d&score=grounded&environment=staging")
    expect(scores).to_contain_text("333")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 800])
@pytest.mark.parametrize("site", ["none", "few", "many"])
def test_the_page_fits_the_screen(browser: Browser, sites: dict[str, str], site: str, width: int, scheme: str) -> None:
    """It is never wider than the screen, nor its charts than their boxes."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(f"{sites[site]}/evals?range=14d&split=release")
    shown = "No scores in this time range" if site == "none" else "How values lie"
    expect(page.get_by_text(shown)).to_be_visible()
    main = "document.querySelector('[data-testid=stMain]')"
    fits = page.evaluate(f"{main}.scrollWidth <= {main}.clientWidth")
    context.close()

    assert fits
