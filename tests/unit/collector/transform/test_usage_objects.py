"""Token counts in one JSON object, whoever counted, and what Langfuse and the Vercel AI SDK say besides."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.normalise.usage_objects import read_usage_object
from tests.support.otlp import NOW_NS, one_row, span

GENERATION = {"langfuse.observation.type": "generation", "langfuse.observation.model.name": "gpt-4o"}
SAME: Any = {
    "openai chat": {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "prompt_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 20},
        "completion_tokens_details": {"reasoning_tokens": 15},
    },
    "openai responses": {
        "input_tokens": 100,
        "output_tokens": 50,
        "input_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 20},
        "output_tokens_details": {"reasoning_tokens": 15},
    },
    "anthropic": {
        "input_tokens": 50,
        "output_tokens": 50,
        "cache_read_input_tokens": 30,
        "cache_creation_input_tokens": 20,
        "output_tokens_details": {"thinking_tokens": 15},
    },
    "langfuse": {"input": 50, "output": 35, "input_cache_read": 30, "input_cache_creation": 20, "output_reasoning": 15},
}
"""One call's usage, in each style."""


@pytest.mark.parametrize("usage", SAME.values(), ids=SAME)
def test_styles(usage: dict[str, Any]) -> None:
    """Whatever the style: input with cached tokens, output with reasoning."""
    row = one_row(span(values={**GENERATION, "langfuse.observation.usage_details": json.dumps(usage)}))

    counts = {name: row["tok_" + name] for name in ("input", "cache_read", "cache_write", "output", "reasoning")}
    assert {"input": 100, "cache_read": 30, "cache_write": 20, "output": 50, "reasoning": 15} == counts
    assert [] == row["warnings"]


@given(st.fixed_dictionaries({}, optional={name: st.integers(0, 10**6) for name in SAME["langfuse"]}))
def test_parts_of_langfuse_add_up(usage: dict[str, int]) -> None:
    """Every name is a count of its own: none is lost and none counted twice."""
    found = read_usage_object({**usage}) if {"input", "output"} & usage.keys() else None

    if found is not None:
        assert sum(usage.values()) == found.get("tok_input", 0) + found.get("tok_output", 0)


@pytest.mark.parametrize("value", ["none", "[1]", {}, {"input": "many"}, {"other": 1}, {"prompt_tokens": -1}, 7, None])
def test_no_usage(value: Any) -> None:
    """What tells no token counts is no usage."""
    assert read_usage_object(value) is None


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"ai.usage.promptTokens": 50}, 100),
        ({"ai.usage.inputTokens": 50, "gen_ai.usage.input_tokens": 50}, 100),
        (
            {
                "ai.usage.inputTokenDetails.noCacheTokens": 50,
                "ai.usage.inputTokenDetails.cacheReadTokens": 30,
                "ai.usage.inputTokenDetails.cacheWriteTokens": 20,
                "gen_ai.usage.input_tokens": 100,
            },
            100,
        ),
    ],
    ids=["version 4", "version 5", "version 6"],
)
@pytest.mark.parametrize("whole", [False, True], ids=["cached tokens alone", "whole usage"])
def test_anthropic_by_the_ai_sdk(values: dict[str, int], expected: int, *, whole: bool) -> None:
    """The input holds cached tokens in every version, also where only the metadata tells them."""
    metadata: Any = {"cacheReadInputTokens": 30, "cacheCreationInputTokens": 20}
    if whole:
        metadata = {"usage": SAME["anthropic"]}
    call = {"ai.operationId": "ai.generateText.doGenerate", "ai.model.provider": "anthropic.messages"}
    row = one_row(span(values={**call, **values, "ai.response.providerMetadata": json.dumps({"anthropic": metadata})}))

    assert (expected, 30, 20, "anthropic") == (
        row["tok_input"],
        row["tok_cache_read"],
        row["tok_cache_write"],
        row["provider"],
    )


def test_openai_by_the_ai_sdk() -> None:
    """OpenAI's input holds the cached tokens already, which only the metadata tells."""
    values = {
        "ai.operationId": "ai.streamText.doStream",
        "ai.model.provider": "openai.chat",
        "ai.usage.promptTokens": 100,
        "ai.response.providerMetadata": '{"openai":{"cachedPromptTokens":30,"reasoningTokens":15}}',
    }
    row = one_row(span(values=values))

    assert (100, 30, 15, True) == (row["tok_input"], row["tok_cache_read"], row["tok_reasoning"], row["streaming"])


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        ({"input": 0.5, "output": 1, "total": 1.75}, (500_000_000, 1_000_000_000, 1_750_000_000)),
        ({"input": 0.5, "cache_read_input_tokens": 0.25}, (500_000_000, 0, 750_000_000)),
    ],
)
def test_cost_details(cost: dict[str, float], expected: tuple[int, int, int]) -> None:
    """A reported cost in parts is its total, else the sum of its parts."""
    row = one_row(span(values={**GENERATION, "langfuse.observation.cost_details": json.dumps(cost)}))

    assert expected == (row["cost_input_n"], row["cost_output_n"], row["cost_total_n"])


def test_what_langfuse_says_of_a_call() -> None:
    """Session, user, tags, prompt, environment, release, parameters, time to the first token: by Langfuse's names."""
    first_token = datetime.fromtimestamp(NOW_NS / 1e9 - 1.75, UTC)
    values = {
        **GENERATION,
        "session.id": "s1",
        "user.id": "u1",
        "langfuse.trace.tags": ["a", "b"],
        "langfuse.observation.prompt.name": "clerk",
        "langfuse.observation.prompt.version": 7,
        "langfuse.observation.model.parameters": '{"temperature": 0.5}',
        "langfuse.observation.completion_start_time": json.dumps(first_token.isoformat()),
    }
    expected = {
        "session_id": "s1",
        "user_id": "u1",
        "tags": ["a", "b"],
        "prompt_name": "clerk",
        "prompt_version": "7",
        "env": "staging",
        "release": "r7",
        "params": {"temperature": "0.5"},
        "ttft_us": 250_000,
        "streaming": True,
        "convention": "langfuse",
    }
    resource = {"langfuse.environment": "staging", "langfuse.release": "r7"}
    row = one_row(span(values=values, start_ns=NOW_NS - 2 * 10**9), resource=resource)

    assert expected == {name: row[name] for name in expected} | {"params": dict(row["params"])}


@pytest.mark.parametrize(("level", "status"), [("ERROR", 2), ("WARNING", 0)])
def test_level(level: str, status: int) -> None:
    """An error's level fails the span; any level and its words stay among the attributes."""
    said = {"langfuse.observation.level": level, "langfuse.observation.status_message": "Too slow"}
    row = one_row(span(values={**GENERATION, **said}))

    assert (status, "Too slow" if status else "") == (row["status"], row["status_message"])
    assert said == {name: dict(row["attrs"]).get(name) for name in said}
