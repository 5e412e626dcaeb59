"""`UnitPrices.cost` as SQL over stored spans, so that history is computed where it lies.

The same whole numbers as at ingest: unit prices in femto-dollars, 256-bit sums, one rounding for each column.
tests/unit/collector/reprice/test_formula.py holds it against the Python one.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from spanwise_collector.ingest.cost import PriceBook, Rates, UnitPrices
from spanwise_collector.normalise.usage import UNTRUSTED
from spanwise_collector.store.change import Change, literal
from spanwise_schemas.conventions import CALL_KINDS

MODELS_PER_CHANGE: Final = 40

_KIND: Final = f"kind IN ({', '.join(literal(kind) for kind in sorted(CALL_KINDS))})"
_KEY: Final = "concat(provider, '\\n', model_response, '\\n', model_request)"
_PLAIN_IN: Final = "(toInt256(tok_input) - tok_cache_read - tok_cache_write)"
_PLAIN_OUT: Final = "(toInt256(tok_output) - tok_reasoning)"
_TRUSTED: Final = f"NOT hasAny(warnings, [{', '.join(literal(word) for word in sorted(UNTRUSTED))}])"


class Model(NamedTuple):
    """A model as spans name it; the price list decides by these and the time."""

    provider: str
    answered: str
    asked: str

    def price(self, prices: PriceBook, at_us: int) -> UnitPrices | None:
        """Its unit prices: of the model that answered, else of the one asked for."""
        for name in (self.answered, self.asked):
            found = prices.price(self.provider, name, at_us) if name else None
            if found is not None:
                return found
        return None


def change_of(project: str, start_us: int, end_us: int, models: Mapping[Model, UnitPrices | None]) -> Change:
    """The change that gives calls their new costs. What was reported holds; only its computed part is renewed.

    Args:
        project: whose calls.
        start_us: from here on, microseconds since the epoch.
        end_us: up to here; no price may change in between.
        models: with their prices; calls of other models are left as they are.
    """
    keys = [literal("\n".join(model)) for model in models]
    number = f"transform({_KEY}, [{', '.join(keys)}], {list(range(2, len(keys) + 2))}, 1)"
    first, starts, rows = _tiers(list(models.values()))
    row = f"({first}[{number}] + arrayCount(start -> start >= tok_input, {starts}[{number}]))"

    def rate(field: str) -> str:
        values = [getattr(one, field) for one in rows]
        return f"[{', '.join(f'toInt256({value or 0})' for value in values)}][{row}]"

    def known(field: str) -> str:
        return f"{[int(getattr(one, field) is not None) for one in rows]}[{row}]"

    request = f"{[0, *(one.request if one else 0 for one in models.values())]}[{number}]"
    hour = "least(toInt256(usage_extra['cache_write_1h']), tok_cache_write)"
    cost_in = _nano(
        f"{_PLAIN_IN} * {rate('input')} + tok_cache_read * {rate('cache_read')} + "
        f"tok_cache_write * {rate('cache_write')} + "
        f"{hour} * ({rate('cache_write_1h')} - {rate('cache_write')}) + "
        f"least(toInt256(usage_extra['audio_input']), {_PLAIN_IN}) * ({rate('audio_input')} - {rate('input')}) + "
        f"{request}"
    )
    cost_out = _nano(
        f"{_PLAIN_OUT} * {rate('output')} + tok_reasoning * {rate('reasoning')} + "
        f"least(toInt256(usage_extra['audio_output']), {_PLAIN_OUT}) * ({rate('audio_output')} - {rate('output')})"
    )
    is_priced = (
        f"({_TRUSTED} AND (tok_input > 0 OR tok_output > 0) AND {_PLAIN_IN} >= 0 AND {_PLAIN_OUT} >= 0 "
        f"AND (tok_input = 0 OR {known('input')}) AND (tok_output = 0 OR {known('output')}) "
        f"AND {[0, *(int(one is not None) for one in models.values())]}[{number}])"
    )
    versions = ", ".join(literal(one.version if one else "") for one in (None, *models.values()))

    def holds(column: str, computed: str, otherwise: str) -> str:
        return f"if(cost_source = 'reported', {column}, if({is_priced}, {computed}, {otherwise}))"

    return Change(
        project,
        start_us,
        end_us,
        f"{_KIND} AND {_KEY} IN ({', '.join(keys)})",
        {
            "cost_input_n": holds("cost_input_n", cost_in, "0"),
            "cost_output_n": holds("cost_output_n", cost_out, "0"),
            "cost_total_n": holds("cost_total_n", f"{cost_in} + {cost_out}", "0"),
            "cost_source": holds("toString(cost_source)", "'computed'", "'none'"),
            "price_version": holds("price_version", f"[{versions}][{number}]", "''"),
            "cost_computed_n": f"if({is_priced}, {cost_in} + {cost_out}, -1)",
        },
    )


def _nano(femto: str) -> str:
    return f"toInt64(intDiv({femto} + 500000, 1000000))"


def _tiers(prices: Sequence[UnitPrices | None]) -> tuple[list[int], str, list[Rates]]:
    """The tiers of all prices in one list.

    Returns:
        By price, counted from 1, of which the first is that of no price: the place of its highest tier in the list, and
        (as SQL) the numbers of input tokens above which its higher tiers hold; then the list.
    """
    none = Rates(*[None] * len(Rates._fields))
    rows, first, starts = [none], [1], ["emptyArrayInt64()"]
    for one in prices:
        tiers = one.tiers if one else ((-1, none),)
        first.append(len(rows) + 1)
        starts.append(f"CAST({[start for start, _ in tiers if start >= 0]}, 'Array(Int64)')")
        rows += [rates for _, rates in tiers]
    return first, f"[{', '.join(starts)}]", rows
