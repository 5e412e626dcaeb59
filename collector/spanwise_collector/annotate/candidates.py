"""Targets that a queue's sources drew out of a stretch of time, from the store."""

from typing import Final

from spanwise_collector.annotate.choosing import UNIT_SQL, Candidate, sources_of
from spanwise_collector.query.values import NO_SPAN, time_of
from spanwise_collector.query.window import HOUR, Window
from spanwise_collector.store.database import Reader
from spanwise_schemas.api_annotations import Queue, QueueRule
from spanwise_schemas.rules import Where

MOST: Final = 20_000
"""Candidates that are looked at of one stretch; shares that draw more are lowered before."""
TIMEOUT_S: Final = 30.0
_COLUMNS: Final = {
    "environment": "env",
    "model": "if(model_response != '', model_response, model_request)",
    "provider": "provider",
    "release": "release",
    "tool": "tool_name",
    "user_group": "user_group",
}
_PROMPT: Final = "if(prompt_version = '', prompt_name, concat(prompt_name, '@', prompt_version))"
_UP: Final = "('up', 'yes', 'good', 'true', 'positive', 'like')"
_DOWN: Final = "('down', 'no', 'bad', 'false', 'negative', 'dislike')"
_SAID: Final = f"ifNull(value, multiIf(lower(label) IN {_UP}, 1., lower(label) IN {_DOWN}, 0., NULL))"
"""A user's score as a number: thumbs are often words."""


class _Sql:
    """Collects parameters; each value gets a name of its own."""

    def __init__(self) -> None:
        self.parameters: dict[str, object] = {}

    def put(self, value: object, kind: str) -> str:
        """A value as it stands in the SQL."""
        name = f"v{len(self.parameters)}"
        self.parameters[name] = value
        return f"{{{name}:{kind}}}"


def read_candidates(reader: Reader, project: str, queue_id: str, queue: Queue, window: Window) -> list[Candidate]:
    """All targets that a source drew, and that started in the window; at most `MOST`, those that were drawn first.

    Args:
        reader: the store.
        project: the queue's.
        queue_id: its id, which salts the choice.
        queue: what it is about.
        window: when the targets started.

    Raises:
        StoreError: as the store says.
    """
    sql = _Sql()
    whole = queue.target == "trace"
    names = sources_of(queue)
    target = "hex(trace_id)" if whole else "concat(hex(trace_id), hex(span_id))"
    salt = sql.put(queue_id, "String")
    units = [UNIT_SQL.format(salt=salt, source=sql.put(name, "String"), target=target) for name, _ in names]
    matches = ["1", *(_rule(sql, project, rule, window, whole=whole) for rule in queue.rules)]
    drawn = [
        f"(m{number} AND u{number} < {sql.put(share, 'Float64')})" for number, (_, share) in enumerate(names) if share
    ]
    # The least number of all sources in units of their share: those that stay when shares are halved come first.
    first = ", ".join(
        f"if(m{number}, u{number} / {sql.put(share, 'Float64')}, inf)"
        for number, (_, share) in enumerate(names)
        if share
    )
    about = [_time(sql, project, window), *_where(sql, project, queue.where, window, whole=whole)]
    about.append("is_root" if whole else f"kind IN {sql.put(list(queue.kinds), 'Array(String)')}")
    columns = ", ".join(
        f"{unit} AS u{number}, toUInt8({match}) AS m{number}"
        for number, (unit, match) in enumerate(zip(units, matches, strict=True))
    )
    rows = reader.query(
        f"SELECT trace_id, span_id, toUnixTimestamp64Micro(start_time), {_all('u', names)}, {_all('m', names)} "
        f"FROM (SELECT trace_id, span_id, start_time, {columns} FROM spans WHERE {' AND '.join(about)}) "
        f"WHERE {' OR '.join(drawn)} ORDER BY least({first}, inf), trace_id, span_id "
        f"LIMIT 1 BY trace_id{'' if whole else ', span_id'} LIMIT {MOST}",
        sql.parameters,
        timeout_s=TIMEOUT_S,
    ).rows
    return [
        Candidate(trace_id, NO_SPAN if whole else span_id, time_of(started), tuple(units), tuple(map(bool, matched)))
        for trace_id, span_id, started, units, matched in rows
    ]


