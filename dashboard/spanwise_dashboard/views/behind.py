"""From a finding to the list of the traces behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from spanwise_dashboard.context import Context
from spanwise_dashboard.state import State, TimeRange, parse, query

_NAMES: Final = {"route": "name"}
"""Dimensions whose parameter has another name in the list of traces."""
_TIMES: Final = ("from", "to", "range")


def traces_behind(context: Context, filters: Mapping[str, Sequence[str]], start: datetime, end: datetime) -> State:
    """The list of traces with these filters, over [start, end) unless the filters say another time."""
    parameters = {_NAMES.get(key, key): list(values) for key, values in filters.items()}
    state = parse(parameters)
    if not any(key in filters for key in _TIMES):
        state = replace(state, time=TimeRange(start=start, end=end))
    here = context.state()
    return replace(state, project=here.project, refresh=here.refresh)


def unfiltered(filters: Mapping[str, Sequence[str]]) -> list[str]:
    """Dimensions that the list of traces cannot be filtered by: it shows more than these traces."""
    known = query(parse({_NAMES.get(key, key): list(values) for key, values in filters.items()}))
    return [key for key in filters if _NAMES.get(key, key) not in known and key not in _TIMES]
