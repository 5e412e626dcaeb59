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
from functools import cache, lru_cache
from typing import Final, NamedTuple, TypeAlias

import genai_prices
from genai_prices.data_snapshot import DataSnapshot
from genai_prices.types import ModelInfo, ModelPrice, TieredPrices, TimeOfDateConstraint

from spanwise_collector.ingest.price_file import FilePrice, PriceFile
from spanwise_collector.normalise.limits import MAX_FIELD

_FEMTO_PER_NANO: Final = 10**6
_HALF_NANO: Final = _FEMTO_PER_NANO // 2
_MAKERS: Final = ("openai", "anthropic", "google", "mistral", "cohere", "deepseek", "x-ai")
"""Providers of their own models, which others sell too: whose price holds where only a model is named."""
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


class Usage(NamedTuple):
    """Tokens of one call as the GenAI conventions count: `input` includes cached, `output` includes `reasoning`.

    `cache_write_1h` is the part of `cache_write` that is kept for an hour; the rest is kept for five minutes, or for
    however long the provider does where there is no choice. `input` and `output` include audio.
    """

    input: int
    output: int
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0
    cache_write_1h: int = 0
    audio_input: int = 0
    audio_output: int = 0


Tokens: TypeAlias = tuple[int, int, int, int, int, int, int, int]
"""The same counts in the same order, without their names: a tuple is made in an eighth of the time."""


class Cost(NamedTuple):
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


class Rates(NamedTuple):
    """Femto-dollars per token; None without a price. Cached tokens have one if input has, reasoning if output has."""

    input: int | None
    output: int | None
    cache_read: int | None
    cache_write: int | None
    reasoning: int | None
    cache_write_1h: int | None = None
    audio_input: int | None = None
    audio_output: int | None = None


@dataclass(frozen=True, slots=True)
class UnitPrices:
    """Prices of one model at one time.

    Attributes:
        version: price list and version.
        tiers: (n, rates) with the highest n first: the first tier with more than n input tokens holds for all tokens of
            the call. The last has n = -1.
        request: femto-dollars per call.
    """

    version: str
    tiers: tuple[tuple[int, Rates], ...]
    request: int = 0

    def rates(self, tokens_in: int) -> Rates:
        """The rates of a call with that many input tokens."""
        if len(self.tiers) == 1:
            return self.tiers[0][1]
        return next(rates for start, rates in self.tiers if tokens_in > start)

    def cost(self, usage: Tokens) -> Cost | None:
        """Cost of a call, or None, as in `amounts`."""
        found = self.amounts(usage)
        return None if found is None else Cost(*found, sum(found), self.version)

    def amounts(self, usage: Tokens) -> tuple[int, int] | None:
        """Nano-dollars for input, with what is asked per request, and output: the sum of tokens times rate.

        Args:
            usage: of one call; a `Usage` is one.

        Returns:
            None when the usage contradicts itself (more cached than input tokens, more reasoning than output), or when
            tokens were used that have no price.
        """
        tokens_in, tokens_out, cache_read, cache_write, reasoning, cache_write_1h, audio_in, audio_out = usage
        plain_in, plain_out = tokens_in - cache_read - cache_write, tokens_out - reasoning
        if plain_in < 0 or plain_out < 0:
            return None
        rates = self.rates(tokens_in)
        rate_in, rate_out, rate_cache_read, rate_cache_write, rate_reasoning, rate_1h, rate_audio, rate_speech = rates
        if (tokens_in and rate_in is None) or (tokens_out and rate_out is None):
            return None
        femto_in = plain_in * (rate_in or 0)
        femto_out = plain_out * (rate_out or 0)
        if cache_read:
            femto_in += cache_read * (rate_cache_read or 0)
        if cache_write:
            femto_in += cache_write * (rate_cache_write or 0)
            if cache_write_1h and rate_1h is not None:
                femto_in += min(cache_write_1h, cache_write) * (rate_1h - (rate_cache_write or 0))
        if reasoning:
            femto_out += reasoning * (rate_reasoning or 0)
        if audio_in and rate_audio is not None:
            # What was read from a cache is charged as that.
            femto_in += min(audio_in, plain_in) * (rate_audio - (rate_in or 0))
        if audio_out and rate_speech is not None:
            femto_out += min(audio_out, plain_out) * (rate_speech - (rate_out or 0))
        return (femto_in + self.request + _HALF_NANO) // _FEMTO_PER_NANO, (femto_out + _HALF_NANO) // _FEMTO_PER_NANO


