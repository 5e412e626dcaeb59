"""Eval scores in a real database behind the real API, for browser tests and screenshots: none, little, a lot."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import uvicorn

from spanwise_collector.api.app import create_app
from spanwise_collector.settings import Settings
from spanwise_collector.store.database import Database
from tests.support.rows import T0, Span, insert, llm
from tests.support.score_rows import Scored, human, insert_scores

HOSTILE = "<img src=x onerror=alert(1)> **bold** [link](javascript:alert(1))"
QUESTIONS = (
    ("Where is my order 10482?", "It left our warehouse yesterday and arrives on Thursday."),
    ("Can I return opened headphones?", "You can return anything at any time, no questions asked."),
    ("Does the warranty cover water damage?", "I am not sure. Please look at our website."),
    ("How do I cancel my plan?", "Open Settings, choose Plan, then Cancel. It ends with the month."),
)


@contextmanager
def serve(database: Database, now: datetime) -> Iterator[str]:
    """The collector's API over a database; yields its address."""
    app = create_app(database=database, settings=Settings(clickhouse="chdb:///unused"), clock=lambda: now)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started:
        if time.monotonic() > deadline or not thread.is_alive():
            raise RuntimeError("the API did not start")
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


def no_scores(database: Database, now: datetime) -> None:
    """A project with a trace and nothing that scores it."""
    insert(database, [replace(Span(trace=1, span=1, name="answer"), at_ms=_at(now, hours=1))])


def few_scores(database: Database, now: datetime) -> None:
    """Twelve answers of the last hours: a check on each, and two labels."""
    spans = [Span(trace=n, span=n, name="answer", at_ms=_at(now, hours=n), release="1.0") for n in range(1, 13)]
    insert(database, spans)
    scores = [
        Scored(trace=n, name="has_source", value=float(n % 4 > 0), source="code", evaluator="", at=_s(now, hours=n))
        for n in range(1, 13)
    ]
    insert_scores(
        database,
        [
            *scores,
            human(trace=1, name="has_source", at=_s(now)),
            human(trace=2, name="tone", value=None, label="rude", at=_s(now)),
        ],
    )


@dataclass(frozen=True, slots=True)
class Amount:
    """How much `many_scores` makes."""

    answers: int = 3_000
    labels: int = 400


def many_scores(database: Database, now: datetime, amount: Amount = Amount()) -> None:
    """Two weeks of answers in two releases, the second worse, with judges that are good, poor and unchecked."""
    rng = random.Random(7)
    spans: list[Span] = []
    scores: list[Scored] = []
    for number in range(1, amount.answers + 1):
        hours = 14 * 24 * (1 - number / amount.answers) + 0.2
        newer = hours < 5 * 24
        release = "2.4.0" if newer else "2.3.1"
        asked, answered = QUESTIONS[number % len(QUESTIONS)]
        if number == amount.answers:
            asked = answered = HOSTILE
        at = _at(now, hours=hours)
        env = "staging" if number % 9 == 0 else "production"
        root = Span(trace=number, span=2 * number, name="answer", at_ms=at, env=env, release=release, input=asked)
        call = llm(trace=number, span=2 * number + 1, parent=2 * number, at_ms=at, env=env, release=release)
        model = "gpt-4o-mini" if rng.random() < 0.4 else "gpt-4o"
        prompt = ("answer", "8" if newer else "7")
        spans += [replace(root, output=answered), replace(call, model=model, prompt=prompt, output=answered)]
        good = rng.random() < (0.74 if newer else 0.84) - (0.06 if model == "gpt-4o-mini" else 0)
        scores += _verdicts(number, _s(now, hours=hours), good, newer, rng, number % (amount.answers // amount.labels))
    insert(database, spans)
    insert_scores(database, scores)


def _verdicts(number: int, at: float, good: bool, newer: bool, rng: random.Random, labelled: int) -> list[Scored]:
    chance = 0.5 if good else 1.0
    judged = rng.random() < chance
    kind = float(good if rng.random() < 0.9 else not good)
    tone = float(good if rng.random() < 0.62 else not good)
    found = [
        Scored(
            trace=number,
            span=2 * number,
            name="grounded",
            value=round(rng.betavariate(8, 3 if good else 9), 3),
            source="code",
            evaluator="lexical",
            evaluator_version="3",
            at=at,
        ),
        Scored(
            trace=number,
            name="intent",
            value=None,
            source="user",
            evaluator="",
            label=rng.choice(("delivery", "delivery", "returns", "billing", "other")),
            at=at,
        ),
    ]
    if judged:
        version = "2026-11" if newer else "2026-10"
        why = (
            "Answers the question."
            if kind
            else f"Promises what the policy does not say. {HOSTILE if number % 50 == 0 else ''}"
        )
        found += [
            Scored(
                trace=number,
                name="helpful",
                value=kind,
                evaluator="gpt-4o-judge",
                evaluator_version=version,
                explanation=why,
                chance=chance,
                at=at,
            ),
            Scored(
                trace=number,
                name="polite",
                value=tone,
                evaluator="mini-judge",
                evaluator_version="1",
                at=at,
                chance=chance,
            ),
            Scored(
                trace=number,
                name="complete",
                value=float(good),
                evaluator="new-judge",
                evaluator_version="0.1",
                at=at,
                chance=chance,
            ),
        ]
    if labelled == 0:
        found += [human(trace=number, name=name, value=float(good), at=at + 60) for name in ("helpful", "polite")]
        if number % 2:
            again = float(good if rng.random() < 0.93 else not good)
            found.append(human(trace=number, name="helpful", value=again, evaluator="bob", at=at + 50))
    return found


def _s(now: datetime, *, hours: float = 0.0) -> float:
    """Seconds after `T0` of so many hours before now."""
    return (now - timedelta(hours=hours, seconds=90) - T0).total_seconds()


def _at(now: datetime, *, hours: float) -> float:
    return 1000 * _s(now, hours=hours)
