"""Title bar and time range of a page; sidebar. The address is the truth: widgets show it, callbacks change it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC

import streamlit as st

from spanwise_dashboard.context import Context, address, go, shared
from spanwise_dashboard.state import DEFAULT_PROJECT, PRESET_LABELS, REFRESH_SECONDS, TimeRange, query
from spanwise_schemas.api import Projects

CUSTOM = "custom"
REFRESH_LABELS = {"off": "Off", "10s": "10 s", "60s": "60 s"}
PAGES = (
    ("overview", "Overview", ":material/monitoring:"),
    ("traces", "Traces", ":material/account_tree:"),
    ("alerts", "Alerts", ":material/notifications:"),
    ("drift", "Drift", ":material/trending_up:"),
    ("failures", "Failures", ":material/bug_report:"),
    ("evals", "Evals", ":material/grading:"),
    ("compare", "Compare", ":material/compare_arrows:"),
    ("annotate", "Annotate", ":material/rate_review:"),
    ("datasets", "Datasets", ":material/dataset:"),
    ("experiments", "Experiments", ":material/science:"),
    ("costs", "Costs", ":material/payments:"),
    ("pipeline", "Pipeline", ":material/water_drop:"),
)


def title_bar(context: Context, title: str, *, environments: Sequence[str] = ()) -> None:
    """The page's title with time range and, when there are some, environments at its side."""
    with st.container(horizontal=True, key="toolbar", vertical_alignment="center"):
        st.title(title, width="stretch", anchor=False)
        if environments:
            _environment(context, environments)
        _time(context)
    _custom_range(context)


def plain_title(title: str) -> None:
    """The page's title, where no time range applies."""
    with st.container(horizontal=True, key="toolbar", vertical_alignment="center"):
        st.title(title, width="stretch", anchor=False)


def sidebar(context: Context, projects: Projects) -> None:
    """Project, pages, refresh."""
    state = context.state()
    names = [item.name for item in projects.items]
    with st.sidebar:
        if len(names) > 1:
            st.session_state["project"] = context.project
            options = names if context.project in names else [context.project, *names]
            st.selectbox("Project", options, key="project", on_change=_project_changed)
        parameters = query(shared(state))
        for name, label, icon in PAGES:
            st.page_link(context.pages[name], label=label, icon=icon, query_params=parameters, width="stretch")
        st.space("small")
        st.session_state["refresh"] = state.refresh
        st.segmented_control(
            "Refresh",
            list(REFRESH_SECONDS),
            key="refresh",
            required=True,
            format_func=REFRESH_LABELS.__getitem__,
            on_change=_refresh_changed,
            help="How often the page asks for new data by itself.",
        )


def refresh_seconds() -> int | None:
    """How often the page refreshes itself, seconds; None: it does not."""
    return REFRESH_SECONDS[address().refresh]


def chosen_project(projects: Projects) -> str:
    """The project in the address; without one `default` when it exists, else the most recently active."""
    names = [item.name for item in projects.items]
    if project := address().project:
        return project
    return DEFAULT_PROJECT if DEFAULT_PROJECT in names or not names else names[0]


def _time(context: Context) -> None:
    state = context.state()
    st.session_state["time"] = CUSTOM if state.time.fixed else state.time.preset
    st.selectbox(
        "Time range",
        [*PRESET_LABELS, CUSTOM],
        key="time",
        format_func=lambda key: PRESET_LABELS.get(key, "Custom range"),
        label_visibility="collapsed",
        width=176,
        on_change=_time_changed,
        args=(context,),
    )


def _custom_range(context: Context) -> None:
    fixed = context.state().time.fixed
    if fixed is None:
        return
    st.session_state["from"], st.session_state["to"] = (
        moment.astimezone(context.zone).replace(tzinfo=None, microsecond=0) for moment in fixed
    )
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="bottom"):
        st.datetime_input("From", key="from", width=200, step=60, on_change=_range_changed, args=(context,))
        st.datetime_input("To", key="to", width=200, step=60, on_change=_range_changed, args=(context,))


def _environment(context: Context, environments: Sequence[str]) -> None:
    chosen = context.state().filters.environment
    st.session_state["environment"] = list(chosen)
    st.multiselect(
        "Environment",
        list(dict.fromkeys([*chosen, *environments])),
        key="environment",
        placeholder="All environments",
        label_visibility="collapsed",
        width=220,
        on_change=_environment_changed,
        args=(context,),
    )


def _project_changed() -> None:
    state = address()
    go(replace(shared(state), project=st.session_state["project"], filters=replace(state.filters, environment=())))


def _refresh_changed() -> None:
    go(replace(address(), refresh=st.session_state["refresh"]))


def _time_changed(context: Context) -> None:
    chosen = st.session_state["time"]
    start, end = context.window()
    time = TimeRange(start=start, end=end) if chosen == CUSTOM else TimeRange(chosen)
    go(replace(address(), time=time, cursor=""))


def _range_changed(context: Context) -> None:
    start, end = (
        st.session_state[key].replace(tzinfo=context.zone).astimezone(UTC) if st.session_state[key] else None
        for key in ("from", "to")
    )
    if start and end and start < end:
        go(replace(address(), time=TimeRange(start=start, end=end), cursor=""))


def _environment_changed(context: Context) -> None:
    go(address().filtered(environment=tuple(st.session_state["environment"])))
