"""The shared password, in a real browser: nothing before it, one session over reloads and tabs, the way out."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import WAIT_MS
from tests.browser.servers import dashboard
from tests.support.dashboard_data import lots
from tests.support.dashboard_fake import FakeApi, serve

PASSWORD = "a password for tests"
expect.set_options(timeout=WAIT_MS)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The dashboard behind a password."""
    api = FakeApi(lots(datetime.now(UTC), traces=20))
    log = tmp_path_factory.mktemp("guarded") / "streamlit.log"
    with serve(api) as api_url, dashboard(api_url, log, {"SPANWISE_DASHBOARD_PASSWORD": PASSWORD}) as url:
        yield url


def sign_in(page: Page, password: str) -> None:
    """Type a password and send it."""
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_nothing_is_shown_before_the_password(page: Page, guarded: str) -> None:
    """On every page; a wrong password is said, and leaves nothing behind."""
    for path in ("", "/traces", "/pipeline"):
        page.goto(guarded + path)
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        expect(page.get_by_role("link", name="Traces")).to_have_count(0)

    sign_in(page, "not the password")

    expect(page.get_by_text("That is not the password")).to_be_visible()
    expect(page.get_by_role("link", name="Traces")).to_have_count(0)
    assert page.context.cookies() == [one for one in page.context.cookies() if one["name"] != "spanwise_session"]


def test_a_session_lasts_until_somebody_signs_out(page: Page, guarded: str) -> None:
    """The page that was asked for opens; a reload and another tab do not ask again; after signing out all do."""
    page.goto(f"{guarded}/traces")
    sign_in(page, PASSWORD)
    expect(page.get_by_role("heading", name="Traces")).to_be_visible()
    page.wait_for_function("document.cookie.includes('spanwise_session=')")
    (cookie,) = [one for one in page.context.cookies() if one["name"] == "spanwise_session"]
    assert (cookie["sameSite"], cookie["path"], PASSWORD in cookie["value"]) == ("Strict", "/", False)

    page.reload()
    expect(page.get_by_role("heading", name="Traces")).to_be_visible()
    other = page.context.new_page()
    other.goto(f"{guarded}/overview")
    expect(other.get_by_role("heading", name="Overview")).to_be_visible()
    other.close()

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.wait_for_function("!document.cookie.includes('spanwise_session=')")
    page.reload()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_cookie_that_somebody_made_up_opens_nothing(page: Page, guarded: str) -> None:
    """It would have to be signed by the password."""
    made_up = {"name": "spanwise_session", "value": "99999999999." + "0" * 64, "url": guarded}
    page.context.add_cookies([made_up])  # type: ignore[list-item]

    page.goto(guarded)

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
