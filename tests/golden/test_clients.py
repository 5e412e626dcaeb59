"""What real client packages send is read as what the provider answered."""

import json
from base64 import b64decode
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.golden.record import PROGRAMS, RECORDED
from tests.support.otlp import record, rows, transform

# USD per million tokens, from the providers' price pages: input, cached input, output.
PRICES = {"gpt-4o": ("2.5", "1.25", "10"), "text-embedding-3-small": ("0.02", "0.02", "0")}
STATUS_ERROR = 2
KINDS = {"llm": 1, "embedding": 2}


def mtok(usd: str, tokens: int) -> Decimal:
    """Nano-dollars of tokens at a price in USD per million."""
    return Decimal(usd) * tokens * 1000


def spans_of(program: str) -> list[dict[str, Any]]:
    """Rows of everything that a program sent."""
    found = load(program)
    records = []
    for offset, (path, body) in enumerate(found["requests"]):
        topic = "otlp_logs" if path == "/v1/logs" else "otlp_spans"
        records.append(record(b64decode(body), offset=offset, topic=topic, timestamp_ms=found["recorded_ms"]))
    batch = transform(*records)
    assert [] == batch.rejections
    return rows(batch, "spans")


def load(program: str) -> Any:
    """A recording."""
    return json.loads((RECORDED / f"{program}.json").read_text(encoding="utf-8"))


def answered(program: str) -> list[dict[str, Any]]:
    """What the stub answered, by its own log, refusals left out."""
    return [one for one in load(program)["answers"] if one["status"] == 200]


def cost_of(answer: dict[str, Any]) -> Decimal:
    """Nano-dollars of an answer; reasoning is part of the output and costs the same."""
    plain, cached, output = PRICES[answer["model_request"]]
    fresh = answer["input"] - answer["cache_read"]
    return mtok(plain, fresh) + mtok(cached, answer["cache_read"]) + mtok(output, answer["output"])


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_answer_is_one_call(program: str) -> None:
    """Every answer is one span that bears its bill: kind, model, tokens of every sort, finish reason and cost."""
    calls = [row for row in spans_of(program) if row["counts_usage"]]

    assert [
        {
            "kind": KINDS[one["kind"]],
            "provider": "openai",
            "model": one["model_response"],
            "tokens": (one["input"], one["output"], one["cache_read"], 0, one["reasoning"]),
            "finish_reason": one["finish_reason"].replace("tool_calls", "tool_call"),  # the GenAI word
            "cost": (cost_of(one), 2),
            "status": False,
        }
        for one in answered(program)
    ] == [
        {
            "kind": row["kind"],
            "provider": row["provider"],
            "model": row["model_response"],
            "tokens": tuple(
                row["tok_" + sort] for sort in ("input", "output", "cache_read", "cache_write", "reasoning")
            ),
            "finish_reason": row["finish_reason"],
            "cost": (row["cost_total_n"], row["cost_source"]),
            "status": row["status"] == STATUS_ERROR,
        }
        for row in sorted(calls, key=lambda row: row["start_time"])
    ]


@pytest.mark.parametrize("program", PROGRAMS)
def test_answers_can_be_read(program: str) -> None:
    """The preview of each answer is its text, or the tool call that it asks for."""
    calls = [row for row in spans_of(program) if row["counts_usage"] and row["kind"] == KINDS["llm"]]

    assert [one["text"] or 'track_order({"order":"12345"})' for one in answered(program) if one["kind"] == "llm"] == [
        row["output_preview"] for row in sorted(calls, key=lambda row: row["start_time"])
    ]


@pytest.mark.parametrize("program", PROGRAMS)
def test_refused_call(program: str) -> None:
    """The call that the provider refused is an error without tokens, cost or bill."""
    (row,) = [row for row in spans_of(program) if row["status"] == STATUS_ERROR]

    assert (KINDS["llm"], "openai.RateLimitError", 0, 0, 0, False) == (
        row["kind"],
        row["error_type"],
        row["tok_input"],
        row["tok_output"],
        row["cost_source"],
        row["counts_usage"],
    )
    assert "slow down" in row["status_message"]


@pytest.mark.parametrize("program", PROGRAMS)
def test_nothing_is_in_doubt(program: str) -> None:
    """A well-behaved client raises no warning, and its project and service are known."""
    assert {("golden", "app", ())} == {
        (row["project_id"], row["service"], tuple(row["warnings"])) for row in spans_of(program)
    }


def test_openinference_details() -> None:
    """OpenInference sends the questions, the model asked for and, of a stream, the time to its first token."""
    found = sorted(spans_of("openinference_openai"), key=lambda row: row["start_time"])
    questions = [(one["question"], one["model_request"]) for one in load("openinference_openai")["answers"]]

    chats = [(row["input_preview"], row["model_request"]) for row in found if row["kind"] == KINDS["llm"]]
    assert [one for one in questions if one[1] == "gpt-4o"] == chats
    assert [False, True, False, False, False] == [0 < row["ttft_us"] < row["duration_us"] for row in found]


def test_sdk_details() -> None:
    """Our SDK sends the provider's id of each answer, the time to the first token, and the agent around the calls."""
    found = sorted(spans_of("spanwise_sdk"), key=lambda row: row["start_time"])
    (agent,) = [row for row in found if row["is_root"]]
    chats = [row for row in found if row["kind"] == KINDS["llm"]]

    assert ["answer-0", "answer-1", "answer-2", ""] == [row["response_id"] for row in chats]
    assert [False, True, False, False] == [0 < row["ttft_us"] < row["duration_us"] for row in chats]
    assert ("pipeline", "pipeline", False) == (agent["name"], agent["agent_name"], agent["counts_usage"])
    assert {agent["span_id"]} == {row["parent_span_id"] for row in found if row is not agent}


def test_every_recording_has_its_program() -> None:
    """What is recorded is what the programs send, nothing is left behind."""
    assert sorted(PROGRAMS) == sorted(Path(one).stem for one in RECORDED.glob("*.json"))
