"""What the sums leave out: calls without a price, and spans that repeat what another one bears."""

from typing import Any, Final

from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.query.costs_source import CallFilter
from spanwise_collector.query.values import known_cost, time_of
from spanwise_collector.query.window import Window
from spanwise_collector.store.database import Reader
from spanwise_schemas.api import Usage
from spanwise_schemas.api_costs import DuplicateGroup, Duplicates, UnpricedModel, UnpricedModels, UnpricedReason
from spanwise_schemas.usage_reasons import meaning_of

MAX_ITEMS: Final = 100
_TOKENS: Final = "sum(tok_input), sum(tok_output), sum(tok_cache_read), sum(tok_cache_write), sum(tok_reasoning)"
_REMEDIES: Final[dict[UnpricedReason, str]] = {
    "no_price": "No list knows this model. Fill in its prices, add the lines to the file that SPANWISE_PRICES_FILE "
    "names, restart the collector, and price the past with `spanwise reprice`.",
    "no_tokens": "These calls say no token counts. For streamed OpenAI calls, ask for them with "
    "stream_options={'include_usage': True}; else see what the instrumentation can send.",
    "bad_counts": "These counts contradict each other (more cached than input tokens, or the like), so that a cost "
    "would be a guess. `spanwise explain` of the example shows where they come from.",
    "priced_now": "The price list in use has a price for this model; the calls came before it did. "
    "`spanwise reprice` adds it to the past.",
}


def get_unpriced(
    reader: Reader, wanted: CallFilter, window: Window, prices: PriceBook, *, timeout_s: float = 30.0
) -> UnpricedModels:
    """Calls without a cost by model and by why, most calls first.

    Args:
        reader: the store.
        wanted: which calls.
        window: any.
        prices: the list in use, which may have learned of a model since.
        timeout_s: for the query.

    Raises:
        StoreError: see `Reader.query`.
    """
    sql = (
        "SELECT provider, model_response, model_request, multiIf(tok_input = 0 AND tok_output = 0, 'no_tokens', "
        "tok_cache_read + tok_cache_write > tok_input OR tok_reasoning > tok_output "
        "OR has(warnings, 'bad_token_count'), 'bad_counts', 'no_price') AS reason, count() AS calls, "
        "max(toUnixTimestamp64Micro(start_time)) AS last, "
        f"argMax(trace_id, start_time), {_TOKENS} FROM spans WHERE {wanted.condition()} AND counts_usage "
        "AND cost_source = 'none' GROUP BY provider, model_response, model_request, reason "
        f"ORDER BY calls DESC, provider, model_response, model_request, reason LIMIT {MAX_ITEMS}"
    )
    rows = reader.query(sql, wanted.parameters(window), timeout_s=timeout_s).rows
    return UnpricedModels(items=[_unpriced(row, prices) for row in rows])


def _unpriced(row: tuple[Any, ...], prices: PriceBook) -> UnpricedModel:
    provider, answered, asked, reason, calls, last, example, *tokens = row
    priced = (prices.price(provider, model, last) is not None for model in (answered, asked) if model)
    if reason == "no_price" and any(priced):
        reason = "priced_now"
    model = answered or asked
    return UnpricedModel(
        provider=provider,
        model=model,
        reason=reason,
        calls=calls,
        usage=_usage(tokens),
        last_seen=time_of(last),
        example_trace_id=example.hex(),
        remedy=_REMEDIES[reason] if model or reason != "no_price" else _NO_MODEL,
        price_file=price_lines(provider, model) if reason == "no_price" and model else "",
    )


_NO_MODEL: Final = (
    "These calls name no model, so nothing can be priced. See what the instrumentation of the example can send."
)


def price_lines(provider: str, model: str) -> str:
    """Lines for the price file; the prices are left to fill in, so that a half-done file is refused and not used."""
    named = f"provider = {_toml(provider)}\n" if provider else ""
    return (
        f"[[models]]\n{named}model = {_toml(model)}\n"
        "input =        # US dollars per million tokens\noutput =\n# cache_read =   # optional\n"
    )


def _toml(text: str) -> str:
    """A TOML basic string: like JSON's, and DEL has to be escaped too."""
    escaped = "".join(
        f"\\{character}" if character in '"\\' else f"\\u{ord(character):04x}" if _is_control(character) else character
        for character in text
    )
    return f'"{escaped}"'


def _is_control(character: str) -> bool:
    return ord(character) < 32 or ord(character) == 127


def get_duplicates(reader: Reader, wanted: CallFilter, window: Window, *, timeout_s: float = 30.0) -> Duplicates:
    """Spans that tell of usage which another span bears, or which is none, by why and by who made them.

    Args:
        reader: the store.
        wanted: which spans.
        window: any.
        timeout_s: for the query.

    Raises:
        StoreError: see `Reader.query`.
    """
    sql = (
        "SELECT usage_reason, scope, name, count() AS spans, countIf(cost_source != 'none') AS priced, "
        "sumIf(cost_total_n, cost_source != 'none') AS cost, argMax((trace_id, span_id), start_time) AS example, "
        f"{_TOKENS}, sum(tok_input) + sum(tok_output) AS weight FROM spans "
        f"WHERE {wanted.condition()} AND NOT counts_usage AND usage_reason != '' GROUP BY usage_reason, scope, name "
        "ORDER BY weight DESC, usage_reason, scope, name"
    )
    rows = reader.query(sql, wanted.parameters(window), timeout_s=timeout_s).rows
    items = [_duplicate(row) for row in rows]
    costs = [item.cost_nanousd for item in items if item.cost_nanousd is not None]
    return Duplicates(
        spans=sum(item.spans for item in items),
        usage=Usage(**{field: sum(getattr(item.usage, field) for item in items) for field in Usage.model_fields}),
        cost_nanousd=sum(costs) if costs else None,
        items=items[:MAX_ITEMS],
    )


def _duplicate(row: tuple[Any, ...]) -> DuplicateGroup:
    reason, scope, name, spans, priced, cost, (trace, span), *tokens = row
    return DuplicateGroup(
        reason=reason,
        meaning=meaning_of(reason),
        scope=scope,
        name=name,
        spans=spans,
        usage=_usage(tokens[:5]),
        cost_nanousd=known_cost(cost, priced),
        example_trace_id=trace.hex(),
        example_span_id=span.hex(),
    )


def _usage(tokens: list[int]) -> Usage:
    tokens_in, tokens_out, cache_read, cache_write, reasoning = tokens
    return Usage(
        input=tokens_in, output=tokens_out, cache_read=cache_read, cache_write=cache_write, reasoning=reasoning
    )
