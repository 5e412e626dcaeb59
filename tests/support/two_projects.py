"""Two projects with everything that Spanwise stores, behind the whole API, and keys of all sorts."""

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from fastapi.testclient import TestClient

from spanwise_collector.api.annotating import make_annotating
from spanwise_collector.api.app import create_app
from spanwise_collector.api.curated import make_curated
from spanwise_collector.api.sql_evaluating import SqlEvaluating
from spanwise_collector.erase.book import ErasureBook
from spanwise_collector.erase.eraser import Eraser
from spanwise_collector.erasing import ForApi
from spanwise_collector.exports.runs import Runs
from spanwise_collector.failures.issue_book import IssueBook
from spanwise_collector.receive.access import Doorkeeper
from spanwise_collector.receive.keys import Key, KeyRing, Scope, new_key
from spanwise_collector.reprice.jobs import RepriceJobs
from spanwise_collector.reprice.repricer import Repricer
from spanwise_collector.settings import Settings
from spanwise_collector.sql_access.running import SqlLimits, SqlRunner
from spanwise_collector.store.amend import Amender
from spanwise_collector.store.database import Database
from tests.support.alert_events import happened
from tests.support.alerting import make_alerting
from tests.support.failure_rows import Failed, insert_failures
from tests.support.receiving import MemoryLog
from tests.support.rows import T0, insert, llm, span_id, trace_id
from tests.support.score_rows import Scored, insert_scores
from tests.support.scoring import sending
from tests.support.sql_evals import Parts

AT: Final = T0 + timedelta(minutes=30)
VICTIM: Final = "alpha"
OTHER: Final = "beta"
CANARY: Final = "canary-alpha"
"""Stands in everything that the victim has stored, and nowhere else."""
_NUMBERS: Final = {VICTIM: 1_000, OTHER: 2_000}
REMOTE: Final = ("203.0.113.7", 50_000)
SCOPES: Final[tuple[Scope, ...]] = ("ingest", "read", "admin")


