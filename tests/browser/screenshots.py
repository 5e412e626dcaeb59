"""Pictures of every page: `python -m tests.browser.screenshots --out DIR`.

At 1440 and 800 pixels, light and dark, with no data, little and a lot. For looking at, and for the README.
"""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

from spanwise_dashboard.alerts_place import NEW_RULE, TABS
from spanwise_dashboard.annotate_place import NEW_QUEUE
from tests.browser.servers import CHROMIUM_FLAGS, chromium, dashboard
from tests.support.dashboard_alert_data import FIRING_ID, HOSTILE_ALERT_ID, SILENCED_ID
from tests.support.dashboard_annotations import HOSTILE_QUEUE
from tests.support.dashboard_data import (
    BIG_TRACE_ID,
    ERROR_TRACE_ID,
    HOSTILE_TRACE_ID,
    OK_TRACE_ID,
    Dataset,
    empty,
    little,
    lots,
)
from tests.support.dashboard_failure_data import ARGUMENTS_ID, HOSTILE_ISSUE_ID, OLD_ID
from tests.support.dashboard_fake import FakeApi, serve

DATASETS: dict[str, Callable[[datetime], Dataset]] = {"none": empty, "little": little, "lots": lots}
PAGES: dict[str, dict[str, str]] = {
    "none": {
        "overview": "",
        "traces": "traces",
        "alerts": "alerts",
        "drift": "drift",
        "failures": "failures",
        "compare": "compare",
        "annotate": "annotate",
        "costs": "costs",
        "pipeline": "pipeline",
    },
    "little": {
        "overview": "",
        "traces": "traces",
        "trace-error": f"trace?trace={ERROR_TRACE_ID}",
        **{f"alerts-{tab}": f"alerts?tab={tab}" for tab in TABS},
        "drift": "drift",
        "failures": "failures",
        "compare": "compare",
        "compare-release": "compare?compare=release",
        "annotate": "annotate",
        "costs": "costs",
        "pipeline": "pipeline",
    },
    "lots": {
        "overview": "",
        "traces": "traces",
        "traces-filtered": "traces?status=error&environment=production&q=invoice&range=7d",
        "traces-nothing": "traces?user=nobody",
        "trace-ok": f"trace?trace={OK_TRACE_ID}&span=0000000000000006",
        "trace-big": f"trace?trace={BIG_TRACE_ID}",
        "trace-hostile": f"trace?trace={HOSTILE_TRACE_ID}&span=0000000000000002",
        "trace-missing": "trace?trace=0123",
        **{f"alerts-{tab}": f"alerts?tab={tab}&range=14d" for tab in TABS},
        "alert": f"alerts?alert={FIRING_ID}",
        "alert-silenced": f"alerts?alert={SILENCED_ID}",
        "alert-hostile": f"alerts?alert={HOSTILE_ALERT_ID}",
        "rule-own": "alerts?tab=rules&rule=slow-calls",
        "rule-file": "alerts?tab=rules&rule=groundedness",
        "rule-new": f"alerts?tab=rules&rule={NEW_RULE}",
        "drift": "drift",
        "failures": "failures?state=all",
        "failures-nothing": "failures?q=nothing",
        "failure": f"failures?issue={ARGUMENTS_ID}",
        "failure-hostile": f"failures?issue={HOSTILE_ISSUE_ID}",
        "failure-old": f"failures?issue={OLD_ID}",
        "compare": "compare",
        "compare-model": "compare?compare=model",
        "annotate": "annotate?reviewer=Ada",
        "annotate-name": "annotate",
        "annotate-new": f"annotate?queue={NEW_QUEUE}",
        "annotate-hostile": f"annotate?queue={HOSTILE_QUEUE}&reviewer=Ada",
        "costs": "costs?to_model=openai/gpt-4o-mini&cache=exact-1d",
        "costs-user": "costs?by=user&range=7d",
        "pipeline": "pipeline",
    },
}
WIDTHS = (1440, 800)
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def settle(page: Page) -> None:
    """Waits until the page has drawn what it has."""
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=60_000)
    page.wait_for_selector('[data-testid="stSkeleton"], [data-testid="stSpinner"]', state="detached", timeout=60_000)
    page.wait_for_timeout(700)  # charts and fonts; a picture needs no exact moment


def shoot(browser: Browser, url: str, out: Path, dataset: str, only: str, widths: tuple[int, ...]) -> None:
    """Takes the pictures of one dataset."""
    for width in widths:
        for theme in THEMES:
            context = browser.new_context(
                viewport={"width": width, "height": 1000}, color_scheme=theme, timezone_id="Europe/Berlin"
            )
            page = context.new_page()
            for name, path in PAGES[dataset].items():
                if only and only not in name:
                    continue
                page.goto(f"{url}/{path}")
                settle(page)
                height = page.evaluate("document.querySelector('.stMainBlockContainer')?.scrollHeight ?? 900")
                page.set_viewport_size({"width": width, "height": max(700, min(2600, int(height) + 40))})
                page.wait_for_timeout(400)
                page.screenshot(path=out / f"{dataset}-{name}-{width}-{theme}.png")
                page.set_viewport_size({"width": width, "height": 1000})
            context.close()


def main() -> None:
    """Parses the arguments and takes the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="directory for the PNG files")
    parser.add_argument("--only", default="", help="only pages whose name contains this")
    parser.add_argument("--data", choices=DATASETS, action="append", help="only these datasets")
    parser.add_argument("--width", type=int, action="append", help="only these widths")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(CHROMIUM_FLAGS))
        for name in arguments.data or DATASETS:
            api = FakeApi(DATASETS[name](datetime.now(UTC)))
            with serve(api) as api_url, dashboard(api_url, arguments.out / f"{name}.log") as url:
                shoot(browser, url, arguments.out, name, arguments.only, tuple(arguments.width or WIDTHS))
        browser.close()


if __name__ == "__main__":
    main()
