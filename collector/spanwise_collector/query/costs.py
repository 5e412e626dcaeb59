"""What a window cost beside the window before: totals, what caching saved, reported beside computed."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.query.costs_source import SUMS, CallFilter, totals_of
from spanwise_collector.query.rollups import PARALLEL, MetricFilter, source, whole_steps
from spanwise_collector.query.traffic import Traffic, cost_of_group, own_prices, read_traffic
from spanwise_collector.query.values import time_of
from spanwise_collector.query.window import Window
from spanwise_collector.store.database import Reader
from spanwise_schemas.api_costs import CacheSavings, Costs, CostTotals, ReportedCosts

_CACHED: Final = "(tok_cache_read > 0 OR tok_cache_write > 0)"


def get_costs(
    reader: Reader, wanted: CallFilter, window: Window, prices: PriceBook, *, timeout_s: float = 30.0
) -> Costs:
    """Totals of a window and of the one of equal length before it.

    Args:
        reader: the store.
        wanted: which calls.
        window: widened to whole steps (see `whole_steps`), which is how the answer names it.
        prices: list prices, for what caching saved.
        timeout_s: for each query.

    Raises:
        StoreError: see `Reader.query`.
    """
    window = whole_steps(window)
    with ThreadPoolExecutor(3) as pool:
        sums = pool.submit(_sums, reader, wanted, window, timeout_s)
        reported = pool.submit(_reported, reader, wanted, window, timeout_s)
        cached = read_traffic(reader, wanted, window, prices, only=_CACHED, timeout_s=timeout_s)
        current, previous = sums.result()
        return Costs(
            start=time_of(window.start),
            end=time_of(window.end),
            current=current,
            previous=previous,
            caching=saved_by_caching(cached, prices),
            reported=reported.result(),
        )


def saved_by_caching(groups: Iterable[Traffic], prices: PriceBook) -> CacheSavings:
    """What the same tokens would have cost uncached, minus what they cost, both at the list prices of their time."""
    calls, unpriced, saved = 0, 0, 0
    for group in groups:
        unit = own_prices(prices, group)
        with_cache = cost_of_group(unit, group) if unit else None
        plain = cost_of_group(unit, group, group.usage._replace(cache_read=0, cache_write=0)) if unit else None
        if with_cache is None or plain is None:
            unpriced += group.calls
            continue
        calls += group.calls
        saved += plain.total - with_cache.total
    return CacheSavings(calls=calls, unpriced_calls=unpriced, saved_nanousd=saved if calls else None)


def _sums(reader: Reader, wanted: CallFilter, window: Window, timeout_s: float) -> tuple[CostTotals, CostTotals]:
    rolled = MetricFilter(wanted.project, wanted.environments, wanted.names, wanted.models)
    rows, parameters = source(SUMS, rolled, (window, window.before), only="n_calls > 0")
    summed = ", ".join(f"sum({name}) AS {name}" for name in SUMS)
    sql = f"SELECT time >= toDateTime({{split:UInt32}}, 'UTC') AS now, {summed} FROM {rows} GROUP BY now"
    parameters |= {"split": window.start // 1_000_000}
    answer = reader.query(sql, parameters, settings=PARALLEL, timeout_s=timeout_s).dicts()
    found: dict[bool, dict[str, Any]] = {bool(row["now"]): row for row in answer}
    current, previous = (totals_of(found[now]) if now in found else CostTotals(calls=0) for now in (True, False))
    return current, previous


def _reported(reader: Reader, wanted: CallFilter, window: Window, timeout_s: float) -> ReportedCosts:
    both = "cost_reported_n >= 0 AND cost_computed_n >= 0"
    sql = (
        f"SELECT countIf({both}), sumIf(cost_reported_n, {both}), sumIf(cost_computed_n, {both}), "
        f"countIf(cost_reported_n >= 0 AND cost_computed_n < 0) FROM spans "
        f"WHERE {wanted.condition()} AND counts_usage AND cost_source = 'reported'"
    )
    [(calls, reported, computed, alone)] = reader.query(sql, wanted.parameters(window), timeout_s=timeout_s).rows
    return ReportedCosts(
        calls=calls,
        reported_nanousd=reported if calls else None,
        computed_nanousd=computed if calls else None,
        only_reported_calls=alone,
    )
