"""Answers that are asked for on every run of a page, remembered for a few seconds.

Answers are frozen models, so that all sessions can share one; errors are never remembered.
"""

from datetime import datetime, timedelta

import streamlit as st

from spanwise_dashboard.client import Client
from spanwise_dashboard.state import TimeRange
from spanwise_schemas.api import Facets, Projects, SpanDetail, TraceDetail


def projects(client: Client) -> Projects:
    """All projects, at most 10 seconds old."""
    return _projects(client, client.base_url)


def facets(client: Client, project: str, time: TimeRange, now: datetime) -> Facets:
    """The values that can be filtered by, at most 30 seconds old."""
    start, end = time.window(now)
    # Rounded outwards to whole minutes: the key stays the same while the clock goes on.
    start = start.replace(second=0, microsecond=0)
    end = end.replace(second=0, microsecond=0) + timedelta(minutes=1)
    return _facets(client, client.base_url, project, start, end)


def trace(client: Client, project: str, trace_id: str) -> TraceDetail:
    """One trace, at most 10 seconds old."""
    return _trace(client, client.base_url, project, trace_id)


def span(client: Client, project: str, trace_id: str, span_id: str) -> SpanDetail:
    """One span with its bodies, at most a minute old."""
    return _span(client, client.base_url, project, trace_id, span_id)


# The address is part of each key, because Streamlit leaves arguments with an underscore out of it.


@st.cache_resource(ttl=10, max_entries=8, show_spinner=False)
def _projects(_client: Client, base_url: str) -> Projects:
    del base_url
    return _client.projects()


@st.cache_resource(ttl=30, max_entries=64, show_spinner=False)
def _facets(_client: Client, base_url: str, project: str, start: datetime, end: datetime) -> Facets:
    del base_url
    return _client.facets(project, start, end)


@st.cache_resource(ttl=10, max_entries=16, show_spinner=False)
def _trace(_client: Client, base_url: str, project: str, trace_id: str) -> TraceDetail:
    del base_url
    return _client.trace(project, trace_id)


@st.cache_resource(ttl=60, max_entries=64, show_spinner=False)
def _span(_client: Client, base_url: str, project: str, trace_id: str, span_id: str) -> SpanDetail:
    del base_url
    return _client.span(project, trace_id, span_id)
