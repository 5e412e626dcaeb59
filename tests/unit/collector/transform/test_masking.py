"""Masking in ingest: rows of masked data, bills untouched, rejects that keep their length."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.ingest.accounts import Rejection
from spanwise_collector.ingest.landing import to_reject
from spanwise_collector.ingest.masked_rejects import masked_reject
from spanwise_collector.normalise.masking import Masker, load_masker
from spanwise_collector.settings import Settings, SettingsError, load
from spanwise_schemas.wire import Envelope
from tests.support.canaries import KEYS, PATTERNS, Canaries
from tests.support.otlp import record, rows, span, traces, transformer

CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 10,
    "gen_ai.response.id": "chatcmpl-1",
}


def masker(patterns: str = PATTERNS, keys: str = KEYS) -> Masker:
    """A masker that masks."""
    made = load_masker(Settings(clickhouse="chdb:///unused", mask_patterns=patterns, mask_keys=keys))
    assert made is not None
    return made


def test_without_settings_there_is_no_masker() -> None:
    """So that nothing is spent on it."""
    assert load_masker(Settings(clickhouse="chdb:///unused")) is None


def test_wrong_settings_stop_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """With their names and what to write."""
    monkeypatch.setenv("SPANWISE_CLICKHOUSE", "chdb:///unused")
    monkeypatch.setenv("SPANWISE_MASK_PATTERNS", '["("]')
    monkeypatch.setenv("SPANWISE_MASK_KEYS", "*")

    with pytest.raises(SettingsError) as caught:
        load()

    assert "SPANWISE_MASK_PATTERNS: '(' is not a regular expression" in str(caught.value)
    assert "SPANWISE_MASK_KEYS: '*' is the name of everything" in str(caught.value)


def test_the_bill_is_the_same() -> None:
    """Every built-in pattern and keys that look for tokens change no figure of a call, nor what it is."""
    request = traces(span("chat gpt-4o", CALL | {"access_token": "x", "note": "bob@x.org"}))
    plain = rows(transformer().transform([record(request)], ()), "spans")[0]
    masked = rows(transformer(masker=masker("all", "*token*,*key*")).transform([record(request)], ()), "spans")[0]

    different = {name: (plain[name], masked[name]) for name in plain if plain[name] != masked[name]}
    assert plain["cost_total_n"] > 0
    assert set(different) == {"attrs"}
    assert "x.org" not in str(masked)


def test_a_record_that_must_be_mended_is_masked_too() -> None:
    """Text that is no UTF-8 takes the patient way through decoding, and meets the masks there."""
    value = (
        traces(span("bob@x.org", CALL | {"a": "eve@x.org ####"})).SerializeToString().replace(b"####", b"\xff\xfe##")
    )
    batch = transformer(masker=masker()).transform([record(value)], ())

    row = rows(batch, "spans")[0]
    assert row["name"] == "[masked:email]"
    assert "invalid_utf8" in row["warnings"]
    assert "x.org" not in str(row)


def test_headers_are_masked_and_still_count() -> None:
    """The numbers of the envelope stay, even where a pattern would match them."""
    headers = Envelope("bob@x.org", seq=123, spans=4, dropped=5).to_headers()
    batch = transformer(masker=masker('["email", "[0-9]+"]')).transform([record(b"no", headers=headers)], ())

    producer = rows(batch, "producers")[0]
    assert (producer["producer"], producer["max_seq"], producer["n_spans"]) == ("[masked:email]", 123, 4)


def test_what_is_no_otlp_is_not_quoted() -> None:
    """The detail of a refusal otherwise shows the first bytes."""
    plain = transformer().transform([record(b"bob@x.org")], ()).rejections[0].detail
    masked = transformer(masker=masker()).transform([record(b"bob@x.org")], ()).rejections[0].detail

    assert b"bob@x.or".hex(" ") in plain
    assert b"bob".hex(" ") not in masked


def rejected(value: bytes, topic: str = "otlp_spans") -> bytes:
    """The value as it goes to the rejects topic."""
    rejection = Rejection(record(value, topic=topic), "truncated", "", 1)
    found = masked_reject(to_reject(rejection, code_version="1"), masker()).value
    assert found is not None
    return found


@pytest.mark.parametrize("topic", ["otlp_spans", "otlp_logs"])
def test_rejects_keep_their_length_and_their_structure(topic: str) -> None:
    """A request that was refused can be decoded as before, and holds nothing planted."""
    canaries = Canaries("r")
    request: Any = canaries.traces() if topic == "otlp_spans" else canaries.logs()
    value = request.SerializeToString()

    found = rejected(value, topic)

    assert canaries.found_in(value) == set(canaries.places)
    assert canaries.found_in(found) == set()
    assert len(found) == len(value)
    assert len(type(request).FromString(found).SerializeToString()) == len(value)


@given(st.integers(0, 10_000), st.binary(max_size=8))
def test_broken_rejects_hold_nothing_planted(cut: int, junk: bytes) -> None:
    """Wherever a request is cut and whatever stands in the gap, the length stays and no address does."""
    value = traces(span("bob@x.example", CALL | {"a": "eve@x.example", "app.password": "planted"})).SerializeToString()
    at = cut % len(value)
    broken = value[:at] + junk + value[at + len(junk) // 2 :]

    found = rejected(broken)

    assert len(found) == len(broken)
    assert b"eve@x.example" not in found
    assert b"bob@x.example" not in found


@pytest.mark.parametrize("text", [b"bob@x.example", b'{"password": "planted"}', b"\xff\xfe secret-123", b""])
def test_rejects_that_are_no_otlp(text: bytes) -> None:
    """They are searched as text."""
    found = rejected(text)

    assert len(found) == len(text)
    assert not any(one in found for one in (b"bob", b"planted", b"secret"))
