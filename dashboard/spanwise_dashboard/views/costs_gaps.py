"""What the sums of costs leave out, and what to do about it: calls without a price, and usage that was told twice."""

import streamlit as st

from spanwise_dashboard.components.table import Badge, Cell, Column, Row, table
from spanwise_dashboard.context import Context, href, shared
from spanwise_dashboard.format import ago, clock, compact, count, money, plural
from spanwise_schemas.api import Usage
from spanwise_schemas.api_costs import DuplicateGroup, Duplicates, UnpricedModel, UnpricedModels, UnpricedReason

_WHY: dict[UnpricedReason, Badge] = {
    "no_price": Badge("no price known", "bad", "No price list knows the model."),
    "no_tokens": Badge("no token counts", "warn", "The calls do not say what they used."),
    "bad_counts": Badge("counts contradict", "warn", "More cached than input tokens, or the like."),
    "priced_now": Badge("price known since", "good", "The list in use has a price; the calls came before."),
}


def unpriced_table(context: Context, found: UnpricedModels) -> None:
    """Draws the models without a cost and what to do; nothing where every call has one."""
    if not found.items:
        return
    with st.container():
        calls = sum(item.calls for item in found.items)
        st.subheader("Calls without a cost", anchor=False)
        st.caption(f"{plural(calls, 'call')} are in no sum above: an unknown cost is not zero.")
        columns = (
            Column("Model", width="30%"),
            Column("Calls", "right", width="76px"),
            Column("Tokens", "right", width="84px", hide=520),
            Column("Last seen", "right", width="104px", hide=620),
            Column("What to do", wrap=True),
        )
        clicked = table(
            "Calls without a cost",
            columns,
            [_unpriced(context, number, item) for number, item in enumerate(found.items)],
            key="unpriced",
            empty="",
        )
        if lines := price_file(found):
            with st.expander("Lines for the price file", icon=":material/sell:"):
                st.markdown(
                    "Fill in the prices, add the lines to the file that `SPANWISE_PRICES_FILE` names, and restart the "
                    "collector. New calls then have a cost; `spanwise reprice` gives it to the past."
                )
                st.code(lines, language="toml")
    if clicked is not None and clicked.action == "row":
        item = found.items[int(clicked.value)]
        context.switch("trace", shared(context.state()).on_trace(item.example_trace_id))


def price_file(found: UnpricedModels) -> str:
    """What to paste into the price file; empty where no price is missing."""
    return "\n".join(item.price_file for item in found.items if item.price_file)


def _unpriced(context: Context, number: int, item: UnpricedModel) -> Row:
    target = href("trace", shared(context.state()).on_trace(item.example_trace_id))
    cells = (
        Cell(item.model or "(no model named)", sub=item.provider or "no provider named", badges=(_WHY[item.reason],)),
        Cell(compact(item.calls), title=count(item.calls)),
        Cell(_tokens(item.usage), title=_exact(item.usage)),
        Cell(ago(item.last_seen, context.now()), title=clock(item.last_seen, context.zone, context.now())),
        Cell(item.remedy),
    )
    return Row(str(number), cells, href=target)


def duplicates_table(context: Context, found: Duplicates) -> None:
    """Draws what would have been counted twice; nothing where there is none."""
    if not found.items:
        return
    with st.container():
        st.subheader("Told more than once, counted once", anchor=False)
        tokens = found.usage.input + found.usage.output
        money_too = f" and {money(found.cost_nanousd)}" if found.cost_nanousd is not None else ""
        st.caption(
            f"{plural(found.spans, 'span')} repeat {compact(tokens)} tokens{money_too} that other spans bear. Sums "
            "that add up all spans would be too high by that.".replace("$", "\\$")
        )
        columns = (
            Column("Span", width="24%", help="The newest opens with a click"),
            Column("Why it is not counted", wrap=True),
            Column("Spans", "right", width="76px"),
            Column("Tokens", "right", width="84px", hide=440),
            Column("Cost", "right", width="84px", hide=520, help="What would have come on top, where it is known"),
        )
        rows = [_duplicate(context, number, item) for number, item in enumerate(found.items)]
        clicked = table("Told more than once", columns, rows, key="duplicates", empty="")
    if clicked is not None and clicked.action == "row":
        item = found.items[int(clicked.value)]
        context.switch("trace", shared(context.state()).on_trace(item.example_trace_id, item.example_span_id))


def _duplicate(context: Context, number: int, item: DuplicateGroup) -> Row:
    place = shared(context.state()).on_trace(item.example_trace_id, item.example_span_id)
    cells = (
        Cell(item.name, sub=item.scope),
        Cell(item.meaning, title=item.reason),
        Cell(compact(item.spans), title=count(item.spans)),
        Cell(_tokens(item.usage), title=_exact(item.usage)),
        Cell(money(item.cost_nanousd)),
    )
    return Row(str(number), cells, href=href("trace", place))


def _tokens(usage: Usage) -> str:
    return compact(usage.input + usage.output)


def _exact(usage: Usage) -> str:
    return f"{count(usage.input)} input, {count(usage.output)} output"
