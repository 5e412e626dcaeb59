"""Reading what rules watch: sums by step and series, from the roll-ups of signals, from spans where those cannot tell.

One query per project, filter and split serves all rules that share them: it takes every column that any of them needs.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np

from spanwise_collector.alerts.state import REST
from spanwise_collector.query.rollups import PARALLEL
from spanwise_collector.stats.arrays import Floats
from spanwise_collector.store.database import Reader
from spanwise_schemas.rules import Where
from spanwise_schemas.signals import FAILURE_PREFIX, Dimension

HOUR_S: Final = 3600
EVERYTHING: Final = Where()
FIVE_MINUTES_S: Final = 300
MAX_CANDIDATES: Final = 2_000
SLOW_PREFIX: Final = "slower_than_ms:"
"""Column of requests slower than a fixed time, to within a bin of 5 %: `slower_than_ms:2000`."""
BIN: Final = 1.05
_TIMEOUT_S: Final = 60.0
Rows = tuple[str, tuple[str, ...], str, str, dict[str, object]]
"""FROM with its condition, keys, time in seconds, volume, and parameters."""
_SETTINGS: Final[dict[str, object]] = {**PARALLEL, "distributed_product_mode": "global"}

_CALL: Final = "kind = 'llm'"
COLUMNS: Final[dict[str, str]] = {
    "requests": "sumIf(n, is_root)",
    "request_errors": "sumIf(n_err, is_root)",
    "latency_1": "sumIf(lat_s1, is_root)",
    "latency_2": "sumIf(lat_s2, is_root)",
    "spend": "toInt64(sum(cost_n))",
    "bills": "sum(n_calls)",
    "cached": "sum(n_cache_hit)",
    "calls": f"sumIf(n, {_CALL})",
    "call_errors": f"sumIf(n_err, {_CALL})",
    "call_latency_1": f"sumIf(lat_s1, {_CALL})",
    "call_latency_2": f"sumIf(lat_s2, {_CALL})",
    **{
        f"{name}_{part}": f"sumIf({name}_{stored}, {_CALL})"
        for name in ("ttft", "tin", "tout", "out")
        for part, stored in (("n", "n"), ("1", "s1"), ("2", "s2"))
    },
    **{
        word: f"sumIf(failed['{word}'], {_CALL})"
        for word in ("truncation", "refusal", "invalid_json", "schema_violation", "empty", "content_filter")
    },
    "tools": "sumIf(n, kind = 'tool')",
    "tool_errors": "sumIf(n_err, kind = 'tool')",
    "retrievals": "sumIf(n, kind = 'retriever')",
    "empty_retrieval": "sumIf(failed['empty_retrieval'], kind = 'retriever')",
}
"""Sums over rows of the roll-ups; `failure:<class>` and `slower_than_ms:<ms>` exist beside them."""
OF_REQUESTS: Final = frozenset({"requests", "request_errors", "latency_1", "latency_2"})
_KEYS: Final[dict[Dimension, str]] = {
    "model": "model",
    "provider": "provider",
    "prompt": "prompt",
    "release": "release",
    "environment": "env",
    "route": "name",
    "tool": "tool",
    "user_group": "user_group",
    "user": "user_id",
}


@dataclass(frozen=True, slots=True)
class Block:
    """Sums of some series over steps of time.

    Attributes:
        by: the dimensions.
        keys: of each series its values, as many as `by`.
        start: of the first step, seconds since the epoch.
        step: seconds.
        arrays: column to [series, time].
    """

    by: tuple[str, ...]
    keys: tuple[tuple[str, ...], ...]
    start: int
    step: int
    count: int
    arrays: dict[str, Floats]

    def between(self, start: int, end: int) -> "Block":
        """The steps from `start` to before `end`, which lie inside."""
        first, last = (start - self.start) // self.step, (end - self.start) // self.step
        arrays = {name: values[:, first:last] for name, values in self.arrays.items()}
        return Block(self.by, self.keys, start, self.step, last - first, arrays)

    def gathered(self, keys: Sequence[tuple[str, ...]], *, rest: bool) -> "Block":
        """These series in this order, and after them the sums of all others where `rest`.

        A series that is not there has zeros.
        """
        place = {key: number for number, key in enumerate(self.keys)}
        found = np.array([place.get(key, -1) for key in keys], dtype=np.int64)
        missing = found < 0
        others = np.array([number for key, number in place.items() if key not in set(keys)], dtype=np.int64)
        arrays = {}
        for name, values in self.arrays.items():
            picked = np.zeros((found.size + rest, self.count))
            picked[: found.size][~missing] = values[found[~missing]]
            if rest:
                picked[-1] = values[others].sum(0)
            arrays[name] = picked
        names = (*keys, *([(REST,) * len(self.by)] if rest else []))
        return Block(self.by, tuple(names), self.start, self.step, self.count, arrays)


class Source(Protocol):
    """Rows to be summed: of one project, filter and split. Hashable; equal sources are read together."""

    @property
    def by(self) -> tuple[str, ...]:
        """The dimensions."""
        ...

    @property
    def candidates(self) -> int:
        """So many series are read apart, the busiest; all others come as one."""
        ...

    def rows(self, columns: Sequence[str], step: int) -> Rows:
        """FROM, keys, time in seconds, volume, and parameters; `{start}` and `{end}` are seconds (UInt32)."""
        ...

    def column(self, name: str) -> str:
        """SQL of a column's sum."""
        ...


