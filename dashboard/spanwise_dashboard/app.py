"""Entry of the dashboard: `streamlit run app.py`. Asks for the projects and runs the page in the address."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from spanwise_dashboard import login, remembered
from spanwise_dashboard.client import Client
from spanwise_dashboard.context import Context, viewer_zone
from spanwise_dashboard.controls import chosen_project, sidebar
from spanwise_dashboard.errors import ApiError
from spanwise_dashboard.notices import show_error
from spanwise_dashboard.settings import Settings, SettingsError
from spanwise_dashboard.views import (
    alerts,
    annotate,
    compare,
    costs,
    datasets,
    drift,
    evals,
    experiments,
    failures,
    overview,
    pipeline,
    trace,
    traces,
)

_ASSETS = Path(__file__).parent / "assets"
_VIEWS: dict[str, tuple[str, Callable[[Context], None]]] = {
    "overview": ("Overview", overview.page),
    "traces": ("Traces", traces.page),
    "trace": ("Trace", trace.page),
    "alerts": ("Alerts", alerts.page),
    "drift": ("Drift", drift.page),
    "failures": ("Failures", failures.page),
    "evals": ("Evals", evals.page),
    "compare": ("Compare", compare.page),
    "annotate": ("Annotate", annotate.page),
    "datasets": ("Datasets", datasets.page),
    "experiments": ("Experiments", experiments.page),
    "costs": ("Costs", costs.page),
    "pipeline": ("Pipeline", pipeline.page),
}


def main(start: str = "overview") -> None:
    """Runs the page in the address.

    Args:
        start: the page that is shown where the address names none.
    """
    st.set_page_config(page_icon=str(_ASSETS / "icon.svg"), layout="wide", initial_sidebar_state=220)
    st.html(_ASSETS / "app.css")
    st.logo(str(_ASSETS / "logo.svg"), icon_image=str(_ASSETS / "icon.svg"), size="medium")
    context: Context | None = None

    def run(view: Callable[[Context], None]) -> Callable[[], None]:
        def page() -> None:
            if context is not None:
                view(context)

        return page

    pages = {
        name: st.Page(run(view), title=f"{title} · Spanwise", url_path=name, default=name == start)
        for name, (title, view) in _VIEWS.items()
    }
    chosen = st.navigation(list(pages.values()), position="hidden")
    try:
        settings = Settings.from_environment(address=str(st.get_option("server.address") or ""))
        if not login.admitted(settings):
            return
        context = _context(settings, pages)
        projects = remembered.projects(context.client)
    except SettingsError as error:
        st.subheader(":material/error: The dashboard's settings cannot be used", anchor=False)
        st.text(str(error))
        return
    except ApiError as error:
        show_error(error)
        return
    sidebar(context, projects)
    with st.sidebar:
        login.leaving(settings)
    chosen.run()


def _context(settings: Settings, pages: dict[str, StreamlitPage]) -> Context:
    client = _client(settings.api_url, settings.api_timeout_s, settings.api_key)
    project = chosen_project(remembered.projects(client))
    return Context(client, project, pages, viewer_zone(st.context.timezone), lambda: datetime.now(UTC))


@st.cache_resource(show_spinner=False)
def _client(api_url: str, timeout_s: float, api_key: str) -> Client:
    return Client(api_url, timeout_s=timeout_s, api_key=api_key)


if __name__ == "__main__":
    main()