class PriceBook:
    """Prices of models over time. Pure: the same question has the same answer for the life of the process.

    Args:
        file: the user's own prices, which go before the list.
    """

    def __init__(self, file: PriceFile | None = None) -> None:
        self._file = file or PriceFile("", ())
        self._providers = _bundled_providers()
        self._version = f"genai-prices {genai_prices.__version__}"
        self._on_day = lru_cache(_CACHED_PRICES)(self._find)

    @property
    def version(self) -> str:
        """The lists in use: `genai-prices 0.2.3`, with a file `prices.toml 2026-11 + genai-prices 0.2.3`."""
        return f"{self._file.version} + {self._version}" if self._file.prices else self._version

    @property
    def tier_starts(self) -> tuple[int, ...]:
        """Every number of input tokens above which some model of the list has another price, ascending."""
        return _tier_starts()

    def known_models(self) -> tuple[tuple[str, str], ...]:
        """Provider and model of everything that has a price: the file's own entries without `*`, then the list's."""
        own = ((one.provider, one.model) for one in self._file.prices if not one.model.endswith("*"))
        listed = ((provider.id, model.id) for provider in self._providers for model in provider.models)
        return tuple(dict.fromkeys((*own, *listed)))

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
        if len(provider) > MAX_FIELD or len(model) > MAX_FIELD:
            return None
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
        # A snapshot of our own: the package's global one could be replaced by an updater in the process. A new
        # one each time: it remembers every name that it was asked for, and names come from outside without end.
        prices = DataSnapshot(self._providers, from_auto_update=False)
        try:
            _, found = prices.find_provider_model(model, None, PROVIDER_ALIASES.get(name, name) or None, None)
            return found
        except LookupError:
            return None if name else self._made_by_whom(model)

    def _made_by_whom(self, model: str) -> ModelInfo | None:
        """A model that no provider's own pattern of names finds, from the first maker who lists it."""
        name = model.strip().lower()
        by_id = {one.id: one for one in self._providers}
        listed = (one for maker in _MAKERS if maker in by_id for one in by_id[maker].models)
        return next((one for one in listed if one.match.is_match(name)), None)

    def _unit_prices(self, prices: ModelPrice) -> UnitPrices | None:
        found: dict[str, Decimal | TieredPrices] = {key: one for key, one in vars(prices).items() if one is not None}
        if "input_mtok" not in found and "output_mtok" not in found:
            return None
        starts = {tier.start for one in found.values() if isinstance(one, TieredPrices) for tier in one.tiers}
        per_request = found.get("requests_kcount")
        return UnitPrices(
            self._version,
            tuple((start, _rates_at(found, start)) for start in (*sorted(starts, reverse=True), -1)),
            # Per thousand requests, in USD, to femto-dollars per request.
            int(per_request * 10**12) if isinstance(per_request, Decimal) else 0,
        )


@cache
def _tier_starts() -> tuple[int, ...]:
    conditional = (
        model.prices if isinstance(model.prices, list) else [model]
        for one in _bundled_providers()
        for model in one.models
    )
    prices = (price for entries in conditional for entry in entries for price in vars(entry.prices).values())
    return tuple(sorted({tier.start for price in prices if isinstance(price, TieredPrices) for tier in price.tiers}))


def _bundled_providers() -> list[genai_prices.types.Provider]:
    from genai_prices.data import providers

    return providers


def _rates_at(prices: Mapping[str, Decimal | TieredPrices], start: int) -> Rates:
    """Rates for calls with more than `start` input tokens, up to the next tier."""

    def usd(key: str) -> Decimal | None:
        price = prices.get(key)
        if not isinstance(price, TieredPrices):
            return price
        reached = [tier for tier in price.tiers if tier.start <= start]
        return max(reached, key=lambda tier: tier.start).price if reached else price.base

    return _rates(
        usd("input_mtok"),
        usd("output_mtok"),
        usd("cache_read_mtok"),
        usd("cache_write_mtok"),
        usd("output_reasoning_mtok"),
        usd("cache_write_1h_mtok"),
        usd("input_audio_mtok"),
        usd("output_audio_mtok"),
    )


def _rates(
    input_usd: Decimal | None,
    output_usd: Decimal | None,
    cache_read_usd: Decimal | None,
    cache_write_usd: Decimal | None,
    reasoning_usd: Decimal | None,
    cache_write_1h_usd: Decimal | None,
    audio_input_usd: Decimal | None,
    audio_output_usd: Decimal | None,
) -> Rates:
    """Rates from USD per million tokens. What has no price of its own is charged as the tokens that include it."""
    cache_write_usd = input_usd if cache_write_usd is None else cache_write_usd
    femto = [
        None if usd is None else int(usd * 10**9)
        for usd in (
            input_usd,
            output_usd,
            input_usd if cache_read_usd is None else cache_read_usd,
            cache_write_usd,
            output_usd if reasoning_usd is None else reasoning_usd,
            cache_write_usd if cache_write_1h_usd is None else cache_write_1h_usd,
            input_usd if audio_input_usd is None else audio_input_usd,
            output_usd if audio_output_usd is None else audio_output_usd,
        )
    ]
    return Rates(*femto)


def _own_prices(own: FilePrice, version: str) -> UnitPrices:
    parts = (own.cache_read, own.cache_write, own.reasoning, own.cache_write_1h, own.audio_input, own.audio_output)
    rates = _rates(own.input, own.output, *parts)
    # USD per call, to femto-dollars.
    return UnitPrices(version, ((-1, rates),), int(own.request * 10**15))
