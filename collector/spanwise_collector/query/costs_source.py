"""Which calls a question about cost is asked of, as SQL: spans that bear a bill, and what they add up to."""

from dataclasses import dataclass
from typing import Any, Final

from spanwise_collector.query.rollups import cost_of, usage_of
from spanwise_collector.query.window import Window
from spanwise_schemas.api_costs import CostTotals

MODEL: Final = "if(model_response != '', model_response, model_request)"
IN_WINDOW: Final = (
    "project_id = {project:String} AND start_time >= fromUnixTimestamp64Micro({start:Int64}, 'UTC') "
    "AND start_time < fromUnixTimestamp64Micro({end:Int64}, 'UTC')"
)
SUMS: Final = ("n_calls", "n_unpriced", "cost_n", "tok_input", "tok_output", "tok_cache_read", "tok_cache_write",
               "tok_reasoning")  # fmt: skip
"""Columns that add up, under the names that the roll-ups have."""
OF_SPAN: Final = {
    "n_calls": "1",
    "n_unpriced": "cost_source = 'none'",
    "cost_n": "if(cost_source = 'none', 0, cost_total_n)",
    **{name: name for name in SUMS[3:]},
}
"""What one span that bears a bill adds to each."""


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which model calls. Values of one filter are alternatives; empty: no filter. All are those of the call's span."""

    project: str
    environments: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    models: tuple[str, ...] = ()

    def condition(self) -> str:
        """SQL on a row of `spans`; `parameters` has its values."""
        return " AND ".join(
            (IN_WINDOW, *(f"{sql} IN {{{key}:Array(String)}}" for key, sql, found in self._lists() if found))
        )

    def parameters(self, window: Window) -> dict[str, object]:
        """Values for the SQL of `condition`."""
        return {
            "project": self.project,
            "start": window.start,
            "end": window.end,
            **{key: list(found) for key, _, found in self._lists() if found},
        }

    def _lists(self) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
        return (("envs", "env", self.environments), ("names", "name", self.names), ("models", MODEL, self.models))


def totals_of(row: dict[str, Any]) -> CostTotals:
    """Totals from a row with `SUMS`."""
    return CostTotals(
        calls=row["n_calls"], unpriced_calls=row["n_unpriced"], usage=usage_of(row), cost_nanousd=cost_of(row)
    )
