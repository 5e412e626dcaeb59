"""SQL evaluators over HTTP and the real engine."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from spanwise_collector.api.routes.sql_evals import HEAVY
from spanwise_collector.store.database import Database
from spanwise_schemas.api_sql_evals import (
    SqlBackfill,
    SqlBackfillPage,
    SqlEvalAdded,
    SqlEvalDetail,
    SqlEvalDiff,
    SqlEvalInfo,
    SqlEvalPage,
    SqlEvalPreview,
    SqlEvalReference,
)
from tests.support.rows import insert, llm, span_id, trace_id
from tests.support.sql_evals import Parts, sql_app, stored_rows
from tests.unit.collector.api.test_api import read_problem

SQL = "/api/v1/evals/sql"
SHOP = {"project": "shop"}
OTHER = {"project": "other"}
WORDS = "length(splitByWhitespace(output))"


@pytest.fixture
def parts(database: Database) -> Parts:
    """Three spans of shop, one of another project."""
    insert(
        database,
        [
            llm(trace=number, span=number, at_ms=number, project="shop", output="word " * number, name="chat")
            for number in (1, 2, 3)
        ],
    )
    insert(database, [llm(trace=9, span=9, project="other", output="SECRET", name="SECRET")])
    return Parts(database)


@pytest.fixture
def client(parts: Parts) -> Iterator[TestClient]:
    """The app."""
    with TestClient(sql_app(parts)) as client:
        yield client


def add(client: TestClient, name: str = "words", expression: str = WORDS, **more: Any) -> SqlEvalAdded:
    """Store an evaluator of shop."""
    answer = client.post(SQL, params=SHOP, json={"name": name, "expression": expression, **more})
    assert answer.status_code == 201, answer.text
    return SqlEvalAdded.model_validate_json(answer.content)


def test_an_evaluator_is_stored_changed_turned_off_and_removed(client: TestClient, parts: Parts) -> None:
    """Versions rise and stay; another project sees none of it."""
    added = add(client, filter=" kind = 'llm' ", description="how long", by="ada", backfill=False)
    second = add(client, expression=f"{WORDS} > 1", backfill=False)
    shown = SqlEvalDetail.model_validate_json(client.get(f"{SQL}/words", params=SHOP).content)
    page = SqlEvalPage.model_validate_json(client.get(SQL, params=SHOP).content)
    off = client.post(f"{SQL}/words/state", params=SHOP, json={"on": False})

    assert (added.backfill, added.tried.spans, added.tried.scored, added.tried.mean) == (None, 3, 3, 2.0)
    newest = added.info.newest
    assert (newest.version, newest.filter, newest.kind, newest.by, newest.description) == (
        *(1, "kind = 'llm'", "numeric", "ada"),
        "how long",
    )
    assert (second.info.newest.version, second.info.newest.kind) == (2, "boolean")
    assert [one.version for one in shown.versions] == [2, 1]
    assert (shown.info, page.items, page.worker) == (second.info, [second.info], "collector-1")
    assert (second.info.state, second.info.evaluator) == ("on", "sql:words")
    assert SqlEvalInfo.model_validate_json(off.content).state == "off"
    assert SqlEvalPage.model_validate_json(client.get(SQL, params=OTHER).content).items == []
    for answer in (
        client.get(f"{SQL}/words", params=OTHER),
        client.delete(f"{SQL}/words", params=OTHER),
        client.post(f"{SQL}/words/state", params=OTHER, json={"on": True}),
        client.post(f"{SQL}/words/backfill", params=OTHER, json={}),
        client.get(f"{SQL}/words/diff", params=OTHER),
    ):
        read_problem(answer, 404, "not-found")
    assert client.delete(f"{SQL}/words", params=SHOP).status_code == 204
    read_problem(client.get(f"{SQL}/words", params=SHOP), 404, "not-found")
    assert add(client, backfill=False).info.newest.version == 3


@pytest.mark.parametrize("path", [SQL, "/api/v1/evals/sql-preview"])
def test_what_cannot_be_used_is_refused_with_its_place(client: TestClient, path: str) -> None:
    """The engine's words for what the engine refuses; nothing is stored."""
    wrong = client.post(path, params=SHOP, json={"name": "e", "expression": "length(output", "filter": ""})
    bad_filter = client.post(path, params=SHOP, json={"name": "e", "expression": "1", "filter": "sleep(1)"})

    told = read_problem(wrong, 400, "bad-expression")
    assert told.detail.startswith("expression: Syntax error: failed at position 14 (end of query)")
    assert [(one["parameter"], one["position"]) for one in told.errors] == [("expression", "14")]
    told = read_problem(bad_filter, 400, "bad-expression")
    assert told.detail.startswith("filter: At position 1: The function sleep is not admitted.")
    assert SqlEvalPage.model_validate_json(client.get(SQL, params=SHOP).content).items == []
    read_problem(client.post(SQL, params=SHOP, json={"name": "a b", "expression": "1"}), 422, "invalid-parameters")


