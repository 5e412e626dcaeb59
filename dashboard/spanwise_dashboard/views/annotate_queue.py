"""The form that makes an annotation queue."""

from collections.abc import Callable, Sequence
from typing import Final, Literal

import streamlit as st
from pydantic import ValidationError

from spanwise_dashboard import remembered
from spanwise_dashboard.annotations_api import AnnotationsApi
from spanwise_dashboard.context import Context
from spanwise_dashboard.notices import explained
from spanwise_dashboard.views.alert_actions import WHO
from spanwise_schemas.api_annotations import Queue, QueueRule
from spanwise_schemas.rules import Where

_KINDS: Final[dict[Literal["yes_no", "categories", "number"], str]] = {
    "yes_no": "Yes or no",
    "categories": "Categories",
    "number": "A number",
}
_TARGETS: Final[dict[Literal["trace", "span"], str]] = {"trace": "Whole traces", "span": "Single model calls"}
_MOST: Final = 4
_CLASSES: Final = (
    *(
        "refusal",
        "empty_answer",
        "truncation",
        "invalid_json",
        "tool_error",
        "retrieval_empty",
        "timeout",
        "rate_limit",
    ),
    *("loop", "retry_storm"),
)
"""Offered; any other class of failure can be typed."""


def queue_form(context: Context, api: AnnotationsApi, *, opened: Callable[[str], None]) -> None:
    """Draws the form.

    Args:
        context: of the page.
        api: makes the queue.
        opened: opens a queue.
    """
    with st.container(border=True, key="annotate-form", width=900):
        with st.container(horizontal=True):
            name = st.text_input("Name", key="queue-name", max_chars=100, placeholder="Answers of the shop assistant")
            target = st.selectbox(
                "What is reviewed", list(_TARGETS), key="queue-target", format_func=_TARGETS.__getitem__
            )
        instructions = st.text_area(
            "Instructions",
            key="queue-instructions",
            max_chars=20_000,
            height=90,
            placeholder="What makes an answer good?",
        )
        questions = _questions()
        st.markdown("**What comes into the queue**")
        where = _where(context)
        with st.container(horizontal=True):
            random_share = _percent(
                "At random, %", "queue-random", 5.0, "Of all that fit the filters. Means need these."
            )
            second = _percent("Reviewed by two, %", "queue-second", 10.0, "Tells how far people agree with each other.")
            lookback = st.number_input("Start with the last hours", 0, 720, 24, key="queue-lookback")
        rules = _rules()
        if st.button("Make the queue", type="primary", icon=":material/add:", key="queue-make"):
            made = _read(
                name=name,
                target=target,
                instructions=instructions,
                questions=questions,
                where=where,
                random_share=random_share,
                second_share=second,
                lookback_hours=lookback,
                rules=rules,
            )
            if made is not None:
                with explained():
                    queue_id = api.make(made, str(st.session_state.get(WHO, ""))).queue_id
                    opened(queue_id)
                    st.rerun()


def _read(**values: object) -> Queue | None:
    try:
        return Queue.model_validate(values)
    except ValidationError as error:
        for one in error.errors(include_url=False, include_input=False):
            place = ".".join(str(part) for part in one["loc"])
            st.warning(f"{f'{place}: ' if place else ''}{one['msg'].removeprefix('Value error, ')}")
        return None


def _percent(label: str, key: str, value: float, help_text: str) -> float:
    return float(st.number_input(label, 0.0, 100.0, value, key=key, help=help_text, format="%.2f")) / 100


def _questions() -> list[dict[str, object]]:
    st.markdown("**What reviewers are asked**")
    count = int(st.session_state.setdefault("queue-questions", 1))
    found = [_question(number) for number in range(count)]
    if count < _MOST:
        st.button(
            "Another question",
            icon=":material/add:",
            key="queue-more",
            type="tertiary",
            on_click=st.session_state.__setitem__,
            args=("queue-questions", count + 1),
        )
    return [one for one in found if one["name"]]


def _question(number: int) -> dict[str, object]:
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"queue-question-{number}"):
        name = st.text_input(
            "Name of the score",
            key=f"queue-name-{number}",
            value="correct" if number == 0 else "",
            max_chars=100,
            help="The name of the judge's score that it checks, or a new one.",
            width=170,
        )
        kind = st.selectbox(
            "Answer", list(_KINDS), key=f"queue-kind-{number}", format_func=_KINDS.__getitem__, width=150
        )
        text = st.text_input(
            "Question", key=f"queue-text-{number}", max_chars=2000, placeholder="Is the answer correct?"
        )
        asked: dict[str, object] = {"name": name.strip(), "kind": kind, "text": text.strip()}
        if kind == "categories":
            words = st.text_input(
                "Categories, by comma", key=f"queue-categories-{number}", placeholder="good, fair, poor"
            )
            asked["categories"] = [word.strip() for word in words.split(",") if word.strip()]
        elif kind == "number":
            asked["minimum"] = st.number_input("From", value=1, key=f"queue-from-{number}", width=100)
            asked["maximum"] = st.number_input("To", value=5, key=f"queue-to-{number}", width=100)
    return asked


def _where(context: Context) -> Where:
    state = context.state()
    facets = remembered.facets(context.client, context.project, state.time, context.now())
    with st.container(horizontal=True):
        return Where(
            environment=_many("Environment", "queue-environment", facets.environments),
            route=_many("Name of the trace", "queue-route", facets.names),
            prompt=_many("Prompt", "queue-prompt", (), placeholder="name or name@version"),
            release=_many("Release", "queue-release", ()),
        )


def _many(label: str, key: str, options: Sequence[str], placeholder: str = "All") -> tuple[str, ...]:
    return tuple(st.multiselect(label, list(options), key=key, placeholder=placeholder, accept_new_options=True))


def _rules() -> list[QueueRule]:
    with st.expander("Also by rule: failures, low scores, disagreement", key="queue-rules"):
        st.caption("What matches a rule comes in besides. Each item keeps the chance with which it was chosen.")
        failures = _many("Failures of these classes", "queue-failures", _CLASSES, placeholder="None")
        with st.container(horizontal=True):
            score = st.text_input("Judge's score", key="queue-score", max_chars=200).strip()
            below = st.number_input("below", value=0.5, key="queue-below")
        disagrees = st.text_input(
            "Judge's score that users contradict with a thumb", key="queue-disagrees", max_chars=200
        ).strip()
        share = _percent("Of what matches, %", "queue-rule-share", 100.0, "Lower it where too much would match.")
    if not share:
        return []
    found = []
    if failures:
        found.append(QueueRule(name="failures", failures=failures, share=share))
    if score:
        found.append(QueueRule(name="low score", score=score, below=below, share=share))
    if disagrees:
        found.append(QueueRule(name="disagreement", disagrees=disagrees, share=share))
    return found
