"""The fields of a form for a rule, by the rule's type, and a rule's values in them. Pure.

A rule is a nested dict as it is written in TOML; a field is addressed by its path in there, such as `budget.alarms`.
Defaults and explanations are those of the rules' own models.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from pydantic import BaseModel

from spanwise_schemas.rules import (
    RULE,
    Absence,
    Anomaly,
    Base,
    FailureRule,
    MissingData,
    MonthlyBudget,
    Relative,
    ReleaseWatch,
    RuleType,
    ScoreDrop,
    Slo,
    Spend,
    Threshold,
)
from spanwise_schemas.signals import Dimension

Kind = Literal["text", "number", "whole", "choice", "many", "words", "duration", "switch", "signal", "signals"]
"""words: a list of texts of one's own. many: some of the options. signals: some of the signals."""
Rule = Mapping[str, Any]
MODELS: Final[dict[RuleType, type[Base]]] = {
    "anomaly": Anomaly,
    "threshold": Threshold,
    "relative": Relative,
    "absence": Absence,
    "missing_data": MissingData,
    "score_drop": ScoreDrop,
    "spend": Spend,
    "budget": MonthlyBudget,
    "slo": Slo,
    "failure": FailureRule,
    "release_watch": ReleaseWatch,
}


@dataclass(frozen=True, slots=True)
class RuleField:
    """A field of the form.

    Attributes:
        path: where its value is in the rule, parts joined by dots.
        label: for people.
        kind: how it is drawn.
        options: to choose from.
        needed: whether the rule is wrong without it.
        open: said of a choice where nothing need be chosen; empty where something is.
    """

    path: str
    label: str
    kind: Kind
    options: tuple[str, ...] = ()
    needed: bool = False
    open: str = ""


_SIGNAL: Final = RuleField("signal", "Signal", "signal", needed=True)
_WINDOW: Final = RuleField("window", "Over the last", "duration")
_DIRECTION: Final = RuleField("direction", "Direction", "choice", ("up", "down", "both"), open="the worse one")
_SAMPLES: Final = RuleField("min_samples", "Smallest sample", "whole")
_ALARMS: Final = RuleField("budget.alarms", "False alarms to expect", "number")
_DAYS: Final = RuleField("budget.days", "In so many days", "number")
_LASTING: Final = (
    RuleField("for", "Evaluations before it fires", "whole"),
    RuleField("keep_firing", "Evaluations before it ends", "whole"),
)
FIELDS: Final[dict[RuleType, tuple[RuleField, ...]]] = {
    "anomaly": (
        *(_SIGNAL, _ALARMS, _DAYS, _DIRECTION),
        RuleField("min_relative", "Smallest change, as a share", "number"),
        RuleField("min_absolute", "Smallest change, in its unit", "number"),
        _SAMPLES,
    ),
    "threshold": (
        _SIGNAL,
        _WINDOW,
        RuleField("above", "Fires above", "number"),
        RuleField("below", "Fires below", "number"),
        RuleField("recover", "Ends beyond", "number"),
        _SAMPLES,
        *_LASTING,
    ),
    "relative": (
        _SIGNAL,
        _WINDOW,
        RuleField("change", "Fires when off by, as a share", "number", needed=True),
        _DIRECTION,
        RuleField("weeks", "Past weeks to compare with", "whole"),
        _SAMPLES,
        *_LASTING,
    ),
    "absence": (
        _WINDOW,
        RuleField("min_expected", "Where so many are usual", "number"),
        RuleField("heartbeat", "Whatever is usual", "switch"),
    ),
    "missing_data": (RuleField("settle", "Told of when missing for", "duration"),),
    "score_drop": (
        RuleField("score", "Score", "text", needed=True),
        RuleField("drop", "Smallest fall", "number"),
        *(_ALARMS, _DAYS, _SAMPLES),
    ),
    "spend": (
        RuleField("limit_usd", "Limit (USD)", "number", needed=True),
        _WINDOW,
        RuleField("per", "Of each", "choice", ("project", "user", "user_group")),
    ),
    "budget": (
        RuleField("monthly_usd", "Budget of a month (USD)", "number", needed=True),
        RuleField("probability", "Fires when so probably missed", "number"),
        RuleField("burn", "Also when it burns fast", "switch"),
    ),
    "slo": (
        RuleField("objective", "Objective, as a share", "number", needed=True),
        RuleField("latency_ms", "Slower fails too (ms)", "number"),
        RuleField("min_errors", "Smallest number of failures", "whole"),
    ),
    "failure": (
        RuleField("new", "New or back", "switch"),
        RuleField("spiking", "Suddenly more", "switch"),
        RuleField("classes", "Only these classes", "words"),
        RuleField("min_count", "Smallest count", "whole"),
        *(_ALARMS, _DAYS),
    ),
    "release_watch": (
        RuleField("watch", "New versions of", "many", ("prompt", "model", "release")),
        RuleField("signals", "Is any of these worse", "signals"),
        RuleField("hours", "For so many hours", "whole"),
        RuleField("alpha", "Probability of a false alarm", "number"),
        _SAMPLES,
    ),
}
"""What is particular to a type, the most important first."""
COMMON: Final = (
    RuleField("id", "Id", "text", needed=True),
    RuleField("name", "Name", "text"),
    RuleField("severity", "Severity", "choice", ("page", "ticket", "info"), needed=True),
    RuleField("enabled", "On", "switch"),
)
SCOPE: Final = (
    RuleField("by", "One series for each", "many", get_args(Dimension)),
    RuleField("max_series", "At most so many series", "whole"),
    *(
        RuleField(f"where.{name}", f"Only {label}", "words")
        for name, label in (
            ("environment", "environments"),
            ("route", "requests"),
            ("model", "models"),
            ("provider", "providers"),
            ("prompt", "prompts"),
            ("release", "releases"),
            ("tool", "tools"),
            ("user_group", "user groups"),
        )
    ),
    RuleField("channels", "Channels", "words"),
    RuleField("no_data", "Without data", "choice", ("keep", "alert", "ok")),
    RuleField("trusted_judge_only", "Of a judge's score: only while the judge is trusted", "switch"),
    RuleField("runbook", "What to do", "text"),
)
"""Which traffic, who is told, and what else rarely needs a change."""


