"""Masks: what differs each time becomes a placeholder, what the message says stays."""

import re
from base64 import b64encode
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.failures.masks import MAX_CHARS, mask

RATE_LIMIT = (
    "Error code: 429 - {'error': {'message': 'Rate limit reached for gpt-4o in organization org-AbC123dEf456 on tokens"
    " per min (TPM): Limit 30000, Used 29500, Requested 1200. Please try again in 1.4s. Visit"
    " https://platform.openai.com/account/rate-limits to learn more.', 'type': 'tokens', 'param': None,"
    " 'code': 'rate_limit_exceeded'}}"
)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("retry in 1.4s or 20 ms, at most 3 minutes", "retry in <num> or <num>, at most <num>"),
        ("used 1,234 of 30000 tokens (97%)", "used <num> of <num> tokens (<num>)"),
        ("took ~3e-5 s, at -17 C", "took <num> s, at <num> C"),
        ("at 0x7f3a2b10, commit 9fceb02d0ae5", "at <hex>, commit <hex>"),
        ("request req_011CSHoEeqs5C35K2UUqR7Fy", "request <id>"),
        ("chatcmpl-9abcXYZ of org-AbC123 by claude-sonnet-4-5", "<id> of <id> by <id>"),
        ("trace 123e4567-e89b-12d3-a456-426614174000", "trace <uuid>"),
        ("GET https://api.example.com/v1/x?y=1 (see docs)", "GET <url> (see docs)"),
        ("image data:image/png;base64,iVBORw0KGgo= is broken", "image <url> is broken"),
        ("mail to ann.lee+x@example.co.uk bounced", "mail to <email> bounced"),
        ("connect to 10.0.0.7:5432 failed", "connect to <host> failed"),
        ("connect to db-1.prod.internal:5432 failed", "connect to <host> failed"),
        ("connect to fe80:0:0:0:1:2:3:4 failed", "connect to <host> failed"),
        ("open /var/lib/app/data.json", "open <path>"),
        ("open C:\\Users\\ann\\data.json", "open <path>"),
        ("since 2026-11-02T10:11:12.345Z until 2026-11-03", "since <time> until <time>"),
        ("at Fri Jun 17 07:07:00 2005", "at <time>"),
        ("stream=true, seed=None, cache=on", "stream=<bool>, seed=<bool>, cache=<bool>"),
        ("column 'user_name' or \"Line Item\" or `x y`", "column <str> or <str> or <str>"),
        ("don't, can't and won't", "don't, can't and won't"),
        ("got <class 'int'> and <app.Thing object at 0x7f00>", "got <obj> and <obj>"),
        ("[input_value={'a': 'b c'}, input_type=dict]", "[input_value=<value>, input_type=dict]"),
        ("ids 1, 2, 3 and 4 5 6", "ids <num> and <num>"),
        ("one\n  two\tthree", "one two three"),
        ("", ""),
        ("nothing to mask here", "nothing to mask here"),
    ],
)  # fmt: skip
def test_what_differs_becomes_a_placeholder(text: str, masked: str) -> None:
    """Each kind of value has its placeholder, and words stay as they are."""
    assert mask(text) == masked


def test_a_providers_answer_keeps_its_keys_and_what_it_says() -> None:
    """In JSON or a dict the keys stay, and so do type, code and the words of the message."""
    assert mask(RATE_LIMIT) == (
        "Error code: <num> - {'error': {'message': 'Rate limit reached for <id> in organization <id> on tokens per min"
        " (TPM): Limit <num>, Used <num>, Requested <num>. Please try again in <num>. Visit <url> to learn more.',"
        " 'type': 'tokens', 'param': <bool>, 'code': 'rate_limit_exceeded'}}"
    )


@pytest.mark.parametrize("message", ["Overloaded", "Invalid API key", "Bad Gateway."])
def test_a_short_message_in_json_is_no_value(message: str) -> None:
    """What stands under `message` is said, however short."""
    assert mask(f'{{"type":"error","message":"{message}","id":"x"}}') == (
        f'{{"type":"error","message":"{message}","id":<str>}}'
    )


@given(st.integers(0, 10**12), st.uuids(), st.binary(min_size=24, max_size=60), st.floats(0, 1e6))
def test_values_do_not_matter(number: int, uuid: UUID, blob: bytes, seconds: float) -> None:
    """The same message with other values is the same masked message."""

    def said(number: int, uuid: object, seconds: float, data: str) -> str:
        return f"Call {number} of {uuid} failed after {seconds:.2f}s, sent data:text/plain;base64,{data}"

    one = said(number, uuid, seconds, b64encode(blob).decode())
    other = said(7, "123e4567-e89b-12d3-a456-426614174000", 0.5, "AAAA")
    assert mask(one) == mask(other)


@given(st.text())
def test_any_text_has_a_mask(text: str) -> None:
    """Any text can be masked; the result has no line breaks or runs of spaces, and is the same every time."""
    masked = mask(text)
    assert masked == mask(text)
    assert masked == " ".join(masked.split())


@given(
    st.lists(
        st.sampled_from(
            ["a", "Z", "0", "9", "f", "_", "-", ".", ":", "/", "\\", "'", '"', "`", "<", "@", "=", " ", "(", "{", ", ",
             "input_value=", "<class ", "http://", "Mon, 1 Jan", "0x", "é"]
        ),
        min_size=1,
        max_size=6,
    )
)  # fmt: skip
def test_long_messages_of_any_shape_are_masked(pieces: list[str]) -> None:
    """However a text repeats itself, the patterns come to an end."""
    text = "".join(pieces)
    mask(text * (MAX_CHARS // len(text) + 1))


def test_only_the_beginning_counts() -> None:
    """What comes after the first `MAX_CHARS` characters makes no other message."""
    text = "word " * (MAX_CHARS // 5 + 1)
    assert mask(text + "one") == mask(text + "two")


def test_placeholders_stay_when_masked_again() -> None:
    """A masked message is its own mask."""
    masked = mask(f"{RATE_LIMIT} at 0x7f00 by <class 'int'> in /var/x on 2026-11-02 of 10.0.0.1")
    assert re.findall(r"<\w+>", masked)
    assert mask(masked) == masked
