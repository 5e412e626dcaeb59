"""What each evaluator says of samples whose truth was set by hand."""

import json
from typing import Any

import pytest

from spanwise_evaluators import registry
from spanwise_evaluators.model import Document, Sample, ToolCall, Verdict

ORDER = {
    "type": "object",
    "properties": {"id": {"type": "integer"}, "state": {"enum": ["open", "sent"]}},
    "required": ["id"],
    "additionalProperties": False,
}
PLANS = (
    Document(
        "The Pro plan costs $1,249.50 a year. Refunds are possible within fourteen days of payment. "
        "Contact Maria Lopez in Lisbon. Uptime was 0.9983 last year; 1,234,567 requests were served.",
        "plans.md",
    ),
    Document("Invoices are sent on March 3, 2026 by e-mail. The office in Porto opens at 9:30.", "billing.md"),
)
CONTEXT = (
    Document("The warranty covers batteries for two years. Screens are excluded.", "warranty"),
    Document("Shipping to Norway takes six working days.", "shipping"),
)
KEY = "aB3dE5fG7hJ9kL1mN0pQ2rS4"


def said(output: str, **more: Any) -> Sample:
    """A sample with an answer."""
    return Sample(output=output, **more)


def call(arguments: str, name: str = "refund") -> ToolCall:
    """A call of a tool."""
    return ToolCall(name, arguments)


TOOLS = {"refund": ORDER}
NO_TEXT = Sample()

