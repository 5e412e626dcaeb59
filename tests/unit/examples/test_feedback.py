"""The example with feedback: a page, an answer with its trace, a verdict that can be changed."""

from fastapi.testclient import TestClient

import spanwise
from examples.feedback.app import make_app
from examples.support_bot.bot import Reply
from spanwise.testing import Capture
from spanwise_schemas import attributes as names


@spanwise.observe(name="support", kind="chain")
def _reply(question: str) -> Reply:
    return Reply(f"About {question}: yes.", spanwise.current_span().trace_id)


def test_a_verdict_is_a_score_of_the_answers_trace(spanwise_capture: Capture) -> None:
    """Who asks is the trace's user and session; the second verdict has the id of the first, so it replaces it."""
    client = TestClient(make_app(_reply))

    answer = client.post("/ask", json={"text": "returns", "visitor": "a1"}).json()
    verdicts = [
        client.post("/feedback", json={"trace_id": answer["trace_id"], **said}).status_code
        for said in ({"helped": True}, {"helped": False, "comment": "Which <b>address</b>?"})
    ]

    [span] = spanwise_capture.spans
    first, second = spanwise_capture.scores
    assert (answer["text"], verdicts) == ("About returns: yes.", [204, 204])
    assert (span["trace_id"], span["attributes"]["user.id"], span["attributes"]["session.id"]) == (
        answer["trace_id"],
        "a1",
        "a1",
    )
    assert [(one["trace_id"], one["span_id"]) for one in (first, second)] == [(answer["trace_id"], None)] * 2
    same = {names.SCORE_NAME: "thumbs", names.SCORE_ID: answer["trace_id"], names.SCORE_SOURCE: "user"}
    assert first["attributes"] == {**same, names.SCORE_VALUE: 1.0, names.SCORE_LABEL: "up"}
    assert second["attributes"] == {
        **same,
        names.SCORE_VALUE: 0.0,
        names.SCORE_LABEL: "down",
        names.SCORE_EXPLANATION: "Which <b>address</b>?",
    }


def test_ids_that_are_none_are_refused() -> None:
    """What comes from a browser is checked before it is sent on."""
    client = TestClient(make_app(_reply))

    assert client.post("/feedback", json={"trace_id": "x", "helped": True}).status_code == 422
    assert client.post("/ask", json={"text": "", "visitor": "a1"}).status_code == 422
    assert "<title>Support</title>" in client.get("/").text
