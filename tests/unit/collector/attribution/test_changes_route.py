"""The endpoint that says what changed."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from spanwise_collector.api.app import create_app
from spanwise_collector.api.routes import changes
from spanwise_collector.settings import Settings
from spanwise_collector.store.database import Database
from spanwise_schemas.api_changes import WhatChanged
from tests.unit.collector.attribution.made import CHANGE, fail, store, traffic

NOW = CHANGE + timedelta(hours=6)
FROM = "2026-03-11T12:00:00Z"


@pytest.fixture
def client(database: Database) -> Iterator[TestClient]:
    """The app at the end of the window after."""
    app = create_app(database=database, settings=Settings(clickhouse="chdb:///unused"), clock=lambda: NOW)
    app.include_router(changes.router)
    with TestClient(app) as client:
        yield client


def test_answer(client: TestClient, database: Database) -> None:
    """The change is explained against the time range that was asked for."""
    made = traffic(1, 1_200, 600)
    fail(made, made.where(route="search"), 0.5, 1)
    store(database, made)

    answer = client.get(
        "/api/v1/what-changed",
        params={"signal": "error_rate", "from": FROM, "before_from": "2026-03-10T12:00:00Z", "before_to": FROM},
    )

    found = WhatChanged.model_validate_json(answer.content)
    assert (answer.status_code, found.slices[0].dims) == (200, {"route": "search"})
    assert (found.n_before, found.n_after, found.end) == (1_200, 600, NOW)


def test_before_is_as_long_by_default(client: TestClient) -> None:
    """Without another range the one of equal length before is compared with; filters are passed on."""
    found = WhatChanged.model_validate_json(
        client.get("/api/v1/what-changed", params={"from": FROM, "environment": "prod", "release": "r1"}).content
    )

    assert (found.before_start, found.before_end) == (CHANGE - timedelta(hours=6), CHANGE)
    assert (found.signal, found.filters["environment"], found.filters["release"]) == ("error_rate", ["prod"], ["r1"])


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({"from": FROM, "before_from": "2026-03-11T10:00:00Z", "before_to": "2026-03-11T13:00:00Z"}, 400),
        ({"from": "2026-03-11T12:00:00"}, 400),
        ({"from": FROM, "before_from": FROM}, 400),
        ({"signal": "happiness"}, 422),
    ],
)
def test_wrong_parameters(client: TestClient, parameters: dict[str, str], status: int) -> None:
    """Ranges that overlap, that have no zone or no length, and signals that are none, are refused with a reason."""
    answer = client.get("/api/v1/what-changed", params=parameters)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