def _all(letter: str, names: tuple[tuple[str, float], ...]) -> str:
    return f"[{', '.join(f'{letter}{number}' for number in range(len(names)))}]"


def _time(sql: _Sql, project: str, window: Window, around: int = 0, column: str = "start_time") -> str:
    return (
        f"project_id = {sql.put(project, 'String')} "
        f"AND {column} >= fromUnixTimestamp64Micro({sql.put(window.start - around, 'Int64')}, 'UTC') "
        f"AND {column} < fromUnixTimestamp64Micro({sql.put(window.end + around, 'Int64')}, 'UTC')"
    )


def _where(sql: _Sql, project: str, where: Where, window: Window, *, whole: bool) -> list[str]:
    """Conditions on a row of `spans`: on the span itself, or on any span of its trace."""
    found = []
    for field, column in _COLUMNS.items():
        if values := getattr(where, field):
            found.append(f"{column} IN {sql.put(list(values), 'Array(String)')}")
    if where.prompt:
        prompts = sql.put(list(where.prompt), "Array(String)")
        found.append(f"({_PROMPT} IN {prompts} OR prompt_name IN {prompts})")
    # What the parts of a trace say may stand on different spans of it.
    conditions = [_in_trace(sql, project, window, one) for one in found] if whole else found
    if where.route:
        routes = sql.put(list(where.route), "Array(String)")
        conditions.append(_in_trace(sql, project, window, f"is_root AND name IN {routes}"))
    return conditions


def _in_trace(sql: _Sql, project: str, window: Window, condition: str) -> str:
    return f"trace_id IN (SELECT trace_id FROM spans WHERE {_time(sql, project, window, HOUR)} AND {condition})"


def _rule(sql: _Sql, project: str, rule: QueueRule, window: Window, *, whole: bool) -> str:
    """Whether a row of `spans` matches a rule."""
    found = _where(sql, project, rule.where, window, whole=whole)
    key = "trace_id" if whole else "(trace_id, span_id)"
    if rule.failures:
        classes = sql.put(list(rule.failures), "Array(String)")
        within = _time(sql, project, window, HOUR, "time")
        found.append(f"{key} IN (SELECT {key} FROM failures WHERE {within} AND failure_class IN {classes})")
    scores = f"scores FINAL WHERE project_id = {sql.put(project, 'String')} AND is_deleted = 0"
    # A score may be given long after its span, but not before it.
    scores += f" AND ts >= fromUnixTimestamp64Micro({sql.put(window.start - HOUR, 'Int64')}, 'UTC')"
    if rule.score:
        limits = [
            f"value {sign} {sql.put(limit, 'Float64')}"
            for sign, limit in (("<", rule.below), (">", rule.above))
            if limit is not None
        ]
        named = f"name = {sql.put(rule.score, 'String')} AND toString(source) = {sql.put(rule.source, 'String')}"
        found.append(f"{key} IN (SELECT {key} FROM {scores} AND {named} AND {' AND '.join(limits)})")
    if rule.disagrees:
        judged = f"source = 'llm' AND name = {sql.put(rule.disagrees, 'String')}"
        said = f"source = 'user' AND name = {sql.put(rule.user_score, 'String')}"
        # Users judge traces, judges often spans: they meet at the trace.
        found.append(
            f"trace_id IN (SELECT trace_id FROM (SELECT trace_id, avgIf(value, {judged}) AS judge, "
            f"avgIf({_SAID}, {said}) AS user FROM {scores} GROUP BY trace_id "
            f"HAVING isFinite(judge) AND isFinite(user) AND (judge >= 0.5) != (user >= 0.5)))"
        )
    return f"({' AND '.join(found)})"
