"""Annotate: one item at a time, for people who say what an answer is worth."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import streamlit as st

from spanwise_dashboard import remembered
from spanwise_dashboard.annotate_place import NEW_QUEUE, AnnotatePlace
from spanwise_dashboard.annotations_api import AnnotationsApi
from spanwise_dashboard.context import Context, address, go
from spanwise_dashboard.notices import explained, first_trace
from spanwise_dashboard.views.alert_actions import WHO, done
from spanwise_dashboard.views.annotate_corrections import corrections
from spanwise_dashboard.views.annotate_item import desk
from spanwise_dashboard.views.annotate_queue import queue_form
from spanwise_schemas.api_annotations import QueueInfo

_ABOUT: Final = (
    "People say what answers are worth: a queue chooses traces or model calls, at random and by rules, and shows them "
    "one by one. Every verdict becomes a score of source `human`. From about 50 on they tell how far a judge is right, "
    "and correct its means."
)


def page(context: Context) -> None:
    """Draws the page."""
    with explained():
        known = remembered.projects(context.client)
        if not known.items:
            _title([], "")
            first_trace()
            return
        api = AnnotationsApi(context.client, context.project)
        with st.spinner("Reading the queues …", show_time=False):
            queues = api.queues().items
        place = context.state().annotate
        chosen = next((one for one in queues if one.queue_id == place.queue_id), queues[0] if queues else None)
        is_new = chosen is None or place.queue_id == NEW_QUEUE
        _title(queues, "" if is_new or chosen is None else chosen.queue_id)
        if is_new or chosen is None:
            if queues:
                st.button(
                    "Back to the queues", icon=":material/arrow_back:", key="annotate-back", on_click=_open, args=("",)
                )
            else:
                st.subheader(":material/rate_review: No queue yet", anchor=False)
                st.markdown(_ABOUT)
            queue_form(context, api, opened=_open)
            return
        reviewer = place.reviewer or str(st.session_state.get(WHO, ""))
        if not reviewer:
            _ask_name()
            return
        _sidebar(context, api, chosen, reviewer)
        desk(context, api, chosen, reviewer)


def _title(queues: Sequence[QueueInfo], chosen: str) -> None:
    with st.container(horizontal=True, key="toolbar", vertical_alignment="center"):
        st.title("Annotate", width="stretch", anchor=False)
        if not queues:
            return
        names = {one.queue_id: f"{one.queue.name} · {one.progress.open} waiting" for one in queues}
        if chosen:
            st.session_state["annotate-queue"] = chosen
            st.selectbox(
                "Queue",
                list(names),
                key="annotate-queue",
                format_func=names.__getitem__,
                label_visibility="collapsed",
                width=300,
                on_change=lambda: _open(st.session_state["annotate-queue"]),
            )
            st.button("New queue", icon=":material/add:", key="annotate-new", on_click=_open, args=(NEW_QUEUE,))


def _open(queue_id: str) -> None:
    state = address()
    go(replace(state, annotate=replace(state.annotate, queue_id=queue_id)))


def _ask_name() -> None:
    with st.form("annotate-who", border=True, width=460):
        st.markdown("**Who reviews?** Your name stands with every score that you give.")
        name = st.text_input("Your name", key="annotate-name", max_chars=200).strip()
        if st.form_submit_button("Start", type="primary", width="stretch"):
            if not name:
                st.warning("Give a name, so that two reviewers can be told apart.")
                return
            st.session_state[WHO] = name
            state = address()
            go(replace(state, annotate=AnnotatePlace(state.annotate.queue_id, name)))
            st.rerun()


def _sidebar(context: Context, api: AnnotationsApi, chosen: QueueInfo, reviewer: str) -> None:
    with st.sidebar:
        st.button(
            "Another reviewer",
            icon=":material/person:",
            key="annotate-leave",
            help=f"You review as {reviewer}.",
            on_click=_leave,
            width="stretch",
        )
        corrections(context, api, chosen, reviewer)
        with st.popover("Delete this queue", icon=":material/delete:", key="annotate-delete", width="stretch"):
            st.markdown("Nobody can review its items any more. The scores and corrections that were given stay.")
            if st.button("Delete", type="primary", key="annotate-delete-now", width="stretch"):
                done("The queue is deleted.", lambda: _deleted(api, chosen.queue_id))


def _leave() -> None:
    st.session_state.pop(WHO, None)
    state = address()
    go(replace(state, annotate=AnnotatePlace(state.annotate.queue_id)))


def _deleted(api: AnnotationsApi, queue_id: str) -> None:
    api.delete(queue_id)
    _open("")
