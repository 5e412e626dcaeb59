"""The list of traces: newest first, in pages, filtered.

The list is read backwards in time in growing steps, so that a page costs what it takes to find its rows and not what
the window holds. A trace lies in `trace_agg` once per hour in which it has spans. Candidates of a step come from the
rows of that step; their whole rows decide whether they are shown, and at which start. That holds for traces up to
`LONGEST_TRACE`; one that goes on for longer is shown by what it did in that time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from spanwise_collector.query.contents import root_contents
from spanwise_collector.query.cursor import Cursor
from spanwise_collector.query.search import Search
from spanwise_collector.query.values import STATUSES, kind_bits, known_cost, milliseconds, time_of
from spanwise_collector.query.window import DAY, HOUR, Window
from spanwise_collector.store.database import Reader
from spanwise_schemas.api import Status, TracePage, TraceSummary

LONGEST_TRACE: Final = DAY
FIRST_STEP: Final = HOUR
STEP_GROWTH: Final = 4
# How long span_io keeps bodies (its TTL); older ones are searched by the previews in spans.
BODY_DAYS: Final = 14
SPARE: Final = 10
_LAST_ID: Final = b"\xff" * 16


@dataclass(frozen=True, slots=True)
class TraceFilter:
    """Which traces. Values of one filter are alternatives; different filters must all hold. Empty and None: no filter.

    Attributes:
        environments: environment of the trace.
        names: name of the root span.
        kinds: the trace has a span of the kind.
        models: the trace has a span with the model (answered, else requested).
        statuses: status of the trace, as the list shows it; see `trace_status`.
        user: id of the trace's user.
        session: id of the trace's session.
        tags: the trace has a span with the tag.
        releases: release of the trace.
        prompts: the trace has a span with the prompt, name@version, or the name alone for all its versions.
        providers: the trace has a span with the provider.
        tools: the trace has a span of the tool.
        user_groups: the trace has a span of a user of the group.
        failures: the trace has a span that failed so; a class of failure.
        min_cost_n: nano-dollars, whole trace; traces without any known cost are left out by either limit.
        max_cost_n: the same, upper limit.
        min_duration_us: from the first start to the last end.
        max_duration_us: the same, upper limit.
        search: one span's input, or its output, has the words.
    """

    project: str
    window: Window
    environments: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    statuses: tuple[Status, ...] = ()
    user: str | None = None
    session: str | None = None
    tags: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    user_groups: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    min_cost_n: int | None = None
    max_cost_n: int | None = None
    min_duration_us: int | None = None
    max_duration_us: int | None = None
    search: Search | None = None


# A trace without its root yet (it may still arrive) fails when any of its spans did.
_STATUS: Final = "if(max(has_root) = 1, max(root_status), if(sum(n_err) > 0, 2, 0))"
_DURATION: Final = "(max(toUnixTimestamp64Micro(end_time)) - min(toUnixTimestamp64Micro(start_time)))"
_PRICED: Final = "(sum(n_calls) - sum(n_unpriced))"
_COLUMNS: Final = f"""trace_id, min(toUnixTimestamp64Micro(start_time)) AS started, {_DURATION} AS took,
{_STATUS} AS status, max(root_name), max(env), max(release), max(user_id), max(session_id),
arraySort(groupUniqArrayArray(tags)), arraySort(groupUniqArrayArray(models)), sum(n_spans), sum(n_calls), sum(n_err),
sum(tok_input), sum(tok_output), sum(cost_n), sum(n_unpriced), max(toUnixTimestamp64Micro(root_start))"""


def list_traces(
    reader: Reader, wanted: TraceFilter, *, limit: int, cursor: Cursor | None, now_us: int, timeout_s: float = 30.0
) -> TracePage:
    """One page of traces.

    Args:
        reader: the store.
        wanted: which.
        limit: traces on the page at most.
        cursor: end of the page before; None for the first.
        now_us: current time; tells which bodies have expired.
        timeout_s: for each query.

    Raises:
        StoreError: see `Reader.query`.
    """
    upper = Cursor(wanted.window.end, b"")
    if cursor is not None:
        upper = min(upper, cursor)
    found: list[_Row] = []
    for keys in _batches(reader, wanted, upper, limit + 1 + SPARE, now_us, timeout_s):
        found += _whole(reader, wanted, keys, timeout_s)
        if len(found) > limit:
            break
    page = found[:limit]
    previews = _previews(reader, wanted.project, page, timeout_s)
    more = page[-1].key.encode() if len(found) > limit else None
    return TracePage(items=[_summary(row, previews) for row in page], next_cursor=more)


def summary_of(reader: Reader, project: str, trace_id: bytes, *, timeout_s: float = 30.0) -> TraceSummary | None:
    """One trace's row of the list, or None when the project has no such trace."""
    sql = (
        f"SELECT {_COLUMNS} FROM trace_agg WHERE project_id = {{project:String}} AND trace_id = {_ID} GROUP BY trace_id"
    )
    answer = reader.query(sql, {"project": project, "id": trace_id.hex()}, timeout_s=timeout_s).rows
    if not answer:
        return None
    row = _Row(answer[0])
    return _summary(row, _previews(reader, project, [row], timeout_s))


