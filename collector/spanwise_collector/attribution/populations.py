"""What is counted, as SQL: one row per request, model call, tool call, retrieval or score, with all its dimensions.

A request is a trace with a root span, at the time of that span. Release, environment, user group and route are those of
the root span. Its model, provider and prompt are those of the model call that began last: the one whose answer the user
got, or at which the request stopped. Its tool is the one that was called last. These rules do not look at what failed,
so that a value's rate is not made of failures alone. Calls, tool calls and retrievals have their own model, provider,
prompt and tool, and the rest of their request where they do not say themselves. A score has those of
its trace.
"""

from dataclasses import dataclass
from typing import Final

from spanwise_collector.query.window import DAY, HOUR, Window
from spanwise_schemas.rules import Where
from spanwise_schemas.signals import FAILURE_PREFIX, SCORE_PREFIX, Population, Signal

DIMENSIONS: Final = (
    "model", "provider", "prompt", "release", "environment", "route", "tool", "user_group", "language"
)  # fmt: skip
"""Columns of the rows, beside `trace_id`, `span_id`, `at` (microseconds), `now` (in the window after), and measures."""
EVERYTHING: Final = Where()
TRAILING: Final = HOUR
"""Spans of a request that begin later than this after the end of the window are not seen."""
SCORED_LATE: Final = 7 * DAY
"""A score may come so long after its trace."""
_KINDS: Final[dict[Population, str]] = {
    "calls": "s.kind = 'llm'",
    "tools": "s.kind = 'tool'",
    "retrievals": "s.kind = 'retriever'",
}
_BILLS: Final = frozenset({"spend", "cost_per_call", "cache_hit_rate"})
"""Signals over spans that bear a bill, of whatever kind."""
_PROMPT: Final = (
    "if(s.prompt_name = '', s.prompt_version, if(s.prompt_version = '', s.prompt_name, "
    "concat(s.prompt_name, '@', s.prompt_version)))"
)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: of which traffic, in which two windows.

    Attributes:
        project: whose.
        signal: the number.
        before: the window that is the reference.
        after: the window in question; may not overlap with the other.
        where: only rows with these values.
    """

    project: str
    signal: Signal
    before: Window
    after: Window
    where: Where = EVERYTHING

    def parameters(self) -> dict[str, object]:
        """Values for the SQL of `rows` and `condition`."""
        chosen = {f"w_{name}": list(values) for name, values in self._chosen()}
        score = self.signal.name.removeprefix(SCORE_PREFIX) if self.signal.name.startswith(SCORE_PREFIX) else ""
        failure = self.signal.name.removeprefix(FAILURE_PREFIX) if self.signal.name.startswith(FAILURE_PREFIX) else ""
        return {
            "project": self.project,
            "before_start": self.before.start,
            "before_end": self.before.end,
            "start": self.after.start,
            "end": self.after.end,
            "score": score,
            "failure": failure,
            **chosen,
        }

    def condition(self) -> str:
        """SQL on one of the rows; of prompts the name alone stands for all its versions."""
        parts = ["1"]
        for name, _ in self._chosen():
            one = f"{name} IN {{w_{name}:Array(String)}}"
            if name == "prompt":
                one = f"({one} OR splitByChar('@', prompt)[1] IN {{w_prompt:Array(String)}})"
            parts.append(one)
        return " AND ".join(parts)

    def _chosen(self) -> list[tuple[str, tuple[str, ...]]]:
        return [(name, values) for name in DIMENSIONS if (values := getattr(self.where, name, ()))]


def rows(question: Question) -> str:
    """A subquery with the rows of both windows."""
    population = question.signal.population
    if population == "requests" and question.signal.name != "spend":
        return f"(SELECT *, {_NOW} AS now FROM {_requests()} WHERE {_AT_INSIDE})"
    if population == "scores":
        return _scores()
    kind = "s.counts_usage" if question.signal.name in _BILLS else _KINDS.get(population, "")
    if question.signal.name.startswith(FAILURE_PREFIX):
        # Failures of spans that are no calls count too, as they do in alerts.
        kind = f"({kind} OR s.failure_class = {{failure:String}})"
    return _spans(kind)


def _inside(alias: str = "", *, early: int = 0, late: int = 0) -> str:
    """SQL on `start_time`: in either window, each widened by so many microseconds."""
    parts = (
        f"{alias}start_time >= fromUnixTimestamp64Micro({{{low}:Int64}} - {early}, 'UTC') "
        f"AND {alias}start_time < fromUnixTimestamp64Micro({{{high}:Int64}} + {late}, 'UTC')"
        for low, high in (("before_start", "before_end"), ("start", "end"))
    )
    return f"{alias}project_id = {{project:String}} AND ({' OR '.join(parts)})"


_NOW: Final = "at >= {start:Int64} AND at < {end:Int64}"
_AT_INSIDE: Final = (
    "(at >= {before_start:Int64} AND at < {before_end:Int64} OR at >= {start:Int64} AND at < {end:Int64})"
)


def _languages(early: int) -> str:
    """Language by trace, of its first input that has one."""
    time = _inside("f.", early=early, late=TRAILING).replace("start_time", "time")
    return (
        "(SELECT f.trace_id AS trace_id, argMin(f.language::String, (f.time, f.span_id)) AS language "
        f"FROM text_features AS f WHERE {time} AND f.side = 'input' AND f.language != '' GROUP BY trace_id)"
    )


def _requests(early: int = 0) -> str:
    """Traces with a root span, with all dimensions and measures."""

    def of_root(column: str) -> str:
        return f"anyIf(s.{column}, s.is_root)"

    def last(value: str, only: str) -> str:
        return f"argMaxIf(({value})::String, (s.start_time, s.span_id), {only})"

    columns = {
        "span_id": of_root("span_id"),
        "at": f"toUnixTimestamp64Micro({of_root('start_time')})",
        "model": last("if(s.model_response != '', s.model_response, s.model_request)", "s.kind = 'llm'"),
        "provider": last("s.provider", "s.kind = 'llm'"),
        "prompt": last(_PROMPT, "s.prompt_name != '' OR s.prompt_version != ''"),
        "release": of_root("release::String"),
        "environment": of_root("env::String"),
        "route": of_root("name::String"),
        "tool": last("s.tool_name", "s.tool_name != ''"),
        "user_group": f"if({of_root('user_group')} != '', {of_root('user_group')}, max(s.user_group))::String",
        "failed": "max(s.is_root AND s.status = 'error')",
        "took_us": "maxIf(s.duration_us, s.is_root)",
        "cost_n": "sumIf(s.cost_total_n, s.counts_usage)",
    }
    selected = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
    return (
        f"(SELECT r.*, l.language AS language FROM (SELECT s.trace_id AS trace_id, {selected} FROM spans AS s "
        f"WHERE {_inside('s.', early=early, late=TRAILING)} GROUP BY trace_id HAVING max(s.is_root)) AS r "
        f"LEFT JOIN {_languages(early)} AS l ON r.trace_id = l.trace_id)"
    )


def _spans(kind: str) -> str:
    """Spans of some kind; what they do not say themselves is that of their trace's root span."""
    root = (
        "(SELECT s.trace_id AS trace_id, any(s.name::String) AS name, any(s.env::String) AS env, "
        "any(s.release::String) AS release, any(s.user_group::String) AS user_group "
        f"FROM spans AS s WHERE {_inside('s.', early=DAY)} AND s.is_root GROUP BY trace_id)"
    )
    columns = {
        "trace_id": "s.trace_id",
        "span_id": "s.span_id",
        "at": "toUnixTimestamp64Micro(s.start_time)",
        "now": _NOW,
        "model": "if(s.model_response != '', s.model_response, s.model_request)::String",
        "provider": "s.provider::String",
        "prompt": f"({_PROMPT})::String",
        "release": "if(s.release != '', s.release::String, t.release)",
        "environment": "if(s.env != '', s.env::String, t.env)",
        "route": "t.name",
        "tool": "s.tool_name::String",
        "user_group": "if(s.user_group != '', s.user_group::String, t.user_group)",
        "language": "l.language",
        "failed": "s.status = 'error'",
        "took_us": "s.duration_us",
        "ttft_us": "s.ttft_us",
        "tok_in": "s.tok_input",
        "tok_out": "s.tok_output",
        "out_bytes": "s.output_bytes",
        "cost_n": "if(s.counts_usage, s.cost_total_n, 0)",
        "cached": "s.tok_cache_read > 0",
        "class": "s.failure_class::String",
    }
    selected = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
    return (
        f"(SELECT {selected} FROM (SELECT * FROM spans AS s WHERE {_inside('s.')} AND {kind}) AS s "
        f"LEFT JOIN {root} AS t ON s.trace_id = t.trace_id LEFT JOIN {_languages(DAY)} AS l ON s.trace_id = l.trace_id)"
    )


def _scores() -> str:
    """Scores of one name, at their own time, with the dimensions of their traces."""
    time = _inside().replace("start_time", "ts")
    kept = ", ".join(f"r.{name} AS {name}" for name in ("trace_id", "span_id", *DIMENSIONS))
    return (
        f"(SELECT {kept}, c.at AS at, {_NOW} AS now, c.score AS score "
        "FROM (SELECT trace_id, assumeNotNull(value) AS score, toUnixTimestamp64Micro(ts) AS at FROM scores FINAL "
        f"WHERE {time} AND name = {{score:String}} AND value IS NOT NULL) AS c "
        f"INNER JOIN {_requests(SCORED_LATE)} AS r ON c.trace_id = r.trace_id)"
    )
