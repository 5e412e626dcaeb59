"""An OpenID Connect provider as the door, in a real browser: who comes in, who does not, and what is seen before."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from spanwise_collector.embedded.broker import free_port
from tests.browser.conftest import WAIT_MS
from tests.browser.servers import dashboard
from tests.support.dashboard_data import lots
from tests.support.dashboard_fake import FakeApi, serve
from tests.support.openid_provider import CLIENT_ID, CLIENT_SECRET, Account, served

expect.set_options(timeout=WAIT_MS)

ANN = Account("ann@example.com")
EVE = Account("eve@example.net")
UNPROVEN = Account("boss@example.com", {"email_verified": False})
UNSAID = Account("chief@example.com", {})


@contextmanager
def behind(provider_url: str, directory: Path) -> Iterator[str]:
    """The dashboard with a provider, open to @example.com."""
    port = free_port()
    auth = {
        "redirect_uri": f"http://127.0.0.1:{port}/oauth2callback",
        "cookie_secret": "a cookie secret of the tests, long enough",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "server_metadata_url": f"{provider_url}/.well-known/openid-configuration",
    }
    secrets = directory / "secrets.toml"
    secrets.write_text("[auth]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in auth.items()))
    variables = {
        "SPANWISE_DASHBOARD_LOGIN": "oidc",
        "SPANWISE_DASHBOARD_EMAILS": "@example.com",
        "STREAMLIT_SECRETS_FILES": str(secrets),
    }
    api = FakeApi(lots(datetime.now(UTC), traces=20))
    with serve(api) as api_url, dashboard(api_url, directory / "streamlit.log", variables, port=port) as url:
        yield url


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The dashboard behind a provider that knows four accounts."""
    with (
        served([ANN, EVE, UNPROVEN, UNSAID]) as provider,
        behind(provider.url, tmp_path_factory.mktemp("oidc")) as url,
    ):
        yield url
        assert provider.refused == []


def sign_in(page: Page, account: Account) -> None:
    """Go to the provider and pick an account."""
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("link", name=account.email).click()


def test_nothing_is_shown_before_the_provider_has_said_who_it_is(page: Page, guarded: str) -> None:
    """On every page, also one that was linked to."""
    for path in ("", "/traces", "/pipeline", "/trace?trace=1"):
        page.goto(guarded + path)
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        expect(page.get_by_role("link", name="Traces")).to_have_count(0)


def test_who_is_invited_comes_in_and_can_leave(page: Page, guarded: str) -> None:
    """A reload and another tab do not ask again; after signing out all do."""
    page.goto(guarded)
    sign_in(page, ANN)
    expect(page.get_by_role("link", name="Traces")).to_be_visible()
    expect(page.get_by_role("button", name="Sign out ann@example.com")).to_be_visible()

    page.reload()
    expect(page.get_by_role("link", name="Traces")).to_be_visible()
    other = page.context.new_page()
    other.goto(f"{guarded}/traces")
    expect(other.get_by_role("heading", name="Traces")).to_be_visible()
    other.close()

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto(f"{guarded}/traces")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("account", [EVE, UNPROVEN, UNSAID], ids=["stranger", "address not verified", "not said"])
def test_who_is_not_invited_is_told_so_and_sees_nothing(page: Page, guarded: str, account: Account) -> None:
    """Nor who claims an address of the team that the provider has not verified, or of which it does not say so."""
    page.goto(guarded)
    sign_in(page, account)

    expect(page.get_by_role("heading", name="Not invited")).to_be_visible()
    expect(page.get_by_text("SPANWISE_DASHBOARD_EMAILS")).to_be_visible()
    expect(page.get_by_role("link", name="Traces")).to_have_count(0)
    page.goto(f"{guarded}/traces")
    expect(page.get_by_role("heading", name="Not invited")).to_be_visible()

    page.get_by_role("button", name="Sign in with another account").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_session_that_somebody_made_up_opens_nothing(page: Page, guarded: str) -> None:
    """It would have to be signed by the cookie secret."""
    value = json.dumps({"email": ANN.email, "email_verified": True, "is_logged_in": True})
    page.context.add_cookies([{"name": "_streamlit_user", "value": value, "url": guarded}])

    page.goto(guarded)

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_provider_that_is_away_lets_nobody_in(page: Page, tmp_path: Path) -> None:
    """The page says which one; the door stays shut."""
    with behind(f"http://127.0.0.1:{free_port()}", tmp_path) as url:
        page.goto(url)
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.get_by_text("does not answer")).to_be_visible()

        page.goto(f"{url}/traces")
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        expect(page.get_by_role("link", name="Traces")).to_have_count(0)
