"""Lines of the tables that say what changed between two windows. Pure but for the links."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from spanwise_dashboard.components.facts import Fact
from spanwise_dashboard.components.table import Badge, Cell, Column, Row
from spanwise_dashboard.context import Context, href, shared
from spanwise_dashboard.failures_place import FailuresPlace
from spanwise_dashboard.format import Change, clock, compact, count, minute, percent
from spanwise_dashboard.messages import gist
from spanwise_dashboard.state import State
from spanwise_dashboard.values import difference, interval, moved, value, worse
from spanwise_dashboard.views.behind import traces_behind, unfiltered
from spanwise_schemas.api_changes import (
    DimensionContributions,
    Exemplar,
    GrownFailure,
    NewVersion,
    SliceChange,
    ValueContribution,
    WhatChanged,
)

DIMENSIONS: Final = {
    "model": "Model",
    "provider": "Provider",
    "prompt": "Prompt",
    "release": "Release",
    "environment": "Environment",
    "route": "Request",
    "tool": "Tool",
    "user_group": "User group",
    "user": "User",
    "language": "Language",
}
"""Dimensions in the words of the pages."""
SLICE_COLUMNS: Final = (
    Column("Where", wrap=True, help="Up to three properties together; a click opens the traces behind"),
    Column("Count", "right", width="130px", hide=680, help="Before → after"),
    Column("Before", "right", width="82px", hide=560),
    Column("After", "right", width="82px"),
    Column("Difference", "right", width="156px", help="After less before, with its 95 % interval"),
    Column("Of the whole", "right", width="124px", help="How much of the whole difference comes from here"),
)
VALUE_COLUMNS: Final = (
    Column("Value"),
    Column("Count", "right", width="130px", hide=720, help="Before → after"),
    Column("Before", "right", width="82px", hide=600),
    Column("After", "right", width="82px", hide=600),
    Column("By its share", "right", width="104px", help="Added because there is more or less of it than before"),
    Column("By itself", "right", width="104px", help="Added because it is different from what it was itself"),
    Column("Together", "right", width="156px", help="Both, with the 95 % interval; all lines add up to the difference"),
)
VERSION_COLUMNS: Final = (
    Column("Version"),
    Column("First seen", "right", width="118px"),
    Column("To the change", "right", width="126px", hide=420),
    Column("Traffic", "right", width="84px", help="Its part of the traffic after the change"),
)
FAILURE_COLUMNS: Final = (
    Column("Failure", wrap=True),
    Column("Before", "right", width="74px"),
    Column("After", "right", width="74px"),
    Column("Expected", "right", width="92px", help="What the traffic alone would have made of it"),
)
_EXAMPLE_COLUMNS: Final = (
    Column("Request"),
    Column("Why it is shown", wrap=True, width="34%", hide=460),
    Column("Value", "right", width="90px", hide=620),
    Column("Time", "right", width="130px"),
)

_SURE: Final = "In 95 of 100 such cases the true difference lies between these"


def outcome(answer: WhatChanged) -> list[Fact]:
    """Before, after and difference at a glance."""
    change = moved(answer.after, answer.before, answer.unit, worse(answer.signal))
    sure = interval(answer.low, answer.high, answer.unit)
    return [
        Fact("Before", value(answer.before, answer.unit), title=f"of {count(answer.n_before)}"),
        Fact("After", value(answer.after, answer.unit), title=f"of {count(answer.n_after)}"),
        Fact("Difference", difference(answer.difference, answer.unit), tone=_tone(change)),
        *([Fact("95 % interval", sure, title=_SURE)] if sure else []),
        Fact("Counted", f"{compact(answer.n_before)} → {compact(answer.n_after)}", title="Before → after"),
    ]


def slice_row(context: Context, answer: WhatChanged, number: int, one: SliceChange) -> Row:
    """A slice with what it moved."""
    sure = interval(one.low, one.high, answer.unit)
    moved_by = None if one.before is None or one.after is None else one.after - one.before
    missing = unfiltered(one.filters)
    hint = f"The list of traces cannot be filtered by {', '.join(missing)}: it shows more" if missing else one.label
    cells = (
        Cell(one.label, sub=one.sentence, title=hint),
        Cell(f"{compact(one.n_before)} → {compact(one.n_after)}"),
        Cell(value(one.before, answer.unit)),
        Cell(value(one.after, answer.unit)),
        Cell(difference(moved_by, answer.unit), sub=sure),
        Cell(percent(one.share), sub=difference(one.contribution, answer.unit), bar=max(0.0, min(1.0, one.share))),
    )
    place = traces_behind(context, one.filters, answer.start, answer.end)
    return Row(str(number), cells, href=href("traces", place) if one.filters else "")


def value_rows(answer: WhatChanged, found: DimensionContributions) -> list[Row]:
    """A line per value, and what they add up to."""
    lines = [_value_row(answer, one) for one in found.values]
    whole = Cell(difference(found.mix + found.rate, answer.unit))
    cells = (
        Cell("All together"),
        Cell(f"{compact(answer.n_before)} → {compact(answer.n_after)}"),
        Cell(value(answer.before, answer.unit)),
        Cell(value(answer.after, answer.unit)),
        Cell(difference(found.mix, answer.unit)),
        Cell(difference(found.rate, answer.unit)),
        whole,
    )
    return [*lines, Row("all", cells, selected=True)]


def _value_row(answer: WhatChanged, one: ValueContribution) -> Row:
    together = one.mix + one.rate
    whole = abs(answer.difference or 0.0)
    cells = (
        Cell(one.value or "(none)"),
        Cell(f"{compact(one.n_before)} → {compact(one.n_after)}"),
        Cell(value(one.before, answer.unit)),
        Cell(value(one.after, answer.unit)),
        Cell(difference(one.mix, answer.unit), tone="muted" if abs(one.mix) < abs(one.rate) / 10 else ""),
        Cell(difference(one.rate, answer.unit), tone="muted" if abs(one.rate) < abs(one.mix) / 10 else ""),
        Cell(
            difference(together, answer.unit),
            sub=interval(one.low, one.high, answer.unit),
            bar=min(1.0, abs(together) / whole) if whole else 0.0,
        ),
    )
    return Row(one.value, cells)


def version_row(context: Context, answer: WhatChanged, one: NewVersion) -> Row:
    """A version, and how near to the change it was first seen."""
    cells = (
        Cell(one.value, sub=DIMENSIONS[one.dimension].lower()),
        Cell(minute(one.first_seen, context.zone, context.now())),
        Cell(beside(one.first_seen, answer.start)),
        Cell(percent(one.share), bar=one.share),
    )
    return Row(f"{one.dimension}={one.value}", cells)


def beside(moment: datetime, change: datetime) -> str:
    """How long before or after the change: `40 min before`, `2 h after`."""
    seconds = (moment - change).total_seconds()
    for limit, divisor, unit in ((60, 1, ""), (7200, 60, "min"), (172_800, 3600, "h"), (float("inf"), 86_400, "d")):
        if abs(seconds) < limit:
            side = "before" if seconds < 0 else "after"
            return f"{abs(seconds) // divisor:.0f} {unit} {side}" if unit else "same time"
    raise AssertionError("unreachable: the last limit is infinite")


def failure_row(context: Context, one: GrownFailure) -> Row:
    """A kind of failure that grew."""
    cells = (
        Cell(one.title, badges=(Badge(one.failure_class.replace("_", " ")),)),
        Cell(count(one.before)),
        Cell(count(one.after), tone="bad"),
        Cell(f"{one.expected:,.1f}" if one.expected < 10 else count(one.expected)),
    )
    return Row(one.issue_id, cells, href=href("failures", issue_place(context, one.issue_id)))


def issue_place(context: Context, issue_id: str) -> State:
    """The open kind of failure."""
    return replace(shared(context.state()), failures=FailuresPlace(issue_id=issue_id))


def example_columns(answer: WhatChanged) -> tuple[Column, ...]:
    """Columns of the examples; of a share a single trace has only yes or no, and its detail says which."""
    request, why, shown, time = _EXAMPLE_COLUMNS
    return (request, why, time) if answer.unit == "ratio" else (request, why, shown, time)


def example_row(context: Context, answer: WhatChanged, one: Exemplar, dot: str) -> Row:
    """A trace that shows it."""
    cells = (
        Cell(one.name or one.trace_id, sub=gist(one.preview), dot=dot, title=one.preview or one.trace_id),
        Cell(one.detail),
        *([] if answer.unit == "ratio" else [Cell(value(one.value, answer.unit))]),
        Cell(clock(one.time, context.zone, context.now())),
    )
    return Row(f"{one.trace_id}/{one.span_id}", cells, href=href("trace", example_place(context, one)))


def example_place(context: Context, one: Exemplar) -> State:
    """The open trace."""
    return shared(context.state()).on_trace(one.trace_id, one.span_id)


def _tone(change: Change) -> str:
    return change.tone if change.tone != "neutral" else ""