@dataclass(frozen=True, slots=True)
class SignalSource:
    """Requests, calls, tool calls and retrievals.

    Attributes:
        project: whose.
        where: which rows; of requests without a filter's column (a root span without a model, say) none fit.
        by: the split.
        candidates: see `Source`.
    """

    project: str
    where: Where = EVERYTHING
    by: tuple[Dimension, ...] = ()
    candidates: int = 200

    def rows(self, columns: Sequence[str], step: int) -> Rows:
        """See `Source`; calls by route, and anything by user, are read from the spans, since rows do not have them."""
        condition, parameters = where_sql(self.where)
        table = _FROM_SPANS if self.is_lifted(columns) else "signals_1h" if step % HOUR_S == 0 else "signals_5m"
        bounds = "time >= toDateTime({start:UInt32}, 'UTC') AND time < toDateTime({end:UInt32}, 'UTC')"
        sql = f"{table} WHERE project_id = {{project:String}} AND {bounds} AND {condition}"
        keys = tuple(_KEYS[name] for name in self.by)
        return sql, keys, "toUnixTimestamp(time)", "sum(n)", parameters | {"project": self.project}

    def is_lifted(self, columns: Collection[str]) -> bool:
        """Whether these columns have to be read from spans, with what only the root of their trace knows."""
        by_route = "route" in self.by or bool(self.where.route)
        of_requests = all(name in OF_REQUESTS or name.startswith(SLOW_PREFIX) for name in columns)
        return "user" in self.by or (by_route and not of_requests)

    def column(self, name: str) -> str:
        """See `Source`."""
        if name.startswith(SLOW_PREFIX):
            edge = int(np.floor(np.log(float(name.removeprefix(SLOW_PREFIX))) / np.log(BIN)))
            return (
                f"sumIf(arraySum(arrayMap((b, c) -> if(b > {edge}, c, 0), mapKeys(lat_h), mapValues(lat_h))), is_root)"
            )
        if name.startswith(FAILURE_PREFIX):
            word = name.removeprefix(FAILURE_PREFIX)
            if not word.replace("_", "").isalnum():
                raise ValueError(f"{word!r} is no class of failures")
            return f"sum(failed['{word}'])"
        return COLUMNS[name]


# A request's name stands on its root span alone; a user on every span where the SDK is used, else on the root.
_FROM_SPANS: Final = (
    "(SELECT s.project_id AS project_id, toStartOfFiveMinutes(s.start_time) AS time, toString(s.kind) AS kind, "
    "s.is_root AS is_root, s.env AS env, t.root_name AS name, "
    "if(s.model_response != '', s.model_response, s.model_request) AS model, s.provider AS provider, "
    "if(s.prompt_name = '', s.prompt_version, if(s.prompt_version = '', s.prompt_name, "
    "concat(s.prompt_name, '@', s.prompt_version))) AS prompt, s.release AS release, s.tool_name AS tool, "
    "s.user_group AS user_group, if(s.user_id != '', s.user_id, t.user_id) AS user_id, "
    "toUInt64(1) AS n, toUInt64(s.status = 'error') AS n_err, toUInt64(s.counts_usage) AS n_calls, "
    "toUInt64(s.counts_usage AND s.tok_cache_read > 0) AS n_cache_hit, "
    "if(s.counts_usage, s.cost_total_n, 0) AS cost_n, "
    "log(greatest(s.duration_us, 1) / 1000) AS lat_s1, pow(lat_s1, 2) AS lat_s2, "
    f"map(toInt16(floor(lat_s1 / log({BIN}))), toUInt64(1)) AS lat_h, "
    "toUInt64(s.ttft_us > 0) AS ttft_n, if(s.ttft_us > 0, log(s.ttft_us / 1000), 0) AS ttft_s1, "
    "pow(ttft_s1, 2) AS ttft_s2, "
    "toUInt64(s.tok_input > 0) AS tin_n, if(s.tok_input > 0, log(s.tok_input), 0) AS tin_s1, pow(tin_s1, 2) AS tin_s2, "
    "toUInt64(s.tok_output > 0) AS tout_n, if(s.tok_output > 0, log(s.tok_output), 0) AS tout_s1, "
    "pow(tout_s1, 2) AS tout_s2, toUInt64(s.output_bytes > 0) AS out_n, "
    "if(s.output_bytes > 0, log(s.output_bytes), 0) AS out_s1, pow(out_s1, 2) AS out_s2, "
    "map(toString(s.failure_class), toUInt64(1)) AS failed, map(toString(s.finish_reason), toUInt64(1)) AS finish "
    "FROM (SELECT * FROM spans WHERE project_id = {project:String} AND start_time >= toDateTime({start:UInt32}, 'UTC') "
    "AND start_time < toDateTime({end:UInt32}, 'UTC')) AS s LEFT JOIN "
    "(SELECT trace_id, max(root_name) AS root_name, max(user_id) AS user_id FROM trace_agg "
    "WHERE project_id = {project:String} AND bucket >= toDateTime({start:UInt32}, 'UTC') - INTERVAL 1 DAY "
    "AND bucket < toDateTime({end:UInt32}, 'UTC') + INTERVAL 1 HOUR GROUP BY trace_id) AS t ON s.trace_id = t.trace_id)"
)


