"""The reviewers' desk: the item that is this reviewer's now, its questions, and what is said of it."""

from datetime import datetime, timedelta
from typing import Any, Final

import streamlit as st

from spanwise_dashboard import remembered
from spanwise_dashboard.annotations_api import AnnotationsApi
from spanwise_dashboard.components.conversation import conversation
from spanwise_dashboard.components.facts import Fact, heading
from spanwise_dashboard.components.keys import field_keys
from spanwise_dashboard.context import Context
from spanwise_dashboard.errors import NotFoundError
from spanwise_dashboard.format import ago, plural, timestamp
from spanwise_dashboard.messages import conversation as messages_of
from spanwise_dashboard.notices import explained
from spanwise_dashboard.state import query
from spanwise_dashboard.views.alert_actions import done
from spanwise_dashboard.views.annotate_words import (
    Answer,
    agreement_words,
    choices,
    chosen_words,
    current,
    key_words,
    progress_words,
    share_done,
)
from spanwise_dashboard.views.span import sections
from spanwise_schemas.api import SpanDetail
from spanwise_schemas.api_annotations import Item, NewReview, Next, Progress, Question, QueueInfo

_NOW: Final = "annotate-now"
"""Session state: the item that is on the screen, with whose it is and when it was claimed."""
_RENEW: Final = timedelta(minutes=5)
"""A claim holds 15 minutes; while somebody works it is renewed after these."""
_TRIED: Final = 4
"""Spans of a trace that are read to find one with a conversation."""


def desk(context: Context, api: AnnotationsApi, info: QueueInfo, reviewer: str) -> None:
    """Draws the item, or says that none waits."""
    found = _claimed(context, api, info, reviewer)
    if found.item is None:
        _nothing(context, api, info, found.progress, reviewer)
        return
    item = found.item
    with st.container(key="annotate-grid"):
        with st.container(key="annotate-shown"):
            span = _shown(context, item)
        with st.container(key="annotate-asked"):
            _progress(found.progress, reviewer)
            if info.queue.instructions:
                st.text(info.queue.instructions)
            _questions(info.queue.questions, item)
            _words(item, span)
            _buttons(api, info, item, reviewer)
            st.caption(key_words(info.queue.questions))
            _agreement(found.progress)
    field_keys(
        {"m": f"annotate-comment-{item.item_id}", "o": f"annotate-correction-{item.item_id}"}, key="annotate-keys"
    )


def _claimed(context: Context, api: AnnotationsApi, info: QueueInfo, reviewer: str) -> Next:
    """The item on the screen; asked for anew where there is none, or its claim grows old."""
    kept: tuple[tuple[str, str, str], datetime, Next] | None = st.session_state.get(_NOW)
    whose = (context.project, info.queue_id, reviewer)
    if kept is not None and kept[0] == whose and context.now() - kept[1] < _RENEW and kept[2].item is not None:
        return kept[2]
    found = api.next(info.queue_id, reviewer)
    st.session_state[_NOW] = (whose, context.now(), found)
    return found


def _shown(context: Context, item: Item) -> SpanDetail | None:
    """What is reviewed: the conversation of the span, or of the trace's span that tells it best."""
    try:
        span = _span(context, item)
    except NotFoundError:
        st.subheader("It is gone", anchor=False)
        st.markdown("What is to be reviewed has passed its retention time, or has not arrived yet. Skip it.")
        return None
    facts = [
        Fact("Started", timestamp(item.started, context.zone)),
        Fact("Chosen", chosen_words(item)),
        *([Fact("Model", span.summary.model)] if span.summary.model else []),
        *([Fact("Reviews", f"{len(item.reviews)} of {item.wanted}")] if item.wanted > 1 else []),
    ]
    heading(span.summary.name or "(no name)", [], facts, key=f"annotate-heading-{item.item_id}", level=2)
    place = query(context.state().on_trace(item.trace_id, span.summary.span_id))
    st.page_link(
        context.pages["trace"], label="Open the whole trace", icon=":material/account_tree:", query_params=place
    )
    conversation(sections(span), key=f"annotate-messages-{item.item_id}")
    return span


def _span(context: Context, item: Item) -> SpanDetail:
    if item.span_id:
        return remembered.span(context.client, context.project, item.trace_id, item.span_id)
    spans = remembered.trace(context.client, context.project, item.trace_id).spans
    if not spans:
        raise NotFoundError(f"Trace {item.trace_id} has no spans.")
    roots = [one for one in spans if not one.parent_span_id]
    calls = [one for one in reversed(spans) if one.kind == "llm"]
    # The root tells what was asked and what came out in the end; where it does not, the last call does.
    wanted = list(dict.fromkeys(one.span_id for one in [*roots[:1], *calls, *spans]))[:_TRIED]
    read = [remembered.span(context.client, context.project, item.trace_id, wanted[0])]
    while not (read[-1].input or read[-1].output) and len(read) < len(wanted):
        read.append(remembered.span(context.client, context.project, item.trace_id, wanted[len(read)]))
    return read[-1] if read[-1].input or read[-1].output else read[0]


def _progress(progress: Progress, reviewer: str) -> None:
    st.progress(share_done(progress), text=progress_words(progress, reviewer))


def _answers(item: Item) -> dict[str, Answer]:
    kept: dict[str, Answer] = st.session_state.setdefault(f"annotate-answers-{item.item_id}", {})
    return kept


