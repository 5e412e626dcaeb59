"""Tokens and money of one span."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Final, TypeAlias

from spanwise_collector.ingest.cost import PriceBook, Tokens
from spanwise_collector.normalise.columns import Pairs
from spanwise_collector.normalise.limits import MAX_COUNT
from spanwise_collector.normalise.plan import SLOT
from spanwise_schemas.conventions import CALL_KINDS, Counting

COST_NONE: Final = 0
COST_REPORTED: Final = 1
COST_COMPUTED: Final = 2


Bill: TypeAlias = tuple[int, int, int, int, str, int, int]
"""Cost columns of a span: amounts in nano-dollars of input, output and both, `COST_NONE`, `COST_REPORTED` or
`COST_COMPUTED` (with none, the amounts are 0 and mean nothing), the price list, what the source says and what the price
list says, both in nano-dollars and -1 where it says nothing."""


UNTRUSTED: Final = frozenset({"bad_token_count", "cache_exceeds_input"})
_FIRST_COUNT: Final = SLOT["tok_input"]
_END_COUNT: Final = SLOT["tok_reasoning"] + 1
_EXTRA: Final = ("tok_total", "tok_audio_input", "tok_audio_output", "tok_cache_write_1h")
_EXTRA_NAMES: Final = tuple(name.removeprefix("tok_") for name in _EXTRA)
_NO_COUNTS: Final = (None,) * len(_EXTRA)
_extra_counts = itemgetter(*(SLOT[name] for name in _EXTRA))
_AUDIO_IN: Final = SLOT["tok_audio_input"]
_AUDIO_OUT: Final = SLOT["tok_audio_output"]
_COST_TOTAL: Final = SLOT["cost_total"]
_COST_INPUT: Final = SLOT["cost_input"]
_COST_OUTPUT: Final = SLOT["cost_output"]
_CACHE_WRITE_1H: Final = SLOT["tok_cache_write_1h"]
_PROVIDER: Final = SLOT["provider"]
_MODEL_REQUEST: Final = SLOT["model_request"]
_MODEL_RESPONSE: Final = SLOT["model_response"]
_NO_PAIRS: Final[Pairs] = ((), ())
NO_BILL: Final[Bill] = (0, 0, 0, COST_NONE, "", -1, -1)


def read_usage(values: Sequence[Any], counting: tuple[Counting, Counting], warnings: set[str]) -> Tokens:
    """Tokens of a span: input with cached ones, output with reasoning, as the GenAI conventions count.

    Args:
        values: of the fields, in the table's order.
        counting: what the source's main counts of input and output hold.
        warnings: receives `cache_exceeds_input`.
    """
    tokens_in, tokens_out, cache_read, cache_write, reasoning = values[_FIRST_COUNT:_END_COUNT]
    tokens_in, tokens_out, cache_read, cache_write = tokens_in or 0, tokens_out or 0, cache_read or 0, cache_write or 0
    of_input, of_output = counting
    if cache_read or cache_write:
        if of_input == "exclusive" or (of_input == "provider" and _is_anthropic(values)):
            tokens_in = min(tokens_in + cache_read + cache_write, MAX_COUNT)
        elif tokens_in < cache_read + cache_write:
            warnings.add("cache_exceeds_input")
    if reasoning and (of_output == "exclusive" or (of_output == "provider" and _is_gemini(values))):
        tokens_out = min(tokens_out + reasoning, MAX_COUNT)
    hour_write, audio_in, audio_out = values[_CACHE_WRITE_1H] or 0, values[_AUDIO_IN] or 0, values[_AUDIO_OUT] or 0
    return tokens_in, tokens_out, cache_read, cache_write, reasoning or 0, hour_write, audio_in, audio_out


def _is_anthropic(values: Sequence[Any]) -> bool:
    """Whether Anthropic's API answered, whose input_tokens leave cached ones out."""
    return values[_PROVIDER] == "anthropic" or "claude" in (values[_MODEL_RESPONSE] or values[_MODEL_REQUEST] or "")


def _is_gemini(values: Sequence[Any]) -> bool:
    """Whether Google's API answered, whose candidate tokens leave thoughts out."""
    return (values[_PROVIDER] or "").startswith("gcp.") or "gemini" in (
        values[_MODEL_RESPONSE] or values[_MODEL_REQUEST] or ""
    )


def usage_extra(values: Sequence[Any]) -> Pairs:
    """Counts that have no column of their own."""
    counts = _extra_counts(values)
    if counts == _NO_COUNTS:
        return _NO_PAIRS
    found = [(name, count) for name, count in zip(_EXTRA_NAMES, counts, strict=True) if count is not None]
    return [name for name, _ in found], [count for _, count in found]


def read_bill(
    prices: PriceBook, values: Sequence[Any], usage: Tokens, kind: str, start_us: int, warnings: set[str]
) -> Bill:
    """What a span's call costs: as reported, else as computed, else unknown; both are kept beside it.

    Args:
        prices: the price list.
        values: of the fields, in the table's order.
        usage: tokens.
        kind: only model calls are computed; a reported cost is taken from any span.
        start_us: time of the call.
        warnings: of the span so far; a cost computed from counts that cannot be trusted would be a guess.
    """
    if kind not in CALL_KINDS or not UNTRUSTED.isdisjoint(warnings):
        computed = NO_BILL
    else:
        models = (values[_MODEL_RESPONSE], values[_MODEL_REQUEST])
        computed = computed_bill(prices, usage, values[_PROVIDER] or "", models, start_us)
    reported = values[_COST_TOTAL]
    if reported is None or (reported == 0 and (usage[0] or usage[1])):
        # Clients write 0 where they have no price. What is free says so in the price file.
        return computed
    of_input, of_output = values[_COST_INPUT] or 0, values[_COST_OUTPUT] or 0
    return of_input, of_output, reported, COST_REPORTED, "reported", reported, computed[-1]


def computed_bill(prices: PriceBook, usage: Tokens, provider: str, models: Sequence[str | None], start_us: int) -> Bill:
    """Cost by the price list.

    Args:
        prices: the list.
        usage: tokens; where there are none there is no cost, since a call without tokens is a call whose tokens are
            unknown.
        provider: as the span names it, or "".
        models: names to try in turn: the model that answered is more exact than the one asked for.
        start_us: time of the call.
    """
    if not (usage[0] or usage[1]):
        return NO_BILL
    for model in models:
        found = prices.price(provider, model, start_us) if model else None
        if found is not None:
            amounts = found.amounts(usage)
            if amounts is None:
                return NO_BILL
            of_input, of_output = amounts
            total = of_input + of_output
            return of_input, of_output, total, COST_COMPUTED, found.version, -1, total
    return NO_BILL


def counts(kind: str, *, has_tokens: bool, has_model: bool, failed: bool) -> bool:
    """Whether a span bears the bill of a provider call.

    Agents, chains and workflows repeat what their calls say, so only calls count. A call that failed and used nothing
    (refused, timed out) is no bill, and no unpriced one either.
    """
    return kind in CALL_KINDS and (has_tokens or (has_model and not failed))