def where_sql(where: Where) -> tuple[str, dict[str, object]]:
    """SQL on a row of the roll-ups, and its parameters (`w_*`)."""
    parts = ["1"]
    parameters: dict[str, object] = {}
    for name, column in _KEYS.items():
        values: tuple[str, ...] = getattr(where, name, ())
        if not values:
            continue
        one = f"{column} IN {{w_{name}:Array(String)}}"
        if name == "prompt":
            one = f"({one} OR splitByChar('@', toString({column}))[1] IN {{w_{name}:Array(String)}})"
        parts.append(one)
        parameters[f"w_{name}"] = list(values)
    return " AND ".join(parts), parameters


def read(reader: Reader, source: Source, columns: Iterable[str], start: int, end: int, step: int) -> Block:
    """Sums of a source over whole steps.

    Args:
        reader: the store.
        source: what.
        columns: which sums.
        start: of the first step, seconds since the epoch, a multiple of `step`.
        end: of the last, likewise.
        step: seconds; whole hours are read from the hourly roll-up.

    Raises:
        StoreError: see `Reader.query`.
    """
    wanted = sorted(set(columns))
    table, keys, time, volume, parameters = source.rows(wanted, step)
    sums = ", ".join(f"{source.column(name)} AS c{number}" for number, name in enumerate(wanted))
    names = [f"k{number}" for number in range(len(keys))]
    shown = "".join(f"{key} AS {name}, " for key, name in zip(keys, names, strict=True))
    if keys:
        # The busiest are told apart, the others summed here, so that a million users are no million rows.
        top = f"SELECT {', '.join(keys)} FROM {table} GROUP BY ALL ORDER BY {volume} DESC, {', '.join(keys)}"
        among = f"({', '.join(keys)}) IN ({top} LIMIT {min(source.candidates, MAX_CANDIDATES)})"
        shown = "".join(
            f"if({among}, toString({key}), '{REST}') AS {name}, " for key, name in zip(keys, names, strict=True)
        )
    groups = ", ".join([*names, "at"])
    inner = (
        f"SELECT {shown}intDiv({time} - {{start:UInt32}}, {{step:UInt32}}) AS at, {sums} FROM {table} GROUP BY {groups}"
    )
    columns_sql = "".join(f", groupArray(toFloat64(c{number}))" for number in range(len(wanted)))
    by = f" GROUP BY {', '.join(names)} ORDER BY {', '.join(names)}" if names else ""
    sql = f"SELECT {''.join(f'{name}, ' for name in names)}groupArray(at){columns_sql} FROM ({inner}){by}"
    answer = reader.query(
        sql, parameters | {"start": start, "end": end, "step": step}, settings=_SETTINGS, timeout_s=_TIMEOUT_S
    ).rows
    return _block(source, wanted, answer, start, end, step)


def _block(
    source: Source, columns: Sequence[str], answer: Sequence[tuple[Any, ...]], start: int, end: int, step: int
) -> Block:
    width, count = len(source.by), (end - start) // step
    rows = [row for row in answer if len(row[width])]
    arrays = {name: np.zeros((len(rows), count)) for name in columns}
    for number, row in enumerate(rows):
        at = np.asarray(row[width], dtype=np.int64)
        for place, name in enumerate(columns, width + 1):
            arrays[name][number, at] = row[place]
    return Block(source.by, tuple(tuple(row[:width]) for row in rows), start, step, count, arrays)
