"""What a page says instead of data: errors with their remedy, and the first steps of someone who has no data yet."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from spanwise_dashboard.errors import (
    ApiError,
    CollectorAwayError,
    CollectorNotReadyError,
    CollectorSlowError,
    NotAllowedError,
    NotFoundError,
    RequestRefusedError,
    UnexpectedAnswerError,
)

_TITLES: dict[type[ApiError], str] = {
    CollectorAwayError: "The collector is not reachable",
    CollectorSlowError: "The collector took too long",
    CollectorNotReadyError: "The collector is not ready",
    NotAllowedError: "The API key may not do this",
    NotFoundError: "Not found",
    RequestRefusedError: "The collector refused the request",
    UnexpectedAnswerError: "The answer is not one of Spanwise's",
}

FIRST_TRACE = """import spanwise
from openai import OpenAI

spanwise.init(project="my-app", kafka="127.0.0.1:9092")

@spanwise.observe
def ask(question: str) -> str:
    messages = [{"role": "user", "content": question}]
    with spanwise.span("chat", kind="llm") as span:
        span.set_input(messages)
        reply = OpenAI().chat.completions.create(model="gpt-4o-mini", messages=messages)
        span.record_response(reply)
    return reply.choices[0].message.content or ""

print(ask("What is a span?"))"""


@contextmanager
def explained() -> Iterator[None]:
    """Says what happened and what to do instead of the part of the page that could not be drawn."""
    try:
        yield
    except ApiError as error:
        show_error(error)


def show_error(error: ApiError) -> None:
    """Title and remedy are ours; the detail may quote what a user typed and is therefore shown as plain text."""
    with st.container(border=True, key=f"problem-{type(error).__name__}"):
        st.subheader(f":material/error: {_TITLES.get(type(error), 'Something went wrong')}", anchor=False)
        st.text(str(error))
        st.text(error.remedy)
        if not isinstance(error, NotFoundError | RequestRefusedError):
            st.button("Try again", key=f"retry-{type(error).__name__}", icon=":material/refresh:")


def first_trace() -> None:
    """No project has sent anything: how to send a first trace."""
    st.subheader(":material/rocket_launch: Nothing has arrived yet", anchor=False)
    st.markdown(
        "Install the SDK into your app's environment (`pip install /path/to/spanwise openai`), then run this. "
        "The trace shows up here within seconds."
    )
    st.code(FIRST_TRACE, language="python")
    st.markdown(
        "No model key at hand? `make demo` runs an example app against a stub and fills two weeks of history. "
        "If you have run the code and nothing arrives, **Pipeline** says where it is."
    )
    st.button("Look again", icon=":material/refresh:", key="look-again")
