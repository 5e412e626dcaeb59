"""Annotation over HTTP and the real engine: queues, claims, reviews that become scores, corrections."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from spanwise_collector.api.annotating import make_annotating
from spanwise_collector.api.app import create_app
from spanwise_collector.api.curated import make_curated
from spanwise_collector.receive.errors import NotTakenError, Reason
from spanwise_collector.settings import Settings
from spanwise_collector.store.database import Database
from spanwise_schemas.api_annotations import CorrectionPage, Item, ItemPage, Next, QueueInfo, QueuePage
from spanwise_schemas.api_scores import ScorePage
from tests.support.receiving import MemoryLog
from tests.support.rows import T0, Span, insert
from tests.support.scoring import land, sending
from tests.unit.collector.api.test_api import read_problem

BASE = "/api/v1/annotations"
QUESTIONS = [
    {"name": "correct"},
    {"name": "tone", "kind": "categories", "categories": ["warm", "cold"]},
    {"name": "stars", "kind": "number", "minimum": 1, "maximum": 5},
]
QUEUE: dict[str, Any] = {
    "name": "Answers",
    "instructions": "Read the answer.",
    "questions": QUESTIONS,
    "random_share": 1.0,
    "second_share": 0.0,
    "delay_minutes": 0,
}


@dataclass
class World:
    """An API with three traces; its clock stands still until a test moves it."""

    database: Database
    log: MemoryLog = field(default_factory=MemoryLog)
    now: datetime = T0 + timedelta(minutes=30)

    def __post_init__(self) -> None:
        ids = (f"{number:016x}" for number in itertools.count(1))
        settings = Settings(clickhouse="chdb:///unused")
        app = create_app(
            database=self.database,
            settings=settings,
            scores=sending(self.log, now=lambda: self.now).scores,
            annotating=make_annotating(self.database, now=lambda: self.now, new_id=lambda: next(ids)),
            curated=make_curated(self.database, now=lambda: self.now, new_id=lambda: next(ids), timeout_s=30.0),
            clock=lambda: self.now + timedelta(hours=1),
        )
        self.client = TestClient(app)

    def ask(self, method: str, path: str, body: Any = None, *, project: str = "default", **params: Any) -> Any:
        """One request."""
        return self.client.request(method, f"{BASE}{path}", json=body, params={"project": project, **params})

    def make(self, **change: Any) -> QueueInfo:
        """A queue."""
        answer = self.ask("POST", "/queues", {"queue": QUEUE | change, "by": "ada"})
        assert answer.status_code == 201, answer.text
        return QueueInfo.model_validate_json(answer.content)

    def next(self, queue: QueueInfo, reviewer: str) -> Item | None:
        """The reviewer's item."""
        answer = self.ask("POST", f"/queues/{queue.queue_id}/next", {"reviewer": reviewer})
        assert answer.status_code == 200, answer.text
        return Next.model_validate_json(answer.content).item

    def trace(self, queue: QueueInfo, reviewer: str) -> int | None:
        """Number of the trace that is the reviewer's."""
        item = self.next(queue, reviewer)
        return None if item is None else int(item.trace_id, 16)

    def review(self, item: Item, reviewer: str, answers: Any, **said: Any) -> Any:
        """Say something of an item; a second later."""
        self.now += timedelta(seconds=1)
        body = {"reviewer": reviewer, "answers": answers, **said}
        return self.ask("POST", f"/queues/{item.queue_id}/items/{item.item_id}/reviews", body)

    def read(self, queue: QueueInfo) -> QueueInfo:
        """The queue now."""
        return QueueInfo.model_validate_json(self.ask("GET", f"/queues/{queue.queue_id}").content)

    def scores(self) -> list[Any]:
        """What ingest stores, read back."""
        land(self.log, self.database, self.now)
        return list(ScorePage.model_validate_json(self.client.get("/api/v1/scores").content).items)


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    """With traces 1 to 3 of one second each, and one of another project."""
    insert(database, [Span(trace=number, span=number, at_ms=number * 1000) for number in (1, 2, 3)])
    insert(database, [Span(trace=8, span=8, project="lab")])
    world = World(database)
    with world.client:
        yield world


