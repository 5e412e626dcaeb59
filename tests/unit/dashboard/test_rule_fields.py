"""A rule's values in the fields of a form."""

from typing import Any, get_args

import pytest

from spanwise_dashboard.rule_fields import (
    FIELDS,
    MODELS,
    default,
    explanation,
    fields,
    place_of,
    read,
    value_of,
    written,
)
from spanwise_schemas.rules import RULE, RuleType

NEEDED: dict[RuleType, dict[str, Any]] = {
    "anomaly": {"signal": "error_rate"},
    "threshold": {"signal": "error_rate", "above": 0.05},
    "relative": {"signal": "latency", "change": 0.3},
    "absence": {},
    "missing_data": {},
    "score_drop": {"score": "groundedness"},
    "spend": {"limit_usd": 25.0},
    "budget": {"monthly_usd": 500.0},
    "slo": {"objective": 0.99},
    "failure": {},
    "release_watch": {},
}
TYPES = get_args(RuleType)


@pytest.mark.parametrize("rule_type", TYPES)
def test_every_field_of_every_type_exists_in_its_model(rule_type: RuleType) -> None:
    """A form's defaults make a rule that can be used, and say no more than is needed."""
    shown = {field.path: default(rule_type, field.path) for field in fields(rule_type)}

    rule = written(rule_type, {**shown, "id": "mine", **NEEDED[rule_type]}, {})

    assert rule == {"id": "mine", "type": rule_type, **NEEDED[rule_type]}
    assert RULE.validate_python(rule).type == rule_type
    assert all(_known(rule_type, field.path) for field in fields(rule_type))


@pytest.mark.parametrize("rule_type", TYPES)
def test_every_option_of_a_model_has_a_field(rule_type: RuleType) -> None:
    """Only project and labels are for TOML alone."""
    known = {info.alias or name for name, info in MODELS[rule_type].model_fields.items()}
    shown = {field.path.split(".")[0] for field in fields(rule_type)}

    assert known - shown == {"type", "project", "labels"}


def _known(rule_type: RuleType, path: str) -> bool:
    outer, _, inner = path.partition(".")
    names = {info.alias or name for name, info in MODELS[rule_type].model_fields.items()}
    if not inner:
        return outer in names
    return outer in names and inner in type(MODELS[rule_type].model_fields[outer].default).model_fields


def test_a_form_keeps_what_it_has_no_field_for() -> None:
    """Project and labels stay; what belongs to another type goes."""
    before = {
        "id": "a",
        "type": "threshold",
        "signal": "latency",
        "above": 9.0,
        "project": "p",
        "labels": {"team": "x"},
    }

    rule = written("anomaly", {"id": "a", "signal": "latency", "budget.days": 7.0, "where.model": ["m"]}, before)

    assert rule == {
        "id": "a",
        "type": "anomaly",
        "project": "p",
        "labels": {"team": "x"},
        "signal": "latency",
        "budget": {"days": 7.0},
        "where": {"model": ["m"]},
    }
    assert (value_of(rule, "budget.days"), value_of(rule, "budget.alarms"), value_of(rule, "x.y")) == (7.0, None, None)


def test_switches_that_are_off_are_written() -> None:
    """Off is a value where on is the default."""
    assert written("failure", {"id": "a", "enabled": False, "spiking": False}, {}) == {
        "id": "a",
        "type": "failure",
        "enabled": False,
        "spiking": False,
    }


@pytest.mark.parametrize(
    ("problem", "place"),
    [
        ("above", "above"),
        ("budget.alarms", "budget.alarms"),
        ("where.model.0", "where.model"),
        ("for", "for"),
        ("threshold.window", "window"),
        ("labels.team", ""),
        ("nonsense", ""),
    ],
)
def test_problems_find_their_field(problem: str, place: str) -> None:
    """The longest part of a problem's place that is a field; none where there is none."""
    rule_type: RuleType = "anomaly" if problem.startswith("budget") else "threshold"

    assert place_of(problem, rule_type) == place


def test_explanations_are_the_models() -> None:
    """Also of fields inside of tables."""
    assert explanation("threshold", "for") == "Evaluations in a row before it fires."
    assert "name@version" in explanation("anomaly", "where.prompt")


def test_reading_a_rule() -> None:
    """None where something is wrong with it."""
    found = read({"id": "a", "type": "spend", "limit_usd": 2})

    assert found is not None
    assert found.id == "a"
    assert read({"id": "a", "type": "spend"}) is None


def test_types_are_those_of_the_schema() -> None:
    """A new type of rules needs a form."""
    assert set(FIELDS) == set(TYPES)
