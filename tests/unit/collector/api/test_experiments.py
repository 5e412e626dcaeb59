"""Experiments over HTTP and the real engine."""

import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from fastapi.testclient import TestClient

from spanwise_collector.store.database import Database
from tests.support.curated import curated_app
from tests.support.notices import NOW
from tests.support.rows import Span, insert, trace_id
from tests.unit.collector.api.test_api import read_problem

SHOP = {"project": "shop"}


@pytest.fixture
def client(database: Database) -> Iterator[TestClient]:
    """The app."""
    with TestClient(curated_app(database)) as client:
        yield client


def result(number: int, score: float, **more: Any) -> dict[str, Any]:
    """A result of one item."""
    return {
        "item_id": f"i{number:03}",
        "input": f"question {number}",
        "output": f"answer {number}",
        "duration_ms": 100.0 + number,
        "scores": {"exact": score},
        **more,
    }


def ran(client: TestClient, experiment_id: str, results: list[dict[str, Any]], **draft: Any) -> None:
    """An experiment with results, finished."""
    body = {"experiment_id": experiment_id, "name": experiment_id, "items": len(results), **draft}
    assert client.post("/api/v1/experiments", params=SHOP, json=body).status_code == 201
    path = f"/api/v1/experiments/{experiment_id}"
    answer = client.post(f"{path}/results", params=SHOP, json={"results": results})
    assert answer.json() == {"stored": len(results)}, answer.text
    assert client.post(f"{path}/end", params=SHOP, json={}).json()["state"] == "finished"