def test_a_queue_is_made_read_changed_and_deleted(world: World) -> None:
    """It is filled when it is made; other projects do not see it."""
    made = world.make()
    page = QueuePage.model_validate_json(world.ask("GET", "/queues").content)
    read = world.read(made)
    filled = world.now
    world.now += timedelta(seconds=1)
    changed = world.ask("PUT", f"/queues/{made.queue_id}", {"queue": QUEUE | {"name": "Renamed"}, "by": "bob"})

    assert (made.progress.items, made.progress.open, made.by, made.filled_to) == (3, 3, "ada", filled)
    assert (page.items, read, changed.status_code) == ([made], made, 200)
    assert (world.read(made).queue.name, world.read(made).by) == ("Renamed", "bob")
    assert QueuePage.model_validate_json(world.ask("GET", "/queues", project="lab").content).items == []
    for method, path, body in (
        ("GET", "", None),
        ("PUT", "", {"queue": QUEUE}),
        ("DELETE", "", None),
        ("POST", "/fill", None),
        ("GET", "/items", None),
        ("POST", "/next", {"reviewer": "eve"}),
        ("POST", f"/items/{'0' * 32}/reviews", {"reviewer": "eve", "answers": {"correct": True}}),
    ):
        answer = world.ask(method, f"/queues/{made.queue_id}{path}", body, project="lab")
        read_problem(answer, 404, "not-found")
    world.now += timedelta(seconds=1)
    assert world.ask("DELETE", f"/queues/{made.queue_id}").status_code == 204
    read_problem(world.ask("GET", f"/queues/{made.queue_id}"), 404, "not-found")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"questions": []}, "questions"),
        ({"questions": [{"name": "a"}, {"name": "a"}]}, "two `questions` have the same name"),
        ({"questions": [{"name": "a", "kind": "categories", "categories": ["x"]}]}, "at least two, all different"),
        ({"questions": [{"name": "a", "kind": "number", "minimum": 5, "maximum": 5}]}, "`minimum` must be below"),
        ({"random_share": 0}, "would stay empty"),
        ({"rules": [{"name": "r"}]}, "a rule needs a condition"),
        ({"rules": [{"name": "r", "score": "s"}]}, "`score` needs a limit"),
        ({"rules": [{"name": "r", "below": 1}]}, "limits of a `score`"),
        ({"randm_share": 1}, "randm_share"),
    ],
)
def test_a_queue_that_makes_no_sense_is_refused(world: World, change: dict[str, Any], words: str) -> None:
    """422 names what is wrong."""
    answer = world.ask("POST", "/queues", {"queue": QUEUE | change})

    assert words in read_problem(answer, 422, "invalid-parameters").detail


def test_two_people_never_have_the_same_item(world: World) -> None:
    """Each gets the next that nobody has, and the same again on asking again; with none left, none."""
    queue = world.make()

    assert [world.trace(queue, name) for name in ("ada", "bob", "ada", "cyd", "dan")] == [1, 2, 1, 3, None]
    found = ItemPage.model_validate_json(world.ask("GET", f"/queues/{queue.queue_id}/items").content).items
    assert [(item.state, item.claimed_by) for item in found] == [("claimed", name) for name in ("ada", "bob", "cyd")]
    assert (world.read(queue).progress.open, world.read(queue).progress.claimed) == (3, 3)


def test_a_claim_runs_out(world: World) -> None:
    """After a quarter of an hour another gets the item; who comes late has lost it, and is told so."""
    queue = world.make()
    mine = world.next(queue, "ada")
    assert mine is not None
    world.now += timedelta(minutes=16)

    assert world.trace(queue, "bob") == 1
    assert world.trace(queue, "ada") == 2
    assert world.review(mine, "bob", {"correct": True}).status_code == 200
    read_problem(world.review(mine, "ada", {"correct": False}), 409, "taken")
    assert len(world.scores()) == 1