def _questions(questions: tuple[Question, ...], item: Item) -> None:
    answers = _answers(item)
    now = current(questions, answers)
    for number, question in enumerate(questions):
        with st.container(key=f"annotate-question-{number}"):
            # Words of people, so no markup; the one that the keys answer is marked.
            st.text(f"{'▸ ' if number == now and len(questions) > 1 else ''}{question.text or question.name}")
            buttons = choices(question)
            if not buttons:
                _number(question, item)
            with st.container(horizontal=True, key=f"annotate-choices-{number}"):
                for one in buttons:
                    st.button(
                        one.label,
                        key=f"annotate-{number}-{one.key}-{item.item_id}",
                        type="primary" if answers.get(question.name) == one.answer else "secondary",
                        shortcut=one.key if number == now else None,
                        on_click=answers.__setitem__,
                        args=(question.name, one.answer),
                    )


def _number(question: Question, item: Item) -> None:
    answers = _answers(item)
    key = f"annotate-number-{question.name}-{item.item_id}"

    def changed() -> None:
        value = st.session_state[key]
        if value is None:
            answers.pop(question.name, None)
        else:
            answers[question.name] = float(value)

    st.number_input(
        question.name,
        min_value=question.minimum,
        max_value=question.maximum,
        value=None,
        key=key,
        placeholder=f"{question.minimum:g} to {question.maximum:g}",
        label_visibility="collapsed",
        on_change=changed,
    )


def _words(item: Item, span: SpanDetail | None) -> None:
    st.text_area("Comment", key=f"annotate-comment-{item.item_id}", max_chars=20_000, height=80)
    key = f"annotate-correction-{item.item_id}"
    st.text_area(
        "What the output should have been",
        key=key,
        max_chars=200_000,
        height=120,
        placeholder="Empty where the output is fine. What you write here goes into datasets.",
    )
    said = output_text(span)
    if said and not st.session_state.get(key):
        st.button(
            "Start from the output",
            icon=":material/content_copy:",
            key=f"annotate-copy-{item.item_id}",
            type="tertiary",
            on_click=st.session_state.__setitem__,
            args=(key, said),
        )


def output_text(span: SpanDetail | None) -> str:
    """The text of what came out, for people to correct."""
    if span is None:
        return ""
    parts = [part.text for message in messages_of(span.output) for part in message.parts if part.kind == "text"]
    return "\n\n".join(parts)


def _buttons(api: AnnotationsApi, info: QueueInfo, item: Item, reviewer: str) -> None:
    answers = _answers(item)
    with st.container(horizontal=True, key="annotate-buttons"):
        if st.button(
            "Save and next",
            type="primary",
            icon=":material/check:",
            key=f"annotate-save-{item.item_id}",
            shortcut="Enter",
            disabled=not answers,
            width="stretch",
        ):
            _say(api, item, reviewer, answers, "Saved.")
        if st.button("Skip", icon=":material/skip_next:", key=f"annotate-skip-{item.item_id}", shortcut="S"):
            _say(api, item, reviewer, {}, "Skipped.")


def _say(api: AnnotationsApi, item: Item, reviewer: str, answers: dict[str, Answer], words: str) -> None:
    said = NewReview(
        reviewer=reviewer,
        answers=answers,
        comment=_typed(f"annotate-comment-{item.item_id}"),
        correction=_typed(f"annotate-correction-{item.item_id}") if answers else "",
    )

    def act() -> None:
        # Whatever comes of it, the next one is asked for: of what failed the claim still holds.
        st.session_state.pop(_NOW, None)
        api.review(item, said)

    done(words, act)


def _typed(key: str) -> str:
    value: Any = st.session_state.get(key, "")
    return str(value).strip()


def _agreement(progress: Progress) -> None:
    if not progress.reviewers:
        return
    with st.expander("Reviewers and agreement", key="annotate-agreement"):
        for person in progress.reviewers:
            skipped = f", {person.skipped} skipped" if person.skipped else ""
            st.text(f"{person.reviewer}: {person.done} done{skipped}")
        for one in progress.agreement:
            st.text(f"{one.name}: {agreement_words(one)}")
        if not progress.agreement:
            st.caption("How far two people agree is told once two have reviewed the same item.")


def _nothing(context: Context, api: AnnotationsApi, info: QueueInfo, progress: Progress, reviewer: str) -> None:
    """Nothing waits for this reviewer: why, and what to do."""
    _progress(progress, reviewer)
    if not progress.items:
        st.subheader(":material/hourglass_empty: Nothing was chosen yet", anchor=False)
        st.markdown(
            "The queue looks at what comes in every half minute, once it is "
            f"{plural(info.queue.delay_minutes, 'minute')} old. Where it stays empty, its filters match nothing, or "
            "its shares are so small that a large number of targets is needed before one is chosen."
        )
    elif progress.open:
        st.subheader(":material/group: The rest is with others", anchor=False)
        st.markdown("What is left waits for a second reviewer, or somebody has it on the screen.")
    else:
        st.subheader(":material/task_alt: All done", anchor=False)
        st.markdown("Everything that was chosen is reviewed. More comes as traffic does.")
    if info.note:
        st.warning(info.note)
    if info.filled_to is not None:
        st.caption(f"Filled up to {ago(info.filled_to, context.now())}.")
    if st.button("Look for more now", icon=":material/refresh:", key="annotate-fill", shortcut="Enter"):
        with explained():
            api.fill(info.queue_id)
            st.session_state.pop(_NOW, None)
            st.rerun()
    _agreement(progress)
