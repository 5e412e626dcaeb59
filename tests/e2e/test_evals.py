"""Scores of the role `evals`: from an application through Kafka, an evaluator and a judge, to the API."""

import json
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from spanwise_collector.cli.http import get
from spanwise_collector.embedded.broker import free_port
from spanwise_schemas.wire import LOGS_TOPIC, SPANS_TOPIC
from tests.support.brokers import ON_KAFKA, make_topic
from tests.support.judge_server import JudgeServer, Reply, judge_server, verdict
from tests.support.running import ROOT, Command, ask, clean_environ, command, eventually, run_program, traces

EXAMPLE = ROOT / "examples" / "judge"
PROGRAM = """
import spanwise

spanwise.init(environment="test", release="9.9.9", service="shop")

@spanwise.observe(name="search", kind="retriever")
def search(question: str) -> list[str]:
    return ["Order 10482: shipped on Monday"]

@spanwise.observe(name="assistant", kind="chain")
def assistant(question: str, answer: str) -> str:
    search(question)
    with spanwise.span("ask", kind="llm") as span:
        span.set_input([{"role": "user", "content": question}])
        span.set_model("gpt-4.1-mini", provider="openai")
        span.set_usage(input_tokens=1000, output_tokens=100)
        span.set_output({"role": "assistant", "content": answer})
    return answer

assistant("Where is my order 10482?", "Order 10482 is on its way.")
assistant("Where is my order 10482?", "We have no idea.")
assert spanwise.flush(60)
"""


def evals_file(directory: Path, server: JudgeServer, project: str) -> Path:
    """The example's files, for this test's endpoint and project; every call is judged."""
    shutil.copytree(EXAMPLE, directory)
    path = directory / "evals.toml"
    text = path.read_text().replace("http://127.0.0.1:11434/v1", server.url).replace('"default"', f'"{project}"')
    path.write_text(text.replace("sample = 0.05", "sample = 1.0"))
    return path


def answer(body: dict[str, Any]) -> Reply:
    """A judge that fails who has no idea."""
    shown = json.loads(body["messages"][1]["content"])
    if "no idea" in shown["output"]:
        return verdict("fail", "It says nothing.")
    return verdict("pass", f"It says where the order is; context: {shown.get('context', [{}])[0].get('text', '')}")


@contextmanager
def collector(kafka: str, project: str, evals: Path, directory: Path, port: int) -> Iterator[Command]:
    """A collector with all roles."""
    with command(
        "spanwise_collector.cli",
        "collector",
        "--port",
        str(port),
        output=directory / f"collector-{uuid.uuid4().hex}.log",
        SPANWISE_KAFKA=kafka,
        SPANWISE_CLICKHOUSE=f"chdb://{directory / 'engine'}",
        SPANWISE_ASSIGNMENT="group" if ON_KAFKA else "static",
        SPANWISE_GROUP=project,
        SPANWISE_EVALS_FILE=str(evals),
        SPANWISE_PRICES_FILE=str(evals.with_name("prices.toml")),
        PYTHONPATH=str(evals.parent),
    ) as running:

        def is_ready() -> bool | None:
            assert running.process.poll() is None, running.output
            answered = get(f"http://127.0.0.1:{port}/readyz")
            return True if answered is not None and answered.status == 200 else None

        eventually(is_ready, what="the collector")
        yield running


def scored(base: str, project: str, count: int) -> dict[str, list[tuple[Any, ...]]]:
    """Scores of the project's traces, by the answer in them, as soon as each has so many."""

    def read() -> dict[str, list[tuple[Any, ...]]] | None:
        found = {}
        for summary in traces(base, project, 2):
            trace = ask(base, f"/api/v1/traces/{summary['trace_id']}", project=project)
            [call] = [span for span in trace["spans"] if span["kind"] == "llm"] or [None]
            if call is None or len(trace["scores"]) < count:
                return None
            assert {score["span_id"] for score in trace["scores"]} == {call["span_id"]}
            found[call["output_preview"]] = sorted(
                (one["name"], one["value"], one["label"], one["explanation"], one["source"], one["evaluator"])
                for one in trace["scores"]
            )
        return found

    return eventually(read, what=f"{count} scores per trace")


