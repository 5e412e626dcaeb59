"""What every page needs: the client, the state in the address, the clock and the viewer's time zone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from spanwise_dashboard.client import Client
from spanwise_dashboard.state import State, parse, query


@dataclass(frozen=True, slots=True)
class Context:
    """Handed to every page.

    Attributes:
        client: asks the collector.
        project: the project that is shown.
        pages: by name, to switch to.
        zone: the viewer's time zone.
        clock: tells the time, UTC.
    """

    client: Client
    project: str
    pages: Mapping[str, StreamlitPage]
    zone: tzinfo
    clock: Callable[[], datetime]

    def state(self) -> State:
        """The state in the address as it is now."""
        return replace(address(), project=self.project)

    def now(self) -> datetime:
        """The time, UTC."""
        return self.clock()

    def window(self) -> tuple[datetime, datetime]:
        """The window that is shown: first instant and the one after the last."""
        return self.state().time.window(self.now())

    def switch(self, page: str, state: State) -> None:
        """Opens another page in that state."""
        st.switch_page(self.pages[page], query_params=query(state))


def address() -> State:
    """The state in the address bar."""
    return parse({key: st.query_params.get_all(key) for key in st.query_params})


def go(state: State) -> None:
    """Puts a state into the address bar; the page shows it from the next run on."""
    st.query_params.from_dict(query(state))


def href(page: str, state: State) -> str:
    """A link to a page of the dashboard, relative to where it is served."""
    return f"{page}?{urlencode(query(state), doseq=True)}"


def shared(state: State) -> State:
    """What stays when the page changes: project, time range, environment, refresh."""
    kept = replace(State().filters, environment=state.filters.environment)
    return State(project=state.project, time=state.time, filters=kept, refresh=state.refresh)


def viewer_zone(name: str | None) -> tzinfo:
    """The time zone that the browser reports; UTC when it reports none that is known here."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
