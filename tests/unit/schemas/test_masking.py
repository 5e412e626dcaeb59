"""What masks find in texts, what they leave, and which settings they refuse."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_schemas.masking import Masks
from spanwise_schemas.masking_patterns import BUILT_IN
from spanwise_schemas.masking_settings import read_keys, read_patterns


def masks(patterns: object = "all", keys: object = "*password*,authorization,*token*") -> Masks:
    """Masks of settings that mask something."""
    made = Masks.of(patterns, keys)
    assert made is not None
    return made


ALL = masks(["all", {"customer": "C[0-9]{6}"}, "ACME-[0-9]+"])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("email", "alice.o+tag@mail.example.com"),
        ("email", "alice%40example.com"),
        ("credit_card", "4111 1111 1111 1111"),
        ("credit_card", "378282246310005"),
        ("iban", "DE89 3704 0044 0532 0130 00"),
        ("iban", "BE68539007547034"),
        ("phone", "+49 30 1234567"),
        ("phone", "(555) 123-4567"),
        ("ipv4", "10.1.2.3"),
        ("jwt", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"),
        ("bearer", "Bearer abcdef0123456789"),
        ("api_key", "sk-proj-abcdefghijklmnop0123"),
        ("api_key", "sw_abcdefghijklmnop0123"),
        ("api_key", "AKIAIOSFODNN7EXAMPLE"),
        ("api_key", "ghp_abcdefghijklmnopqrstuvwxyz012345"),
        ("private_key", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----"),
        ("private_key", "-----BEGIN PRIVATE KEY-----\ncut off here"),
    ],
)
def test_built_in_patterns(name: str, text: str) -> None:
    """Each finds its own, alone and among words, and nothing of it stays."""
    only = masks(name, "")

    assert only.text(text) == f"[masked:{name}]"
    assert only.text(f"It is:\n{text}") == f"It is:\n[masked:{name}]"
    assert only.text(json.dumps([f"It is:\n{text}"])) == f'["It is:\\n[masked:{name}]"]'


@pytest.mark.parametrize(
    "text",
    [
        "gpt-4o-2024-08-06",
        "1795348800000000000",
        "1795348800000",
        "550e8400-e29b-41d4-a716-446655440000",
        "0af7651916cd43dd8448eb211c80319c",
        "2026-11-24T11:00:00.000Z",
        "chatcmpl-9hX4fQ2b7S1kD8mZ3",
        "4111 1111 1111 1112",
        "DE89 1009 0000 1234 5678 90",
        "risk-assessment-of-the-whole",
        "1,234,567.89",
        "v1.2.3",
    ],
)
def test_what_only_looks_like_it_stays(text: str) -> None:
    """Model names, times, ids, versions, and numbers whose check digits are wrong."""
    assert ALL.text(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("card 4111 1111 1111 1111 12/27", "card [masked:credit_card] 12/27"),
        ("12 4111-1111-1111-1111", "12 [masked:credit_card]"),
        ("BE68 5390 0754 7034 paid now", "[masked:iban] paid now"),
        ("C123456 and ACME-1", "[masked:customer] and [masked]"),
    ],
)
def test_what_stands_beside_it_stays(text: str, expected: str) -> None:
    """A number is found between others, and only the number goes."""
    assert ALL.text(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"password":"x","n":1}', '{"password":"[masked:key]","n":1}'),
        ('{"a":[{"DB_Password":{"b":[1]}}]}', '{"a":[{"DB_Password":"[masked:key]"}]}'),
        (json.dumps({"q": json.dumps({"password": "x"})}), '{"q":"{\\"password\\":\\"[masked:key]\\"}"}'),
        ('{"http.authorization":5}', '{"http.authorization":"[masked:key]"}'),
        ('{"password":"one","password":"two"}', '{"password":"[masked:key]","password":"[masked:key]"}'),
        ('{"p\\u0061ssword":"x"}', '{"password":"[masked:key]"}'),
        ('{"prompt_tokens":3,"access_token":"x"}', '{"prompt_tokens":3,"access_token":"[masked:key]"}'),
        ('see {"password": "a\\"b", "k": 1}', 'see {"password": "[masked:key]", "k": 1}'),
        ('see {"password": {"a": 1}} end', 'see {"password": "[masked:key]"} end'),
        ("{'password': 'x', 'k': 1}", "{'password': '[masked:key]', 'k': 1}"),
        ('{\\"password\\": \\"a\\\\\\"b\\", \\"k\\": 1', '{\\"password\\": \\"[masked:key]\\", \\"k\\": 1'),
        ('[{"password": "cut of', '[{"password": "[masked:key]'),
        ('"password": {"cut": ', '"password": "[masked:key]"'),
        ('{"u": "caf\\u00e9\\nbob@x.org"}', '{"u":"café\\n[masked:email]"}'),
        ('{"u": "\\ud800 bob@x.org"}', '{"u":"\\ud800 [masked:email]"}'),
        ('{"bob@x.org": 1, "card": 4111111111111111}', '{"[masked:email]":1,"card":"[masked:credit_card]"}'),
    ],
)
def test_json(text: str, expected: str) -> None:
    """Names hide whole values at any depth, in JSON within JSON and in broken JSON; patterns see what is meant."""
    assert ALL.text(text) == expected


def test_nothing_to_mask_is_not_written_anew() -> None:
    """Spaces, escapes and the form of numbers stay as they were sent."""
    text = ' {"a": 1.10, "b": "\\u00e9",  "a": 1e3}\n'

    assert ALL.text(text) is text


def test_structural_names_need_their_exact_name() -> None:
    """A wildcard reaches neither them nor counts of tokens; the exact name does."""
    wild, exact = masks("", "*model*,*token*,*name*"), masks("", "gen_ai.request.model,max_tokens")

    assert [
        wild.hides("gen_ai.request.model"),
        wild.hides("gen_ai.usage.input_tokens", number=True),
        wild.hides("access_token"),
        exact.hides("gen_ai.request.model"),
        exact.hides("max_tokens", number=True),
    ] == [False, False, True, True, True]


VALUES: Any = st.recursive(
    st.text(max_size=30)
    | st.integers()
    | st.booleans()
    | st.none()
    | st.sampled_from(["bob@x.org", "4111111111111111"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "password", "token"]), inner),
    max_leaves=8,
)
PIECES = st.sampled_from(
    [*"\"'\\{}[]:, x\n", "password", "bob@x.org", "[masked]", "[masked:key]", "ACME-1", "C123456", "****", "\\u00"]
)
TEXTS = (
    st.text(max_size=60)
    | st.lists(PIECES, max_size=25).map("".join)
    | VALUES.map(json.dumps)
    | VALUES.map(json.dumps).map(json.dumps)
    | VALUES.map(repr)
)
MASKS = st.sampled_from(
    [ALL, masks([r"\w+"], ""), masks([".+"], ""), masks([r"(?<=\])x", r"\[", "a|b|masked"]), masks("", '*ass*,"')]
)


@given(MASKS, TEXTS)
def test_masking_twice_is_masking_once(made: Masks, text: str) -> None:
    """Whatever the text and the patterns: also when they match what stands for something masked."""
    once = made.text(text)

    assert made.text(once) == once


@given(MASKS, TEXTS)
def test_stars_keep_the_size_and_leave_nothing(made: Masks, text: str) -> None:
    """As many bytes, and nothing that masking would still change unless it is all stars."""
    size = len(text.encode("utf-8", "surrogatepass"))
    starred = made.starred(text)

    assert len(starred.encode("utf-8", "surrogatepass")) == size
    assert made.text(starred) == starred or starred == "*" * size


@given(VALUES)
def test_json_stays_json(value: Any) -> None:
    """With the same members and lists, whatever was masked inside."""
    shape = json.loads(ALL.text(json.dumps({"value": value})))

    assert list(shape) == ["value"]


@given(VALUES, st.integers(1, 4))
def test_a_hidden_value_is_gone(value: Any, depth: int) -> None:
    """However often it is wrapped in JSON texts."""
    text = json.dumps({"password": {"v": value, "w": "planted"}})
    for _ in range(depth):
        text = json.dumps({"inner": text})

    assert "planted" not in ALL.text(text)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("emial", "there is no pattern named 'emial'; there are private_key"),
        ('["("]', r"'\(' is not a regular expression"),
        ('["x*"]', "matches the empty text"),
        ('["a", ', "begins like JSON and is none"),
        ('[{"email": "x"}]', "'email' is no name for a pattern of your own"),
        ('[{"mine": 1}]', "needs a regular expression"),
        ("[1]", "give names separated by commas"),
        (["(?:" + "y" * 1000 + ")"], "give at most 1000"),
        (["."] * 201, "there are 201; give at most 200"),
        (7, "give names"),
    ],
)
def test_wrong_patterns(given: object, words: str) -> None:
    """Refused with what to write."""
    with pytest.raises(ValueError, match=words):
        read_patterns(given)


@pytest.mark.parametrize(("given", "words"), [("*", "is the name of everything"), ("[1]", "give names"), (7, "give")])
def test_wrong_keys(given: object, words: str) -> None:
    """Refused with what to write."""
    with pytest.raises(ValueError, match=words):
        read_keys(given)


def test_settings_are_read_from_texts_and_from_values() -> None:
    """Built-in patterns in their own order, then the user's; names in lower case, each once."""
    found = read_patterns('["ipv4", "email", "A,B", {"mine": "x{1,2}"}]')

    assert [(one.name, one.regex.pattern) for one in found[2:]] == [("", "A,B"), ("mine", "x{1,2}")]
    assert found[:2] == (BUILT_IN["email"], BUILT_IN["ipv4"])
    assert read_patterns("all") == tuple(BUILT_IN.values())
    assert read_keys("A, b,a") == read_keys(["A", "b"]) == ("a", "b")
    assert Masks.of("", "") is None
