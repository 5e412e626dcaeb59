"""Annotate: what reviewers corrected becomes items of a dataset."""

import re
from dataclasses import replace
from typing import Final

import streamlit as st

from spanwise_dashboard.annotations_api import AnnotationsApi
from spanwise_dashboard.context import Context
from spanwise_dashboard.datasets_place import DatasetsPlace
from spanwise_dashboard.experiments_api import ExperimentsApi
from spanwise_dashboard.format import plural
from spanwise_dashboard.notices import explained
from spanwise_dashboard.state import query
from spanwise_schemas.api_annotations import QueueInfo
from spanwise_schemas.api_datasets import NAME_PATTERN, DatasetChanged

_TAKEN: Final = "annotate-taken"
"""Session state: what became of the corrections that were taken last, and of which queue."""
_MAX_NAME: Final = 100


def corrections(context: Context, api: AnnotationsApi, info: QueueInfo, reviewer: str) -> None:
    """Draws the button with its form."""
    with st.popover("Make a dataset", icon=":material/library_add:", key="annotate-corrections", width="stretch"):
        st.markdown(
            "Where reviewers of this queue corrected an output, the input and what they wrote become an item; the "
            "application's own output stands beside it as rejected."
        )
        with st.form("annotate-corrections-form", border=False):
            name = st.text_input(
                "Dataset",
                value=suggested(info.queue.name),
                max_chars=_MAX_NAME,
                key=f"annotate-dataset-{info.queue_id}",
                help="A new one, or one that there is: what it has already does not come twice. Letters, digits, "
                "spaces, dots, dashes and underscores.",
            ).strip()
            if st.form_submit_button("Add to the dataset", type="primary", width="stretch"):
                st.session_state.pop(_TAKEN, None)
                with explained():
                    _take(context, api, info, name, reviewer)
        taken: tuple[str, DatasetChanged] | None = st.session_state.get(_TAKEN)
        if taken is not None and taken[0] == info.queue_id:
            _told(context, taken[1])


def suggested(queue: str) -> str:
    """A name for the dataset of a queue; empty where nothing of the queue's name may stand in it."""
    return " ".join(re.sub(r"[^A-Za-z0-9 ._-]+", " ", queue).split()).strip(" ._-")[:_MAX_NAME].rstrip()


def changed_words(found: DatasetChanged) -> str:
    """What became of the corrections, in a sentence."""
    parts = [
        f"{number:,} {word}"
        for number, word in (
            (found.added, "added"),
            (found.changed, "changed"),
            (found.unchanged, "there already"),
            (found.skipped, "without a stored input left out"),
        )
        if number
    ]
    return f"{plural(found.items, 'item')} in version {found.version}: {', '.join(parts) or 'nothing changed'}."


def _take(context: Context, api: AnnotationsApi, info: QueueInfo, name: str, reviewer: str) -> None:
    if re.fullmatch(NAME_PATTERN, name) is None:
        st.warning("Give the dataset a name of letters, digits, spaces, dots, dashes and underscores.")
        return
    # An empty dataset would be of no use.
    if not api.corrections(info.queue_id, limit=1).items:
        st.info(
            "Nobody has corrected an output of this queue yet. Write one into *What the output should have been* "
            "before you save a review."
        )
        return
    datasets = ExperimentsApi(context.client, context.project)
    datasets.make_dataset(name, by=reviewer)
    found = datasets.take_corrections(name, queue_id=info.queue_id, by=reviewer)
    st.session_state[_TAKEN] = (info.queue_id, found)


def _told(context: Context, found: DatasetChanged) -> None:
    # In one line: more would not fit below the button on a small screen.
    st.page_link(
        context.pages["datasets"],
        label=f"{changed_words(found)} Open the dataset",
        icon=":material/check:",
        query_params=query(replace(context.state(), datasets=DatasetsPlace(name=found.dataset))),
    )