def steps(start: int, end: int) -> Iterator[Window]:
    """Windows that cover a range backwards in time, each longer than the one before."""
    length = FIRST_STEP
    while end > start:
        begin = max(start, end - length)
        yield Window(begin, end)
        end = begin
        length *= STEP_GROWTH


_ID: Final = "toFixedString(unhex({id:String}), 16)"
_IDS: Final = "(SELECT toFixedString(unhex(arrayJoin({ids:Array(String)})), 16))"


class _Row:
    """A trace as `_COLUMNS` selects it."""

    def __init__(self, values: Sequence[Any]) -> None:
        self.values = values
        self.trace_id: bytes = values[0]
        self.start: int = values[1]
        self.root_start: int = values[-1]

    @property
    def key(self) -> Cursor:
        return Cursor(self.start, self.trace_id)


def _batches(
    reader: Reader, wanted: TraceFilter, upper: Cursor, size: int, now_us: int, timeout_s: float
) -> Iterator[list[Cursor]]:
    """Keys of candidates in order, `size` at a time, the last batch shorter; over as many steps as it takes."""
    batch: list[Cursor] = []
    for step in steps(wanted.window.start, upper.start + 1):
        more = True
        while more:
            asked = size - len(batch)
            keys = _candidates(reader, wanted, step, upper, asked, now_us, timeout_s)
            batch += keys
            more = len(keys) == asked
            if more:
                upper = keys[-1]
                yield batch
                batch = []
    yield batch


def _candidates(
    reader: Reader, wanted: TraceFilter, step: Window, upper: Cursor, limit: int, now_us: int, timeout_s: float
) -> list[Cursor]:
    """Keys below `upper` of traces whose rows in this step fit the filters, newest first."""
    rows, per_trace, parameters = _conditions(wanted)
    parameters |= {
        "begin": step.start,
        "stop": step.end,
        "upper": upper.start,
        "upper_id": upper.trace_id.hex(),
        "limit": limit,
    }
    # Sums need the hours after the step too, where a trace may go on.
    parameters |= {"tail": step.end + (LONGEST_TRACE if per_trace else 0)}
    within = [
        "project_id = {project:String}",
        "bucket >= toStartOfHour(fromUnixTimestamp64Micro({begin:Int64}, 'UTC'))",
        "bucket < fromUnixTimestamp64Micro({tail:Int64}, 'UTC')",
    ]
    # One set for each filter: what the filters look for may lie in different rows of a trace.
    sets = [f"trace_id IN (SELECT trace_id FROM trace_agg WHERE {' AND '.join([*within, row])})" for row in rows]
    for condition, name, values in _of_spans(wanted):
        sets.append(f"trace_id IN (SELECT trace_id FROM spans WHERE {_SPANS_WITHIN} AND {condition})")
        parameters |= {name: values, "tail_io": step.end + HOUR}
    if wanted.search is not None:
        sets.append(f"trace_id IN ({_searched(wanted.search, step, now_us)})")
        parameters |= wanted.search.parameters() | {"tail_io": step.end + HOUR}
    having = ["started >= {begin:Int64}", "started < {stop:Int64}", _BELOW, *per_trace]
    sql = (
        "SELECT min(toUnixTimestamp64Micro(start_time)) AS started, trace_id FROM trace_agg "
        f"WHERE {' AND '.join([*within, *sets])} GROUP BY trace_id HAVING {' AND '.join(having)} "
        "ORDER BY started DESC, trace_id DESC LIMIT {limit:UInt32}"
    )
    return [Cursor(started, trace_id) for started, trace_id in reader.query(sql, parameters, timeout_s=timeout_s).rows]