def test_a_review_becomes_scores(world: World) -> None:
    """One per answer, of the trace, with the reviewer, the comment, the chance and the stratum; then comes the next."""
    queue = world.make()
    item = world.next(queue, "ada")
    assert item is not None
    answer = world.review(item, "ada", {"correct": False, "tone": "cold", "stars": 2}, comment="Wrong order number.")

    assert Item.model_validate_json(answer.content).state == "done"
    assert {
        (one.name, one.value, one.label, one.source, one.evaluator, one.explanation, one.stratum)
        for one in world.scores()
    } == {
        ("correct", 0.0, "false", "human", "ada", "Wrong order number.", "random"),
        ("tone", None, "cold", "human", "ada", "Wrong order number.", "random"),
        ("stars", 2.0, "", "human", "ada", "Wrong order number.", "random"),
    }
    assert {(one.target, one.trace_id, one.inclusion_probability) for one in world.scores()} == {
        ("trace", f"{1:032x}", 1.0)
    }
    assert world.trace(queue, "ada") == 2
    progress = world.read(queue).progress
    assert (progress.done, progress.open, progress.reviewers[0].done) == (1, 2, 1)


def test_a_second_look_replaces_the_first(world: World) -> None:
    """Of one reviewer and item the last word holds, in the scores and in the queue."""
    queue = world.make()
    item = world.next(queue, "ada")
    assert item is not None
    world.review(item, "ada", {"correct": True}, correction="As it was.")
    world.scores()
    world.review(item, "ada", {"correct": False})

    assert [(one.name, one.value) for one in world.scores()] == [("correct", 0.0)]
    assert world.read(queue).progress.done == 1
    assert CorrectionPage.model_validate_json(world.ask("GET", "/corrections").content).items == []


def test_two_reviewers_on_a_share(world: World) -> None:
    """Such an item goes to two people, never twice to one; how far they agree is told."""
    queue = world.make(second_share=1.0, questions=[{"name": "correct"}])
    said = {1: (True, True), 2: (False, False), 3: (True, False)}
    for turn, reviewer in enumerate(("ada", "bob")):
        for number in (1, 2, 3):
            item = world.next(queue, reviewer)
            assert item is not None
            assert int(item.trace_id, 16) == number
            world.review(item, reviewer, {"correct": said[number][turn]})
        assert world.trace(queue, reviewer) is None

    progress = world.read(queue).progress
    (agreement,) = progress.agreement
    assert (progress.done, agreement.pairs, agreement.agreed) == (3, 3, 2)
    # Of 6 answers 3 are yes: expected one half; (2/3 - 1/2) / (1/2).
    assert agreement.kappa == pytest.approx(1 / 3)
    assert world.trace(queue, "cyd") is None


def test_at_most_two_at_once_where_two_are_wanted(world: World) -> None:
    """While one of two has said it and the other is at it, a third gets another item."""
    queue = world.make(second_share=1.0)
    first = world.next(queue, "ada")
    assert first is not None
    assert world.trace(queue, "bob") == 1
    world.review(first, "ada", {"correct": True})

    assert world.trace(queue, "cyd") == 2


def test_an_item_is_skipped(world: World) -> None:
    """Without an answer it counts as passed and gives no score; the same person does not get it again."""
    queue = world.make()
    item = world.next(queue, "ada")
    assert item is not None
    answer = world.review(item, "ada", {}, comment="Not my language.")

    assert Item.model_validate_json(answer.content).state == "skipped"
    assert (world.scores(), world.trace(queue, "ada"), world.trace(queue, "bob")) == ([], 2, 3)
    assert world.read(queue).progress.skipped == 1


def test_a_correction_is_kept(world: World) -> None:
    """What the output should have been, by whom; only in its project."""
    queue = world.make()
    item = world.next(queue, "ada")
    assert item is not None
    world.review(item, "ada", {"correct": False}, correction="  Your order is on its way. ", comment="Too long.")

    (found,) = CorrectionPage.model_validate_json(world.ask("GET", "/corrections").content).items
    assert found.model_dump() == {
        "trace_id": f"{1:032x}",
        "span_id": "",
        "queue_id": queue.queue_id,
        "by": "ada",
        "output": "Your order is on its way.",
        "comment": "Too long.",
        "time": world.now,
    }
    for params in ({"project": "lab"}, {"queue_id": "0" * 16}):
        assert CorrectionPage.model_validate_json(world.ask("GET", "/corrections", **params).content).items == []


