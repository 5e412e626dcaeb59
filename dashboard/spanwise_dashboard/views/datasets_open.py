"""One dataset: items of a version, one of them in full, and all versions."""

from dataclasses import replace
from typing import Final

import streamlit as st

from spanwise_dashboard.components.facts import Fact, heading
from spanwise_dashboard.components.lines import lines
from spanwise_dashboard.components.table import Badge, Cell, Column, Row, table
from spanwise_dashboard.components.texts import Text, texts
from spanwise_dashboard.context import Context, address, go, href, shared
from spanwise_dashboard.datasets_place import DatasetsPlace
from spanwise_dashboard.experiments_api import ExperimentsApi
from spanwise_dashboard.experiments_place import ExperimentsPlace
from spanwise_dashboard.format import ago, clock, count, plural
from spanwise_dashboard.state import State, query
from spanwise_dashboard.text_difference import Part, shown
from spanwise_schemas.api_datasets import DatasetDetail, DatasetItem, ItemPage

PAGE: Final = 25
ITEM_COLUMNS: Final = (
    Column("Input", wrap=True),
    Column("Expected", wrap=True, hide=560),
    Column("Group", width="130px", hide=900, help="Items of one group are not independent"),
    Column("From", width="100px", hide=760, help="The trace that it was taken from"),
)
VERSION_COLUMNS: Final = (
    Column("Version", width="84px"),
    Column("Note", wrap=True),
    Column("Items", "right", width="80px"),
    Column("Added", "right", width="80px", hide=560),
    Column("Changed", "right", width="84px", hide=640),
    Column("Removed", "right", width="86px", hide=640),
    Column("By", width="120px", hide=860),
    Column("Made", "right", width="120px", hide=480),
)


def open_dataset(context: Context, api: ExperimentsApi) -> None:
    """Draws the dataset that is in the address."""
    state = context.state()
    place = state.datasets
    with st.spinner("Reading …", show_time=False):
        detail = api.dataset(place.name)
        page = api.items(place.name, version=place.version, text=state.filters.q, offset=place.offset, limit=PAGE)
    _heading(context, detail, page)
    if not detail.versions:
        _empty(place.name)
        return
    _controls(context, detail, page)
    _item(context, page)
    _items(context, page)
    _versions(context, detail, page.version)


def _heading(context: Context, detail: DatasetDetail, page: ItemPage) -> None:
    one, now = detail.dataset, context.now()
    badges = [] if page.version == one.version else [Badge(f"version {page.version} of {one.version}", "warn")]
    items = next((each.items for each in detail.versions if each.number == page.version), 0)
    facts = [
        Fact("Items", count(items)),
        Fact("Version", f"v{page.version}" if page.version else "none yet"),
        Fact("Changed", ago(one.updated_at, now), title=clock(one.updated_at, context.zone, now)),
        *([Fact("By", one.by)] if one.by else []),
    ]
    heading(one.name, badges, facts, key="dataset-heading")
    lines([one.description] if one.description else [], key="dataset-description", tone="muted")
    over = query(replace(shared(context.state()), experiments=ExperimentsPlace(over=one.name)))
    st.page_link(
        context.pages["experiments"], label="Experiments over it", icon=":material/science:", query_params=over
    )


def _controls(context: Context, detail: DatasetDetail, page: ItemPage) -> None:
    st.session_state["dataset-version"] = page.version
    st.session_state["dataset-text"] = context.state().filters.q
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Version",
            [one.number for one in detail.versions],
            key="dataset-version",
            format_func=lambda number: f"v{number}" + (" (newest)" if number == detail.dataset.version else ""),
            width=180,
            on_change=_version_changed,
        )
        st.text_input(
            "Find", key="dataset-text", placeholder="a text in input or expected", width=320, on_change=_text_changed
        )


def _items(context: Context, page: ItemPage) -> None:
    state = context.state()
    if not page.items:
        st.info("No item of this version has that text." if state.filters.q else "This version has no items.")
        return
    rows = [item_row(state, one) for one in page.items]
    clicked = table("Items", ITEM_COLUMNS, rows, key="dataset-items", empty="")
    if clicked is not None and clicked.action == "row":
        wanted = "" if clicked.value == state.datasets.item else clicked.value
        go(_at(replace(state.datasets, item=wanted)))
        st.rerun()
    if clicked is not None and clicked.action == "trace":
        context.switch("trace", shared(state).on_trace(clicked.value))
    _pager(page)


