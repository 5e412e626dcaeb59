"""Tables and bars of the page Evals: means by a split, and how values lie."""

import streamlit as st

from spanwise_dashboard.components.histogram import histogram
from spanwise_dashboard.components.table import Badge, Cell, Column, Row, table
from spanwise_dashboard.format import count, percent
from spanwise_dashboard.views.evals_words import SPLIT_LABELS, interval_text, score_text, unit_of
from spanwise_schemas.api_evals import MeanEstimate, ScoreDistribution, ScoreTrend

_SHARE_COLUMNS = (Column("Label"), Column("Scores", "right", width="22%"), Column("Share", "right", width="36%"))


def apart(one: MeanEstimate, other: MeanEstimate) -> bool:
    """Whether two intervals do not touch: then the difference is no chance."""
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return False
    return one.high < other.low or other.high < one.low


def split_rows(found: ScoreTrend) -> list[Row]:
    """A line per value of the split; what is surely below the one with the most scores is marked."""
    first = found.lines[0].total if found.lines else MeanEstimate()
    rows = []
    for line in found.lines:
        total = line.total
        differs = apart(total, first) and total.mean is not None and first.mean is not None
        badges: tuple[Badge, ...] = ()
        if differs:
            lower = (total.mean or 0.0) < (first.mean or 0.0)
            badges = (Badge("lower" if lower else "higher", "", "Its interval and that of the first line are apart."),)
        cells = (
            Cell(line.key or "(not known)", badges=badges),
            Cell(count(total.n)),
            Cell(score_text(total.mean, found.shape)),
            Cell(interval_text(total, found.shape), tone="muted"),
        )
        rows.append(Row(line.key, cells))
    return rows


def by_split(found: ScoreTrend) -> None:
    """Draws means over the whole time range by the split; nothing where nothing is split."""
    if found.split == "none":
        return
    title = SPLIT_LABELS[found.split]
    columns = (
        Column(title),
        Column("Scores", "right", width="18%"),
        Column("Mean", "right", width="18%"),
        Column("Is between", "right", width="32%", help="95 % interval"),
    )
    with st.container(gap="xsmall"):
        st.markdown(f"**By {title.lower()}**")
        table(f"Means by {title.lower()}", columns, split_rows(found), key="evals-split-table", empty="No scores.")


def share_rows(found: ScoreDistribution) -> list[Row]:
    """A line per label."""
    return [
        Row(one.label, (Cell(one.label or "(none)"), Cell(count(one.count)), Cell(percent(one.share), bar=one.share)))
        for one in found.labels
    ]


def yes_no_rows(found: ScoreDistribution) -> list[Row]:
    """Yes and no, with their shares."""
    no, yes = found.bins[0], found.bins[-1]
    return [
        Row(word, (Cell(word), Cell(count(one.count)), Cell(percent(one.share), bar=one.share)))
        for word, one in (("yes", yes), ("no", no))
    ]


def lies(found: ScoreDistribution) -> None:
    """Draws how values lie: bars for numbers, a line for each label, for yes and no."""
    with st.container(gap="xsmall"):
        st.markdown("**How values lie**", help="Weighted by the chance with which each answer was scored.")
        if found.shape == "number":
            with st.container(border=True):
                histogram(f"Distribution of {found.name}", found, unit_of(found.shape), key="evals-distribution")
            return
        rows = share_rows(found) if found.shape == "label" else yes_no_rows(found)
        columns = (Column("Value"), *_SHARE_COLUMNS[1:]) if found.shape == "yes_no" else _SHARE_COLUMNS
        table(f"Distribution of {found.name}", columns, rows, key="evals-shares", empty="No scores.")