def test_corrections_become_items_of_a_dataset(world: World) -> None:
    """Input, what should have been answered, what was; taken again nothing changes, corrected anew the item does."""
    insert(
        world.database,
        [
            Span(trace=1, span=11, parent=1, at_ms=900, input="not me"),
            Span(trace=5, span=5, at_ms=5000, input="Where is my order?", output="No idea.", session="s1"),
        ],
    )
    queue = world.make()
    world.client.post("/api/v1/datasets", json={"name": "faq"})
    by_trace = {item.trace_id: item for item in (world.next(queue, name) for name in "abcd") if item is not None}
    world.review(by_trace[f"{5:032x}"], "ada", {"correct": False}, correction="It is on its way.", comment="Rude.")
    world.review(by_trace[f"{1:032x}"], "ada", {"correct": False}, correction="Its input is not stored.")

    def taken(**params: Any) -> dict[str, Any]:
        answer = world.client.post("/api/v1/datasets/faq/from-corrections", params=params)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return {name: found[name] for name in ("version", "items", "added", "changed", "unchanged", "skipped")}

    none = dict.fromkeys(("items", "added", "changed", "unchanged", "skipped"), 0)
    assert taken(queue_id="0" * 16) == {**none, "version": 0}
    assert taken() == {**none, "version": 1, "items": 1, "added": 1, "skipped": 1}
    assert taken() == {**none, "version": 1, "items": 1, "unchanged": 1, "skipped": 1}
    (item,) = world.client.get("/api/v1/datasets/faq/items").json()["items"]
    assert (item["input"], item["expected"], item["rejected"], item["group"], item["trace_id"], item["metadata"]) == (
        "Where is my order?",
        "It is on its way.",
        "No idea.",
        "s1",
        f"{5:032x}",
        {"name": "step", "environment": "prod", "release": "v1", "corrected_by": "ada", "comment": "Rude."},
    )

    world.review(by_trace[f"{5:032x}"], "ada", {"correct": False}, correction="It comes today.")
    assert taken(queue_id=queue.queue_id) == {**none, "version": 2, "items": 1, "changed": 1, "skipped": 1}


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"corect": True}, "asks nothing named 'corect'; it asks correct, tone, stars"),
        ({"correct": 1}, "correct: answer true or false"),
        ({"tone": "hot"}, "tone: answer one of warm, cold"),
        ({"stars": 6}, "stars: answer a number from 1 to 5"),
        ({"stars": True}, "stars: answer a number from 1 to 5"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused(world: World, answers: dict[str, Any], words: str) -> None:
    """400 says what fits; nothing is written."""
    item = world.next(world.make(), "ada")
    assert item is not None

    assert words in read_problem(world.review(item, "ada", answers), 400, "bad-request").detail
    assert world.log.records == {}


def test_a_review_is_taken_only_when_kafka_has_its_scores(world: World) -> None:
    """While Kafka is away the item stays the reviewer's, and saying it again works."""
    queue = world.make()
    item = world.next(queue, "ada")
    assert item is not None
    world.log.away = NotTakenError(Reason.AWAY, "Kafka is away.")
    read_problem(world.review(item, "ada", {"correct": True}), 503, "log-unavailable")

    assert world.trace(queue, "ada") == 1
    world.log.away = None
    assert world.review(item, "ada", {"correct": True}).status_code == 200
    assert len(world.scores()) == 1


def test_without_the_role_otlp_nothing_can_be_reviewed(database: Database, world: World) -> None:
    """501 names the role; reading and claiming work."""
    item = world.next(world.make(), "ada")
    assert item is not None
    world.client.app.state.scores = None  # type: ignore[attr-defined]

    answer = world.review(item, "ada", {"correct": True})
    assert "SPANWISE_ROLE" in read_problem(answer, 501, "no-log").detail
