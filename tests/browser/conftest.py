"""A browser, and the dashboard over the fake of the API; both serve the whole session."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.browser.servers import CHROMIUM_FLAGS, chromium, dashboard
from tests.support.dashboard_data import lots
from tests.support.dashboard_fake import FakeApi, serve

WAIT_MS = 60_000
"""Bound of every wait: a page on a loaded machine with two cores."""


@dataclass(frozen=True, slots=True)
class Served:
    """The dashboard's address and the API behind it."""

    url: str
    api: FakeApi


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The dashboard over a collector that holds a lot."""
    api = FakeApi(lots(datetime.now(UTC), traces=200))
    log = tmp_path_factory.mktemp("dashboard") / "streamlit.log"
    with serve(api) as api_url, dashboard(api_url, log) as url:
        yield Served(url, api)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=list(CHROMIUM_FLAGS))
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page at 1440 pixels that must end without an error in its console and without a request to elsewhere."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, timezone_id="Europe/Berlin")
    opened = context.new_page()
    opened.set_default_timeout(WAIT_MS)
    errors: list[str] = []
    elsewhere: list[str] = []
    opened.on("console", lambda message: errors.append(_text(message)) if _is_error(message) else None)
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("request", lambda sent: elsewhere.append(sent.url) if not _own(sent.url) else None)
    yield opened
    context.close()
    assert (errors, elsewhere) == ([], [])


def _text(message: ConsoleMessage) -> str:
    return f"{message.text} {message.location.get('url')}"


def _is_error(message: ConsoleMessage) -> bool:
    # On a page below the root Streamlit looks for its server under that path first, and the browser logs the 404.
    return message.type == "error" and "/_stcore/" not in str(message.location.get("url"))


def _own(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:"))