# Evaluator, parameters, sample, and the value and label that a person gives it; None where it does not apply.
CASES: list[tuple[str, dict[str, Any], Sample, tuple[float, str] | None]] = [
    ("valid_json", {}, said('{"a": [1, 2.5e3, null]}'), (1, "")),
    ("valid_json", {}, said(" 7 \n"), (1, "")),
    ("valid_json", {"top": "object"}, said("[1]"), (0, "wrong_type")),
    ("valid_json", {"top": "array"}, said("[1]"), (1, "")),
    ("valid_json", {}, said('```json\n{"a": 1}\n```'), (0, "fenced")),
    ("valid_json", {"fenced": True}, said('```json\n{"a": 1}\n```'), (1, "")),
    ("valid_json", {}, said('{"a": 1'), (0, "truncated")),
    ("valid_json", {}, said('{"a": 1} I hope this helps!'), (0, "extra_text")),
    ("valid_json", {}, said("Sure! Here is your JSON."), (0, "not_json")),
    ("valid_json", {}, said("{'a': 1}"), (0, "malformed")),
    ("valid_json", {}, said('{"a": NaN}'), (0, "malformed")),
    ("valid_json", {}, said(""), (0, "not_json")),
    ("valid_json", {}, Sample(tool_calls=(call("{}"),)), None),
    ("schema_match", {"schema": ORDER}, said('{"id": 7, "state": "sent"}'), (1, "")),
    ("schema_match", {"schema": ORDER}, said('{"state": "sent"}'), (0, "required")),
    ("schema_match", {"schema": ORDER}, said('{"id": "7"}'), (0, "type")),
    ("schema_match", {"schema": ORDER}, said('{"id": 7, "state": "lost"}'), (0, "enum")),
    ("schema_match", {"schema": ORDER}, said('{"id": 7, "note": ""}'), (0, "additionalProperties")),
    ("schema_match", {"schema": ORDER}, said("no"), (0, "not_json")),
    ("schema_match", {"schema": ORDER, "fenced": True}, said('```\n{"id": 7}\n```'), (1, "")),
    (
        "schema_match",
        {"schema": {"type": "array", "items": {"type": "integer"}}},
        said(json.dumps(list(range(300_000)))),
        None,
    ),
    ("regex", {"pattern": r"ORD-\d{4}"}, said("Your order ORD-1234 is sent."), (1, "found")),
    ("regex", {"pattern": r"ORD-\d{4}"}, said("Your order is sent."), (0, "not_found")),
    ("regex", {"pattern": "guarantee", "absent": True, "ignore_case": True}, said("We GUARANTEE it."), (0, "found")),
    ("regex", {"pattern": "guarantee", "absent": True}, said("Perhaps."), (1, "not_found")),
    ("regex", {"pattern": "yes|no", "whole": True}, said("yes"), (1, "found")),
    ("regex", {"pattern": "yes|no", "whole": True}, said("yes, sir"), (0, "not_found")),
    ("contains", {"texts": ["14 days", "refund"]}, said("A refund within 14\n days."), (1, "")),
    ("contains", {"texts": ["14 days", "Refund"]}, said("A refund within 14 days."), (0, "")),
    ("contains", {"texts": ["14 days", "Refund"], "ignore_case": True}, said("A refund within 14 days."), (1, "")),
    ("contains", {"texts": ["a", "b"], "mode": "any"}, said("only b"), (1, "")),
    ("contains", {"texts": ["lawyer", "sue"], "mode": "none"}, said("Please sue us."), (0, "")),
    ("contains", {"texts": ["lawyer"], "mode": "none"}, said("All good."), (1, "")),
    ("contains", {}, said("It is Lisbon, of course.", expected="Lisbon"), (1, "")),
    ("contains", {}, said("It is Lisbon."), None),
    ("exact_match", {}, said(" Lisbon\n", expected="Lisbon"), (1, "")),
    ("exact_match", {"compare": "exact"}, said(" Lisbon", expected="Lisbon"), (0, "")),
    ("exact_match", {}, said("lisbon", expected="Lisbon"), (0, "")),
    ("exact_match", {"compare": "loose"}, said("The café.", expected="cafe"), (1, "")),
    ("exact_match", {"compare": "loose"}, said("A.", expected="B."), (0, "")),
    ("exact_match", {"compare": "loose"}, said("a", expected="A."), (1, "")),
    ("exact_match", {"compare": "json"}, said('{"b": 1.0, "a": [true]}', expected='{"a":[true],"b":1}'), (1, "")),
    ("exact_match", {"compare": "json"}, said('{"a": 1}', expected='{"a": true}'), (0, "")),
    ("exact_match", {"compare": "json"}, said("broken", expected='{"a": 1}'), (0, "")),
    ("exact_match", {"compare": "json"}, said("plain text", expected="plain  text"), (1, "")),
    ("exact_match", {}, said("Lisbon"), None),
    ("length", {"most": 5}, said(" abcde "), (1, "")),
    ("length", {"most": 4}, said("abcde"), (0, "too_long")),
    ("length", {"unit": "words", "least": 3}, said("don't worry"), (0, "too_short")),
    ("length", {"unit": "words", "least": 2, "most": 2}, said("don't worry"), (1, "")),
    ("length", {"unit": "sentences", "most": 2}, said("One. Two! Three?"), (0, "too_long")),
    ("length", {"unit": "lines", "most": 2}, said("one\n\ntwo\n"), (1, "")),
    (
        "language_match",
        {},
        said("Ihre Karte wurde gesperrt, eine neue ist unterwegs.", input="Wie kann ich meine Karte sperren?"),
        (1, "de"),
    ),
    (
        "language_match",
        {},
        said("Your card is blocked, a new one is on its way.", input="Wie kann ich meine Karte sperren?"),
        (0, "en"),
    ),
    ("language_match", {"language": "fr"}, said("Votre carte est bloquée, la nouvelle arrive."), (1, "fr")),
    ("language_match", {}, said("ok", input="Wie kann ich meine Karte sperren?"), None),
    ("language_match", {"language": "de"}, said("```\nfor item in items: print(item)\n```"), None),
    ("not_refused", {}, said("Your card is on its way."), (1, "")),
    ("not_refused", {}, said("I'm sorry, but I can't help with that."), (0, "policy")),
    ("not_refused", {}, said("I don't have access to your account."), (0, "capability")),
    ("not_refused", {}, said("The provided context does not mention the price."), (0, "missing_info")),
    ("not_refused", {"allowed": ["missing_info"]}, said("I don't know."), (1, "missing_info")),
    ("not_refused", {}, said(" "), (0, "empty")),
    ("not_refused", {}, said('{"answer": "I cannot help"}'), (1, "")),
    ("not_refused", {}, Sample(tool_calls=(call("{}"),)), None),
    ("not_empty", {}, said("No."), (1, "")),
    ("not_empty", {}, said("👍"), (1, "")),
    ("not_empty", {}, said("7"), (1, "")),
    ("not_empty", {}, said(" \n\t"), (0, "empty")),
    ("not_empty", {}, said("null"), (0, "placeholder")),
    ("not_empty", {}, said("{ }"), (0, "placeholder")),
    ("not_empty", {}, said("..."), (0, "placeholder")),
    ("not_empty", {}, Sample(tool_calls=(call("{}"),)), (1, "")),
    ("no_pii", {}, said("Your order is on its way, 3 items, 12.50 EUR."), (1, "")),
    ("no_pii", {}, said("Write to ada@example.com."), (0, "email")),
    ("no_pii", {}, said("Card 4111 1111 1111 1111 is charged."), (0, "credit_card")),
    ("no_pii", {}, said("Tracking 4111 1111 1111 1112."), (1, "")),
    ("no_pii", {}, said("IBAN DE89 3704 0044 0532 0130 00."), (0, "iban")),
    ("no_pii", {}, said("Code DE88 3704 0044 0532 0130 00."), (1, "")),
    ("no_pii", {}, said("SSN 219-09-9999"), (0, "us_ssn")),
    ("no_pii", {}, said("Form 666-09-9999 and 900-12-3456, 123-00-4567"), (1, "")),
    ("no_pii", {}, said("Her social security number is 219099999."), (0, "us_ssn")),
    ("no_pii", {}, said("Call +49 30 123456 or (212) 555-0123."), (0, "phone")),
    ("no_pii", {}, said("Use sk-proj-abcdefghijklmnop1234."), (0, "api_key")),
    ("no_pii", {}, said(f"The password is {KEY}"), (0, "random_key")),
    ("no_pii", {}, said("commit 3f786850e387550fdab836ed7e6dc881de23001b"), (1, "")),
    ("no_pii", {}, said("id 550e8400-e29b-41d4-a716-446655440000"), (1, "")),
    ("no_pii", {}, said(f"https://docs.example.com/d/{KEY}/edit"), (1, "")),
    ("no_pii", {}, said("ThisIsAVeryLongIdentifierOfAClass123"), (1, "")),
    ("no_pii", {"kinds": ["ipv4"]}, said("Server 192.168.0.1, ada@example.com"), (0, "ipv4")),
    ("no_pii", {"ignore": ["input"]}, said("You are a@b.example.", input="I am a@b.example"), (1, "")),
    ("no_pii", {"ignore": ["context"]}, said("Ask a@b.example.", context=(Document("a@b.example"),)), (1, "")),
    ("no_pii", {}, said("a@b.example, 4111111111111111"), (0, "credit_card,email")),
    ("numbers_in_context", {}, said("It costs $1,249.50 and can be returned for 14 days.", context=PLANS), (1, "")),
    ("numbers_in_context", {}, said("It costs 1.249,50 EUR.", context=PLANS), (1, "")),
    ("numbers_in_context", {}, said("It costs about 1,250 dollars.", context=PLANS), (1, "")),
    ("numbers_in_context", {}, said("Uptime was 99.83 %, with 1.2 million requests.", context=PLANS), (1, "")),
    ("numbers_in_context", {}, said("Returned for 30 days, at $1,249.50.", context=PLANS), (0.5, "not_found")),
    ("numbers_in_context", {}, said("Sent on 2026-03-03, from 9:30.", context=PLANS), (1, "")),
    ("numbers_in_context", {}, said("1. Ask GPT-4 [2].\n2. Wait 14 days.", context=PLANS), (1, "")),
    ("numbers_in_context", {}, said("You said 42.", context=PLANS, input="Is it 42?"), (1, "")),
    ("numbers_in_context", {"ignore_up_to": 10}, said("There are 3 ways, 77 steps.", context=PLANS), (0, "not_found")),
    ("numbers_in_context", {"ignore_up_to": 10}, said("There are 3 ways.", context=PLANS), None),
    ("numbers_in_context", {}, said("No numbers here.", context=PLANS), None),
    ("numbers_in_context", {}, said("It is 7."), None),
    ("entities_in_context", {}, said("Please ask Maria Lopez in Lisbon.", context=PLANS), (1, "")),
    ("entities_in_context", {}, said("Please ask Lopez in Madrid.", context=PLANS), (0.5, "not_found")),
    ("entities_in_context", {}, said("The order ORD-1234 is sent.", context=PLANS), (0, "not_found")),
    ("entities_in_context", {}, said("The order ORD-1234 is sent.", input="Is ord-1234 sent?", context=PLANS), (1, "")),
    ("entities_in_context", {}, said("See https://example.com/x.", context=PLANS), (0, "not_found")),
    ("entities_in_context", {}, said("Refunds take a while. They are free.", context=PLANS), None),
    ("entities_in_context", {}, said("Ask Maria."), None),
    ("groundedness", {}, said("The warranty covers batteries.", context=CONTEXT), (1, "")),
    ("groundedness", {}, said("Batteries explode frequently.", context=CONTEXT), (1 / 3, "")),
    ("groundedness", {}, said("Shipping takes working days.", context=CONTEXT), (1, "")),
    ("groundedness", {"n": 2}, said("Working days take shipping.", context=CONTEXT), (1 / 3, "")),
    ("groundedness", {}, said("Blue tablets.", context=CONTEXT, input="Are tablets blue?"), (1, "")),
    (
        "groundedness",
        {"with_input": False},
        said("Blue tablets.", context=CONTEXT, input="Are tablets blue?"),
        (0, ""),
    ),
    ("groundedness", {}, said("It is so.", context=CONTEXT), None),
    ("groundedness", {}, said("The warranty covers batteries."), None),
    ("groundedness", {}, said("电池保修", context=(Document("电池保修两年"),)), (1, "")),
    ("citations", {}, said("Batteries are covered [1]. It takes six days [2].", context=CONTEXT), (1, "")),
    ("citations", {}, said("Batteries are covered [1, 3].", context=CONTEXT), (0.5, "wrong")),
    ("citations", {}, said("All of it [1-2].", context=CONTEXT), (1, "")),
    ("citations", {}, said("Covered [warranty], sent [Shipping], [doc 9].", context=CONTEXT), (2 / 3, "wrong")),
    ("citations", {}, said("Covered \u30101\u2020source\u3011.", context=CONTEXT), (1, "")),
    ("citations", {}, said("See [the site](https://example.com) [sic].", context=CONTEXT), None),
    ("citations", {"required": True}, said("Batteries are covered.", context=CONTEXT), (0, "uncited")),
    ("citations", {"support": 0.5}, said("The warranty covers batteries [2].", context=CONTEXT), (0, "wrong")),
    ("citations", {"support": 0.5}, said("The warranty covers batteries [1].", context=CONTEXT), (1, "")),
    ("citations", {}, said("Covered [1]."), None),
    ("latency_budget", {"most_ms": 2000}, Sample(latency_ms=2000.0), (1, "")),
    ("latency_budget", {"most_ms": 2000}, Sample(latency_ms=2000.5), (0, "")),
    ("latency_budget", {"most_ms": 2000}, Sample(), None),
    ("cost_budget", {"most_usd": 0.1}, Sample(cost_nanousd=100_000_000), (1, "")),
    ("cost_budget", {"most_usd": 0.1}, Sample(cost_nanousd=100_000_001), (0, "")),
    ("cost_budget", {"most_usd": 0.1}, Sample(), None),
    ("tool_arguments", {}, Sample(tool_calls=(call('{"id": 7}'),), tools=TOOLS), (1, "")),
    ("tool_arguments", {}, Sample(tool_calls=(call('{"id": "x"}'), call('{"id": 7}')), tools=TOOLS), (0.5, "type")),
    ("tool_arguments", {}, Sample(tool_calls=(call("{"),), tools=TOOLS), (0, "not_json")),
    ("tool_arguments", {}, Sample(tool_calls=(call("{}", "pay"),), tools=TOOLS), (0, "unknown_tool")),
    ("tool_arguments", {}, Sample(tool_calls=(call(""),), tools=TOOLS), (0, "required")),
    ("tool_arguments", {}, Sample(tool_calls=(call(""),), tools={"refund": {}}), (1, "")),
    ("tool_arguments", {}, Sample(tool_calls=(call("{}"),)), None),
    ("tool_arguments", {}, Sample(tools=TOOLS), None),
]


