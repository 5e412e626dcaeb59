"""Where each value of a span comes from: which attribute, read how, and what was left over."""

from collections.abc import Mapping

import streamlit as st

from spanwise_dashboard import remembered
from spanwise_dashboard.components.conversation import Section, conversation
from spanwise_dashboard.components.facts import Fact, heading
from spanwise_dashboard.components.table import Badge, Cell, Column, Row, table
from spanwise_dashboard.context import Context
from spanwise_dashboard.format import UNKNOWN, count, money
from spanwise_dashboard.messages import Message, Part
from spanwise_schemas.api_explain import CostOrigin, FieldOrigin, OtherSource, SpanExplanation

_FIELDS = (
    Column("Field", width="25%", wrap=True),
    Column("Value", width="30%", wrap=True),
    Column("From", wrap=True, help="The attribute that gave the value, and how it was read"),
)
_LEFT = (Column("Attribute", width="42%", wrap=True), Column("Value", wrap=True))
SHOWN = 120
"""Characters of a value; the rest is in its tooltip, and bodies are in the other views."""
_ORIGINS = {"resource": "resource", "derived": "derived", "event": "event"}


def explain_panel(context: Context, trace_id: str, span_id: str) -> None:
    """Draws the explanation of one span."""
    with st.spinner("Explaining …", show_time=False):
        found = remembered.explanation(context.client, context.project, trace_id, span_id).spans[0]
    heading("", (), facts(found), key=f"explain-facts-{span_id}", level=2)
    for title, lines in sentences(found).items():
        st.subheader(title, anchor=False)
        for line in lines:
            st.text(line)
    if found.cost.lines:
        _prices(found.cost, span_id)
    st.subheader("Fields", anchor=False)
    rows = field_rows(found.fields)
    table("Fields", _FIELDS, rows, key=f"explain-fields-{span_id}", empty="No field has a value.")
    st.subheader("Left unmapped", anchor=False)
    empty = "Every attribute fills a field."
    table("Left unmapped", _LEFT, _pairs(found.unmapped), key=f"explain-rest-{span_id}", empty=empty)
    if found.resource:
        st.subheader("Resource and scope", anchor=False)
        table("Resource and scope", _LEFT, _pairs(found.resource), key=f"explain-resource-{span_id}", empty="")
    if found.raw:
        sent = [Message(name, (Part("json", text),)) for name, text in found.raw.items()]
        conversation([Section("Content as it was sent", sent)], key=f"explain-raw-{span_id}")


def facts(found: SpanExplanation) -> list[Fact]:
    """What made the span, and whose names it carries."""
    return [
        Fact("Recognised as", found.convention or "no convention", tone="" if found.convention else "warn"),
        *([Fact("Made by", found.scope)] if found.scope else []),
        Fact("Bill", "borne by this span" if found.counts_usage else "not borne by this span"),
    ]


def sentences(found: SpanExplanation) -> dict[str, list[str]]:
    """Bill, tokens and cost in words, by heading."""
    said = {"Bill": [found.bill], "Tokens": found.tokens, "Cost": [found.cost.words, *_both(found.cost)]}
    return {title: lines for title, lines in said.items() if lines}


def _both(cost: CostOrigin) -> list[str]:
    if cost.reported_nanousd is None:
        return []
    return [f"Reported: {money(cost.reported_nanousd)}. By the price list: {money(cost.computed_nanousd)}."]


def _prices(cost: CostOrigin, span_id: str) -> None:
    columns = (
        Column(f"Priced as {cost.priced_as}"),
        Column("Tokens", "right", width="20%"),
        Column("Per million", "right", width="20%"),
        Column("Cost", "right", width="20%"),
    )
    rows = [
        Row(
            line.sort,
            (
                Cell(line.sort),
                Cell(count(line.tokens)),
                Cell(UNKNOWN if line.usd_per_million is None else f"${line.usd_per_million:g}"),
                Cell(money(line.nanousd)),
            ),
        )
        for line in cost.lines
    ]
    table("Prices", columns, rows, key=f"explain-prices-{span_id}", empty="")


def field_rows(fields: list[FieldOrigin]) -> list[Row]:
    """A line per field, and one below it for each attribute that lost to the one that gave it."""
    found = []
    for one in fields:
        found.append(
            Row(
                one.field,
                (Cell(one.field, title=one.meaning), Cell(_brief(one.value), mono=True, title=one.value), _giver(one)),
            )
        )
        found += [_loser(one, other) for other in one.others]
    return found


def _giver(one: FieldOrigin) -> Cell:
    if one.origin in _ORIGINS:
        return Cell("", sub=one.reading, badges=(Badge(_ORIGINS[one.origin]),))
    if one.origin == "body":
        return Cell("", sub=one.reading, badges=(Badge(one.attribute),))
    member = f", member {one.path}" if one.path else ""
    badges = (Badge(one.convention),) if one.convention else ()
    return Cell(one.attribute, mono=True, sub=f"{one.reading}{member}", badges=badges)


def _loser(one: FieldOrigin, other: OtherSource) -> Row:
    cells = (
        Cell(""),
        Cell(_brief(other.value), mono=True, tone="muted", title=other.value),
        Cell(other.attribute, mono=True, tone="muted", badges=(Badge(other.convention), Badge("not used", "warn"))),
    )
    return Row(f"{one.field} {other.attribute}", cells)


def _brief(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN].rstrip()} …"


def _pairs(values: Mapping[str, str]) -> list[Row]:
    return [Row(name, (Cell(name, mono=True), Cell(value, mono=True))) for name, value in values.items()]
