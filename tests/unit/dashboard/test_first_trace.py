"""The code on the empty page works as it stands there."""

import inspect

import pytest

import spanwise
from spanwise.testing import capture
from spanwise_dashboard.notices import FIRST_TRACE
from tests.support.model_server import model_server


def test_the_first_trace(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Pasted into a file and run against a model, it makes a function span with a model call inside."""
    signature = inspect.signature(spanwise.init)
    given: list[inspect.BoundArguments] = []
    monkeypatch.setattr(spanwise, "init", lambda *args, **named: given.append(signature.bind(*args, **named)))
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    with model_server() as url, capture() as captured:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{url}/v1")
        exec(compile(FIRST_TRACE, "first_trace.py", "exec"), {"__name__": "first_trace"})

    assert [(bound.arguments["project"], bound.arguments["kafka"]) for bound in given] == [("my-app", "127.0.0.1:9092")]
    assert capsys.readouterr().out == "Let me look.\n"
    call, function = captured.spans
    assert (call["name"], call["parent_id"], function["name"]) == ("chat", function["span_id"], "ask")
    assert call["attributes"]["gen_ai.response.model"].startswith("gpt-4o-mini")
    assert "What is a span?" in call["attributes"]["gen_ai.input.messages"]
    assert "Let me look." in call["attributes"]["gen_ai.output.messages"]
