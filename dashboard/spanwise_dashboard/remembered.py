"""Answers that are asked for on every run of a page, remembered for a few seconds.

Answers are frozen models, so that all sessions can share one; errors are never remembered.
"""

from datetime import datetime, timedelta

import streamlit as st

from spanwise_dashboard.client import Client
from spanwise_dashboard.state import TimeRange
from spanwise_schemas.api import Facets, Projects, SpanDetail, TraceDetail
from spanwise_schemas.api_audit import Audit
from spanwise_schemas.api_costs import PricedModels
from spanwise_schemas.api_explain import TraceExplanation


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


def audit(client: Client, time: TimeRange, now: datetime) -> Audit:
    """Whether everything adds up, at most a minute old: it reads a lot."""
    start, end = time.window(now)
    # Rounded outwards to whole minutes: the key stays the same while the clock goes on.
    start = start.replace(second=0, microsecond=0)
    end = end.replace(second=0, microsecond=0) + timedelta(minutes=1)
    return _audit(client, client.base_url, start, end)


def trace(client: Client, project: str, trace_id: str) -> TraceDetail:
    """One trace, at most 10 seconds old."""
    return _trace(client, client.base_url, project, trace_id)


def span(client: Client, project: str, trace_id: str, span_id: str) -> SpanDetail:
    """One span with its bodies, at most a minute old."""
    return _span(client, client.base_url, project, trace_id, span_id)


def priced_models(client: Client) -> PricedModels:
    """Models that have a price, at most an hour old."""
    return _priced_models(client, client.base_url)


def explanation(client: Client, project: str, trace_id: str, span_id: str) -> TraceExplanation:
    """Where the values of a span come from, at most a minute old."""
    return _explanation(client, client.base_url, project, trace_id, span_id)


# The address is part of each key, because Streamlit leaves arguments with an underscore out of it.


@st.cache_resource(ttl=10, max_entries=8, show_spinner=False)
def _projects(_client: Client, base_url: str) -> Projects:
    del base_url
    return _client.projects()


@st.cache_resource(ttl=30, max_entries=64, show_spinner=False)
def _facets(_client: Client, base_url: str, project: str, start: datetime, end: datetime) -> Facets:
    del base_url
    return _client.facets(project, start, end)


@st.cache_resource(ttl=60, max_entries=16, show_spinner=False)
def _audit(_client: Client, base_url: str, start: datetime, end: datetime) -> Audit:
    del base_url
    return _client.audit(start, end)


@st.cache_resource(ttl=10, max_entries=16, show_spinner=False)
def _trace(_client: Client, base_url: str, project: str, trace_id: str) -> TraceDetail:
    del base_url
    return _client.trace(project, trace_id)


@st.cache_resource(ttl=60, max_entries=64, show_spinner=False)
def _span(_client: Client, base_url: str, project: str, trace_id: str, span_id: str) -> SpanDetail:
    del base_url
    return _client.span(project, trace_id, span_id)


@st.cache_resource(ttl=3600, max_entries=4, show_spinner=False)
def _priced_models(_client: Client, base_url: str) -> PricedModels:
    del base_url
    return _client.priced_models()


@st.cache_resource(ttl=60, max_entries=64, show_spinner=False)
def _explanation(_client: Client, base_url: str, project: str, trace_id: str, span_id: str) -> TraceExplanation:
    del base_url
    return _client.explain(project, trace_id, span_id)
