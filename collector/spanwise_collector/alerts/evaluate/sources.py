"""Rows beside the roll-ups of signals: scores, spend by user, failures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from spanwise_collector.alerts.signals import EVERYTHING, Rows, where_sql
from spanwise_schemas.rules import Where
from spanwise_schemas.signals import Dimension

_OF_TRACE: Final = {
    "env": "max(env)",
    "release": "max(release)",
    "name": "anyIf(name, is_root)",
    "user_group": "max(user_group)",
    "user_id": "max(user_id)",
    "model": "anyIf(if(model_response != '', model_response, model_request), kind = 'llm')",
    "provider": "anyIf(provider, kind = 'llm')",
    "prompt": (
        "max(if(prompt_name = '', prompt_version, if(prompt_version = '', prompt_name, "
        "concat(prompt_name, '@', prompt_version))))"
    ),
    "tool": "max(tool_name)",
}
_JUDGED: Final = (
    "SELECT count() > 0 FROM scores WHERE project_id = {project:String} AND name = {score:String} AND source = 'llm'"
)
_EFFECTIVE: Final = "pow(sum(w), 2) / sum(w * w)"
_SCORE_SUMS: Final = {
    "n": _EFFECTIVE,
    "s1": f"{_EFFECTIVE} * sum(w * assumeNotNull(value)) / sum(w)",
    "s2": f"{_EFFECTIVE} * sum(w * pow(assumeNotNull(value), 2)) / sum(w)",
}
_ISSUE: Final = "leftPad(lower(hex(group_id)), 16, '0')"
_COLUMN: Final[dict[str, str]] = {"environment": "env", "route": "name", "user": "user_id"}


@dataclass(frozen=True, slots=True)
class ScoreSource:
    """Values of a score: columns n, s1 (sum), s2 (sum of squares). Filters and splits are those of its trace.

    Values weigh the inverse of the chance with which their targets were chosen: n is Kish's effective sample size, s1
    and s2 are the weighted means times n (see `stats.transforms.weighted_mean`). What people say of answers that a
    judge scores checks the judge and is no part of its mean.
    """

    project: str
    score: str
    where: Where = EVERYTHING
    by: tuple[Dimension, ...] = ()
    candidates: int = 200

    def rows(self, columns: Sequence[str], step: int) -> Rows:
        """See `signals.Source`."""
        condition, parameters = where_sql(self.where)
        keys = tuple(_COLUMN.get(name, name) for name in self.by)
        table = (
            "(SELECT ts, trace_id, value, 1 / inclusion_p AS w FROM scores FINAL WHERE project_id = {project:String} "
            "AND name = {score:String} AND value IS NOT NULL AND inclusion_p > 0 AND inclusion_p <= 1 "
            f"AND (source != 'human' OR NOT ({_JUDGED})) "
            "AND ts >= toDateTime({start:UInt32}, 'UTC') "
            "AND ts < toDateTime({end:UInt32}, 'UTC'))"
        )
        if keys or parameters:
            lifted = ", ".join(f"{sql} AS {name}" for name, sql in _OF_TRACE.items())
            # A score may come days after its trace.
            table = (
                f"(SELECT * FROM {table} AS c INNER JOIN (SELECT trace_id, {lifted} FROM spans WHERE "
                "project_id = {project:String} AND start_time >= toDateTime({start:UInt32}, 'UTC') - INTERVAL 7 DAY "
                "AND start_time < toDateTime({end:UInt32}, 'UTC') GROUP BY trace_id) AS t ON c.trace_id = t.trace_id)"
            )
        sql = f"{table} WHERE {condition}"
        return sql, keys, "toUnixTimestamp(ts)", "count()", parameters | {"project": self.project, "score": self.score}

    def column(self, name: str) -> str:
        """See `signals.Source`."""
        return _SCORE_SUMS[name]


@dataclass(frozen=True, slots=True)
class UserSpendSource:
    """What each user's requests cost, by when a request began: column spend."""

    project: str
    environments: tuple[str, ...] = ()
    candidates: int = 200

    @property
    def by(self) -> tuple[str, ...]:
        """See `signals.Source`."""
        return ("user",)

    def rows(self, columns: Sequence[str], step: int) -> Rows:
        """See `signals.Source`."""
        environment = " AND env IN {w_environment:Array(String)}" if self.environments else ""
        sql = (
            "(SELECT trace_id, bucket, max(user_id) AS user, min(start_time) AS began, sum(cost_n) AS cost_n "
            "FROM trace_agg WHERE project_id = {project:String} "
            "AND bucket >= toStartOfHour(toDateTime({start:UInt32}, 'UTC')) "
            f"AND bucket < toDateTime({{end:UInt32}}, 'UTC'){environment} GROUP BY trace_id, bucket) WHERE user != '' "
            "AND began >= toDateTime({start:UInt32}, 'UTC') AND began < toDateTime({end:UInt32}, 'UTC')"
        )
        parameters: dict[str, object] = {"project": self.project, "w_environment": list(self.environments)}
        return sql, ("user",), "toUnixTimestamp(began)", "sum(cost_n)", parameters

    def column(self, name: str) -> str:
        """See `signals.Source`."""
        return "toInt64(sum(cost_n))"


@dataclass(frozen=True, slots=True)
class FailureSource:
    """Failures of each issue: keys are the issue (16 hex digits) and its class; column n."""

    project: str
    classes: tuple[str, ...] = ()
    where: Where = EVERYTHING
    candidates: int = 2_000

    @property
    def by(self) -> tuple[str, ...]:
        """See `signals.Source`."""
        return ("issue", "class")

    def rows(self, columns: Sequence[str], step: int) -> Rows:
        """See `signals.Source`."""
        condition, parameters = where_sql(self.where)
        condition = condition.replace("splitByChar('@', toString(prompt))[1]", "prompt_name")
        only = " AND failure_class IN {classes:Array(String)}" if self.classes else ""
        sql = (
            "(SELECT f.time AS time, f.failure_class AS failure_class, "
            "if(g.group_id = 0, f.fingerprint, g.group_id) AS group_id FROM (SELECT *, tool_name AS tool, "
            "if(prompt_name = '', prompt_version, if(prompt_version = '', prompt_name, "
            "concat(prompt_name, '@', prompt_version))) AS prompt FROM failures FINAL WHERE "
            "project_id = {project:String} AND time >= toDateTime({start:UInt32}, 'UTC') AND "
            f"time < toDateTime({{end:UInt32}}, 'UTC'){only}) AS f LEFT JOIN (SELECT fingerprint, group_id FROM "
            "failure_groups FINAL WHERE project_id = {project:String}) AS g ON f.fingerprint = g.fingerprint "
            f"WHERE {condition}) WHERE 1"
        )
        found = parameters | {"project": self.project, "classes": list(self.classes)}
        return sql, (_ISSUE, "failure_class"), "toUnixTimestamp(time)", "count()", found

    def column(self, name: str) -> str:
        """See `signals.Source`."""
        return "count()"
