"""What changed between two windows: the number, the slices that moved it, examples, versions and failures."""

from typing import Final

from spanwise_collector.attribution.attribute import attribute
from spanwise_collector.attribution.exemplars import exemplars
from spanwise_collector.attribution.grown import grown_failures
from spanwise_collector.attribution.leaves import OTHER, Leaves
from spanwise_collector.attribution.model import Attribution, Slice, SliceEffect
from spanwise_collector.attribution.populations import Question
from spanwise_collector.attribution.query import Asked, ask, exposure_of, leaf_table
from spanwise_collector.attribution.scale import Scale
from spanwise_collector.attribution.scan import Direction
from spanwise_collector.attribution.versions import new_versions
from spanwise_collector.attribution.words import label, of_slice, outcome
from spanwise_collector.query.values import time_of
from spanwise_collector.store.database import Reader
from spanwise_schemas.api_changes import SliceChange, WhatChanged

MAX_SLICES: Final = 5
MAX_VALUES: Final = 20
MAX_READINGS: Final = 3
MIN_EVENTS: Final = 30
"""With fewer events in a window a note says that there are few."""


def what_changed(
    reader: Reader, question: Question, *, direction: Direction | None = None, timeout_s: float = 30.0
) -> WhatChanged:
    """Why a number moved between two windows.

    Args:
        reader: the store.
        question: which number of which traffic, in which windows.
        direction: which way slices must have moved; without, the way of the total, and both ways for shares.
        timeout_s: for each query.

    Raises:
        StoreError: see `Reader.query`.
    """
    asked = ask(reader, question, timeout_s=timeout_s)
    leaves = leaf_table(reader, asked, timeout_s=timeout_s)
    exposure = exposure_of(asked, leaves.before.n, leaves.after.n)
    if asked.measure.shares:
        direction = direction or "both"
    found = attribute(leaves, asked.measure.kind, direction=direction, exposure=exposure, most=MAX_SLICES)
    scale = Scale(asked.measure, found.total)
    slices = [_slice(asked, scale, effect) for effect in found.slices]
    total, signal = found.total, question.signal
    before, after = (None, None) if asked.measure.shares else (scale.value(total.before), scale.value(total.after))
    low, high = scale.interval(total)
    first, usual = _first(found)
    rising = direction == "up" if direction in ("up", "down") else total.difference >= 0
    bad, good = exemplars(reader, asked, first, usual=usual, rising=rising, timeout_s=timeout_s)
    traffic = total.n_after / max(total.n_before, 1.0)
    return WhatChanged(
        project=question.project,
        signal=signal.name,
        title=signal.title,
        unit=signal.unit,
        before_start=time_of(question.before.start),
        before_end=time_of(question.before.end),
        start=time_of(question.after.start),
        end=time_of(question.after.end),
        n_before=round(total.n_before),
        n_after=round(total.n_after),
        before=before,
        after=after,
        difference=None if before is None or after is None else after - before,
        low=low,
        high=high,
        sentence=outcome(signal, before, after, slices, sure=total.low > 0 or total.high < 0),
        slices=slices,
        readings=_readings(leaves, found),
        dimensions=[scale.dimension(split, MAX_VALUES) for split in found.dimensions],
        bad=bad,
        good=good,
        versions=new_versions(reader, question, timeout_s=timeout_s),
        failures=grown_failures(reader, question, traffic, timeout_s=timeout_s),
        filters=_filters(asked, first, status=rising),
        notes=_notes(asked, found),
    )


def _slice(asked: Asked, scale: Scale, effect: SliceEffect) -> SliceChange:
    low, high = scale.interval(effect)
    contribution = scale.part(effect.contribution)
    change = SliceChange(
        dims=dict(effect.slice.dims),
        label=label(effect.slice),
        n_before=round(effect.n_before),
        n_after=round(effect.n_after),
        before=scale.value(effect.value_before),
        after=scale.value(effect.value_after),
        low=low,
        high=high,
        contribution=contribution,
        # Shares add up to nothing in all: there a slice's part is of the traffic.
        share=contribution
        if asked.measure.shares or effect.share_of_change != effect.share_of_change
        else effect.share_of_change,
        score=effect.score,
        filters=_filters(asked, effect.slice, status=effect.contribution > 0),
    )
    return change.model_copy(update={"sentence": of_slice(asked.question.signal, change)})


def _readings(leaves: Leaves, found: Attribution) -> list[str]:
    """Slices that describe the change too, without those that only say the same in more words."""
    named = [effect.slice for effect in found.slices]
    seen = {leaves.members(one).tobytes(): len(one.dims) for one in named}
    readings = []
    for one in found.ranking:
        members, depth = leaves.members(one).tobytes(), len(one.dims)
        if one in named or depth > seen.get(members, depth):
            continue
        seen[members] = depth
        readings.append(label(one))
    return readings[:MAX_READINGS]


def _first(found: Attribution) -> tuple[Slice, float | None]:
    """The slice from which examples are taken, and its mean before: the first whose values are all known by name."""
    for effect in found.slices:
        if all(value != OTHER for _, value in effect.slice.dims) and effect.n_after > 0:
            return effect.slice, effect.value_before if effect.value_before is not None else found.total.before
    return Slice(), found.total.before


def _filters(asked: Asked, one: Slice, *, status: bool) -> dict[str, list[str]]:
    """For the list of traces: the question's filters, the slice, and for error rates that rose the status."""
    where = asked.question.where
    filters = {name: list(values) for name in type(where).model_fields if (values := getattr(where, name))}
    filters |= {name: [value] for name, value in one.dims if value and value != OTHER}
    if asked.question.signal.name == "error_rate" and status:
        filters["status"] = ["error"]
    return filters


def _notes(asked: Asked, found: Attribution) -> list[str]:
    question, total = asked.question, found.total
    notes = []
    if min(total.n_before, total.n_after) < MIN_EVENTS:
        notes.append(f"Few events: {total.n_before:.0f} before, {total.n_after:.0f} after.")
    if asked.measure.kind == "sum" and not asked.measure.shares and question.before.length != question.after.length:
        notes.append("Amounts of the window before are scaled to the length of the one after.")
    if asked.measure.logarithm:
        notes.append("Typical values are geometric means; parts of the difference are in proportion to its logarithm.")
    if question.signal.name == "spend":
        notes.append("Spend is split by model calls, each with the release, user group and request of its trace.")
    return notes
