"""What a replay would change: spans in use against spans made anew, column by column."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Final

from spanwise_collector.replay.plan import Plan
from spanwise_collector.replay.shadow import hours
from spanwise_collector.store.database import Database, quoted

EXAMPLES: Final = 3
_TIMEOUT_S: Final = 300.0
_KEY: Final = "project_id, trace_id, span_id, start_time"
_LIMITS: Final[Mapping[str, object]] = {"max_memory_usage": 2_000_000_000, "max_threads": 1}


@dataclass(slots=True)
class ProjectDifference:
    """What becomes of a project's spans that are made anew. Costs are nano-dollars of calls that bear a bill.

    Attributes:
        before: spans in use.
        after: spans made anew.
        added: spans that are not in use.
        removed: spans in use that are not made anew.
        changed: spans of which a column differs.
        columns: column to the number of spans in which it differs.
        bodies: spans whose bodies differ.
        cost_before_n: of the spans in use.
        cost_after_n: of the spans made anew.
        examples: trace ids, hex, of spans that differ.
    """

    before: int = 0
    after: int = 0
    added: int = 0
    removed: int = 0
    changed: int = 0
    columns: dict[str, int] = field(default_factory=dict)
    bodies: int = 0
    cost_before_n: int = 0
    cost_after_n: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def differs(self) -> bool:
        """Whether anything does."""
        return bool(self.added or self.removed or self.changed or self.bodies)


def compare_day(live: Database, shadow: Database, plan: Plan, day: date, found: dict[str, ProjectDifference]) -> None:
    """Compare a day.

    Args:
        live: the store in use.
        shadow: has the day.
        plan: which rows are made anew.
        day: UTC.
        found: project to what was found before; the day is added to it.
    """
    keys = ", ".join(f"'{name}'" for name in _KEY.split(", "))
    names = [
        str(name)
        for (name,) in shadow.query(
            "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'spans' "
            f"AND name NOT IN ({keys}) ORDER BY position"
        ).rows
    ]
    of_day = f"toDate(start_time) = '{day}' AND {plan.in_range}"
    both = [hours(one, "spans", "start_time", of_day) for one in (live, shadow)]
    for within in sorted({*both[0], *both[1]}):
        for row in _spans(live, shadow, plan, within, names):
            _add(found.setdefault(row["project_id"], ProjectDifference()), row, names)
        for project, bodies in _bodies(live, shadow, plan, within):
            found.setdefault(project, ProjectDifference()).bodies += bodies


def _spans(live: Database, shadow: Database, plan: Plan, within: str, names: Sequence[str]) -> list[dict[str, Any]]:
    hashes = ", ".join(f"cityHash64({quoted(name)})" for name in names)

    def side(number: int, database: Database) -> str:
        return (
            f"SELECT {_KEY}, {number} AS side, [{hashes}] AS hashes, if(counts_usage, cost_total_n, 0) AS cost "
            f"FROM {quoted(database.address.database)}.spans WHERE {within} AND {plan.in_range}"
        )

    return shadow.query(
        "SELECT project_id, countIf(n0 > 0) AS before, countIf(n1 > 0) AS after, countIf(n0 = 0) AS added, "
        "countIf(n1 = 0) AS removed, countIf(n0 > 0 AND n1 > 0 AND h0 != h1) AS changed, "
        "sumForEach(arrayMap((a, b) -> toUInt64(a != b), if(n0 > 0 AND n1 > 0, h0, []), "
        "if(n0 > 0 AND n1 > 0, h1, []))) AS columns, "
        "sum(c0) AS cost_before_n, sum(c1) AS cost_after_n, "
        f"arraySlice(groupUniqArrayIf({EXAMPLES})(lower(hex(trace_id)), h0 != h1), 1, {EXAMPLES}) AS examples "
        "FROM (SELECT project_id, trace_id, span_id, start_time, countIf(side = 0) AS n0, countIf(side = 1) AS n1, "
        "anyIf(hashes, side = 0) AS h0, anyIf(hashes, side = 1) AS h1, sumIf(cost, side = 0) AS c0, "
        f"sumIf(cost, side = 1) AS c1 FROM ({side(0, live)} UNION ALL {side(1, shadow)}) "
        f"GROUP BY {_KEY}) GROUP BY project_id ORDER BY project_id",
        settings=_LIMITS,
        timeout_s=_TIMEOUT_S,
    ).dicts()


def _bodies(live: Database, shadow: Database, plan: Plan, within: str) -> list[tuple[str, int]]:
    both = [quoted(one.address.database) for one in (live, shadow)]
    keys = " UNION DISTINCT ".join(
        f"SELECT {_KEY} FROM {name}.spans WHERE {within} AND {plan.in_range}" for name in both
    )
    sides = " UNION ALL ".join(
        f"SELECT {_KEY}, {number} AS side, cityHash64(input, output, system_instructions, tool_defs, events, raw) AS h "
        f"FROM {name}.span_io WHERE {within} AND ({_KEY}) IN ({keys})"
        for number, name in enumerate(both)
    )
    rows = shadow.query(
        f"SELECT project_id, count() FROM (SELECT {_KEY}, anyIf(h, side = 0) AS h0, anyIf(h, side = 1) AS h1 "
        f"FROM ({sides}) GROUP BY {_KEY} HAVING h0 != h1) GROUP BY project_id ORDER BY project_id",
        settings=_LIMITS,
        timeout_s=_TIMEOUT_S,
    ).rows
    return [(str(project), int(count)) for project, count in rows]


def _add(found: ProjectDifference, row: Mapping[str, Any], names: Sequence[str]) -> None:
    for name in ("before", "after", "added", "removed", "changed", "cost_before_n", "cost_after_n"):
        setattr(found, name, getattr(found, name) + int(row[name]))
    for name, count in zip(names, row["columns"], strict=False):
        if count:
            found.columns[name] = found.columns.get(name, 0) + int(count)
    found.examples = list(dict.fromkeys([*found.examples, *row["examples"]]))[:EXAMPLES]


def to_dict(found: Mapping[str, ProjectDifference]) -> dict[str, Any]:
    """For keeping as JSON."""
    return {project: asdict(one) for project, one in found.items()}


def from_dict(found: Mapping[str, Any]) -> dict[str, ProjectDifference]:
    """What `to_dict` made."""
    return {project: ProjectDifference(**one) for project, one in found.items()}
