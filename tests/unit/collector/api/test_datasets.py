"""Datasets over HTTP and the real engine."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from spanwise_collector.api.routes import datasets
from spanwise_collector.store.database import Database
from tests.support.curated import curated_app, ticking
from tests.support.rows import T0, Span, insert, trace_id
from tests.unit.collector.api.test_api import read_problem

SHOP = {"project": "shop"}


@pytest.fixture
def client(database: Database) -> Iterator[TestClient]:
    """The app half an hour after T0."""
    with TestClient(curated_app(database, ticking(T0 + timedelta(minutes=30)))) as client:
        yield client


def made(client: TestClient, name: str = "faq", project: str = "shop") -> None:
    """A dataset without items."""
    answer = client.post("/api/v1/datasets", params={"project": project}, json={"name": name, "by": "ada"})
    assert answer.status_code == 201, answer.text


def items(client: TestClient, **parameters: Any) -> dict[str, Any]:
    """Items of faq."""
    found: dict[str, Any] = client.get("/api/v1/datasets/faq/items", params={**SHOP, **parameters}).json()
    return found


def test_a_dataset_is_made_changed_and_read(client: TestClient) -> None:
    """Its versions stay; what another project has is not there."""
    made(client)
    put = [{"item_id": "a", "input": "hi", "expected": "hello"}, {"item_id": "b", "input": {"q": 1}}]
    change = {"put": put, "note": "first", "by": "ada"}
    first = client.post("/api/v1/datasets/faq/changes", params=SHOP, json=change).json()
    second = client.post("/api/v1/datasets/faq/changes", params=SHOP, json={"remove": ["a"]}).json()

    assert (first["version"], first["added"], second["version"], second["removed"]) == (1, 2, 2, 1)
    assert [one["item_id"] for one in items(client)["items"]] == ["b"]
    assert items(client, version=1)["items"] == [
        {
            "item_id": "a",
            "input": "hi",
            "expected": "hello",
            "rejected": None,
            "metadata": {},
            "group": "",
            "trace_id": "",
            "span_id": "",
        },
        {
            "item_id": "b",
            "input": {"q": 1},
            "expected": None,
            "rejected": None,
            "metadata": {},
            "group": "",
            "trace_id": "",
            "span_id": "",
        },
    ]
    detail = client.get("/api/v1/datasets/faq", params=SHOP).json()
    assert [one["number"] for one in detail["versions"]] == [2, 1]
    assert [one["name"] for one in client.get("/api/v1/datasets", params=SHOP).json()["items"]] == ["faq"]


def test_no_endpoint_shows_another_project(client: TestClient) -> None:
    """Neither reading, nor changing, nor exporting."""
    made(client)
    client.post("/api/v1/datasets/faq/changes", params=SHOP, json={"put": [{"input": "secret"}]})
    other = {"project": "other"}

    assert client.get("/api/v1/datasets", params=other).json() == {"items": []}
    for method, path in (
        ("GET", ""),
        ("GET", "/items"),
        ("GET", "/export"),
        ("POST", "/changes"),
        ("POST", "/import"),
        ("POST", "/from-traces"),
    ):
        body = {"content": b'{"input": "x"}'} if path == "/import" else {"json": {"put": [{"input": "x"}]}}
        answer = client.request(
            method, f"/api/v1/datasets/faq{path}", params=other, **(body if method == "POST" else {})
        )
        assert "There is no dataset 'faq' in the project 'other'" in read_problem(answer, 404, "not-found").detail


def test_a_file_becomes_a_version_or_an_error_with_its_line(client: TestClient) -> None:
    """As CSV with columns named; what is not in it goes with `replace`; nothing is stored of a file with an error."""
    made(client)
    parameters = {**SHOP, "format": "csv", "column": ["input=q", "expected=a"], "metadata": "*", "by": "ada"}
    answer = client.post("/api/v1/datasets/faq/import", params=parameters, content=b"q,a,t\none,1,x\ntwo,2,y\n")
    assert (answer.json()["version"], answer.json()["added"]) == (1, 2)
    assert [one["metadata"] for one in items(client)["items"]] == [{"t": "x"}, {"t": "y"}]

    bad = client.post("/api/v1/datasets/faq/import", params=parameters, content=b"q,a,t\nthree,3,z\nfour\n")
    assert "line 3: 1 values where the header has 3 columns" in read_problem(bad, 400, "bad-request").detail
    assert items(client)["total"] == 2
    wrong = client.post("/api/v1/datasets/faq/import", params={**SHOP, "column": "q"}, content=b"{}")
    assert "`column` is FIELD=COLUMN" in read_problem(wrong, 400, "bad-request").detail

    replaced = client.post(
        "/api/v1/datasets/faq/import", params={**parameters, "replace": True}, content=b"q,a,t\ntwo,2,y\n"
    )
    assert (replaced.json()["removed"], replaced.json()["unchanged"]) == (1, 1)


def test_a_file_that_is_too_large_is_refused(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it is read to its end."""
    made(client)
    monkeypatch.setattr(datasets, "MAX_FILE_BYTES", 10)
    answer = client.post("/api/v1/datasets/faq/import", params=SHOP, content=b'{"input": "too long"}')
    assert "larger than 10 bytes" in read_problem(answer, 400, "bad-request").detail