def test_a_preview_shows_what_an_expression_gives(client: TestClient, parts: Parts) -> None:
    """Numbers with their quantiles, words with how often; of the project alone, and nothing is stored."""
    url = "/api/v1/evals/sql-preview"
    numbers = SqlEvalPreview.model_validate_json(client.post(url, params=SHOP, json={"expression": WORDS}).content)
    labels = SqlEvalPreview.model_validate_json(
        client.post(url, params=SHOP, json={"expression": "if(length(output) > 6, 'long', name)"}).content
    )

    assert (numbers.kind, numbers.type, numbers.outcome.scored) == ("numeric", "UInt64", 3)
    assert numbers.quantiles == {"min": 1.0, "p5": 1.1, "p25": 1.5, "p50": 2.0, "p75": 2.5, "p95": 2.9, "max": 3.0} or (
        numbers.quantiles["min"],
        numbers.quantiles["p50"],
        numbers.quantiles["max"],
    ) == (1.0, 2.0, 3.0)
    assert [(one.trace_id, one.span_id, one.name, one.given.value) for one in numbers.examples] == [
        (trace_id(number).hex(), span_id(number).hex(), "chat", float(number)) for number in (3, 2, 1)
    ]
    assert labels.labels == {"long": 2, "chat": 1}
    assert stored_rows(parts.database) == 0


def test_two_versions_are_compared(client: TestClient) -> None:
    """How many spans changed, means before and after, and which."""
    add(client, backfill=False)
    add(client, expression=f"if({WORDS} = 2, 20, {WORDS})", filter="duration_ms > 0", backfill=False)
    found = SqlEvalDiff.model_validate_json(client.get(f"{SQL}/words/diff", params=SHOP).content)
    same = client.get(f"{SQL}/words/diff", params={**SHOP, "before": 1, "after": 1})

    assert (found.before.version, found.after.version, found.spans, found.is_cut) == (1, 2, 3, False)
    assert (found.both, found.changed, found.only_before, found.only_after) == (3, 1, 0, 0)
    assert (found.mean_before, found.mean_after) == (2.0, 8.0)
    assert [(one.span_id, one.given.value, one.after and one.after.value) for one in found.examples] == [
        (span_id(2).hex(), 2.0, 20.0)
    ]
    assert SqlEvalDiff.model_validate_json(same.content).changed == 0
    read_problem(client.get(f"{SQL}/words/diff", params={**SHOP, "after": 7}), 404, "not-found")


def test_versions_that_score_different_spans_are_compared(client: TestClient) -> None:
    """Spans that only one of them scores are told apart."""
    add(client, filter="output LIKE '% word%'", backfill=False)
    add(client, filter="output NOT LIKE '%word word word%'", backfill=False)
    found = SqlEvalDiff.model_validate_json(client.get(f"{SQL}/words/diff", params=SHOP).content)

    assert (found.both, found.changed, found.only_before, found.only_after) == (1, 0, 1, 1)


def test_history_is_scored_in_the_background(client: TestClient, parts: Parts) -> None:
    """Started with the evaluator or later, asked about, cancelled; of other projects it is unknown."""
    started = add(client).backfill
    assert started is not None
    jobs = "/api/v1/evals/sql-backfills"
    busy = client.post(f"{SQL}/words/backfill", params=SHOP, json={})
    parts.backfiller().step()
    done = SqlBackfill.model_validate_json(client.get(f"{jobs}/{started.id}", params=SHOP).content)
    again = SqlBackfill.model_validate_json(
        client.post(
            f"{SQL}/words/backfill", params=SHOP, json={"version": 1, "from": "2026-03-10T12:00:00.002Z", "by": "ada"}
        ).content
    )
    cancelled = SqlBackfill.model_validate_json(client.delete(f"{jobs}/{again.id}", params=SHOP).content)

    assert (started.state, done.state, done.progress, done.outcome.scored) == ("waiting", "done", 1.0, 3)
    assert "wait for it, or cancel it" in read_problem(busy, 409, "busy").detail
    assert (again.state, again.by, cancelled.state) == ("waiting", "ada", "cancelled")
    listed = SqlBackfillPage.model_validate_json(client.get(jobs, params=SHOP).content).items
    assert {one.id: one.state for one in listed} == {started.id: "done", again.id: "cancelled"}
    assert SqlBackfillPage.model_validate_json(client.get(jobs, params=OTHER).content).items == []
    for answer in (
        client.get(f"{jobs}/{started.id}", params=OTHER),
        client.delete(f"{jobs}/{started.id}", params=OTHER),
        client.post(f"{SQL}/words/backfill", params=SHOP, json={"version": 5}),
    ):
        read_problem(answer, 404, "not-found")
    for body in ({"from": "2026-03-10T12:00:00"}, {"from": "2026-03-10T12:00Z", "to": "2026-03-09T12:00Z"}):
        read_problem(client.post(f"{SQL}/words/backfill", params=SHOP, json=body), 400, "bad-request")


def test_previews_are_few_at_a_time(client: TestClient) -> None:
    """More are told to try again."""
    add(client, backfill=False)
    assert HEAVY.acquire(blocking=False)
    assert HEAVY.acquire(blocking=False)
    try:
        for answer in (
            client.post("/api/v1/evals/sql-preview", params=SHOP, json={"expression": "1"}),
            client.get(f"{SQL}/words/diff", params=SHOP),
        ):
            read_problem(answer, 409, "busy")
    finally:
        HEAVY.release(2)


def test_the_reference_tells_what_expressions_are_made_of(client: TestClient) -> None:
    """Columns, functions and examples."""
    found = SqlEvalReference.model_validate_json(client.get("/api/v1/evals/sql-reference").content)

    assert {one.name for one in found.columns} >= {"input", "output", "duration_ms", "attributes"}
    assert "splitByWhitespace" in found.functions["texts"]
    assert found.examples[0].expression == WORDS
