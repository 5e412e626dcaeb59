"""Pictures of Datasets and Experiments over the real API: `python -m tests.browser.experiment_screenshots --out DIR`.

At 1440 and 800 pixels, light and dark, with no data, little and a lot.
"""

import argparse
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import sync_playwright

from spanwise_collector.store.database import Database
from spanwise_collector.store.migrate import migrate
from tests.browser import screenshots
from tests.browser.servers import CHROMIUM_FLAGS, chromium, dashboard
from tests.support.curated import curated_app, served
from tests.support.curated_data import little, lots
from tests.support.databases import fresh_dsn

DATASETS: dict[str, Callable[[Database], None]] = {"none": lambda database: None, "little": little, "lots": lots}
PAGES: dict[str, dict[str, str]] = {
    "none": {"datasets": "datasets", "experiments": "experiments"},
    "little": {
        "datasets": "datasets",
        "dataset": "datasets?dataset=smoke",
        "experiments": "experiments",
        "experiment": "experiments?candidate=first-1",
    },
    "lots": {
        "datasets": "datasets",
        "dataset": "datasets?dataset=support-questions&item=q0000",
        "dataset-old": "datasets?dataset=support-questions&version=1&q=norway",
        "dataset-empty": "datasets?dataset=empty one",
        "dataset-hostile": "datasets?dataset=hostile&item=h",
        "experiments": "experiments",
        "experiment": "experiments?candidate=concise-prompt-3",
        "experiment-item": "experiments?candidate=concise-prompt-3&row=q0001&items=dataset",
    },
}


def main() -> None:
    """Parses the arguments and takes the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="directory for the PNG files")
    parser.add_argument("--only", default="", help="only pages whose name contains this")
    parser.add_argument("--data", choices=DATASETS, action="append", help="only these datasets")
    parser.add_argument("--width", type=int, action="append", help="only these widths")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    screenshots.PAGES.clear()
    screenshots.PAGES.update(PAGES)
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(CHROMIUM_FLAGS))
        for name in arguments.data or DATASETS:
            database = Database.open(fresh_dsn(Path(directory)), readers=3)
            migrate(database)
            DATASETS[name](database)
            app = curated_app(database, lambda: datetime.now(UTC))
            with served(app) as api_url, dashboard(api_url, arguments.out / f"{name}.log") as url:
                widths = tuple(arguments.width or screenshots.WIDTHS)
                screenshots.shoot(browser, url, arguments.out, name, arguments.only, widths)
            database.close()
        browser.close()


if __name__ == "__main__":
    main()
