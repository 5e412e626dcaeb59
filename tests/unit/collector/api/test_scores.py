"""Scores over HTTP: stored through the log, replaced, read, taken back; over the real engine."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from spanwise_collector.api.app import create_app
from spanwise_collector.receive.errors import NotTakenError, Reason
from spanwise_collector.settings import Settings
from spanwise_collector.store.database import Database
from spanwise_schemas.api_scores import ScorePage, ScoresTaken
from tests.support.receiving import MemoryLog, key_file
from tests.support.rows import T0
from tests.support.scoring import land, sending
from tests.unit.collector.api.test_api import read_problem

AT = T0 + timedelta(minutes=30)
TRACE = "ab" * 16
GOOD: dict[str, Any] = {"name": "helpful", "value": 0.5, "trace_id": TRACE}
LOCAL = ("127.0.0.1", 50_000)


@dataclass
class World:
    """An API whose scores go to a log in memory."""

    database: Database
    log: MemoryLog
    client: TestClient
    lands: int = 0

    def post(self, body: Any, *, project: str = "", **headers: str) -> Any:
        """Store scores."""
        params = {"project": project} if project else {}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post("/api/v1/scores", json=body, params=params, headers=named)

    def stored(self, body: Any, *, project: str = "") -> list[str]:
        """Store scores, and wait until they are in the table; their ids."""
        answer = self.post(body, project=project)
        assert answer.status_code == 202, answer.text
        self.land()
        return ScoresTaken.model_validate_json(answer.content).score_ids

    def land(self) -> None:
        """What ingest does."""
        self.lands += 1
        land(self.log, self.database, AT + timedelta(milliseconds=self.lands))

    def found(self, project: str = "default", **params: Any) -> list[tuple[str, float | None, str]]:
        """Names, values and labels of scores, newest first."""
        answer = self.client.get("/api/v1/scores", params={"project": project, **params})
        assert answer.status_code == 200, answer.text
        return [(one.name, one.value, one.label) for one in ScorePage.model_validate_json(answer.content).items]


def world_of(database: Database, keys: Path | None = None, peer: tuple[str, int] = LOCAL) -> Iterator[World]:
    """A world with keys or without."""
    log = MemoryLog()
    receiver = sending(log, keys=keys, now=lambda: AT)
    settings = Settings(clickhouse="chdb:///unused")
    app = create_app(
        database=database, settings=settings, scores=receiver.scores, clock=lambda: AT + timedelta(hours=1)
    )
    with TestClient(app, client=peer) as client:
        yield World(database, log, client)


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    """Without keys, asked from this machine."""
    yield from world_of(database)


@pytest.fixture
def keyed(database: Database, tmp_path: Path) -> Iterator[tuple[World, str]]:
    """With a key for the projects shop and lab, asked from elsewhere."""
    path, secret = key_file(tmp_path, "shop", "lab")
    for world in world_of(database, path, ("10.1.2.3", 50_000)):
        yield world, secret


def test_a_score_is_stored_in_full(world: World) -> None:
    """Every field comes back; without an id it gets one."""
    (made,) = world.stored(
        GOOD
        | {
            "span_id": "cd" * 8,
            "label": "so-so",
            "explanation": "half of it",
            "source": "person",
            "evaluator": "anna",
            "evaluator_version": "2",
            "time": "2026-03-10T12:10:00+00:00",
            "inclusion_probability": 0.05,
            "stratum": "random",
        }
    )

    (score,) = ScorePage.model_validate_json(world.client.get("/api/v1/scores").content).items
    assert score.model_dump(mode="json") == {
        "score_id": made,
        "target": "span",
        "trace_id": TRACE,
        "span_id": "cd" * 8,
        "session_id": "",
        "name": "helpful",
        "value": 0.5,
        "label": "so-so",
        "explanation": "half of it",
        "source": "human",
        "evaluator": "anna",
        "evaluator_version": "2",
        "inclusion_probability": 0.05,
        "stratum": "random",
        "time": "2026-03-10T12:10:00Z",
    }


@pytest.mark.parametrize(
    ("value", "stored"),
    [(1, (1.0, "")), (0.25, (0.25, "")), (True, (1.0, "true")), (False, (0.0, "false")), ("up", (None, "up"))],
)
def test_values(world: World, value: object, stored: tuple[float | None, str]) -> None:
    """Numbers are values, words are labels, booleans are both, as from the SDK."""
    world.stored(GOOD | {"value": value})

    assert world.found() == [("helpful", *stored)]


def test_the_same_id_replaces(world: World) -> None:
    """Also when the name or the target changed; what was there before is found by no filter."""
    sent = GOOD | {"score_id": "AB" * 16}
    world.stored(sent)
    assert world.stored(sent | {"value": 0.9, "name": "useful"}) == ["ab" * 16]

    assert (world.found(), world.found(name="helpful")) == ([("useful", 0.9, "")], [])


def test_a_thousand_at_once(world: World) -> None:
    """A list of up to 1,000 is taken as one; one more is refused as a whole."""
    scores = [GOOD | {"score_id": f"{number:032x}", "trace_id": f"{number + 1:032x}"} for number in range(1_000)]

    assert world.stored(scores) == [one["score_id"] for one in scores]
    assert len(world.found(limit=1_000)) == 1_000
    assert world.post([*scores, GOOD]).status_code == 422
    assert world.post([]).status_code == 422
    assert world.log.records == {}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"trace_id": ""}, "`trace_id` or `session_id` is needed"),
        ({"trace_id": "0" * 32}, "`trace_id` or `session_id` is needed"),
        ({"session_id": "s"}, "two targets"),
        ({"trace_id": "", "session_id": "s", "span_id": "cd" * 8}, "`span_id` needs the `trace_id`"),
        ({"value": None}, "`value` or `label` is needed"),
        ({"trace_id": "xyz"}, "trace_id"),
        ({"name": ""}, "name"),
        ({"source": "martian"}, "source"),
        ({"inclusion_probability": 0}, "inclusion_probability"),
        ({"inclusion_probability": 1.1}, "inclusion_probability"),
        ({"score_id": "12"}, "score_id"),
        ({"time": "2026-03-10T12:10:00"}, "time zone"),
    ],
)
def test_what_is_no_score_is_refused(world: World, change: dict[str, object], words: str) -> None:
    """422 names the field and what is wrong with it; nothing is written."""
    problem = read_problem(world.post(GOOD | change), 422, "invalid-parameters")

    assert words in problem.detail
    assert world.log.records == {}


def test_success_means_that_kafka_has_it(world: World) -> None:
    """While Kafka is away the answer is 503 with a time to try again, and nothing is said to be stored."""
    world.log.away = NotTakenError(Reason.AWAY, "Kafka at k:1 (SPANWISE_KAFKA) is away.")
    answer = world.post(GOOD)

    assert "SPANWISE_KAFKA" in read_problem(answer, 503, "log-unavailable").detail
    assert answer.headers["Retry-After"] == "5"


def test_a_score_that_kafka_refuses_is_not_stored(world: World) -> None:
    """What the brokers find too large is told so."""
    world.log.refusal = NotTakenError(Reason.TOO_LARGE, "too large")

    assert "1 of 1 scores are not stored" in read_problem(world.post(GOOD), 413, "too-large").detail


def test_a_body_beyond_the_limit_is_not_read(world: World) -> None:
    """Its length says so before it comes."""
    answer = world.client.post("/api/v1/scores", content=b"[", headers={"content-length": str(1 << 30)})

    read_problem(answer, 413, "too-large")


def test_without_the_role_otlp_scores_are_only_read(database: Database) -> None:
    """501 says which role is missing."""
    app = create_app(database=database, settings=Settings(clickhouse="chdb:///unused"))
    with TestClient(app, client=LOCAL) as client:
        answers = [client.post("/api/v1/scores", json=GOOD), client.delete(f"/api/v1/scores/{'ab' * 16}")]
        assert client.get("/api/v1/scores").status_code == 200

    assert all("SPANWISE_ROLE" in read_problem(answer, 501, "no-log").detail for answer in answers)


def test_a_key_is_needed_as_for_otlp(keyed: tuple[World, str]) -> None:
    """401 without one, before the body is looked at; with one, only its own projects can be written to."""
    world, secret = keyed
    nobody = world.client.post("/api/v1/scores", content=b"no json")
    elsewhere = world.post(GOOD, project="bank", x_api_key=secret)

    assert nobody.headers["WWW-Authenticate"] == 'Bearer realm="spanwise"'
    read_problem(nobody, 401, "no-key")
    read_problem(elsewhere, 403, "not-allowed")
    assert world.log.records == {}
    for project in ("", "lab"):
        assert world.post(GOOD, project=project, x_api_key=secret).status_code == 202
    world.land()
    assert [len(world.found(name)) for name in ("shop", "lab", "default", "bank")] == [1, 1, 0, 0]


def test_a_score_is_taken_back(world: World) -> None:
    """It is in no list and in no trace any more, as if the log were read anew; another project's stays."""
    kept, gone = world.stored([GOOD, GOOD | {"name": "wrong"}])
    (other,) = world.stored(GOOD, project="lab")
    assert world.client.delete(f"/api/v1/scores/{gone}").status_code == 202
    world.land()

    assert world.found() == [("helpful", 0.5, "")]
    read_problem(world.client.delete(f"/api/v1/scores/{gone}"), 404, "not-found")
    read_problem(world.client.delete(f"/api/v1/scores/{other}"), 404, "not-found")
    assert (len(world.found("lab")), world.stored(GOOD | {"score_id": gone})) == (1, [gone])
    assert len(world.found()) == 2
    assert kept != gone