_SPANS_WITHIN: Final = (
    "project_id = {project:String} AND start_time >= fromUnixTimestamp64Micro({begin:Int64}, 'UTC') "
    "AND start_time < fromUnixTimestamp64Micro({tail_io:Int64}, 'UTC')"
)
_PROMPT: Final = (
    "if(prompt_name = '', prompt_version, if(prompt_version = '', prompt_name, "
    "concat(prompt_name, '@', prompt_version)))"
)


def _of_spans(wanted: TraceFilter) -> list[tuple[str, str, list[str]]]:
    """Conditions on a span of the trace, each with its parameter, for what `trace_agg` does not have."""
    conditions = [
        (f"({_PROMPT} IN {{prompts:Array(String)}} OR prompt_name IN {{prompts:Array(String)}})", "prompts"),
        ("provider IN {providers:Array(String)}", "providers"),
        ("tool_name IN {tools:Array(String)}", "tools"),
        ("user_group IN {user_groups:Array(String)}", "user_groups"),
        ("failure_class IN {failures:Array(String)}", "failures"),
    ]
    return [(sql, name, list(values)) for sql, name in conditions if (values := getattr(wanted, name))]


_BELOW: Final = "(started < {upper:Int64} OR (started = {upper:Int64} AND trace_id < unhex({upper_id:String})))"


def _searched(search: Search, step: Window, now_us: int) -> str:
    """SQL for the ids of traces with a span in the step whose text fits."""
    within = (
        "project_id = {project:String} AND start_time >= fromUnixTimestamp64Micro({begin:Int64}, 'UTC') "
        "AND start_time < fromUnixTimestamp64Micro({tail_io:Int64}, 'UTC')"
    )
    sql = f"SELECT trace_id FROM span_io WHERE {within} AND {search.condition(('input', 'output'))}"
    # Content of other instrumentations came as log records; `time` is that of the record, near its span.
    contents = within.replace("start_time", "time")
    sql += f" UNION ALL SELECT trace_id FROM span_content WHERE {contents} AND {search.condition(('body',))}"
    if step.start < now_us - BODY_DAYS * DAY:
        previews = search.condition(("input_preview", "output_preview"))
        sql += f" UNION ALL SELECT trace_id FROM spans WHERE {within} AND {previews}"
    return sql


def _conditions(wanted: TraceFilter) -> tuple[list[str], list[str], dict[str, object]]:
    """Conditions on one row of `trace_agg`, conditions on a whole trace, and their parameters."""
    rows: list[tuple[str, str, object]] = [
        ("env IN {envs:Array(String)}", "envs", list(wanted.environments)),
        ("(has_root = 1 AND root_name IN {names:Array(String)})", "names", list(wanted.names)),
        ("bitAnd(kinds, {kinds:UInt16}) != 0", "kinds", kind_bits(wanted.kinds)),
        ("hasAny(models, {models:Array(String)})", "models", list(wanted.models)),
        ("hasAny(tags, {tags:Array(String)})", "tags", list(wanted.tags)),
        ("release IN {releases:Array(String)}", "releases", list(wanted.releases)),
        ("user_id = {user:String}", "user", wanted.user),
        ("session_id = {session:String}", "session", wanted.session),
    ]
    per_trace: list[tuple[str, str, object]] = [
        (f"{_STATUS} IN {{statuses:Array(UInt8)}}", "statuses", [STATUSES.index(status) for status in wanted.statuses]),
        (f"sum(cost_n) >= {{min_cost:Int64}} AND {_PRICED} > 0", "min_cost", wanted.min_cost_n),
        (f"sum(cost_n) <= {{max_cost:Int64}} AND {_PRICED} > 0", "max_cost", wanted.max_cost_n),
        (f"{_DURATION} >= {{min_took:Int64}}", "min_took", wanted.min_duration_us),
        (f"{_DURATION} <= {{max_took:Int64}}", "max_took", wanted.max_duration_us),
    ]
    # No values and no limit mean no filter; a limit of 0 is one.
    rows = [condition for condition in rows if condition[2] not in (None, [], 0)]
    per_trace = [condition for condition in per_trace if condition[2] not in (None, [])]
    parameters = {name: value for _, name, value in (*rows, *per_trace)}
    return [sql for sql, _, _ in rows], [sql for sql, _, _ in per_trace], {"project": wanted.project, **parameters}


