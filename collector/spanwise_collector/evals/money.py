"""What a judge's call may cost at most, and what it did cost. Pure.

The bound comes before the call: every token of a tokenizer stands for at least one byte, so a request has no more
tokens than bytes; of the answer there are no more than were allowed. Of several rates that a token may have
(cached, written to a cache, reasoning, tiers) the dearest counts.
"""

from typing import Final

from spanwise_collector.evals.verdicts import Completion
from spanwise_collector.ingest.cost import PriceBook, UnitPrices, Usage

FRAME_TOKENS: Final = 64
"""What an endpoint adds to a request: marks around messages, words about the form of the answer."""
_FEMTO_PER_NANO: Final = 10**6


class PriceUnknownError(ValueError):
    """No price list knows the model, so that no limit could be kept."""


def prices_of(book: PriceBook, provider: str, model: str, now_us: int) -> UnitPrices:
    """The prices of a judge's model.

    Raises:
        PriceUnknownError: there are none; the message says where to give them.
    """
    found = book.price(provider, model, now_us)
    if found is None or any(rates.input is None or rates.output is None for _, rates in found.tiers):
        named = f"provider = {provider!r}, model = {model!r}"
        raise PriceUnknownError(
            f"no price is known for {named}, and without one usd_per_day cannot be kept. Give its prices in the file "
            "SPANWISE_PRICES_FILE, see docs/prices.md; for a model of your own they may be 0"
        )
    return found


def most_it_may_cost(prices: UnitPrices, request_bytes: int, max_tokens: int) -> int:
    """Nano-dollars that a call costs at most, rounded up.

    Args:
        prices: of the model.
        request_bytes: of the request's body.
        max_tokens: that the answer may have.
    """
    tokens_in = request_bytes + FRAME_TOKENS
    dearest = 0
    for _, rates in prices.tiers:
        dear_in = max(one or 0 for one in (rates.input, rates.cache_read, rates.cache_write, rates.cache_write_1h))
        dear_out = max(one or 0 for one in (rates.output, rates.reasoning))
        dearest = max(dearest, tokens_in * dear_in + max_tokens * dear_out)
    return -(-(dearest + prices.request) // _FEMTO_PER_NANO) + 1  # halves are rounded up once more, per column


def what_it_cost(prices: UnitPrices, completion: Completion) -> int | None:
    """Nano-dollars of a call by the endpoint's own count; None where it does not say, or contradicts itself."""
    if completion.input_tokens is None or completion.output_tokens is None:
        return None
    usage = Usage(
        completion.input_tokens,
        completion.output_tokens,
        cache_read=completion.cached_tokens,
        reasoning=completion.reasoning_tokens,
    )
    found = prices.amounts(usage)
    return None if found is None else sum(found)
