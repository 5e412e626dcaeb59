"""Notifications and what became of them."""

from collections.abc import Sequence
from typing import Final

from spanwise_dashboard.components.table import Cell, Column, Row, table
from spanwise_dashboard.context import Context
from spanwise_dashboard.format import clock, minute
from spanwise_dashboard.views.alerts_words import DELIVERED, KINDS
from spanwise_schemas.api_alerts import Delivery

_COLUMNS: Final = (
    Column("When", width="118px"),
    Column("Channel", width="16%"),
    Column("About", width="14%", hide=760),
    Column("Outcome", width="172px"),
    Column("Attempts", "right", width="84px", hide=620),
    Column("What went wrong", wrap=True, hide=420),
)


def deliveries_table(context: Context, found: Sequence[Delivery], *, key: str) -> None:
    """Draws the notifications, in the order given."""
    rows = [_row(context, each) for each in found]
    table("Notifications", _COLUMNS, rows, key=key, empty="Nobody was told of anything yet.")


def _row(context: Context, each: Delivery) -> Row:
    now = context.now()
    again = f"Next try at {minute(each.next_at, context.zone, now)}" if each.next_at and each.next_at > now else ""
    cells = (
        Cell(minute(each.created_at, context.zone, now), title=clock(each.created_at, context.zone, now)),
        Cell(each.channel),
        Cell(KINDS.get(each.kind, each.kind)),
        Cell(badges=(DELIVERED[each.state],), title=again or None),
        Cell(f"{each.attempts}"),
        Cell(each.error, sub=again),
    )
    return Row(each.key, cells)
