"""The pages Datasets and Experiments, as Streamlit draws them over the real API."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import streamlit
from fastapi import Request
from streamlit.testing.v1 import AppTest

from spanwise_collector.store.database import Database
from spanwise_dashboard.datasets_place import DatasetsPlace, datasets_query, parse_datasets
from spanwise_dashboard.experiments_place import ExperimentsPlace, experiments_query, parse_experiments
from spanwise_dashboard.views.experiments_words import line
from spanwise_schemas.api_experiments import ComparedMetric
from tests.support.curated import curated_app, served
from tests.support.curated_data import little, lots
from tests.support.dashboard_data import HOSTILE
from tests.unit.dashboard.test_views import TIMEOUT_S, drawn, run_app, said, table

Open = Callable[..., AppTest]


@pytest.fixture
def opened(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """A function that opens a page with query parameters."""
    streamlit.cache_resource.clear()
    streamlit.cache_data.clear()

    def open_page(page: str, **parameters: str) -> AppTest:
        app = AppTest.from_function(run_app, args=(page,), default_timeout=TIMEOUT_S)
        for key, value in parameters.items():
            app.query_params[key] = value
        return app.run()

    api = curated_app(database, lambda: datetime.now(UTC))

    @api.middleware("http")
    async def without_keep_alive(request: Request, call_next: Any) -> Any:
        answer = await call_next(request)
        # The dashboard's client lives as long as its process, and would leave its connections to the next test.
        answer.headers["Connection"] = "close"
        return answer

    with served(api) as url:
        monkeypatch.setenv("SPANWISE_API_URL", url)
        yield open_page


def test_without_data_the_pages_say_what_to_do(opened: Open) -> None:
    """A command for a dataset, a program for an experiment."""
    datasets, experiments = opened("datasets"), opened("experiments")

    assert not datasets.exception
    assert "There are no datasets yet" in said(datasets)
    assert "spanwise datasets import faq questions.csv" in said(datasets)
    assert "There are no experiments yet" in said(experiments)
    assert "spanwise.experiment(" in said(experiments)


def test_one_experiment_is_shown_alone(opened: Open, database: Database) -> None:
    """Its means and items; nothing is claimed."""
    little(database)
    app = opened("experiments", candidate="first-1")

    assert not app.exception
    assert table(app, "Scores") == [["exact", "0.500", "0.095 to 0.905", "2"]]
    assert [row[-1] for row in table(app, "Items")] == ["0", "1"]
    assert drawn(app, "differences") == []


def test_two_experiments_side_by_side(opened: Open, database: Database) -> None:
    """The run before over the same dataset is the baseline; verdicts in words; items that lost most come first."""
    lots(database)
    app = opened("experiments", candidate="concise-prompt-3", row="q0002")

    assert not app.exception
    (found,) = drawn(app, "differences")
    verdicts = {row["title"]: row["verdict"]["text"] for row in found["rows"]}
    assert verdicts["exact"] == "worse"
    assert verdicts["Errors of the task"].startswith("inconclusive, ~")
    assert found["sides"] == ["Baseline", "Candidate"]
    exact = next(row for row in found["rows"] if row["title"] == "exact")
    assert exact["text"].endswith(" pp")
    assert exact["bar"]["high"] < 0.5
    items = table(app, "Items")
    assert (items[0][2], items[0][3]) == ("1", "0")
    texts = {each["label"]: each["texts"] for each in drawn(app, "texts")}
    if "Outputs" in texts:
        before, after = texts["Outputs"]
        assert any(part["changed"] for part in before["parts"])
        assert (before["tone"], after["tone"]) == ("bad", "good")


def test_a_dataset_with_its_versions(opened: Open, database: Database) -> None:
    """Items of the newest, a text found in an old one, an item in full with what was rejected."""
    lots(database)
    newest = opened("datasets", dataset="support-questions", item="q0007")
    old = opened("datasets", dataset="support-questions", version="1", q="WEIGHT? (3)")
    nothing = opened("datasets", dataset="support-questions", q="xyzzy")

    assert not newest.exception
    assert [row[0] for row in table(newest, "Versions")] == ["v3", "v2", "v1"]
    (texts,) = drawn(newest, "texts")
    assert [text["title"] for text in texts["texts"]] == ["Input", "Expected", "Rejected"]
    assert texts["texts"][1]["parts"] == [{"text": "Under Settings, Billing.", "changed": False}]
    assert [row[0] for row in table(old, "Items")] == [
        "Do you ship to Norway, and what does it cost for two parcels of different weight? (3)"
    ]
    assert "No item of this version has that text." in said(nothing)
    missing = opened("datasets", dataset="nope")
    assert "There is no dataset 'nope'" in said(missing)


def test_what_people_wrote_stays_text(opened: Open, database: Database) -> None:
    """It reaches the components as it is, and Streamlit's Markdown not at all."""
    lots(database)
    for app in (opened("datasets"), opened("datasets", dataset="hostile", item="h"), opened("experiments")):
        assert not app.exception
        assert HOSTILE not in said(app)


def test_places_are_read_back() -> None:
    """What is in the address is what is shown; a mistyped address opens with the defaults."""
    datasets = DatasetsPlace("faq", 3, "q1", 50)
    experiments = ExperimentsPlace("b", "a", "exact", "best", "q1", 20, "faq")

    def lists(found: dict[str, str | list[str]]) -> dict[str, list[str]]:
        return {key: value if isinstance(value, list) else [value] for key, value in found.items()}

    assert parse_datasets(lists(datasets_query(datasets))) == datasets
    assert parse_experiments(lists(experiments_query(experiments))) == experiments
    assert parse_datasets({"version": ["-1"], "offset": ["x"]}) == DatasetsPlace()
    assert parse_experiments({"items": ["upside-down"], "skip": ["²"]}) == ExperimentsPlace()


@pytest.mark.parametrize(
    ("change", "said_as"),
    [
        ({"yes_no": True}, ("90.0%", "80.0%", "-10.00 pp", "-15.00 to -5.00 pp")),
        ({}, ("0.900", "0.800", "-0.100", "-0.150 to -0.050")),
        ({"low": None, "high": None}, ("0.900", "0.800", "-0.100", "")),
    ],
)
def test_numbers_as_they_read(change: dict[str, object], said_as: tuple[str, ...]) -> None:
    """Yes and no in percent and points, scores as numbers; an interval that is not known is left out."""
    metric = ComparedMetric(
        metric="exact",
        baseline=0.9,
        candidate=0.8,
        n=100,
        groups=100,
        difference=-0.1,
        low=-0.15,
        high=-0.05,
        p_value=0.001,
        p_adjusted=0.002,
        method="mcnemar",
        margin=0.02,
        verdict="worse",
        words="worse",
    )
    drawn_line = line(metric.model_copy(update=change))
    assert (drawn_line.a, drawn_line.b, drawn_line.text, drawn_line.interval) == said_as
