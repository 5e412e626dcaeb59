"""docs/api.md describes the API that is served: every endpoint, every parameter, and answers that fit the models."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from scripts.write_api import PAGES, TAGS, page
from spanwise_collector.api.app import create_app
from spanwise_collector.api.instruments import Instruments
from spanwise_collector.ingest.status import IngestStatus
from spanwise_collector.settings import Settings
from spanwise_collector.store.database import Result
from spanwise_schemas import api, api_costs, api_explain
from spanwise_schemas.api_audit import Audit

DOCS = (Path(__file__).parents[4] / "docs" / "api.md").read_text(encoding="utf-8")
MODELS: dict[str, type[BaseModel]] = {
    "/api/v1/traces": api.TracePage,
    "/api/v1/traces/{trace_id}": api.TraceDetail,
    "/api/v1/traces/{trace_id}/spans/{span_id}": api.SpanDetail,
    "/api/v1/projects": api.Projects,
    "/api/v1/overview": api.Overview,
    "/api/v1/metrics": api.MetricSeries,
    "/api/v1/facets": api.Facets,
    "/api/v1/traces/{trace_id}/explain": api_explain.TraceExplanation,
    "/api/v1/costs": api_costs.Costs,
    "/api/v1/costs/by/{dimension}": api_costs.CostBreakdown,
    "/api/v1/costs/unpriced": api_costs.UnpricedModels,
    "/api/v1/costs/duplicates": api_costs.Duplicates,
    "/api/v1/prices/models": api_costs.PricedModels,
    "/api/v1/what-if/model": api_costs.ModelWhatIf,
    "/api/v1/what-if/cache": api_costs.CacheWhatIf,
    "/api/v1/pipeline": api.Pipeline,
    "/api/v1/audit": Audit,
    "/healthz": api.Health,
    "/readyz": api.Health,
}


class NoStore:
    """Describing the API asks no question."""

    def query(self, *args: object, **kwargs: object) -> Result:
        """Never called."""
        raise AssertionError("a description needs no store")


def description() -> dict[str, Any]:
    """The OpenAPI description."""
    return create_app(database=NoStore(), settings=Settings(clickhouse="chdb:///unused")).openapi()


def sections() -> dict[str, str]:
    """Text of each endpoint's section by its path."""
    parts = re.split(r"^### GET (\S+)\n", DOCS, flags=re.MULTILINE)[1:]
    return {
        path: re.split(r"^## ", text, flags=re.MULTILINE)[0] for path, text in zip(parts[::2], parts[1::2], strict=True)
    }


def test_every_endpoint_and_no_other_has_a_section() -> None:
    """Nothing is missing, nothing is left over; what is told in the page made from the code is not told twice."""
    elsewhere = {
        path
        for path, operations in description()["paths"].items()
        if all(operation.get("tags", [""])[0] in TAGS for operation in operations.values())
    }
    assert set(sections()) == set(description()["paths"]) - elsewhere


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_the_pages_made_from_the_code_are_up_to_date(path: Path) -> None:
    """`make docs` writes them again; each of their endpoints and models is described in words."""
    assert path.read_text(encoding="utf-8") == page(path)
    assert not re.findall(r"^\| `\w+` \|  \|$", page(path), flags=re.MULTILINE)


@pytest.mark.parametrize("path", sorted(sections()))
def test_every_parameter_is_described_as_the_api_describes_itself(path: str) -> None:
    """The table of parameters has the names and the sentences of the OpenAPI description."""
    wanted = description()["paths"][path]["get"].get("parameters", [])
    rows = dict(re.findall(r"^\| `(?!spanwise_)(\w+)` \| (.*) \|$", sections()[path], flags=re.MULTILINE))
    assert list(rows) == [parameter["name"] for parameter in wanted]
    assert all(rows[parameter["name"]].startswith(parameter["description"]) for parameter in wanted)


@pytest.mark.parametrize("path", sorted(MODELS))
def test_every_example_is_an_answer_in_full(path: str) -> None:
    """Each example can be read as the endpoint's model and has all of its fields."""
    (example,) = re.findall(r"```json\n(.*?)```", sections()[path], flags=re.DOTALL)
    answer = MODELS[path].model_validate_json(example)
    assert answer.model_dump(mode="json") == json.loads(example)


def test_every_metric_for_prometheus_is_listed() -> None:
    """Names in the table are those that are served, and none is missing."""
    status = IngestStatus(running=True, partitions=(api.PartitionState(topic="t", partition=0, next_offset=1, lag=1),))
    served = Instruments(lambda: status).exposition().decode()
    families = {
        name
        for name, kind in re.findall(r"^# TYPE (\w+) (\w+)", served, flags=re.MULTILINE)
        if not name.endswith("_created")
    }
    listed = set(re.findall(r"^\| `(spanwise_\w+)", sections()["/metrics"], flags=re.MULTILINE))
    assert listed == families


def test_the_problem_document_is_shown_in_full() -> None:
    """As are its types."""
    (example,) = re.findall(
        r"```json\n(.*?)```", DOCS.partition("## Errors")[2].partition("## Traces")[0], flags=re.DOTALL
    )
    assert api.Problem.model_validate_json(example).model_dump(mode="json") == json.loads(example)
    for status in (400, 404, 405, 422, 500, 503, 504):
        assert re.search(rf"^\| {status} \| `/problems/", DOCS, flags=re.MULTILINE)