@dataclass(frozen=True)
class World:
    """The API of a collector with two projects.

    Attributes:
        client: asks it from another machine.
        log: to which scores are written.
        secrets: of keys, by project (`*` for all) and scopes.
        ids: of what the victim has stored, by what it is.
    """

    client: TestClient
    log: MemoryLog
    secrets: dict[tuple[str, tuple[Scope, ...]], str]
    ids: dict[str, str] = field(default_factory=dict)

    def secret(self, project: str, *scopes: Scope) -> str:
        """Of the key of a project with exactly these scopes; all of them where none are named."""
        return self.secrets[project, scopes or SCOPES]

    def ask(
        self,
        method: str,
        path: str,
        secret: str,
        *,
        params: Any = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """One request with a key; none where it is empty."""
        shown = {"authorization": f"Bearer {secret}"} if secret else {}
        return self.client.request(
            method, path.format(**self.ids), params=params, json=json, headers={**shown, **(headers or {})}
        )


@contextmanager
def two_projects(database: Database, directory: Path) -> Iterator[World]:
    """The world over an empty database.

    Args:
        database: empty.
        directory: for files.
    """
    log = MemoryLog()
    made: dict[tuple[str, tuple[Scope, ...]], tuple[Key, str]] = {
        (project, scopes): new_key(projects=[project], scopes=scopes, created=T0, expires=None, note="")
        for project in (VICTIM, OTHER, "*")
        for scopes in (SCOPES, *((one,) for one in SCOPES), ("ingest", "admin"), ("read", "admin"), ("ingest", "read"))
    }
    ring = KeyRing(key for key, _ in made.values())
    doorkeeper = Doorkeeper(lambda: ring, lambda: AT)
    parts = Parts(database, now=AT)
    ids = (f"{number:016x}" for number in itertools.count(1))
    amender = Amender(database, owner="test", now=lambda: AT)
    jobs = RepriceJobs(Repricer(database, amender))
    book = ErasureBook(database, "test", lambda: AT)
    erasing = ForApi(book, Eraser(database, book, amender), lambda: AT, lambda: next(ids))
    app = create_app(
        database=database,
        settings=Settings(clickhouse="chdb:///unused"),
        reprice=jobs,
        alerting=make_alerting(database, _alerts_file(directory), now=lambda: AT),
        issues=IssueBook(database, lambda: AT),
        scores=sending(log, now=lambda: AT, doorkeeper=doorkeeper).scores,
        annotating=make_annotating(database, now=lambda: AT, new_id=lambda: next(ids)),
        curated=make_curated(database, now=lambda: AT, new_id=lambda: next(ids), timeout_s=30),
        sql=SqlRunner(database, SqlLimits()),
        sql_evaluating=SqlEvaluating(parts.definitions, parts.jobs, worker=lambda: "collector-1"),
        doorkeeper=doorkeeper,
        erasing=erasing,
        clock=lambda: AT,
    )
    with TestClient(app, client=REMOTE) as client:
        world = World(client, log, {named: secret for named, (_, secret) in made.items()})
        for project in (VICTIM, OTHER):
            _fill_store(database, project)
            found = _fill_api(world, project)
            if project == VICTIM:
                world.ids.update(found)
        jobs.stop()
        yield world


def _alerts_file(directory: Path) -> Path:
    path = directory / "alerts.toml"
    path.write_text('[[channels]]\nname = "hook"\ntype = "webhook"\nurl = "https://example.com/hook"\n')
    return path


def _fill_store(database: Database, project: str) -> None:
    """What ingest, evaluating and exporting leave."""
    word, number = f"canary-{project}", _NUMBERS[project]
    insert(
        database,
        [
            llm(
                trace=number + at,
                span=number + at,
                project=project,
                name=f"{word}-name",
                model=f"{word}-model",
                user=f"{word}-user",
                session=f"{word}-session",
                release=f"{word}-release",
                env=f"{word}-env",
                tags=(f"{word}-tag",),
                prompt=(f"{word}-prompt", "1"),
                provider=f"{word}-provider",
                input=f"{word} asks",
                output=f"{word} answers",
                at_ms=at * 1000.0,
                failure=("rate_limit", "", f"{word} failed", number) if at == 0 else ("", "", "", 0),
                status="error" if at == 0 else "ok",
                tool=f"{word}-tool",
            )
            for at in range(20)
        ],
    )
    insert_failures(
        database,
        [
            Failed(
                fingerprint=number + 1 + at,
                trace=number,
                span=number,
                title=f"{word} failed {at}",
                message=f"{word} message",
                name=f"{word}-name",
                release=f"{word}-release",
                project=project,
            )
            for at in range(3)
        ],
    )
    insert_scores(
        database,
        [
            Scored(
                trace=number + at,
                span=number + at,
                project=project,
                name=f"{word}-score",
                value=at % 2,
                explanation=f"{word} because",
                evaluator=f"{word}-{source}",
                source=source,
                session=f"{word}-session",
                zero=T0,
            )
            for at in range(20)
            for source in ("llm", "human")
        ],
    )
    happened(database, number, "firing", project=project, rule_name=f"{word}-rule", top_cause=f"{word}-cause")
    Runs(database, lambda: AT).keep(project, f"{word}-export", "2026-03-09", f"{word}.parquet", rows=1)


def _fill_api(world: World, project: str) -> dict[str, str]:
    """What people leave, by the API; ids of all that a project has."""
    word, number = f"canary-{project}", _NUMBERS[project]
    secret = world.secret(project)

    def send(method: str, path: str, body: Any) -> dict[str, Any]:
        answer = world.ask(method, path, secret, json=body)
        assert answer.status_code in (200, 201, 202), answer.text
        found: dict[str, Any] = answer.json()
        return found

    send("POST", "/api/v1/datasets", {"name": f"{word}-set", "description": word})
    items = [
        {"item_id": f"i{at}", "input": f"{word} {at}", "expected": word, "rejected": f"{word}!"} for at in range(3)
    ]
    send("POST", f"/api/v1/datasets/{word}-set/changes", {"put": items})
    queue = {"name": f"{word}-queue", "questions": [{"name": "good", "kind": "yes_no"}], "random_share": 1}
    queue_id = send("POST", "/api/v1/annotations/queues", {"queue": queue})["queue_id"]
    send("POST", f"/api/v1/annotations/queues/{queue_id}/fill", None)
    item = send("POST", f"/api/v1/annotations/queues/{queue_id}/next", {"reviewer": word})["item"]
    review = {"reviewer": word, "answers": {"good": True}, "correction": f"{word} corrected", "comment": word}
    send("POST", f"/api/v1/annotations/queues/{queue_id}/items/{item['item_id']}/reviews", review)
    rule = {"name": f"{word}-rule", "type": "threshold", "signal": "error_rate", "above": 0.5}
    send("PUT", f"/api/v1/rules/{word}-rule", {"rule": rule})
    silence = {"reason": word, "starts_at": T0.isoformat(), "ends_at": (T0 + timedelta(days=1)).isoformat()}
    silence_id = send("POST", "/api/v1/silences", silence)["silence_id"]
    sql = {"name": f"{word}-sql", "expression": "length(output)", "description": word}
    job = send("POST", "/api/v1/evals/sql", sql)["backfill"]["id"]
    for name in ("a", "b"):
        draft = {"experiment_id": f"{word}-{name}", "name": f"{word} {name}", "dataset": f"{word}-set", "items": 3}
        send("POST", "/api/v1/experiments", draft)
        results = [
            {"item_id": f"i{at}", "input": f"{word} {at}", "output": f"{word} {name}", "scores": {"right": at % 2}}
            for at in range(3)
        ]
        send("POST", f"/api/v1/experiments/{word}-{name}/results", {"results": results})
    everything = world.secret("*")
    window = {"from": T0.isoformat(), "to": AT.isoformat()}
    reprice = world.ask("POST", "/api/v1/reprice", everything, json={**window, "project": project}).json()["id"]
    score = world.ask("GET", "/api/v1/scores", secret).json()["items"][0]["score_id"]
    issue = world.ask("GET", "/api/v1/failures", secret).json()["items"][0]["issue_id"]
    erased = send("POST", "/api/v1/erasures", {"user": f"{word}-nobody"})
    return {
        "erasure": erased["id"],
        "trace_id": trace_id(number).hex(),
        "span_id": span_id(number).hex(),
        "score_id": score,
        "issue": issue,
        "queue_id": queue_id,
        "item_id": item["item_id"],
        "rule_id": f"{word}-rule",
        "alert_id": f"{number:016x}",
        "silence_id": silence_id,
        "dataset": f"{word}-set",
        "experiment_id": f"{word}-a",
        "other_experiment": f"{word}-b",
        "job": job,
        "reprice": reprice,
        "name": f"{word}-sql",
        "word": word,
    }