def test_items_from_traces(client: TestClient, database: Database) -> None:
    """Roots of the traces that the filters find, with where they come from; without a stored input they are skipped."""
    insert(
        database,
        [
            Span(trace=1, span=1, project="shop", name="ask", input="hi", output="hello", session="s1"),
            Span(trace=1, span=2, parent=1, project="shop", name="chat", input="inner"),
            Span(trace=2, span=3, project="shop", name="ask", input='[{"role": "user", "content": "?"}]', release="v2"),
            Span(trace=3, span=4, project="shop", name="ask"),
            Span(trace=4, span=5, project="shop", name="other", input="not me"),
            Span(trace=5, span=6, project="lab", name="ask", input="nor me"),
        ],
    )
    made(client)
    parameters = {**SHOP, "name": "ask", "expected": "output"}
    answer = client.post("/api/v1/datasets/faq/from-traces", params=parameters)
    again = client.post("/api/v1/datasets/faq/from-traces", params=parameters)

    assert (answer.json()["added"], answer.json()["skipped"], answer.json()["version"]) == (2, 1, 1)
    assert (again.json()["unchanged"], again.json()["version"]) == (2, 1)
    found = {one["trace_id"]: one for one in items(client)["items"]}
    first, second = found[trace_id(1).hex()], found[trace_id(2).hex()]
    assert (first["input"], first["expected"], first["group"], first["span_id"]) == (
        "hi",
        "hello",
        "s1",
        "0000000000000001",
    )
    assert (second["input"], second["expected"]) == ([{"role": "user", "content": "?"}], None)
    assert second["metadata"] == {"name": "ask", "environment": "prod", "release": "v2"}


def test_export_as_a_file(client: TestClient) -> None:
    """The name tells dataset and version; what the format has no place for is counted."""
    made(client)
    client.post("/api/v1/datasets/faq/changes", params=SHOP, json={"put": [{"input": "a", "expected": "b"}]})
    client.post("/api/v1/datasets/faq/changes", params=SHOP, json={"put": [{"input": "c"}]})
    answer = client.get("/api/v1/datasets/faq/export", params={**SHOP, "format": "openai"})
    old = client.get("/api/v1/datasets/faq/export", params={**SHOP, "version": 1})

    assert answer.headers["content-disposition"] == 'attachment; filename="faq-v2.jsonl"'
    assert (answer.headers["spanwise-written"], answer.headers["spanwise-left-out"]) == ("1", "1")
    assert json.loads(answer.text)["messages"][1] == {"role": "assistant", "content": "b"}
    assert json.loads(old.text)["input"] == "a"
    missing = client.get("/api/v1/datasets/faq/export", params={**SHOP, "version": 9})
    assert "has no version 9" in read_problem(missing, 404, "not-found").detail


@pytest.mark.parametrize("name", ["", "../x", 'a"b', "x" * 101])
def test_a_name_must_be_fit_for_addresses_and_files(client: TestClient, name: str) -> None:
    """Others are refused when the dataset is made."""
    read_problem(client.post("/api/v1/datasets", params=SHOP, json={"name": name}), 422, "invalid-parameters")