@pytest.mark.parametrize(
    ("name", "parameters", "sample", "truth"), CASES, ids=[f"{number}-{case[0]}" for number, case in enumerate(CASES)]
)
def test_the_verdict_is_a_person_s(
    name: str, parameters: dict[str, Any], sample: Sample, truth: tuple[float, str] | None
) -> None:
    """Value and label are those that were set by hand."""
    verdict = registry.make(name, **parameters)(sample)

    assert (verdict and verdict.label) == (truth and truth[1])
    assert (verdict and verdict.value) == (truth and pytest.approx(truth[0]))


def test_every_evaluator_has_cases_of_both_ends_and_most_of_where_it_does_not_apply() -> None:
    """Good, bad, and not applicable, as far as the evaluator has them."""
    seen = {
        name: {None if truth is None else truth[0] == 1 for one, _, _, truth in CASES if one == name}
        for name in registry.names()
    }

    assert [name for name, ends in seen.items() if not {True, False} <= ends] == []
    assert [name for name, ends in seen.items() if None not in ends] == ["regex", "length", "not_empty", "no_pii"]


def test_explanations_say_what_a_person_can_check() -> None:
    """What was found and where; of personal data, never the data itself."""
    told = {
        "schema_match": registry.make("schema_match", schema=ORDER)(said('{"id": "7"}')),
        "numbers": registry.make("numbers_in_context")(said("For 30 days, $7.", context=PLANS)),
        "names": registry.make("entities_in_context")(said("Please ask Lopez in Madrid.", context=PLANS)),
        "groundedness": registry.make("groundedness")(said("Batteries explode. Screens too.", context=CONTEXT)),
        "citations": registry.make("citations")(said("So it is [4].", context=CONTEXT)),
        "contains": registry.make("contains", texts=["a", "z"])(said("abc")),
        "latency": registry.make("latency_budget", most_ms=1500)(Sample(latency_ms=1834.4)),
        "cost": registry.make("cost_budget", most_usd=0.01)(Sample(cost_nanousd=12_345_000)),
        "tools": registry.make("tool_arguments")(Sample(tool_calls=(call("{}"),), tools=TOOLS)),
        "pii": registry.make("no_pii")(said("Ask ada@example.com or bob@example.com, SSN 219-09-9999.")),
    }

    assert {name: verdict.explanation for name, verdict in told.items() if verdict} == {
        "schema_match": "$.id: it must be integer",
        "numbers": "not found: 30, 7",
        "names": "not found: Madrid",
        "groundedness": "50% of: Batteries explode.",
        "citations": "[4] is no document",
        "contains": "missing: 'z'",
        "latency": "1,834 ms of 1,500 ms",
        "cost": "0.012345 USD of 0.01 USD",
        "tools": "refund: id is missing",
        "pii": "2 email, 1 us_ssn, at character 4, 23, 44",
    }


def test_nothing_is_made_up_about_an_empty_sample() -> None:
    """Without an answer, documents, calls, cost or time, only those that judge emptiness itself say anything."""
    given: dict[str, dict[str, Any]] = {
        "schema_match": {"schema": ORDER},
        "regex": {"pattern": "x"},
        "length": {"least": 1},
        "latency_budget": {"most_ms": 1},
        "cost_budget": {"most_usd": 1},
    }
    verdicts = {name: registry.make(name, **given.get(name, {}))(NO_TEXT) for name in registry.names()}

    assert {name: verdict for name, verdict in verdicts.items() if verdict is not None} == {
        "valid_json": Verdict(0.0, "not_json", "the answer is plain text"),
        "schema_match": Verdict(0.0, "not_json", "the answer is plain text"),
        "regex": Verdict(0.0, "not_found"),
        "length": Verdict(0.0, "too_short", "0 characters, at least 1 are asked for"),
        "not_refused": Verdict(0.0, "empty"),
        "not_empty": Verdict(0.0, "empty"),
        "no_pii": Verdict(1.0),
    }
