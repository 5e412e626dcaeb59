"""`make demo`, with a small history."""

import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from spanwise_collector.cli.datadir import DataDirectory
from spanwise_collector.embedded.broker import free_port
from tests.support.running import PATIENCE_S, ROOT, ask, clean_environ, command, eventually

TRACES = 300
CONVERSATIONS = 3


def _arguments(directory: Path, *options: str) -> list[str]:
    ports = ["--port", str(free_port()), "--kafka-port", str(free_port()), "--no-dashboard"]
    sizes = ["--history-traces", str(TRACES), "--conversations", str(CONVERSATIONS)]
    return ["examples.support_bot.demo", "--data-dir", str(directory), *sizes, *options, "--", *ports]


def test_the_demo_has_something_to_show_and_writes_its_history_once(tmp_path: Path) -> None:
    """Live conversations and four weeks of history are visible, with cost; a second run finds the history there."""
    data = tmp_path / "demo"
    with command(*_arguments(data), output=tmp_path / "output") as demo:
        eventually(lambda: True if "The demo is ready: " in demo.output else None, what="the demo")
        state = DataDirectory(data).read_state()
        assert state is not None
        now = datetime.now(UTC)
        overview = ask(
            state.collector,
            "/api/v1/overview",
            **{"from": (now - timedelta(days=29)).isoformat(), "to": (now + timedelta(minutes=5)).isoformat()},
        )
        pipeline = ask(state.collector, "/api/v1/pipeline")
        queues = ask(state.collector, "/api/v1/annotations/queues")["items"]
        corrected = ask(state.collector, "/api/v1/datasets/corrected-answers/items")["items"]
        live = ask(state.collector, "/api/v1/traces", environment="production", limit=200)["items"]
        code = demo.interrupt()

    answered = re.search(r"(\d+) questions answered, (\d+) failed", demo.output)
    assert answered is not None, demo.output
    questions = int(answered[1]) + int(answered[2])
    assert code == 0
    assert overview["current"]["requests"] == TRACES + questions
    models = {group["key"] for group in overview["by_model"]}
    assert {"gpt-4.1-mini", "gpt-4.1-nano", "text-embedding-3-small"} <= models
    assert overview["current"]["cost_nanousd"] > 0
    assert overview["current"]["unpriced_calls"] == 0
    totals = pipeline["totals"]
    assert (totals["rejected"], totals["duplicates"], totals["dropped"]) == (0, 0, 0)
    # Of the live producer, spans and scores are numbered together.
    assert {producer["missing_records"] for producer in pipeline["producers"]} == {0}
    assert {trace["name"] for trace in live} == {"support_bot"}
    (queue,) = queues
    reviewed = sum(reviewer["done"] for reviewer in queue["progress"]["reviewers"])
    chosen = queue["progress"]["items"]
    assert (queue["queue"]["name"], reviewed > 0) == ("Support answers", chosen > 0)
    assert reviewed <= min(6, 2 * chosen)
    # Every third review corrects an answer; of an answer that was given twice there is one item.
    assert len(corrected) <= reviewed // 3
    assert all(item["expected"] != item["rejected"] for item in corrected)

    again = subprocess.run(
        [sys.executable, "-m", *_arguments(data, "--exit-when-ready")],
        env=clean_environ(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE_S,
        check=False,
    )

    assert (again.returncode, again.stderr) == (0, "")
    assert "The history of an earlier demo is there already." in again.stdout
    assert "The annotation queue of an earlier demo is there already." in again.stdout
    assert "The demo is ready: " in again.stdout


def test_the_stub_speaks_what_the_openai_client_expects() -> None:
    """The real client gets a chat completion, a stream with usage, and embeddings from the stub; no key is needed."""
    program = (
        "import json\n"
        "from examples.support_bot.model_service import model_service\n"
        "from examples.support_bot.stub_server import Behaviour\n"
        "ask = [{'role': 'user', 'content': 'Where is my order 10482?'}]\n"
        "tools = [{'type': 'function', 'function': {'name': 'order_status', 'parameters': {}}}]\n"
        "with model_service(Behaviour.flawless()) as (client, _):\n"
        "    plain = client.chat.completions.create(model='m', messages=ask, tools=tools)\n"
        "    *_, last = client.chat.completions.create(\n"
        "        model='m', messages=ask, stream=True, stream_options={'include_usage': True})\n"
        "    vector = client.embeddings.create(model='e', input='orders').data[0].embedding\n"
        "call = plain.choices[0].message.tool_calls[0].function\n"
        "print(json.dumps([call.name, call.arguments, last.usage.prompt_tokens > 0, len(vector)]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=clean_environ(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )

    assert json.loads(done.stdout) == ["order_status", '{"order_id": "10482"}', True, 256]
