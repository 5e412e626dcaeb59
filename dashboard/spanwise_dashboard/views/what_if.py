"""What would have been cheaper: the same calls on another model, and a cache of answers in front of the models."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

import streamlit as st

from spanwise_dashboard import remembered
from spanwise_dashboard.components.facts import Fact, heading
from spanwise_dashboard.components.table import Cell, Column, Row, table
from spanwise_dashboard.context import Context, address, go, href, shared
from spanwise_dashboard.format import change, compact, count, money, percent, plural, ratio
from spanwise_dashboard.messages import gist
from spanwise_dashboard.state import CACHES
from spanwise_schemas.api_costs import CacheMatch, CacheWhatIf, ModelSwap, ModelWhatIf

MATCHES: Final[dict[CacheMatch, str]] = {"exact": "Same input", "near": "Nearly the same"}
LIVES: Final[dict[int, str]] = {300: "5 minutes", 3600: "1 hour", 86_400: "1 day", 604_800: "7 days"}
MAX_REPEATS: Final = 8
_NAMES: Final = {value: key for key, value in CACHES.items()}


def what_if(context: Context, start: datetime, end: datetime) -> None:
    """Draws both questions."""
    st.subheader("What if", anchor=False)
    with st.container(key="what-if"):
        with st.container(border=True):
            _other_model(context, start, end)
        with st.container(border=True):
            _cache(context, start, end)


def split_model(text: str) -> tuple[str, str]:
    """Provider and model of `provider/model`; without a slash the model's name alone."""
    provider, slash, model = text.partition("/")
    return (provider, model) if slash else ("", provider)


def _other_model(context: Context, start: datetime, end: datetime) -> None:
    state = context.state()
    st.markdown("**… it ran on another model?**")
    listed = [f"{one.provider}/{one.model}" for one in remembered.priced_models(context.client).items]
    st.session_state["what-if-model"] = state.model or None
    st.selectbox(
        "Model",
        list(dict.fromkeys([*([state.model] if state.model else []), *listed])),
        index=None,
        key="what-if-model",
        placeholder="Choose a model of the price list",
        label_visibility="collapsed",
        on_change=_model_chosen,
    )
    if not state.model:
        st.caption("The calls of language models in this time range are priced anew, with the same token counts.")
        return
    provider, model = split_model(state.model)
    with st.spinner("Pricing …", show_time=False):
        found = context.client.what_if_model(context.project, start, end, state.filters, provider=provider, model=model)
    if not found.price_version:
        st.text(f"No price list knows {state.model}.")
        return
    heading("", (), model_facts(found), key="what-if-model-facts", level=2)
    table(
        "By model, on another model",
        _SWAP_COLUMNS,
        [_swap(one) for one in found.by_model],
        key="swaps",
        empty="No calls.",
    )
    _assumptions(found.assumptions)


def model_facts(found: ModelWhatIf) -> list[Fact]:
    """What the other model comes to, at a glance."""
    less = change(found.cost_there_nanousd, found.cost_nanousd, "down")
    left_out = found.calls - found.compared_calls
    return [
        Fact("Cost", money(found.cost_nanousd)),
        Fact("There", money(found.cost_there_nanousd)),
        *([Fact("Change", less.text, tone=less.tone)] if less.text else []),
        *([Fact("", f"{plural(left_out, 'call')} left out", tone="warn", title=_LEFT_OUT)] if left_out else []),
    ]


_LEFT_OUT: Final = "Their cost is unknown, here or there."
_SWAP_COLUMNS: Final = (
    Column("Model", width="34%"),
    Column("Calls", "right", hide=360),
    Column("Cost", "right"),
    Column("There", "right", width="28%"),
)


def _swap(one: ModelSwap) -> Row:
    less = change(one.cost_there_nanousd, one.cost_nanousd, "down")
    name = one.model or "(none)"
    cells = (
        Cell(name, title=f"{one.provider} {one.model}".strip()),
        Cell(compact(one.compared_calls), title=f"{count(one.compared_calls)} of {count(one.calls)} calls compared"),
        Cell(money(one.cost_nanousd)),
        Cell(money(one.cost_there_nanousd), change=less),
    )
    return Row(f"{one.provider}/{one.model}", cells)


def _model_chosen() -> None:
    go(replace(address(), model=st.session_state["what-if-model"] or ""))