def test_answers_are_scored_as_they_come(kafka_bootstrap: str, tmp_path: Path) -> None:
    """Evaluator and judge score each call once; judging is traced, priced, counted; a restart judges nothing again."""
    project, port = f"evals-{uuid.uuid4().hex}", free_port()
    base = f"http://127.0.0.1:{port}"
    with judge_server() as server:
        server.answer = answer
        evals = evals_file(tmp_path / "evals", server, project)
        with collector(kafka_bootstrap, project, evals, tmp_path, port) as first:
            run_program(PROGRAM, SPANWISE_KAFKA=kafka_bootstrap, SPANWISE_PROJECT=project)
            found = scored(base, project, 2)
            judging = traces(base, f"{project}-judge", 2)

            def told() -> dict[str, Any] | None:
                answered = ask(base, "/api/v1/evals/judging", project=project)
                by = {one["judge"]: one for one in answered["items"]}
                return answered if by.get("helpful", {}).get("outcomes", {}).get("scored") == 2 else None

            told_of = eventually(told, what="the counts")
            assert first.interrupt() == 0, first.output
        requests = len(server.requests)
        with collector(kafka_bootstrap, project, evals, tmp_path, port) as second:

            def caught_up() -> bool | None:
                process = ask(base, "/api/v1/evals/judging", project=project)["process"]
                return True if process["running"] and process["lag"] == 0 else None

            eventually(caught_up, what="evals after the restart")
            again = scored(base, project, 2)
            assert second.interrupt() == 0, second.output

    good, bad = "Order 10482 is on its way.", "We have no idea."
    reason = "It says where the order is; context: Order 10482: shipped on Monday"
    assert found == {
        good: [
            ("cites_an_order", 1.0, "", "", "code", "cites_an_order"),
            ("helpful", 1.0, "pass", reason, "llm", "helpful"),
        ],
        bad: [
            ("cites_an_order", 0.0, "", "", "code", "cites_an_order"),
            ("helpful", 0.0, "fail", "It says nothing.", "llm", "helpful"),
        ],
    }
    assert again == found
    judged = [one for one in server.requests if json.loads(one["messages"][1]["content"])["output"] in (good, bad)]
    assert len(judged) == 2, "one call for each answer"
    # 5 cents and 20 cents per million tokens.
    charged = sum(tokens_in * 50 + tokens_out * 200 for tokens_in, tokens_out in server.charged)
    assert sum(one["cost_nanousd"] for one in traces_of(judging)) <= charged
    assert {one["name"] for one in judging} == {"judge helpful"}
    by_name = {one["judge"]: one for one in told_of["items"]}
    assert by_name["cites_an_order"]["outcomes"] == {"scored": 2}
    assert by_name["helpful"]["budget"]["limit_nanousd"] == 2_000_000_000
    assert requests >= 2


def test_a_judge_that_never_answers_holds_up_nothing(kafka_bootstrap: str, tmp_path: Path) -> None:
    """Spans are stored while the judge hangs; a stop is not held up, and the next start scores what was not scored."""
    project, port = f"evals-{uuid.uuid4().hex}", free_port()
    base = f"http://127.0.0.1:{port}"
    with judge_server() as server:
        server.plan(Reply(hang=True))
        evals = evals_file(tmp_path / "evals", server, project)
        evals.write_text(evals.read_text().replace('anchors = "anchors.jsonl"', "timeout_seconds = 600"))
        with collector(kafka_bootstrap, project, evals, tmp_path, port) as first:
            run_program(PROGRAM, SPANWISE_KAFKA=kafka_bootstrap, SPANWISE_PROJECT=project)
            assert len(traces(base, project, 2)) == 2
            eventually(lambda: len(server.requests) >= 2 or None, what="calls of the judge")

            def lag() -> int | None:
                process = ask(base, "/api/v1/evals/judging", project=project)["process"]
                return process["lag"] or None if process["running"] else None

            eventually(lag, what="a lag that tells of it")
            assert first.interrupt() == 0, first.output
            assert "did not end" not in first.output
        server.answer = answer
        with collector(kafka_bootstrap, project, evals, tmp_path, port) as second:
            found = scored(base, project, 2)
            assert second.interrupt() == 0, second.output

    assert {text: [one[:2] for one in scores] for text, scores in found.items()} == {
        "Order 10482 is on its way.": [("cites_an_order", 1.0), ("helpful", 1.0)],
        "We have no idea.": [("cites_an_order", 0.0), ("helpful", 0.0)],
    }


def test_scoring_once_scores_what_is_in_kafka(kafka_bootstrap: str, tmp_path: Path) -> None:
    """Without a collector: what is in Kafka is scored, then it stops; once more it has nothing to do."""
    project = f"evals-{uuid.uuid4().hex}"
    for topic in (SPANS_TOPIC, LOGS_TOPIC):
        make_topic(kafka_bootstrap, topic)
    run_program(PROGRAM, SPANWISE_KAFKA=kafka_bootstrap, SPANWISE_PROJECT=project)
    with judge_server() as server:
        server.answer = answer
        evals = evals_file(tmp_path / "evals", server, project)

        def once() -> str:
            done = subprocess.run(
                [sys.executable, "-m", "spanwise_collector.cli", "evals", "run-once"],
                env=clean_environ(
                    SPANWISE_KAFKA=kafka_bootstrap,
                    SPANWISE_CLICKHOUSE=f"chdb://{tmp_path / 'engine'}",
                    SPANWISE_ASSIGNMENT="group" if ON_KAFKA else "static",
                    SPANWISE_GROUP=project,
                    SPANWISE_EVALS_FILE=str(evals),
                    SPANWISE_PRICES_FILE=str(evals.with_name("prices.toml")),
                    PYTHONPATH=str(evals.parent),
                ),
                cwd=ROOT,
                capture_output=True,
                text=True,
                timeout=600,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout

        first, second = once(), once()

    assert first.endswith(" records read, 4 scores sent\n"), first
    assert second.endswith(" records read, 0 scores sent\n"), second


def traces_of(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those with a cost."""
    assert all(one["cost_nanousd"] is not None for one in items)
    return items
