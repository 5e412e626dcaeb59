"""Projects never see each other: every endpoint and every filter is tried with the key of another project.

`CASES` has every endpoint of the API; a new one without a case fails the first test.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Literal

import pytest

from spanwise_collector.receive.keys import Scope
from spanwise_collector.store.database import Database
from tests.support.databases import EmptyDatabases
from tests.support.rows import T0
from tests.support.two_projects import AT, CANARY, OTHER, VICTIM, World, two_projects

WINDOW: Final = {"from": T0.isoformat(), "to": AT.isoformat()}
ALL_YEAR: Final = {"from": "2026-01-01T00:00:00Z", "to": "2026-12-31T00:00:00Z"}
OPEN: Final = frozenset({"GET /healthz", "GET /readyz", "GET /metrics"})
"""Endpoints for everybody; they tell nothing of a project."""


@dataclass(frozen=True)
class Case:
    """How an endpoint is asked for what the victim has.

    Attributes:
        endpoint: method and path.
        shows: whether the victim's own key gets to see the canary; so the test knows that there is something to hide.
        params: of the query; `{...}` stands for an id of the victim.
        json: body, likewise.
        content: body that is no JSON.
        scope: what a key needs.
        projects: `one`, `all` for endpoints that are about all, `none` for those that tell nothing of any.
        strict: that the endpoint answers 404 to another project, since the path names something of the victim's.
    """

    endpoint: str
    shows: bool = True
    params: Any = field(default_factory=dict)
    json: Any = None
    content: bytes | None = None
    scope: Scope = "read"
    projects: Literal["one", "all", "none"] = "one"
    strict: bool = False

    @property
    def method(self) -> str:
        return self.endpoint.split()[0]

    @property
    def path(self) -> str:
        return self.endpoint.split()[1]


def _admin(endpoint: str, **values: Any) -> Case:
    return Case(endpoint, **{"shows": False, "scope": "admin", **values})


def _of(endpoint: str, **values: Any) -> Case:
    """Something of the victim's by its id."""
    return Case(endpoint, **{"strict": True, **values})