def item_row(state: State, one: DatasetItem) -> Row:
    """An item in one line."""
    source = Cell("—")
    if one.trace_id:
        there = href("trace", shared(state).on_trace(one.trace_id, one.span_id))
        source = Cell(one.trace_id[:8], mono=True, href=there, action="trace", value=one.trace_id)
    cells = (
        Cell(_brief(shown(one.input))),
        Cell(_brief(shown(one.expected)) or "—"),
        Cell(one.group or "—"),
        source,
    )
    place = replace(state.datasets, item=one.item_id)
    return Row(
        one.item_id,
        cells,
        href=href("datasets", replace(state, datasets=place)),
        selected=one.item_id == state.datasets.item,
    )


def _item(context: Context, page: ItemPage) -> None:
    wanted = context.state().datasets.item
    one = next((each for each in page.items if each.item_id == wanted), None)
    if one is None:
        return
    whole = [
        Text("Input", _parts(shown(one.input)), note=one.item_id),
        Text("Expected", _parts(shown(one.expected)), empty="nobody has said yet"),
    ]
    if one.rejected is not None:
        whole.append(Text("Rejected", _parts(shown(one.rejected))))
    if one.metadata:
        whole.append(Text("Metadata", _parts(shown(one.metadata))))
    texts("Item", whole, key="dataset-item")


def _versions(context: Context, detail: DatasetDetail, number: int) -> None:
    st.subheader("Versions", anchor=False)
    state, now = context.state(), context.now()
    rows = [
        Row(
            str(one.number),
            (
                Cell(f"v{one.number}"),
                Cell(one.note or "—"),
                Cell(count(one.items)),
                Cell(_signed(one.added, "+")),
                Cell(_signed(one.changed, "")),
                Cell(_signed(one.removed, "-")),
                Cell(one.by or "—"),
                Cell(ago(one.created_at, now), title=clock(one.created_at, context.zone, now)),
            ),
            href=href("datasets", replace(state, datasets=DatasetsPlace(state.datasets.name, one.number))),
            selected=one.number == number,
        )
        for one in detail.versions
    ]
    clicked = table("Versions", VERSION_COLUMNS, rows, key="dataset-versions", empty="")
    if clicked is not None and clicked.action == "row":
        go(_at(DatasetsPlace(state.datasets.name, int(clicked.value))))
        st.rerun()


def _pager(page: ItemPage) -> None:
    offset = address().datasets.offset
    if page.total <= PAGE and not offset:
        st.caption(plural(page.total, "item"))
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{offset + 1:,} to {offset + len(page.items):,} of {page.total:,}", width="content")
        st.button(
            "Previous",
            icon=":material/chevron_left:",
            disabled=not offset,
            on_click=_turn,
            args=(max(0, offset - PAGE),),
        )
        st.button(
            "Next",
            icon=":material/chevron_right:",
            disabled=page.next_offset is None,
            on_click=_turn,
            args=(page.next_offset or 0,),
        )


def _empty(name: str) -> None:
    with st.container(border=True):
        st.subheader("It has no items yet", anchor=False)
        st.markdown("Add some from a file, or from traces:")
        st.code(f"spanwise datasets import '{name}' questions.csv --input question --expected answer", language="shell")


def _at(place: DatasetsPlace) -> State:
    return replace(address(), datasets=place)


def _turn(offset: int) -> None:
    go(_at(replace(address().datasets, offset=offset, item="")))


def _version_changed() -> None:
    go(_at(replace(address().datasets, version=st.session_state["dataset-version"], item="", offset=0)))


def _text_changed() -> None:
    here = _at(replace(address().datasets, item="", offset=0))
    go(replace(here, filters=replace(here.filters, q=st.session_state["dataset-text"])))


def _parts(text: str) -> tuple[Part, ...]:
    return (Part(text),) if text else ()


def _brief(text: str, limit: int = 220) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _signed(number: int, sign: str) -> str:
    return f"{sign}{number:,}" if number else "—"
