"""What a model call costs: unit prices by provider, model and day, in whole numbers.

Prices come from the package `genai-prices` (bundled data; nothing is fetched) and from the user's own file, which goes
before it. A unit price is kept in femto-dollars per token (1 USD = 10^15), so that every published price is a whole
number, sums are exact, and rounding to nano-dollars happens once per column. The time of the call decides which price
holds, never the time of reading.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final

import genai_prices
from genai_prices.data_snapshot import DataSnapshot
from genai_prices.types import ModelInfo, ModelPrice, TieredPrices, TimeOfDateConstraint

from spanwise_collector.ingest.price_file import FilePrice, PriceFile

_FEMTO_PER_NANO: Final = 10**6
_CACHED_PRICES: Final = 8192

PROVIDER_ALIASES: Final[Mapping[str, str]] = {
    # GenAI convention's well-known providers whose word the price list does not know.
    "aws.bedrock": "aws",
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "vertexai": "google",
    "mistral_ai": "mistral",
    "x_ai": "x-ai",
    "moonshot_ai": "moonshotai",
}


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call as the GenAI conventions count: `input` includes cached, `output` includes `reasoning`."""

    input: int
    output: int
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0


@dataclass(frozen=True, slots=True)
class Cost:
    """What a call costs, in nano-dollars. `total` is `input + output`.

    Attributes:
        input: input tokens, and what is asked per request.
        output: output tokens.
        total: both.
        price_version: which price list and version.
    """

    input: int
    output: int
    total: int
    price_version: str


@dataclass(frozen=True, slots=True)
class Rate:
    """Femto-dollars per token; from a number of input tokens on, another rate holds for all tokens of the call.

    Attributes:
        base: the rate.
        tiers: (input tokens above which it holds, rate), highest first.
    """

    base: int
    tiers: tuple[tuple[int, int], ...] = ()

    def at(self, input_tokens: int) -> int:
        """The rate for a call with that many input tokens."""
        for start, price in self.tiers:
            if input_tokens > start:
                return price
        return self.base


@dataclass(frozen=True, slots=True)
class UnitPrices:
    """Prices of one model at one time. What has no rate of its own is charged as what includes it."""

    version: str
    input: Rate | None
    output: Rate | None
    cache_read: Rate | None = None
    cache_write: Rate | None = None
    reasoning: Rate | None = None
    request: int = 0

    def cost(self, usage: Usage) -> Cost | None:
        """Cost of a call: sum over kinds of tokens of tokens times rate.

        Returns:
            None when the usage contradicts itself (more cached than input tokens), or when tokens were used that have
            no price.
        """
        plain_input = usage.input - usage.cache_read - usage.cache_write
        plain_output = usage.output - usage.reasoning
        if plain_input < 0 or plain_output < 0:
            return None
        if (usage.input and self.input is None) or (usage.output and self.output is None):
            return None
        size = usage.input
        base_in = self.input.at(size) if self.input is not None else 0
        base_out = self.output.at(size) if self.output is not None else 0
        femto_in = (
            plain_input * base_in
            + usage.cache_read * (base_in if self.cache_read is None else self.cache_read.at(size))
            + usage.cache_write * (base_in if self.cache_write is None else self.cache_write.at(size))
            + self.request
        )
        femto_out = plain_output * base_out + usage.reasoning * (
            base_out if self.reasoning is None else self.reasoning.at(size)
        )
        nano_in, nano_out = _to_nano(femto_in), _to_nano(femto_out)
        return Cost(nano_in, nano_out, nano_in + nano_out, self.version)


def _to_nano(femto: int) -> int:
    return (femto + _FEMTO_PER_NANO // 2) // _FEMTO_PER_NANO


class PriceBook:
    """Prices of models over time. Pure: the same question has the same answer for the life of the process.

    Args:
        file: the user's own prices, which go before the list.
    """

    def __init__(self, file: PriceFile | None = None) -> None:
        self._file = file or PriceFile("", ())
        # Our own snapshot, not the package's global one, which an updater thread elsewhere in the process could
        # replace.
        self._list = DataSnapshot(providers=_bundled_providers(), from_auto_update=False)
        self._version = f"genai-prices {genai_prices.__version__}"
        self._on_day = lru_cache(_CACHED_PRICES)(self._find)

    @property
    def version(self) -> str:
        """The lists in use: `genai-prices 0.2.3`, with a file `prices.toml 2026-11 + genai-prices 0.2.3`."""
        return f"{self._file.version} + {self._version}" if self._file.prices else self._version

    def price(self, provider: str, model: str, start_us: int) -> UnitPrices | None:
        """Unit prices of a model.

        Args:
            provider: as the span names it; "" where it does not, then the model's name alone decides.
            model: as the span names it.
            start_us: time of the call, microseconds since the epoch.

        Returns:
            None for a model that no list knows. A provider that no list knows has no prices either: a model of that
            name in someone's own rack does not cost what its maker asks.
        """
        found = self._on_day(provider, model, start_us // 86_400_000_000)
        if isinstance(found, ModelInfo):
            return self._unit_prices(found.get_prices(datetime.fromtimestamp(start_us / 1e6, UTC)))
        return found

    def _find(self, provider: str, model: str, day: int) -> UnitPrices | ModelInfo | None:
        """Prices of a day; for a model with prices by hour the model itself, to ask again with the time."""
        noon = datetime.fromtimestamp(day * 86_400 + 43_200, UTC)
        own = self._file.find(provider, model, noon.date())
        if own is not None:
            return _own_prices(own, self._file.version)
        info = self._model(provider, model)
        if info is None:
            return None
        if isinstance(info.prices, list) and any(
            isinstance(one.constraint, TimeOfDateConstraint) for one in info.prices
        ):
            return info
        return self._unit_prices(info.get_prices(noon))

    def _model(self, provider: str, model: str) -> ModelInfo | None:
        name = provider.strip().lower()
        try:
            return self._list.find_provider_model(model, None, PROVIDER_ALIASES.get(name, name) or None, None)[1]
        except LookupError:
            return None

    def _unit_prices(self, prices: ModelPrice) -> UnitPrices | None:
        found = {key: _rate(value) for key, value in vars(prices).items() if value is not None}
        if "input_mtok" not in found and "output_mtok" not in found:
            return None
        per_request = vars(prices).get("requests_kcount")
        return UnitPrices(
            version=self._version,
            input=found.get("input_mtok"),
            output=found.get("output_mtok"),
            cache_read=found.get("cache_read_mtok"),
            cache_write=found.get("cache_write_mtok"),
            reasoning=found.get("output_reasoning_mtok"),
            # Per thousand requests, in USD, to femto-dollars per request.
            request=int(per_request * 10**12) if isinstance(per_request, Decimal) else 0,
        )


def _bundled_providers() -> list[genai_prices.types.Provider]:
    from genai_prices.data import providers

    return providers


def _rate(price: Decimal | TieredPrices) -> Rate:
    if isinstance(price, TieredPrices):
        tiers = tuple((tier.start, _femto(tier.price)) for tier in sorted(price.tiers, key=lambda tier: -tier.start))
        return Rate(_femto(price.base), tiers)
    return Rate(_femto(price))


def _femto(usd_per_million: Decimal) -> int:
    """USD per million tokens to femto-dollars per token."""
    return int(usd_per_million * 10**9)


def _own_prices(own: FilePrice, version: str) -> UnitPrices:
    def rate(price: Decimal | None) -> Rate | None:
        return None if price is None else Rate(_femto(price))

    return UnitPrices(
        version, rate(own.input), rate(own.output), rate(own.cache_read), rate(own.cache_write), rate(own.reasoning)
    )