RULE: Final = {"name": "stolen", "type": "threshold", "signal": "error_rate", "above": 0.5}
TOML: Final = '[[rules]]\nid = "stolen"\nproject = "alpha"\ntype = "threshold"\nsignal = "error_rate"\nabove = 0.5\n'
CASES: Final = (
    Case("GET /api/v1/traces", params={"user": "{word}-user", "q": "{word}"}),
    _of("GET /api/v1/traces/{trace_id}"),
    _of("GET /api/v1/traces/{trace_id}/spans/{span_id}"),
    _of("GET /api/v1/traces/{trace_id}/explain"),
    Case("GET /api/v1/projects", shows=False, projects="none"),
    Case("GET /api/v1/overview", params={"name": "{word}-name"}),
    Case("GET /api/v1/metrics", params={"metric": "requests", "group_by": "name", "name": "{word}-name"}),
    Case("GET /api/v1/facets"),
    Case("GET /api/v1/costs", params={"model": "{word}-model"}, shows=False),
    Case("GET /api/v1/costs/by/{dimension}", params={"name": "{word}-name"}),
    Case("GET /api/v1/costs/unpriced", shows=False),
    Case("GET /api/v1/costs/duplicates", shows=False),
    Case("GET /api/v1/prices/models", shows=False, projects="none"),
    Case("GET /api/v1/what-if/model", params={"to_model": "gpt-4o", "model": "{word}-model"}, shows=False),
    Case("GET /api/v1/what-if/cache", params={"model": "{word}-model"}, shows=False),
    Case("GET /api/v1/failures", params={"release": "{word}-release"}),
    _of("GET /api/v1/failures/{issue}"),
    _admin("POST /api/v1/failures/{issue}", json={"state": "ignored", "by": "b"}, strict=True),
    _admin("POST /api/v1/failures/{issue}/merge", json={"issues": ["{issue}"], "by": "b"}, strict=True),
    _admin("POST /api/v1/failures/{issue}/split", json={"fingerprints": ["{issue}"], "by": "b"}, strict=True),
    Case("GET /api/v1/drift", shows=False),
    Case("GET /api/v1/what-changed", params={"route": "{word}-name", **WINDOW}, shows=False),
    Case("GET /api/v1/compare", params={"by": "release", "a": "{word}-release", "b": "{word}-release", **WINDOW}),
    Case("GET /api/v1/compare/{by}"),
    Case("GET /api/v1/evals/scores"),
    Case("GET /api/v1/evals/trend", params={"name": "{word}-score", "evaluator": "{word}-llm", "source": "llm"}),
    Case("GET /api/v1/evals/distribution", params={"name": "{word}-score", "source": "llm"}),
    Case("GET /api/v1/evals/worst", params={"name": "{word}-score", "source": "llm"}),
    Case("GET /api/v1/evals/judges", params={"name": "{word}-score"}),
    Case("GET /api/v1/evals/judging", shows=False),
    Case("GET /api/v1/evals/judges/errors", shows=False),
    Case("GET /api/v1/evals/anchors", shows=False),
    Case("GET /api/v1/exports", params={"name": "{word}-export"}),
    Case("GET /api/v1/pipeline", shows=False, projects="all"),
    Case("GET /api/v1/audit", shows=False, projects="all"),
    Case("POST /api/v1/reprice", json=WINDOW | {"project": VICTIM}, shows=False, scope="admin", projects="all"),
    Case("GET /api/v1/reprice/{reprice}", shows=False, projects="all"),
    Case(
        "POST /api/v1/sql",
        json={"query": "SELECT * FROM spans LEFT JOIN span_io USING (trace_id) LEFT JOIN scores USING (trace_id)"},
        scope="read",
    ),
    Case("GET /api/v1/sql/tables", shows=False, projects="none"),
    Case("POST /api/v1/replay", json=WINDOW, shows=False, scope="admin", projects="all"),
    Case("GET /api/v1/replay", shows=False, scope="admin", projects="all"),
    Case("POST /api/v1/replay/swap", shows=False, scope="admin", projects="all"),
    Case("DELETE /api/v1/replay", shows=False, scope="admin", projects="all"),
    _admin("POST /api/v1/erasures", json={"trace": "{trace_id}", "dry_run": True}),
    Case("GET /api/v1/retention", shows=False),
    Case("GET /api/v1/erasures", shows=False, scope="admin"),
    _admin("GET /api/v1/erasures/{erasure}", strict=True),
    Case("GET /api/v1/scores", params={"trace_id": "{trace_id}", "evaluator": "{word}-llm"}),
    Case(
        "POST /api/v1/scores",
        json={"name": "x", "value": 1, "trace_id": "{trace_id}"},
        shows=False,
        scope="ingest",
    ),
    Case("DELETE /api/v1/scores/{score_id}", shows=False, scope="ingest", strict=True),
    Case("GET /api/v1/annotations/queues"),
    _admin(
        "POST /api/v1/annotations/queues",
        json={"queue": {"name": "theirs", "questions": [{"name": "good", "kind": "yes_no"}], "random_share": 1}},
    ),
    _of("GET /api/v1/annotations/queues/{queue_id}"),
    _admin(
        "PUT /api/v1/annotations/queues/{queue_id}",
        json={"queue": {"name": "taken", "questions": [{"name": "good", "kind": "yes_no"}]}},
        strict=True,
    ),
    _admin("DELETE /api/v1/annotations/queues/{queue_id}", strict=True),
    _admin("POST /api/v1/annotations/queues/{queue_id}/fill", strict=True),
    _of("GET /api/v1/annotations/queues/{queue_id}/items"),
    _of("POST /api/v1/annotations/queues/{queue_id}/next", json={"reviewer": "b"}, scope="ingest"),
    _of(
        "POST /api/v1/annotations/queues/{queue_id}/items/{item_id}/reviews",
        json={"reviewer": "b", "answers": {"good": False}},
        scope="ingest",
        shows=False,
    ),
    Case("GET /api/v1/annotations/corrections", params={"queue_id": "{queue_id}"}),
    Case("GET /api/v1/rules"),
    _of("GET /api/v1/rules/{rule_id}"),
    _admin("PUT /api/v1/rules/{rule_id}", json={"rule": RULE | {"id": "{rule_id}", "project": VICTIM}}),
    _admin("DELETE /api/v1/rules/{rule_id}", strict=True),
    Case("POST /api/v1/rules/check", json={"toml": TOML}, shows=False),
    Case("POST /api/v1/rules/back-test", json={"toml": TOML}, params={"rule": "stolen"}, shows=False),
    Case("GET /api/v1/alerts", params=ALL_YEAR | {"state": "firing"}),
    _of("GET /api/v1/alerts/{alert_id}"),
    _admin("POST /api/v1/alerts/{alert_id}/acknowledge", json={"by": "b", "expected": True}, strict=True),
    Case("GET /api/v1/channels", shows=False),
    _admin("POST /api/v1/channels/{channel}/test"),
    Case("GET /api/v1/silences"),
    _admin(
        "POST /api/v1/silences",
        json={"project": VICTIM, "starts_at": T0.isoformat(), "ends_at": (T0 + timedelta(days=3)).isoformat()},
    ),
    _admin("DELETE /api/v1/silences/{silence_id}", strict=True),
    Case("GET /api/v1/datasets"),
    Case("POST /api/v1/datasets", json={"name": "theirs"}, shows=False, scope="ingest"),
    _of("GET /api/v1/datasets/{dataset}"),
    _of("GET /api/v1/datasets/{dataset}/items"),
    _of("POST /api/v1/datasets/{dataset}/changes", json={"remove": ["i0"]}, shows=False, scope="ingest"),
    _of(
        "POST /api/v1/datasets/{dataset}/import",
        content=b'{"input": "x"}\n',
        params={"format": "jsonl"},
        shows=False,
        scope="ingest",
        strict=False,
    ),
    _of(
        "POST /api/v1/datasets/{dataset}/from-traces",
        params={"user": "{word}-user"},
        shows=False,
        scope="ingest",
    ),
    _of(
        "POST /api/v1/datasets/{dataset}/from-corrections",
        params={"queue_id": "{queue_id}"},
        shows=False,
        scope="ingest",
    ),
    _of("GET /api/v1/datasets/{dataset}/export", params={"format": "jsonl"}),
    Case("GET /api/v1/experiments", params={"dataset": "{dataset}"}),
    Case(
        "POST /api/v1/experiments",
        json={"experiment_id": "theirs", "name": "theirs", "dataset": "{dataset}"},
        shows=False,
        scope="ingest",
    ),
    _of("GET /api/v1/experiments/compare", params={"baseline": "{experiment_id}", "candidate": "{other_experiment}"}),
    _of(
        "GET /api/v1/experiments/compare/items",
        params={"baseline": "{experiment_id}", "candidate": "{other_experiment}"},
    ),
    _of(
        "GET /api/v1/experiments/compare/preferences",
        params={"baseline": "{experiment_id}", "candidate": "{other_experiment}", "metric": "right"},
        shows=False,
    ),
    _of("GET /api/v1/experiments/{experiment_id}"),
    _of("GET /api/v1/experiments/{experiment_id}/results"),
    _of(
        "POST /api/v1/experiments/{experiment_id}/results",
        json={"results": [{"item_id": "i0", "output": "taken"}]},
        shows=False,
        scope="ingest",
    ),
    _of(
        "POST /api/v1/experiments/{experiment_id}/end",
        json={"state": "stopped"},
        shows=False,
        scope="ingest",
    ),
    Case("GET /api/v1/evals/sql"),
    _admin("POST /api/v1/evals/sql", json={"name": "mine", "expression": "length(output)", "backfill": False}),
    Case("GET /api/v1/evals/sql-reference", shows=False, projects="none"),
    Case("POST /api/v1/evals/sql-preview", json={"expression": "output"}, params=WINDOW),
    Case("GET /api/v1/evals/sql-backfills"),
    _of("GET /api/v1/evals/sql-backfills/{job}"),
    _admin("DELETE /api/v1/evals/sql-backfills/{job}", strict=True),
    _of("GET /api/v1/evals/sql/{name}"),
    _admin("DELETE /api/v1/evals/sql/{name}", strict=True),
    _admin("POST /api/v1/evals/sql/{name}/state", json={"on": False}, strict=True),
    _admin("POST /api/v1/evals/sql/{name}/backfill", json={}, strict=True),
    _of("GET /api/v1/evals/sql/{name}/diff", params={"before": "1", "after": "1"}, shows=False),
)
NAMES: Final = {"dimension": "model", "by": "release", "channel": "hook", "name": "canary-alpha-sql"}
PATHS: Final = {"{reprice}": "{job}", "{channel}": "{name}"}
"""Parameters that are called otherwise in the description, where their name says too little here."""
SHOWING: Final = [case for case in CASES if case.shows and case.scope == "read"]
ids = pytest.mark.parametrize("case", CASES, ids=[case.endpoint for case in CASES])


