"""What the traffic of a window would have cost on another model."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from spanwise_collector.ingest.cost import PriceBook, UnitPrices
from spanwise_collector.ingest.cost import Usage as Tokens
from spanwise_collector.query.costs_source import CallFilter
from spanwise_collector.query.traffic import Traffic, cost_of_group, read_traffic
from spanwise_collector.query.values import known_cost, time_of
from spanwise_collector.query.window import Window
from spanwise_collector.store.database import Reader
from spanwise_schemas.api import Usage
from spanwise_schemas.api_costs import ModelSwap, ModelWhatIf, PricedModel, PricedModels

MAX_MODELS: Final = 100
ASSUMPTIONS: Final = (
    "Calls of language models are moved; embeddings and rerankers stay where they are, and are in no sum here.",
    "The other model takes and gives the same number of tokens. Tokenizers differ, by 10 to 30 % between makers, and "
    "models differ in how much they write and reason.",
    "The same share of the input is read from and written to the cache, at the other model's cache prices, or at its "
    "input price where the list has none.",
    "List prices at the time of each call, with tiers by the size of each call; over more than a week, prices that "
    "change within a day are those of noon. Calls whose cost is unknown on either side are left out of both amounts.",
)


def get_model_what_if(
    reader: Reader,
    wanted: CallFilter,
    window: Window,
    prices: PriceBook,
    *,
    provider: str,
    model: str,
    timeout_s: float = 30.0,
) -> ModelWhatIf:
    """A window's calls at another model's prices.

    Args:
        reader: the store.
        wanted: which calls.
        window: any.
        prices: the list.
        provider: of the other model; "" lets the model's name alone decide.
        model: the other model.
        timeout_s: for the query.

    Raises:
        StoreError: see `Reader.query`.
    """
    groups = read_traffic(reader, wanted, window, prices, only="kind = 'llm'", timeout_s=timeout_s)
    swaps = swapped(groups, prices, provider, model)
    listed = prices.price(provider, model, window.end - 1)
    compared = sum(swap.compared_calls for swap in swaps)
    return ModelWhatIf(
        start=time_of(window.start),
        end=time_of(window.end),
        provider=provider,
        model=model,
        price_version=listed.version if listed else "",
        calls=sum(swap.calls for swap in swaps),
        compared_calls=compared,
        cost_nanousd=known_cost(sum(swap.cost_nanousd or 0 for swap in swaps), compared),
        cost_there_nanousd=known_cost(sum(swap.cost_there_nanousd or 0 for swap in swaps), compared),
        by_model=swaps[:MAX_MODELS],
        assumptions=list(ASSUMPTIONS),
    )


_NO_TOKENS: Final = Tokens(0, 0)


@dataclass(slots=True)
class _Sums:
    calls: int = 0
    compared: int = 0
    cost: int = 0
    there: int = 0
    tokens: Tokens = _NO_TOKENS


def swapped(groups: Iterable[Traffic], prices: PriceBook, provider: str, model: str) -> list[ModelSwap]:
    """Each model's calls on the other model, dearest first.

    Args:
        groups: of calls.
        prices: the list.
        provider: of the other model, or "".
        model: the other model.
    """
    found: dict[tuple[str, str], _Sums] = {}
    for group in groups:
        sums = found.setdefault((group.provider, group.model), _Sums())
        sums.calls += group.calls
        sums.tokens = Tokens(*(a + b for a, b in zip(sums.tokens, group.usage, strict=True)))
        unit = prices.price(provider, model, group.at)
        there = cost_of_group(unit, group) if unit else None
        if group.cost_n is not None and there is not None:
            sums.compared += group.calls
            sums.cost += group.cost_n
            sums.there += there.total
    swaps = [_swap(key, sums) for key, sums in found.items()]
    return sorted(swaps, key=lambda swap: (-(swap.cost_nanousd or 0), -swap.calls, swap.provider, swap.model))


def _swap(key: tuple[str, str], sums: _Sums) -> ModelSwap:
    tokens = sums.tokens
    return ModelSwap(
        provider=key[0],
        model=key[1],
        calls=sums.calls,
        compared_calls=sums.compared,
        usage=Usage(
            input=tokens.input,
            output=tokens.output,
            cache_read=tokens.cache_read,
            cache_write=tokens.cache_write,
            reasoning=tokens.reasoning,
        ),
        cost_nanousd=known_cost(sums.cost, sums.compared),
        cost_there_nanousd=known_cost(sums.there, sums.compared),
    )


def list_priced_models(prices: PriceBook, now_us: int) -> PricedModels:
    """Every model that has a price now, by provider and name.

    Args:
        prices: the list.
        now_us: current time, microseconds since the epoch.
    """
    found = ((provider, model, prices.price(provider, model, now_us)) for provider, model in prices.known_models())
    items = [_priced(provider, model, unit) for provider, model, unit in found if unit is not None]
    return PricedModels(version=prices.version, items=sorted(items, key=lambda item: (item.provider, item.model)))


def _priced(provider: str, model: str, unit: UnitPrices) -> PricedModel:
    rates = unit.rates(0)
    return PricedModel(
        provider=provider,
        model=model,
        input_usd=_per_million(rates.input),
        output_usd=_per_million(rates.output),
        cache_read_usd=_per_million(rates.cache_read),
    )


def _per_million(femto: int | None) -> float | None:
    """US dollars per million tokens from femto-dollars per token."""
    return None if femto is None else femto / 10**9
