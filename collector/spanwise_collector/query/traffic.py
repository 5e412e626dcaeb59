"""The model calls of a window in groups within which every token of a sort has one price.

Prices depend on provider, model and time, and above a number of input tokens on the tier that the call falls into. A
group holds calls of one model, one hour and one tier, so that its sums cost what its calls cost one by one, up to half
a nano-dollar a call.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

from spanwise_collector.ingest.cost import Cost, PriceBook, UnitPrices, Usage
from spanwise_collector.query.costs_source import CallFilter
from spanwise_collector.query.window import DAY, Window
from spanwise_collector.store.database import Reader

HOURS_UP_TO: Final = 7 * DAY
"""Longer windows are grouped by day: prices that change within a day are then taken at noon."""
_DETAILS: Final = ", ".join(f"sum(usage_extra['{name}'])" for name in Usage._fields[5:])
"""Sorts of tokens without a column of their own: the map has them under the names that they have in `Usage`."""
_CONSISTENT: Final = (
    "(tok_input > 0 OR tok_output > 0) AND tok_cache_read + tok_cache_write <= tok_input "
    "AND tok_reasoning <= tok_output"
)


@dataclass(frozen=True, slots=True)
class Traffic:
    """One group of calls.

    Attributes:
        provider: as the spans say it.
        models: the model that answered, then the one asked for; either may be empty.
        at: a time within the group, microseconds since the epoch.
        calls: how many.
        usage: the calls' sums.
        sample: input tokens of one of the calls, which tells the tier.
        countable: False where the counts are missing or contradict each other, so that no price can be put on them.
        cost_n: what the calls cost, in nano-dollars; None where that is unknown.
    """

    provider: str
    models: tuple[str, str]
    at: int
    calls: int
    usage: Usage
    sample: int
    countable: bool
    cost_n: int | None

    @property
    def model(self) -> str:
        """The model that answered, else the one asked for."""
        return self.models[0] or self.models[1]


def read_traffic(
    reader: Reader, wanted: CallFilter, window: Window, prices: PriceBook, *, only: str = "1", timeout_s: float
) -> list[Traffic]:
    """The window's calls in groups.

    Args:
        reader: the store.
        wanted: which calls.
        window: any.
        prices: tells at which numbers of input tokens tiers begin.
        only: a further condition on `spans`, without parameters.
        timeout_s: for the query.

    Raises:
        StoreError: see `Reader.query`.
    """
    step = 3600 if window.length <= HOURS_UP_TO else 86_400
    sql = (
        "SELECT provider, model_response, model_request, intDiv(toUnixTimestamp(start_time), {step:UInt32}) AS at, "
        f"arrayCount(x -> tok_input > x, {{tiers:Array(UInt32)}}) AS tier, ({_CONSISTENT}) AS countable, "
        "cost_source != 'none' AS known, count() AS calls, min(tok_input) AS sample, sum(cost_total_n) AS cost_n, "
        "sum(tok_input), sum(tok_output), sum(tok_cache_read), sum(tok_cache_write), sum(tok_reasoning), "
        f"{_DETAILS} "
        f"FROM spans WHERE {wanted.condition()} AND counts_usage AND {only} "
        "GROUP BY provider, model_response, model_request, at, tier, countable, known "
        "ORDER BY provider, model_response, model_request, at, tier, countable, known"
    )
    parameters = wanted.parameters(window) | {"step": step, "tiers": list(prices.tier_starts)}
    return [_traffic(row, step) for row in reader.query(sql, parameters, timeout_s=timeout_s).rows]


def _traffic(row: tuple[Any, ...], step: int) -> Traffic:
    provider, answered, asked, at, _tier, countable, known, calls, sample, cost_n, *tokens = row
    middle = (at * step + step // 2) * 1_000_000
    return Traffic(
        provider, (answered, asked), middle, calls, Usage(*tokens), sample, bool(countable), cost_n if known else None
    )


def own_prices(prices: PriceBook, group: Traffic) -> UnitPrices | None:
    """What the list says of a group's own model, or None."""
    if not group.countable:
        return None
    found = (prices.price(group.provider, model, group.at) for model in group.models if model)
    return next((one for one in found if one is not None), None)


def cost_of_group(unit: UnitPrices, group: Traffic, usage: Usage | None = None) -> Cost | None:
    """What a group's calls cost at these prices.

    Args:
        unit: prices.
        group: calls.
        usage: instead of the group's own sums.

    Returns:
        None where the calls cannot be priced: no counts, or tokens of a sort without a price.
    """
    if not group.countable:
        return None
    rates = unit.rates(group.sample)
    return replace(unit, tiers=((-1, rates),), request=unit.request * group.calls).cost(usage or group.usage)
