"""The main path: a decorated function in somebody's application, through Kafka, into ClickHouse, out of the API."""

import uuid
from pathlib import Path
from typing import Any

from spanwise_collector.cli.http import get
from spanwise_collector.embedded.broker import free_port
from tests.support.brokers import ON_KAFKA
from tests.support.running import ask, command, eventually, run_program, span_detail, traces

PROGRAM = """
import spanwise

spanwise.init(environment="test", release="9.9.9", service="shop")

@spanwise.observe(kind="tool")
def look_up(order: str) -> str:
    return f"{order} is on its way"

@spanwise.observe(name="assistant", kind="chain")
def assistant(question: str) -> str:
    found = look_up("10482")
    with spanwise.span("ask", kind="llm") as span:
        span.set_input([{"role": "user", "content": question}])
        span.set_model("gpt-4.1-mini", provider="openai")
        span.set_usage(input_tokens=1000, output_tokens=100, cache_read_tokens=400)
        span.set_output({"role": "assistant", "content": found})
    spanwise.score("helpful", True, trace_id=spanwise.current_span().trace_id, source="user")
    return found

with spanwise.session("s-1"), spanwise.user("ada"), spanwise.tags("web", "orders"), spanwise.prompt("answer", "v3"):
    assistant("Where is my order?")
"""

# gpt-4.1-mini, in nano-dollars a token: input 400, cached input 100, output 1600.
COST_NANOUSD = 600 * 400 + 400 * 100 + 100 * 1600


def test_a_decorated_function_becomes_a_priced_trace(kafka_bootstrap: str, tmp_path: Path) -> None:
    """What an application does is in the API as it happened: tree, context, messages, tokens, cost, score."""
    project, port = f"main-path-{uuid.uuid4().hex}", free_port()
    base = f"http://127.0.0.1:{port}"
    with command(
        "spanwise_collector.cli",
        "collector",
        "--port",
        str(port),
        output=tmp_path / "collector.log",
        SPANWISE_KAFKA=kafka_bootstrap,
        SPANWISE_CLICKHOUSE=f"chdb://{tmp_path / 'engine'}",
        SPANWISE_ASSIGNMENT="group" if ON_KAFKA else "static",
        SPANWISE_GROUP=project,
    ) as collector:

        def is_ready() -> bool | None:
            assert collector.process.poll() is None, collector.output
            answer = get(f"{base}/readyz")
            return True if answer is not None and answer.status == 200 else None

        eventually(is_ready, what="the collector")
        run_program(PROGRAM, SPANWISE_KAFKA=kafka_bootstrap, SPANWISE_PROJECT=project)
        [summary] = traces(base, project, 1)

        def complete() -> dict[str, Any] | None:
            trace = ask(base, f"/api/v1/traces/{summary['trace_id']}", project=project)
            return trace if len(trace["spans"]) == 3 and trace["scores"] else None

        trace = eventually(complete, what="all spans and the score")
        [ask_span] = [span for span in trace["spans"] if span["name"] == "ask"]
        detail = span_detail(base, project, summary["trace_id"], ask_span["span_id"])
        code = collector.interrupt()

    told = trace["summary"]
    assert code == 0
    assert {
        name: told[name] for name in ("name", "environment", "release", "user_id", "session_id", "tags", "models")
    } == {
        "name": "assistant",
        "environment": "test",
        "release": "9.9.9",
        "user_id": "ada",
        "session_id": "s-1",
        "tags": ["orders", "web"],
        "models": ["gpt-4.1-mini"],
    }
    assert (told["input_tokens"], told["output_tokens"], told["cost_nanousd"]) == (1000, 100, COST_NANOUSD)
    root = next(span for span in trace["spans"] if not span["parent_span_id"])
    assert {(span["name"], span["kind"], span["parent_span_id"]) for span in trace["spans"]} == {
        ("assistant", "chain", ""),
        ("look_up", "tool", root["span_id"]),
        ("ask", "llm", root["span_id"]),
    }
    assert [(score["name"], score["value"], score["source"]) for score in trace["scores"]] == [("helpful", 1.0, "user")]
    assert (detail["prompt_name"], detail["prompt_version"], detail["cost"]["source"]) == ("answer", "v3", "computed")
    assert "Where is my order?" in detail["input"]
    assert "10482 is on its way" in detail["output"]