@pytest.fixture(scope="module")
def world(empty_databases: EmptyDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """For the whole module: what is tried here must not change anything."""
    with empty_databases.lend() as database, two_projects(database, tmp_path_factory.mktemp("two")) as made:
        made.ids.update(NAMES)
        yield made


def filled(value: Any, known: dict[str, str]) -> Any:
    """A value with the victim's ids in their places."""
    if isinstance(value, str):
        return value.format(**known) if "\n" not in value else value
    if isinstance(value, dict):
        return {name: filled(one, known) for name, one in value.items()}
    return [filled(one, known) for one in value] if isinstance(value, list) else value


def asked(world: World, case: Case, secret: str, *, headers: Any = None, **params: Any) -> Any:
    """The answer to a case."""
    given = {**filled(case.params, world.ids), **params}
    if case.content is not None:
        shown = {"authorization": f"Bearer {secret}"} if secret else {}
        return world.client.request(
            case.method,
            case.path.format(**world.ids),
            params=given,
            content=case.content,
            headers={**shown, **(headers or {})},
        )
    body = filled(case.json, world.ids)
    return world.ask(case.method, case.path, secret, params=given, json=body, headers=headers)


def unsent(world: World, case: Case, text: str) -> str:
    """An answer without what the request itself said, which answers quote."""
    body = filled(case.json, world.ids)
    values = [*filled(case.params, world.ids).values(), *(body.values() if isinstance(body, dict) else ())]
    parts = [part for part in case.path.format(**world.ids).split("/") if CANARY in part]
    for one in sorted({one for one in (*map(str, values), *parts) if CANARY in one}, key=len, reverse=True):
        text = text.replace(one, "")
    return text


def test_every_endpoint_has_a_case(world: World) -> None:
    """A new endpoint needs a case here, or a place among those for everybody."""
    described = {
        f"{method.upper()} {path}"
        for path, methods in world.client.app.openapi()["paths"].items()  # type: ignore[attr-defined]
        for method in methods
    }

    tried = [case.endpoint for case in CASES]
    for ours, theirs in PATHS.items():
        tried = [one.replace(ours, theirs) for one in tried]

    assert sorted([*tried, *OPEN]) == sorted(described)


@ids
def test_nobody_comes_in_without_a_key(world: World, case: Case) -> None:
    """No key, one that does not exist, and one that is almost right: 401, and how to get one."""
    real = world.secret(VICTIM)
    for wrong in ("", "sw_00000000_" + "A" * 43, real[:-1] + ("A" if real[-1] != "A" else "B"), "*"):
        answer = asked(world, case, wrong)

        assert (answer.status_code, answer.json()["type"]) == (401, "/problems/no-key"), answer.text
        assert CANARY not in unsent(world, case, answer.text)
        assert "spanwise keys" in answer.text or "x-api-key" in answer.text


@ids
def test_a_key_without_the_scope_is_refused(world: World, case: Case) -> None:
    """Each endpoint needs one scope: a key that has the two others does not do."""
    others = tuple(scope for scope in ("ingest", "read", "admin") if scope != case.scope)

    answer = asked(world, case, world.secrets["*", others])  # type: ignore[index]

    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/not-allowed"), answer.text
    assert f"this needs {case.scope}" in answer.json()["detail"]


@pytest.mark.parametrize("case", SHOWING, ids=[case.endpoint for case in SHOWING])
def test_the_owner_sees_what_is_to_be_hidden(world: World, case: Case) -> None:
    """Without this the tests below could not fail."""
    answer = asked(world, case, world.secret(VICTIM))

    assert answer.status_code == 200, answer.text
    assert CANARY in answer.text
    assert answer.text != asked(world, case, world.secret(OTHER)).text


@ids
def test_another_projects_key_is_refused(world: World, case: Case) -> None:
    """Where the request names the victim, in whichever way, the answer is 403 and has nothing of it."""
    if case.projects == "none":
        answer = asked(world, case, world.secret(OTHER), project=VICTIM)
        assert CANARY not in answer.text
        assert f'"{VICTIM}"' not in answer.text
        return
    tries: list[dict[str, Any]] = [
        {"project": VICTIM},
        {"project": [OTHER, VICTIM]},
        # Writing scores takes the last: theirs.
        *([] if case.path.startswith("/api/v1/scores") and case.scope == "ingest" else [{"project": [VICTIM, OTHER]}]),
        {"headers": {"x-spanwise-project": VICTIM}},
        {"headers": {"x-spanwise-project": VICTIM}, "project": OTHER},
    ]
    for one in tries:
        answer = asked(world, case, world.secret(OTHER), **one)

        assert answer.status_code == 403, (one, answer.text)
        assert CANARY not in unsent(world, case, answer.text)


@ids
def test_another_project_does_not_reach_it(world: World, case: Case) -> None:
    """With its own project, or none, another key finds nothing of the victim, by id or by filter."""
    for params in ({}, {"project": OTHER}):
        answer = asked(world, case, world.secret(OTHER), **params)

        assert answer.status_code < 500, answer.text
        assert CANARY not in unsent(world, case, answer.text)
        if case.strict:
            assert answer.status_code in (404, 422), answer.text
        if case.projects == "all":
            assert answer.status_code == 403


def test_what_others_try_changes_nothing(database: Database, tmp_path: Path) -> None:
    """After everything has been tried with another project's key, the victim has what it had before."""
    reading = [case for case in CASES if case.method == "GET"]
    changing = [case for case in CASES if case.scope != "read"]
    with two_projects(database, tmp_path) as world:
        world.ids.update(NAMES)

        def seen() -> list[str]:
            return [asked(world, case, world.secret(VICTIM)).text for case in reading]

        before = seen()
        world.log.records.clear()  # the reviews of both projects
        for case in changing:
            asked(world, case, world.secret(OTHER))
            asked(world, case, world.secret(OTHER), project=VICTIM)
        taken = {"experiment_id": world.ids["experiment_id"], "name": "taken"}
        assert world.ask("POST", "/api/v1/experiments", world.secret(OTHER), json=taken).json()["project"] == OTHER

        assert seen() == before
        assert [packed.project for records in world.log.records.values() for packed in records] == [OTHER]
        # With the victim's key the same requests do change it.
        for case in changing:
            assert asked(world, case, world.secret(VICTIM)).status_code < 500, case.endpoint
        assert seen() != before
