"""Issues on both sides of a comparison."""

from typing import Final

from spanwise_dashboard.components.table import Cell, Column, Row, table
from spanwise_dashboard.context import Context, href
from spanwise_dashboard.format import compact, count, percent
from spanwise_dashboard.views.compare_words import failure_verdict, side_names
from spanwise_dashboard.views.failures_words import class_badge
from spanwise_dashboard.views.what_changed_rows import issue_place
from spanwise_schemas.api_compare import ComparedFailure, Comparison

_PER: Final = "Failures, and their share of the side's requests or calls"


def failures_table(context: Context, found: Comparison) -> None:
    """Draws the table; a line opens its issue."""
    a, b = side_names(found)
    columns = (
        Column("Failure", wrap=True),
        Column(a, "right", width="104px", help=_PER),
        Column(b, "right", width="104px", help=_PER),
        Column("Verdict", "right", width="132px"),
    )
    rows = [row(context, one) for one in found.failures]
    clicked = table("Failures", columns, rows, key="compare-failures", empty="Nothing failed on either side.")
    if clicked is not None and clicked.action == "row":
        context.switch("failures", issue_place(context, clicked.value))


def row(context: Context, one: ComparedFailure) -> Row:
    """An issue with how often it is on each side."""
    cells = (
        Cell(one.title, badges=(class_badge(one.failure_class),)),
        Cell(compact(one.count_a), sub=percent(one.rate_a), title=count(one.count_a)),
        Cell(compact(one.count_b), sub=percent(one.rate_b), title=count(one.count_b)),
        Cell(badges=(failure_verdict(one.verdict),)),
    )
    return Row(one.issue_id, cells, href=href("failures", issue_place(context, one.issue_id)))
