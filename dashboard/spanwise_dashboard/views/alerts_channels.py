"""Who is told: the channels, what was sent through them, and a test of each."""

from typing import Final

import streamlit as st

from spanwise_dashboard.alerts_api import AlertsApi
from spanwise_dashboard.components.lines import lines
from spanwise_dashboard.components.table import Badge, Cell, Column, Row, table
from spanwise_dashboard.context import Context
from spanwise_dashboard.format import ago, clock
from spanwise_dashboard.notices import explained
from spanwise_dashboard.views.alerts_deliveries import deliveries_table
from spanwise_dashboard.views.alerts_words import SEVERITIES
from spanwise_schemas.api_alerts import Channel, ChannelTest

_TESTED: Final = "channel-tested"
_TYPES: Final = {
    "webhook": "Webhook",
    "slack": "Slack",
    "pagerduty": "PagerDuty",
    "email": "E-mail",
    "apprise": "Through apprise",
}
_COLUMNS: Final = (
    Column("Channel", width="20%"),
    Column("Where to", width="20%", hide=620),
    Column("Takes", width="150px", hide=760),
    Column("Last sent", width="100px"),
    Column("Last error", wrap=True),
    Column("Waiting", "right", width="76px", hide=520),
    Column("", "right", width="78px"),
)
EXAMPLE: Final = """[[channels]]
name = "team"
type = "slack"
url_env = "SLACK_WEBHOOK"          # the secret stays in the environment
severities = ["page", "ticket"]"""


def channels(context: Context) -> None:
    """Draws the channels and the newest notifications."""
    api = AlertsApi(context.client, context.project)
    with st.spinner("Reading the channels …", show_time=False):
        found = api.channels()
    if not found.items:
        _nothing()
        return
    rows = [row(context, channel) for channel in found.items]
    clicked = table("Channels", _COLUMNS, rows, key="channels", empty="")
    if clicked is not None and clicked.action == "test":
        with explained(), st.spinner("Sending a test …", show_time=False):
            st.session_state[_TESTED] = api.test_channel(clicked.value)
    tested: ChannelTest | None = st.session_state.get(_TESTED)
    if tested is not None:
        lines([outcome(tested)], key="channel-outcome", tone="good" if tested.delivered else "bad")
    st.subheader("The newest notifications", anchor=False)
    deliveries_table(context, found.deliveries, key="deliveries")


def outcome(tested: ChannelTest) -> str:
    """What became of a test."""
    if tested.delivered:
        return f"The test reached {tested.channel}. {tested.detail}".strip()
    return f"The test did not reach {tested.channel}: {tested.detail or 'no reason was given'}."


def row(context: Context, channel: Channel) -> Row:
    """A channel in one line."""
    now = context.now()
    sent = clock(channel.last_sent, context.zone, now) if channel.last_sent else None
    error = bool(channel.last_error)
    cells = (
        Cell(channel.name, sub=_TYPES[channel.type], dot="bad" if error else "good" if channel.last_sent else ""),
        Cell(channel.target),
        Cell(badges=tuple(SEVERITIES[severity] for severity in channel.severities) or (Badge("by name only"),)),
        Cell(ago(channel.last_sent, now) if channel.last_sent else "never", title=sent),
        Cell(channel.last_error or "none", tone="bad" if error else "muted"),
        Cell(f"{channel.queued}", tone="warn" if channel.queued else "muted"),
        Cell("Test", action="test", value=channel.name, title="Sends a test notification now"),
    )
    return Row(channel.name, cells)


def _nothing() -> None:
    with st.container(border=True):
        st.subheader("Nobody is told yet", anchor=False)
        st.markdown(
            "Alerts show up here, and go nowhere else. Add a channel to the file of alerts that the collector reads "
            "(`SPANWISE_ALERTS_FILE`), and they go to Slack, PagerDuty, e-mail, or as JSON to an address of yours:"
        )
        st.code(EXAMPLE, language="toml")
        st.markdown("`spanwise alerts test-channel team` sends a test, and so does a button here.")