def compared(client: TestClient, **parameters: Any) -> dict[str, Any]:
    """The comparison of base and next."""
    answer = client.get(
        "/api/v1/experiments/compare", params={**SHOP, "baseline": "base", "candidate": "next", **parameters}
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_results_are_taken_once_and_summed(client: TestClient) -> None:
    """Sent again they replace themselves; repeats are averaged by item; an error has no scores and is counted."""
    results = [result(1, 1.0), result(1, 0.0, repeat=1), result(2, 1.0), result(3, 1.0, error="TimeoutError: 30 s")]
    ran(client, "base", results, repeats=2, evaluators={"exact": "1"}, metadata={"model": "m-1"}, release="v1")
    client.post("/api/v1/experiments/base/results", params=SHOP, json={"results": results[:2]})
    found = client.get("/api/v1/experiments/base", params=SHOP).json()

    assert (found["runs"], found["errors"], found["state"], found["release"]) == (4, 1, "finished", "v1")
    assert (found["evaluators"], found["metadata"]) == ({"exact": "1"}, {"model": "m-1"})
    (metric,) = found["metrics"]
    assert (metric["metric"], metric["mean"], metric["items"]) == ("exact", 0.75, 2)
    assert metric["low"] < 0.75 < metric["high"]


def test_results_are_listed_in_pages_for_going_on(client: TestClient) -> None:
    """All that was sent comes back, errors and reasons included."""
    sent = [
        result(1, 0.5, labels={"tone": "kind"}, explanations={"exact": "half"}, trace_id="ab" * 16, span_id="cd" * 8),
        result(2, 0.0, score_errors={"judge": "TimeoutError"}),
        result(3, 0.0, error="boom"),
    ]
    ran(client, "base", sent)
    first = client.get("/api/v1/experiments/base/results", params={**SHOP, "limit": 2}).json()
    rest = client.get(
        "/api/v1/experiments/base/results", params={**SHOP, "limit": 2, "cursor": first["next_cursor"]}
    ).json()

    found = [*first["items"], *rest["items"]]
    assert rest["next_cursor"] is None
    assert [one["item_id"] for one in found] == ["i001", "i002", "i003"]
    assert {name: found[0][name] for name in sent[0]} == sent[0]
    assert found[1]["score_errors"] == {"judge": "TimeoutError"}
    assert (found[2]["error"], found[2]["scores"]) == ("boom", {})
    again = client.post("/api/v1/experiments", params=SHOP, json={"experiment_id": "base", "name": "base", "items": 3})
    assert (again.json()["runs"], again.json()["state"]) == (3, "running")
    bad = client.get("/api/v1/experiments/base/results", params={**SHOP, "cursor": "x"})
    assert "`cursor`" in read_problem(bad, 400, "bad-request").detail


def test_a_regression_is_proven_item_by_item(client: TestClient) -> None:
    """Yes and no by McNemar's test; items with an error are compared by errors; the same question, the same answer."""
    ran(client, "base", [result(n, float(n % 10 != 0)) for n in range(200)])
    worse = [result(n, float(n % 10 != 0 and n % 4 != 0)) for n in range(200)]
    ran(client, "next", [{**one, "error": "boom"} if at < 3 else one for at, one in enumerate(worse)])
    found = compared(client)

    exact, errors = found["metrics"]
    assert found["paired"] is True
    assert (exact["metric"], exact["n"], exact["method"], exact["verdict"]) == ("exact", 197, "mcnemar", "worse")
    assert exact["high"] < 0
    assert exact["p_adjusted"] >= exact["p_value"]
    assert (errors["metric"], errors["n"], errors["candidate"], errors["higher_is_better"]) == (
        "errors",
        200,
        0.015,
        False,
    )
    assert errors["verdict"] in ("inconclusive", "no_difference")
    assert found["notes"] == [
        "exact: left out are items that have it on one side only, 3 of the baseline and 0 of the candidate."
    ]
    assert found["sentence"].startswith("next against base: worse: exact")
    assert compared(client) == found


def test_too_few_items_are_inconclusive_with_a_number(client: TestClient) -> None:
    """A first-class answer: about how many more it takes."""
    ran(client, "base", [result(n, float(n % 5 != 0)) for n in range(30)])
    ran(client, "next", [result(n, float(n % 5 != 1)) for n in range(30)])
    (exact,) = compared(client, metric="exact")["metrics"]

    assert (exact["verdict"], exact["difference"]) == ("inconclusive", 0.0)
    assert exact["more_items"] > 1000
    assert exact["words"] == f"inconclusive, about {exact['more_items']:,} more items needed"


def test_no_difference_that_matters_is_proven_too(client: TestClient) -> None:
    """Within the margin that was asked for; the margin is told."""
    ran(client, "base", [result(n, 0.5 + (n % 7) / 100) for n in range(100)])
    ran(client, "next", [result(n, 0.5 + (n % 5) / 100) for n in range(100)])
    (exact,) = compared(client, metric="exact", margin=0.05)["metrics"]
    assert (exact["verdict"], exact["margin"]) == ("no_difference", 0.05)
    assert exact["words"] == "no difference that matters (within ±0.05)"


def test_conversations_are_drawn_as_a_whole(client: TestClient) -> None:
    """Items of one group count once: what is certain for a hundred items is not for ten conversations."""
    base = [result(n, 0.5, group=f"c{n // 10}") for n in range(100)]
    after = [result(n, 0.5 + (0.2 if n // 10 % 2 else -0.1), group=f"c{n // 10}") for n in range(100)]
    ran(client, "base", base)
    ran(client, "next", after)
    (exact,) = compared(client, metric="exact")["metrics"]

    assert (exact["n"], exact["groups"], exact["method"], exact["verdict"]) == (100, 10, "sign-flip", "inconclusive")


def test_less_can_be_better(client: TestClient) -> None:
    """Said of a score by the caller; known of durations."""
    ran(client, "base", [result(n, 3.0 + n % 3) for n in range(60)])
    ran(client, "next", [result(n, 2.0 + n % 3, duration_ms=500.0 + n) for n in range(60)])
    found = compared(client, lower_is_better="exact", metric=["exact", "duration_ms"])
    assert [(one["metric"], one["verdict"]) for one in found["metrics"]] == [
        ("exact", "better"),
        ("duration_ms", "worse"),
    ]


def test_items_side_by_side(client: TestClient) -> None:
    """What lost most comes first, or what gained; with both outputs."""
    ran(client, "base", [result(n, 0.5) for n in range(4)])
    ran(client, "next", [result(n, (0.5, 0.1, 0.9, 0.4)[n], output="new") for n in range(4)])

    def listed(**parameters: Any) -> Any:
        both = {"baseline": "base", "candidate": "next"}
        return client.get("/api/v1/experiments/compare/items", params={**SHOP, **both, **parameters}).json()

    worst = listed(limit=2)
    assert [one["item_id"] for one in worst["items"]] == ["i001", "i003"]
    assert (worst["metric"], worst["total"], worst["next_offset"]) == ("exact", 4, 2)
    first = worst["items"][0]
    assert (first["input"], first["baseline"]["output"], first["candidate"]["output"]) == (
        "question 1",
        "answer 1",
        "new",
    )
    assert (first["baseline_value"], first["candidate_value"]) == (0.5, 0.1)
    assert [one["item_id"] for one in listed(order="best")["items"]] == ["i002", "i000", "i003", "i001"]
    lowest = listed(order="best", lower_is_better="exact", metric="exact")["items"][0]
    assert lowest["item_id"] == "i001"


def scored(database: Database, release: str, first: int, values: list[float], chance: float = 1.0) -> None:
    """Traces of a release, each with a score."""
    numbers = range(first, first + len(values))
    insert(database, [Span(trace=n, span=n, project="shop", release=release, session=f"s{n}") for n in numbers])
    rows = [
        {
            "project_id": "shop",
            "score_id": n.to_bytes(16, "big"),
            "target": "trace",
            "trace_id": trace_id(n),
            "name": "exact",
            "value": value,
            "source": "llm",
            "ts": NOW,
            "version": 1,
            "inclusion_p": chance if value else 1.0,
        }
        for n, value in zip(numbers, values, strict=True)
    ]
    schema = pa.schema(
        [
            ("project_id", pa.string()),
            ("score_id", pa.binary(16)),
            ("target", pa.string()),
            ("trace_id", pa.binary(16)),
            ("name", pa.string()),
            ("value", pa.float64()),
            ("source", pa.string()),
            ("ts", pa.timestamp("us", "UTC")),
            ("version", pa.uint64()),
            ("inclusion_p", pa.float64()),
        ]
    )
    database.insert("scores", pa.RecordBatch.from_pylist(rows, schema=schema), token=f"s{first}")


def test_releases_are_compared_by_their_production_scores(client: TestClient, database: Database) -> None:
    """Not paired, and the answer says so; a score that was chosen with a chance of a half counts twice."""
    scored(database, "v1", 1, [1.0] * 50 + [0.0] * 10)
    scored(database, "v2", 101, [1.0] * 15 + [0.0] * 30, chance=0.5)
    parameters = {"baseline": "release:v1", "candidate": "release:v2", "from": "2026-03-01T00:00:00Z"}
    found = compared(client, **parameters)

    (exact,) = found["metrics"]
    assert (found["paired"], exact["method"], exact["verdict"]) == (False, "welch", "worse")
    assert exact["baseline"] == pytest.approx(50 / 60)
    assert exact["candidate"] == pytest.approx(30 / 60)
    assert found["notes"][0].startswith("Not paired:")
    ran(client, "base", [result(n, float(n % 6 != 0)) for n in range(60)])
    mixed = compared(client, candidate="release:v2", **{"from": parameters["from"]})
    assert (mixed["paired"], mixed["candidate"]["label"]) == (False, "release v2")


def test_what_cannot_be_compared_is_said(client: TestClient) -> None:
    """A side that is not there, nothing in common, a metric that nobody has."""
    ran(client, "base", [result(1, 1.0)])
    ran(client, "next", [result(2, 1.0)])
    ask = "/api/v1/experiments/compare"
    missing = client.get(ask, params={**SHOP, "baseline": "base", "candidate": "nope"})
    assert "no experiment 'nope' in the project 'shop'" in read_problem(missing, 404, "not-found").detail
    unscored = client.get(ask, params={**SHOP, "baseline": "base", "candidate": "release:v9"})
    assert "The release 'v9' has no scores" in read_problem(unscored, 404, "not-found").detail
    apart = client.get(ask, params={**SHOP, "baseline": "base", "candidate": "next"})
    assert "no items in common" in read_problem(apart, 400, "bad-request").detail
    unknown = client.get(ask, params={**SHOP, "baseline": "base", "candidate": "base", "metric": "tone"})
    assert "No item has 'tone' on both sides; there is exact." in read_problem(unknown, 400, "bad-request").detail


def test_no_endpoint_shows_another_project(client: TestClient) -> None:
    """Neither listing, nor reading, nor adding, nor comparing; the same id may be used in both."""
    ran(client, "base", [result(1, 1.0)])
    other = {"project": "other"}
    assert client.get("/api/v1/experiments", params=other).json() == {"items": []}
    for method, path, more in (
        ("GET", "/base", {}),
        ("GET", "/base/results", {}),
        ("POST", "/base/results", {}),
        ("POST", "/base/end", {}),
        ("GET", "/compare", {"baseline": "base", "candidate": "base"}),
        ("GET", "/compare/items", {"baseline": "base", "candidate": "base"}),
    ):
        body = {"results": [result(1, 0.0)]}
        answer = client.request(
            method, f"/api/v1/experiments{path}", params={**other, **more}, json=body if method == "POST" else None
        )
        assert "no experiment 'base' in the project 'other'" in read_problem(answer, 404, "not-found").detail
    client.post("/api/v1/experiments", params=other, json={"experiment_id": "base", "name": "mine"})
    assert client.get("/api/v1/experiments/base", params=other).json()["runs"] == 0
    assert client.get("/api/v1/experiments/base", params=SHOP).json()["runs"] == 1


def test_a_name_means_the_newest_of_it(client: TestClient) -> None:
    """Experiments are listed newest first, and found by dataset and name."""
    for number in (1, 2):
        ran(client, f"run-{number}", [result(1, float(number))], name="nightly", dataset="faq", dataset_version=number)
    ran(client, "base", [result(1, 5.0)])
    listed = client.get("/api/v1/experiments", params={**SHOP, "dataset": "faq"}).json()["items"]
    found = compared(client, baseline="nightly", candidate="base")

    assert [one["experiment_id"] for one in listed] == ["run-2", "run-1"]
    assert found["baseline"]["experiment"]["experiment_id"] == "run-2"
    assert found["notes"][0].startswith("The sides ran over faq v2 and a list v0")


def test_preference_pairs_of_two_experiments(client: TestClient) -> None:
    """Per item the better answer and the worse one; ties, errors and items of one side alone are counted."""
    ran(
        client,
        "a" * 16,
        [
            result(1, 1.0, output="good"),
            result(2, 0.0, output="bad"),
            result(3, 0.5),
            result(4, 0.9, output="slightly"),
            {"item_id": "i005", "input": "question 5", "error": "boom"},
            result(6, 1.0),
        ],
    )
    ran(
        client,
        "b" * 16,
        [
            result(1, 0.0, output="worse"),
            {"item_id": "i002", "input": "question 2", "error": "boom"},
            result(2, 1.0, output=[{"role": "assistant", "content": "better"}], repeat=1),
            result(3, 0.5, output="the same worth"),
            result(4, 0.85, output="hardly"),
            result(5, 1.0),
        ],
    )
    path = "/api/v1/experiments/compare/preferences"
    asked = {**SHOP, "baseline": "a" * 16, "candidate": "b" * 16, "metric": "exact"}

    answer = client.get(path, params={**asked, "margin": 0.1})
    turned = client.get(path, params={**asked, "margin": 0.1, "lower_is_better": "exact"})
    every = client.get(path, params=asked)

    def pairs(text: str) -> list[tuple[str, ...]]:
        rows = [json.loads(line) for line in text.splitlines()]
        return [tuple(row[part][0]["content"] for part in ("prompt", "chosen", "rejected")) for row in rows]

    assert pairs(answer.text) == [("question 1", "good", "worse"), ("question 2", "better", "bad")]
    assert (answer.headers["spanwise-written"], answer.headers["spanwise-left-out"]) == ("2", "4")
    assert pairs(turned.text) == [("question 1", "worse", "good"), ("question 2", "bad", "better")]
    assert pairs(every.text)[2:] == [("question 4", "slightly", "hardly")]
    read_problem(client.get(path, params={**asked, "baseline": "nobody"}), 404, "not-found")