def _cache(context: Context, start: datetime, end: datetime) -> None:
    state = context.state()
    match, seconds = CACHES[state.cache]
    st.markdown("**… a cache gave answers to repeated inputs?**")
    st.session_state["cache-match"], st.session_state["cache-life"] = match, seconds
    with st.container(horizontal=True, vertical_alignment="center"):
        st.segmented_control(
            "Match",
            list(MATCHES),
            key="cache-match",
            required=True,
            format_func=MATCHES.__getitem__,
            label_visibility="collapsed",
            on_change=_cache_changed,
        )
        st.selectbox(
            "Kept for",
            list(LIVES),
            key="cache-life",
            format_func=lambda life: f"kept for {LIVES[life]}",
            label_visibility="collapsed",
            width=170,
            on_change=_cache_changed,
        )
    with st.spinner("Looking for repeats …", show_time=False):
        found = context.client.what_if_cache(
            context.project, start, end, state.filters, match=match, ttl_seconds=seconds
        )
    heading("", (), cache_facts(found), key="what-if-cache-facts", level=2)
    if found.sampled < 1:
        st.caption(f"Looked at {percent(found.sampled)} of the inputs, scaled up.")
    clicked = table(
        "Repeated inputs",
        _REPEAT_COLUMNS,
        [_repeat(context, found, number) for number in range(len(found.top[:MAX_REPEATS]))],
        key="repeats",
        empty=nothing_repeated(found),
    )
    _assumptions(found.assumptions)
    if clicked is not None and clicked.action == "row":
        one = found.top[int(clicked.value)]
        context.switch("trace", shared(context.state()).on_trace(one.example_trace_id))


def nothing_repeated(found: CacheWhatIf) -> str:
    """What an empty table means."""
    if not found.calls:
        return "No call of this time range has a stored input: bodies are kept for 14 days, or are not recorded."
    return f"No input came again within {LIVES.get(found.ttl_seconds, 'that time')}."


def cache_facts(found: CacheWhatIf) -> list[Fact]:
    """What a cache comes to, at a glance, and what speaks against it."""
    share = ratio(found.saved_nanousd or 0, found.cost_nanousd or 0)
    saved = f"{money(found.saved_nanousd)} ({percent(share)})" if found.saved_nanousd else money(found.saved_nanousd)
    return [
        Fact("Hits", f"{compact(found.hits)} of {compact(found.calls)} calls"),
        *([Fact("Hit rate", percent(found.hit_rate))] if found.hit_rate is not None else []),
        Fact("Saved", saved, tone="good" if found.saved_nanousd else ""),
        *([Fact("Streamed", compact(found.streamed_hits), title=_STREAMED)] if found.streamed_hits else []),
        *(
            [Fact("With temperature", compact(found.varied_hits), title=_VARIED, tone="warn")]
            if found.varied_hits
            else []
        ),
        *([Fact("Without a price", compact(found.unpriced_hits))] if found.unpriced_hits else []),
    ]


_STREAMED: Final = "Hits whose answer was streamed; from a cache it comes in one piece, or has to be cut up."
_VARIED: Final = "Hits that asked for a temperature above 0: answers differ by wish, and a cache gives the same one."
_REPEAT_COLUMNS: Final = (
    Column("Input", width="52%", help="The first trace with it opens with a click"),
    Column("Calls", "right", hide=360),
    Column("Hits", "right"),
    Column("Saved", "right", width="20%"),
)


def _repeat(context: Context, found: CacheWhatIf, number: int) -> Row:
    one = found.top[number]
    cells = (
        Cell(gist(one.preview) or "(no preview)", sub=f"{one.name} · {one.model}".strip(" ·"), title=one.preview),
        Cell(compact(one.calls)),
        Cell(compact(one.hits)),
        Cell(money(one.saved_nanousd), bar=ratio(one.saved_nanousd or 0, found.saved_nanousd or 0) or 0.0),
    )
    return Row(str(number), cells, href=href("trace", shared(context.state()).on_trace(one.example_trace_id)))


def _cache_changed() -> None:
    chosen = (st.session_state["cache-match"], st.session_state["cache-life"])
    go(replace(address(), cache=_NAMES[chosen]))


def _assumptions(lines: Sequence[str]) -> None:
    with st.expander("What is assumed", icon=":material/rule:"):
        st.markdown("\n".join(f"- {line}" for line in lines))
