"""No request makes the collector fail: what the description of the API allows is tried at random.

Schemathesis makes the requests out of `/openapi.json`. Whatever comes, the answer is none of 500 and more, and it is of
the form that the description has for it.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from scripts.write_api import described
from tests.support.databases import EmptyDatabases
from tests.support.two_projects import World, two_projects

EXAMPLES = int(os.environ.get("SPANWISE_TEST_EXAMPLES", "20"))
"""Requests per endpoint; `SPANWISE_TEST_EXAMPLES` asks for more."""
ENDPOINTS = sorted(
    f"{method.upper()} {path}" for path, methods in described().openapi()["paths"].items() for method in methods
)
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance]


@pytest.fixture(scope="module")
def world(empty_databases: EmptyDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Two projects with everything, so that there is something to find."""
    with empty_databases.lend() as database, two_projects(database, tmp_path_factory.mktemp("any")) as made:
        yield made


@pytest.fixture(scope="module")
def api(world: World) -> BaseSchema:
    """The description, over the app itself."""
    return schemathesis.openapi.from_asgi("/openapi.json", world.client.app)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_no_request_makes_it_fail(endpoint: str, world: World, api: BaseSchema) -> None:
    """Errors have a problem document."""
    method, path = endpoint.split()
    secret = world.secret("*")

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    @given(case=api[path][method].as_strategy())
    def ask(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {secret}"}, checks=CHECKS)

    ask()