def type_of(rule: Rule) -> RuleType:
    """The type of a rule that is being written; one of the common ones where it says none."""
    return next((known for known in MODELS if known == rule.get("type")), "anomaly")


def fields(rule_type: RuleType) -> tuple[RuleField, ...]:
    """All fields of a type of rules."""
    return (*COMMON, *FIELDS[rule_type], *SCOPE)


def default(rule_type: RuleType, path: str) -> Any:
    """What holds where a rule does not say; None where it must."""
    found: Any = None
    model: type[BaseModel] = MODELS[rule_type]
    for part in path.split("."):
        info = _info(model, part)
        found = None if info is None or info.is_required() else info.get_default(call_default_factory=True)
        model = type(found) if isinstance(found, BaseModel) else model
    return list(found) if isinstance(found, tuple) else found


def explanation(rule_type: RuleType, path: str) -> str:
    """What a field means, from the rules' models; empty where the label says it."""
    model: type[BaseModel] = MODELS[rule_type]
    *outer, last = path.split(".")
    for part in outer:
        model = type(default(rule_type, part)) if part in ("budget", "where") else model
    info = _info(model, last)
    return (info.description or "") if info is not None else ""


def _info(model: type[BaseModel], part: str) -> Any:
    return next((info for name, info in model.model_fields.items() if part in (info.alias, name)), None)


def value_of(rule: Rule, path: str) -> Any:
    """The value of a field in a rule; None where the rule does not say."""
    found: Any = rule
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return list(found) if isinstance(found, tuple) else found


def written(rule_type: RuleType, values: Mapping[str, Any], before: Rule) -> dict[str, Any]:
    """The rule that a form says: what is as by default is left out, what no field is for is kept.

    Args:
        rule_type: the type that is chosen.
        values: of the fields, by path; None or empty for what is left open.
        before: the rule as it was.
    """
    rule: dict[str, Any] = {"id": values.get("id") or "", "type": rule_type}
    for name in ("project", "labels"):
        if name in before:
            rule[name] = before[name]
    for path in (field.path for field in fields(rule_type) if field.path != "id"):
        value = values.get(path)
        if value not in (None, "", []) and value != default(rule_type, path):
            _put(rule, path.split("."), value)
    return rule


def _put(rule: dict[str, Any], path: Sequence[str], value: Any) -> None:
    *outer, last = path
    for part in outer:
        rule = rule.setdefault(part, {})
    rule[last] = value


def place_of(problem: str, rule_type: RuleType) -> str:
    """The path of the field that a problem is about, empty where no field of the form is meant.

    Args:
        problem: the field as the collector names it, such as `where.model.0` or `threshold.above`.
        rule_type: of the rule.
    """
    name = problem.removeprefix(f"{rule_type}.")
    paths = [field.path for field in fields(rule_type)]
    parts = name.split(".")
    return next((head for end in range(len(parts), 0, -1) if (head := ".".join(parts[:end])) in paths), "")


def read(rule: Rule) -> Base | None:
    """The rule as its model; None where something is wrong with it."""
    try:
        return RULE.validate_python(dict(rule))
    except ValueError:
        return None