def _whole(reader: Reader, wanted: TraceFilter, keys: Sequence[Cursor], timeout_s: float) -> list[_Row]:
    """The whole rows of candidates, in their order, without those that began before and come up in an earlier step."""
    if not keys:
        return []
    _, per_trace, parameters = _conditions(wanted)
    parameters |= {
        "ids": [key.trace_id.hex() for key in keys],
        "low": keys[-1].start - LONGEST_TRACE,
        "high": keys[0].start + LONGEST_TRACE,
    }
    having = f"HAVING {' AND '.join(per_trace)}" if per_trace else ""
    sql = (
        f"SELECT {_COLUMNS} FROM trace_agg WHERE project_id = {{project:String}} "
        "AND bucket >= toStartOfHour(fromUnixTimestamp64Micro({low:Int64}, 'UTC')) "
        "AND bucket <= fromUnixTimestamp64Micro({high:Int64}, 'UTC') "
        f"AND trace_id IN {_IDS} GROUP BY trace_id {having}"
    )
    rows = {row.trace_id: row for row in map(_Row, reader.query(sql, parameters, timeout_s=timeout_s).rows)}
    return [rows[key.trace_id] for key in keys if key.trace_id in rows and rows[key.trace_id].start == key.start]


def _previews(reader: Reader, project: str, page: Sequence[_Row], timeout_s: float) -> dict[bytes, tuple[str, str]]:
    """Input and output previews of root spans by trace id."""
    roots = [row for row in page if row.root_start > 0]
    if not roots:
        return {}
    sql = (
        "SELECT trace_id, span_id, input_preview, output_preview FROM spans PREWHERE project_id = {project:String} "
        "AND toStartOfFiveMinutes(start_time) IN (SELECT toDateTime(arrayJoin({buckets:Array(UInt32)}), 'UTC')) "
        f"AND trace_id IN {_IDS} AND is_root LIMIT 1 BY trace_id"
    )
    buckets = sorted({row.root_start // 300_000_000 * 300 for row in roots})
    parameters = {"project": project, "buckets": buckets, "ids": [row.trace_id.hex() for row in roots]}
    answer = reader.query(sql, parameters, timeout_s=timeout_s).rows
    starts = {row.trace_id: row.root_start for row in roots}
    # Content of a root without any may have come as log records.
    bare = {trace_id: (span_id, starts[trace_id]) for trace_id, span_id, *shown in answer if not any(shown)}
    contents = root_contents(reader, project, bare, timeout_s=timeout_s)
    return {
        trace_id: contents[trace_id].previews if trace_id in contents else (input_, output)
        for trace_id, _, input_, output in answer
    }


def _summary(row: _Row, previews: dict[bytes, tuple[str, str]]) -> TraceSummary:
    (_, start, took, status, name, environment, release, user, session, tags, models, spans, calls, errors, tokens_in,
    tokens_out,
     cost, unpriced, _root_start) = row.values  # fmt: skip
    input_preview, output_preview = previews.get(row.trace_id, ("", ""))
    return TraceSummary(
        trace_id=row.trace_id.hex(),
        name=name,
        start_time=time_of(start),
        duration_ms=milliseconds(took),
        status=STATUSES[status],
        environment=environment,
        release=release,
        user_id=user,
        session_id=session,
        tags=tags,
        models=models,
        spans=spans,
        llm_calls=calls,
        errors=errors,
        input_tokens=tokens_in,
        output_tokens=tokens_out,
        cost_nanousd=known_cost(cost, calls - unpriced),
        unpriced_calls=unpriced,
        input_preview=input_preview,
        output_preview=output_preview,
    )