def test_filters(world: World) -> None:
    """Each alone; of one filter the values are alternatives."""
    world.stored(
        [
            GOOD | {"evaluator": "rules"},
            {"name": "thumbs", "value": "down", "trace_id": "cd" * 16, "span_id": "ef" * 8, "source": "user"},
            {"name": "resolved", "value": True, "session_id": "s-1", "source": "human", "evaluator": "anna"},
            GOOD | {"name": "old", "value": 1, "time": "2026-03-10T02:00:00Z"},
        ]
    )
    world.stored(GOOD | {"name": "other"}, project="lab")

    def names(**params: Any) -> set[str]:
        return {name for name, _, _ in world.found(**params)}

    assert names() == {"helpful", "thumbs", "resolved", "old"}
    assert names(name=["helpful", "thumbs", "other"]) == {"helpful", "thumbs"}
    assert names(source=["person", "user"]) == {"resolved", "thumbs"}
    assert names(evaluator="anna") == {"resolved"}
    assert names(trace_id=TRACE.upper()) == {"helpful", "old"}
    assert names(span_id="ef" * 8) == {"thumbs"}
    assert names(session="s-1") == {"resolved"}
    assert names(label="down") == {"thumbs"}
    assert names(min_value=0.6) == {"resolved", "old"}
    assert names(max_value=0.6) == {"helpful"}
    assert names(**{"from": "2026-03-10T12:00:00Z"}) == {"helpful", "thumbs", "resolved"}


def test_pages(world: World) -> None:
    """Pages together are the list, newest first, each score once, also of one instant."""
    world.stored([GOOD | {"name": f"n{number}", "time": "2026-03-10T12:00:00Z"} for number in range(5)])
    whole = world.found()
    pages, cursor = [], None
    while True:
        answer = world.client.get("/api/v1/scores", params={"limit": 2, **({"cursor": cursor} if cursor else {})})
        page = ScorePage.model_validate_json(answer.content)
        pages += [(one.name, one.value, one.label) for one in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert (pages, len(whole)) == (whole, 5)
