"""How a span's tokens were counted, which price made its cost, and why it bears the bill or not, in words."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from spanwise_collector.ingest.cost import PriceBook, UnitPrices
from spanwise_collector.query.explain_fields import holds
from spanwise_schemas.api_explain import CostOrigin, FieldOrigin, PriceLine
from spanwise_schemas.conventions import CALL_KINDS, SPAN_FIELDS, Source
from spanwise_schemas.usage_reasons import meaning_of

_FEMTO_PER_NANO: Final = 10**6
_SOURCES: Final = {one.name: one.sources for one in SPAN_FIELDS}


def token_words(row: Mapping[str, Any], fields: Sequence[FieldOrigin]) -> list[str]:
    """How the tokens were counted.

    Args:
        row: columns of `spans` by name.
        fields: where each value comes from.
    """
    given = {one.field: one for one in fields}
    words = []
    if row["tok_input"] and "tok_input" in given:
        words.append(_input_words(row, given["tok_input"]))
    if row["tok_output"] and "tok_output" in given:
        words.append(_output_words(row, given["tok_output"]))
    if "cache_exceeds_input" in row["warnings"]:
        words.append(
            "More tokens are said to be cached than went in: the counts contradict each other and are kept as sent."
        )
    if not words and row["kind"] in CALL_KINDS:
        words.append("No token counts were sent: what this call used is unknown.")
    return words


def _input_words(row: Mapping[str, Any], given: FieldOrigin) -> str:
    cached = row["tok_cache_read"] + row["tok_cache_write"]
    if given.origin != "attribute" or not cached:
        return f"Input: {row['tok_input']:,} tokens, from {given.attribute}."
    rule = _rule("tok_input", given.attribute, row["scope"])
    of_cache = f"{row['tok_cache_read']:,} read from the cache and {row['tok_cache_write']:,} written to it"
    if rule is not None and rule.counting == "exclusive":
        return (
            f"Input: {given.attribute} leaves cached tokens out; {of_cache} were added to its "
            f"{max(0, row['tok_input'] - cached):,}, which makes {row['tok_input']:,}."
        )
    if rule is not None and rule.counting == "provider":
        return (
            f"Input: {row['tok_input']:,} tokens. {given.attribute} passes on what the provider's API says; "
            f"Anthropic's leaves cached tokens out, and then {of_cache} are added."
        )
    return f"Input: {given.attribute} says {row['tok_input']:,}, of which {of_cache}; nothing was added."


def _output_words(row: Mapping[str, Any], given: FieldOrigin) -> str:
    reasoning = row["tok_reasoning"]
    if given.origin != "attribute" or not reasoning:
        return f"Output: {row['tok_output']:,} tokens, from {given.attribute}."
    rule = _rule("tok_output", given.attribute, row["scope"])
    if rule is not None and rule.counting == "exclusive":
        return (
            f"Output: {given.attribute} leaves reasoning out; {reasoning:,} were added to its "
            f"{max(0, row['tok_output'] - reasoning):,}, which makes {row['tok_output']:,}."
        )
    if rule is not None and rule.counting == "provider":
        return (
            f"Output: {row['tok_output']:,} tokens. {given.attribute} passes on what the provider's API says; Gemini's "
            f"leaves reasoning out, and then its {reasoning:,} tokens are added."
        )
    said = f"{given.attribute} says {row['tok_output']:,}"
    return f"Output: {said}, of which {reasoning:,} for reasoning; nothing was added."


def _rule(field: str, attribute: str, scope: str) -> Source | None:
    return next((one for one in _SOURCES[field] if one.attribute == attribute and holds(one, scope)), None)


def cost_origin(row: Mapping[str, Any], prices: PriceBook) -> CostOrigin:
    """How the cost came about.

    Args:
        row: columns of `spans` by name, with `start` in microseconds since the epoch.
        prices: the list in use; its unit prices are shown where it is the one that made the cost.
    """
    source = row["cost_source"]
    model, unit = _priced(row, prices)
    same = source == "computed" and unit is not None and unit.version == row["price_version"]
    return CostOrigin(
        source=source,
        total_nanousd=None if source == "none" else row["cost_total_n"],
        reported_nanousd=_known(row["cost_reported_n"]),
        computed_nanousd=_known(row["cost_computed_n"]),
        price_version=row["price_version"],
        priced_as=f"{row['provider']}/{model}".lstrip("/") if same else "",
        lines=_lines(row, unit) if same and unit is not None else [],
        words=_cost_words(row, model if unit is not None else ""),
    )


def _known(nanousd: int) -> int | None:
    return nanousd if nanousd >= 0 else None


def _priced(row: Mapping[str, Any], prices: PriceBook) -> tuple[str, UnitPrices | None]:
    """The model under which the list has a price, with the price."""
    for model in (row["model_response"], row["model_request"]):
        found = prices.price(row["provider"], model, row["start"]) if model else None
        if found is not None:
            return model, found
    return "", None


def _lines(row: Mapping[str, Any], unit: UnitPrices) -> list[PriceLine]:
    rates = unit.rates(row["tok_input"])
    extra: Mapping[str, int] = row["usage_extra"]
    plain_in = row["tok_input"] - row["tok_cache_read"] - row["tok_cache_write"]
    plain_out = row["tok_output"] - row["tok_reasoning"]
    audio_in, audio_out = min(extra.get("audio_input", 0), plain_in), min(extra.get("audio_output", 0), plain_out)
    for_an_hour = min(extra.get("cache_write_1h", 0), row["tok_cache_write"])
    lines = (
        ("input", plain_in - audio_in, rates.input),
        ("audio heard", audio_in, rates.audio_input),
        ("read from cache", row["tok_cache_read"], rates.cache_read),
        ("written to cache", row["tok_cache_write"] - for_an_hour, rates.cache_write),
        ("written to cache for an hour", for_an_hour, rates.cache_write_1h),
        ("output", plain_out - audio_out, rates.output),
        ("audio spoken", audio_out, rates.audio_output),
        ("reasoning", row["tok_reasoning"], rates.reasoning),
    )
    return [_line(*line) for line in lines if line[1] > 0]


def _line(sort: str, tokens: int, femto: int | None) -> PriceLine:
    if femto is None:
        return PriceLine(sort=sort, tokens=tokens, usd_per_million=None, nanousd=None)
    return PriceLine(
        sort=sort, tokens=tokens, usd_per_million=femto / 10**9, nanousd=round(tokens * femto / _FEMTO_PER_NANO)
    )


def _cost_words(row: Mapping[str, Any], priced_model: str) -> str:
    if row["cost_source"] == "reported":
        beside = "; the price list's own figure is kept beside it" if row["cost_computed_n"] >= 0 else ""
        return f"The client reported this cost, which goes before a computed one{beside}."
    if row["cost_source"] == "computed":
        return f"Computed from the tokens with {row['price_version']}, at the prices of the time of the call."
    if row["kind"] not in CALL_KINDS:
        return "No cost: only model calls are priced, and none was reported."
    if not (row["tok_input"] or row["tok_output"]):
        return "No cost: without token counts what the call used is unknown."
    if {"bad_token_count", "cache_exceeds_input"} & set(row["warnings"]):
        return "No cost: the token counts cannot be trusted (see the warnings), and a cost would be a guess."
    model = row["model_response"] or row["model_request"]
    if not model:
        return "No cost: the span names no model."
    of = f"{model} of {row['provider']}" if row["provider"] else model
    if priced_model:
        return f"No cost was stored, but the list in use has a price for {priced_model}: `spanwise reprice` adds it."
    return f"No cost: no price list knows {of}. Add it to the file that SPANWISE_PRICES_FILE names (docs/prices.md)."


def bill_words(row: Mapping[str, Any]) -> str:
    """Why the span bears the bill or not."""
    if row["counts_usage"]:
        return "This span bears the bill: its tokens and cost are in every sum."
    if row["usage_reason"]:
        return f"Not in the sums. {meaning_of(row['usage_reason'])}"
    if row["kind"] not in CALL_KINDS:
        return "Nothing to bear: not a model call, and no tokens."
    return "Nothing to bear: the call failed before it used tokens."
