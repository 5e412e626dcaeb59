"""What is wrong with a rule or a channel, in words that say what to write. Pure."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from spanwise_collector.alerts.channels.config import CHANNEL, CONFIGS, ChannelConfig
from spanwise_collector.alerts.evaluate import evaluator_of
from spanwise_collector.alerts.evaluate.base import RuleError
from spanwise_schemas.api_alerts import RuleProblem
from spanwise_schemas.rules import (
    RULE,
    Absence,
    Anomaly,
    Budget,
    FailureRule,
    MissingData,
    MonthlyBudget,
    Relative,
    ReleaseWatch,
    Rule,
    ScoreDrop,
    Slo,
    Spend,
    Threshold,
    Where,
)
from spanwise_schemas.signals import SIGNALS

RULES: Final[dict[str, type[BaseModel]]] = {
    "threshold": Threshold,
    "relative": Relative,
    "anomaly": Anomaly,
    "absence": Absence,
    "missing_data": MissingData,
    "score_drop": ScoreDrop,
    "spend": Spend,
    "budget": MonthlyBudget,
    "slo": Slo,
    "failure": FailureRule,
    "release_watch": ReleaseWatch,
}
"""Model of each type of rule."""
_PARTS: Final[dict[str, type[BaseModel]]] = {"where": Where, "budget": Budget}
_SIGNAL_FIELDS: Final = ("signal", "signals")
T = TypeVar("T")


def read_rule(entry: Mapping[str, Any], label: str) -> tuple[Rule | None, list[RuleProblem]]:
    """A rule, or what is wrong with it.

    Args:
        entry: as written.
        label: what to call it where it has no id, such as `rule 3`.
    """
    label = _label(entry, "id", label)
    found = _read(RULE, RULES, entry, label)
    if found[0] is not None:
        try:
            evaluator_of(found[0])
        except RuleError as error:
            return None, [RuleProblem(rule=label, detail=str(error))]
    return found


def read_channel(entry: Mapping[str, Any], label: str) -> tuple[ChannelConfig | None, list[RuleProblem]]:
    """A channel, or what is wrong with it.

    Args:
        entry: as written.
        label: what to call it where it has no name, such as `channel 1`.
    """
    return _read(CHANNEL, CONFIGS, entry, _label(entry, "name", label))


def suggestion(word: object, known: Iterable[str]) -> str:
    """`; did you mean x?` where there is something like it, else what there is."""
    names = list(known)
    close = difflib.get_close_matches(str(word), names, n=1, cutoff=0.6)
    return f"; did you mean `{close[0]}`?" if close else f"; there are {', '.join(names)}"


def _label(entry: Mapping[str, Any], field: str, label: str) -> str:
    name = entry.get(field)
    return name if isinstance(name, str) and name else label


def _read(
    adapter: TypeAdapter[T], models: Mapping[str, type[BaseModel]], entry: Mapping[str, Any], label: str
) -> tuple[T | None, list[RuleProblem]]:
    try:
        return adapter.validate_python(dict(entry)), []
    except ValidationError as error:
        found = error.errors(include_url=False)
        places = [one["loc"] for one in found]
        return None, [
            _problem(dict(one), models, label)
            for one in found
            # A list whose entries cannot be used is called too short as well.
            if one["type"] != "too_short" or not any(place[:-1] == one["loc"] for place in places)
        ]


def _problem(error: Mapping[str, Any], models: Mapping[str, type[BaseModel]], label: str) -> RuleProblem:
    if error["type"] == "union_tag_not_found":
        return RuleProblem(rule=label, field="type", detail=f"is missing; write one of {', '.join(models)}")
    if error["type"] == "union_tag_invalid":
        tag = error["ctx"]["tag"]
        return RuleProblem(rule=label, field="type", detail=f"there is no type {tag!r}{suggestion(tag, models)}")
    kind, *place = error["loc"]
    model = models[str(kind)]
    for part in place[:-1]:
        model = _PARTS.get(str(part), model)
    field = ".".join(str(part) for part in place)
    return RuleProblem(rule=label, field=field, detail=_detail(error, model, place))


def _detail(error: Mapping[str, Any], model: type[BaseModel], place: list[str | int]) -> str:
    known = {info.alias or name: info.description or "" for name, info in model.model_fields.items()}
    named = next((part for part in reversed(place) if isinstance(part, str)), "")
    about = known.get(named, "")
    match error["type"]:
        case "extra_forbidden":
            return f"there is no such field{_for_secret(named, known) or suggestion(named, known)}"
        case "missing":
            return f"is missing{f'; {about}' if about else ''}"
        case "literal_error":
            return f"{_lower(error['msg'])}{_guess(error['input'], error['ctx']['expected'])}"
        case "tuple_type" | "list_type":
            return 'write a list, such as ["a", "b"]'
        case "dict_type" | "model_type":
            return f"write a table, such as [rules.{named}] below the rule, or {named} = {{ … }}"
        case "value_error":
            message = str(error["msg"]).removeprefix("Value error, ")
            is_signal = named in _SIGNAL_FIELDS and isinstance(error["input"], str)
            return f"{message}{_close(error['input'], SIGNALS) if is_signal else ''}"
        case _:
            return f"{_lower(error['msg'])}{f'. {about}' if about else ''}"


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def _guess(given: object, expected: str) -> str:
    return _close(given, [part.strip(" '") for part in expected.replace(" or ", ",").split(",")])


def _close(given: object, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(str(given), list(known), n=1, cutoff=0.6)
    return f"; did you mean `{close[0]}`?" if close else ""


def _for_secret(name: str, known: Iterable[str]) -> str:
    """Where somebody wrote a secret itself into the file: where to write it instead."""
    if f"{name}_env" in known:
        return f"; secrets are not written here: `{name}_env` names an environment variable, `{name}_file` a file"
    return ""
