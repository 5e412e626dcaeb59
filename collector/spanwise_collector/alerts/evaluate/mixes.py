"""Categories by value: models, reasons why answers ended, tools, routes, languages."""

from collections.abc import Sequence
from dataclasses import dataclass

from spanwise_collector.alerts.signals import Rows, SignalSource


@dataclass(frozen=True, slots=True)
class MixSource:
    """How often each value of a category occurs; the last key is the value, the column n.

    Attributes:
        base: of which rows, and how they are split.
        category: name of the signal: `model_mix`, `finish_mix`, `tool_mix`, `route_mix` or `language_mix`.
        candidates: see `signals.Source`.
    """

    base: SignalSource
    category: str
    candidates: int = 500

    @property
    def by(self) -> tuple[str, ...]:
        """The dimensions and the category."""
        return (*self.base.by, self.category.removesuffix("_mix"))

    def rows(self, columns: Sequence[str], step: int) -> Rows:
        """See `signals.Source`."""
        if self.category == "language_mix":
            table = (
                "(SELECT DISTINCT time, trace_id, span_id, language FROM text_features FINAL WHERE "
                "project_id = {project:String} AND side = 'input' AND time >= toDateTime({start:UInt32}, 'UTC') "
                "AND time < toDateTime({end:UInt32}, 'UTC') AND language != '') WHERE 1"
            )
            return table, ("language",), "toUnixTimestamp(time)", "count()", {"project": self.base.project}
        table, keys, time, _, parameters = self.base.rows(("calls",), step)
        if self.category == "finish_mix":
            head, _, condition = table.rpartition(" WHERE ")
            inner = opened(head, f"{condition} AND kind = 'llm'", "finish", "String", "reason", "reason_n")
            return f"{inner} WHERE reason != ''", (*keys, "reason"), time, "sum(reason_n)", parameters
        kind, column = {
            "model_mix": ("kind = 'llm'", "model"),
            "tool_mix": ("kind = 'tool'", "tool"),
            "route_mix": ("is_root", "name"),
        }[self.category]
        return f"{table} AND {kind} AND {column} != ''", (*keys, column), time, "sum(n)", parameters

    def column(self, name: str) -> str:
        """See `signals.Source`."""
        return {"language_mix": "count()", "finish_mix": "sum(reason_n)"}.get(self.category, "sum(n)")


def opened(table: str, condition: str, column: str, key_type: str, key: str, count: str) -> str:
    """A row for each entry of a map of counts.

    By `arrayJoin`, since the engine loses the columns of ARRAY JOIN where they are looked for in a subquery.
    """
    pair = f"arrayJoin(CAST({column}, 'Array(Tuple({key_type}, UInt64))'))"
    return (
        f"(SELECT *, entry.1 AS {key}, entry.2 AS {count} FROM "
        f"(SELECT *, {pair} AS entry FROM {table} WHERE {condition}))"
    )
