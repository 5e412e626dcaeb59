"""The support bot behind a web page, with a thumb up, a thumb down and a comment under each answer.

    spanwise up                          # in another terminal
    .venv/bin/python -m examples.feedback

What it takes: the page gets the trace's id with the answer and sends it back with the verdict. The score's id is the
trace's, so who changes their mind replaces the first verdict and is not counted twice.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final, Literal

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

import spanwise
from examples.support_bot.bot import Reply

PAGE: Final = Path(__file__).with_name("page.html")
TraceId = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]


class Question(BaseModel):
    """What somebody asks."""

    text: str = Field(min_length=1, max_length=2_000)
    visitor: str = Field(pattern="^[0-9a-f-]{1,64}$")


class Answer(BaseModel):
    """What they read, and the name by which they can speak of it."""

    text: str
    trace_id: str


class Feedback(BaseModel):
    """What they think of it."""

    trace_id: TraceId
    helped: bool
    comment: str = Field("", max_length=2_000)


def make_app(reply: Callable[[str], Reply]) -> FastAPI:
    """The app.

    Args:
        reply: answers a question.
    """
    app = FastAPI(title="Support, with feedback")

    @app.get("/", response_class=HTMLResponse)
    def page() -> str:
        return PAGE.read_text(encoding="utf-8")

    @app.post("/ask")
    def ask(question: Question) -> Answer:
        with spanwise.session(question.visitor), spanwise.user(question.visitor), spanwise.tags("feedback"):
            found = reply(question.text)
        return Answer(text=found.text, trace_id=found.trace_id)

    @app.post("/feedback", status_code=204)
    def feedback(given: Feedback) -> None:
        verdict: Literal["up", "down"] = "up" if given.helped else "down"
        spanwise.score(
            "thumbs",
            given.helped,
            label=verdict,
            trace_id=given.trace_id,
            score_id=given.trace_id,
            explanation=given.comment or None,
            source="user",
        )

    return app
