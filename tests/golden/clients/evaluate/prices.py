"""What the answers cost, by the providers' price pages: worked out here by hand, apart from Spanwise's price list."""

from decimal import Decimal
from typing import Any, Final, NamedTuple


class Price(NamedTuple):
    """US dollars per million tokens.

    Attributes:
        input: neither read from a cache nor written to one.
        output: with reasoning.
        cache_read: read from a cache.
        cache_write: written for five minutes, or where the provider knows no lifetimes.
        cache_write_1h: written for an hour.
    """

    input: str
    output: str = "0"
    cache_read: str = "0"
    cache_write: str = "0"
    cache_write_1h: str = "0"


# openai.com/api/pricing, anthropic.com/pricing, ai.google.dev/pricing; November 2026.
# OpenAI asks nothing extra for writing gpt-4o's cache.
PRICES: Final = {
    "gpt-4o": Price("2.5", "10", "1.25", "2.5"),
    "claude-haiku-4-5": Price("1", "5", "0.1", "1.25", "2"),
    "gemini-2.5-flash": Price("0.3", "2.5", "0.03"),
    "text-embedding-3-small": Price("0.02"),
    "gemini-embedding-001": Price("0.15"),
}


def cost_n(model: str, tokens: dict[str, Any], *, lifetimes: bool) -> int:
    """Nano-dollars of an answer, input and output each rounded half up.

    Args:
        model: asked for.
        tokens: of the truth log.
        lifetimes: whether it is known how long cache writes were kept; without, all count as five minutes.
    """
    price = PRICES[model]
    for_an_hour = tokens["cache_write_1h"] if lifetimes else 0
    parts = (
        (price.input, tokens["input"] - tokens["cache_read"] - tokens["cache_write"]),
        (price.cache_read, tokens["cache_read"]),
        (price.cache_write, tokens["cache_write"] - for_an_hour),
        (price.cache_write_1h, for_an_hour),
    )
    return _nano(sum((Decimal(usd) * count for usd, count in parts), Decimal(0))) + _nano(
        Decimal(price.output) * tokens["output"]
    )


def _nano(micro_usd: Decimal) -> int:
    """Millionths of a dollar per token times tokens, in nano-dollars."""
    return int(micro_usd * 1000 + Decimal("0.5"))
