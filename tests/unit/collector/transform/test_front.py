"""The short way through a span's attributes gives what the long way gives."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from spanwise_collector.normalise.front import Filled, Front
from spanwise_collector.normalise.raw_attributes import UnreadableAttributeError
from tests.support.otlp import any_value

COUNTS = st.one_of(st.integers(-1, 2**33), st.sampled_from([0, 127, 128, 16_383, 16_384, 2**21 - 1, 2**21]), st.text())
TEXTS = st.one_of(st.text(max_size=8), st.sampled_from(["", "a\0b", "x" * 130, "x" * 17_000]), st.integers(0, 2**40))
CALLS = st.fixed_dictionaries(
    {
        "gen_ai.operation.name": st.sampled_from(["chat", "embeddings", "nonsense"]),
        "gen_ai.provider.name": st.sampled_from(["openai", "Anthropic", ""]),
        "gen_ai.request.model": st.sampled_from(["gpt-4o", "m" * 300]),
        "gen_ai.response.id": TEXTS,
        "gen_ai.usage.input_tokens": COUNTS,
        "gen_ai.usage.output_tokens": COUNTS,
        "gen_ai.response.finish_reasons": st.lists(st.sampled_from(["stop", "end_turn"]), max_size=2),
        "gen_ai.input.messages": TEXTS,
        "gen_ai.response.time_to_first_chunk": st.floats(),
        "gen_ai.request.temperature": st.sampled_from([0.5, 1]),
        "session.id": TEXTS,
        "custom": TEXTS,
        "tag.tags": st.lists(st.text(max_size=2), max_size=2),
    },
    optional={"llm.token_count.prompt": COUNTS, "other": st.booleans()},
)


def raws_of(values: dict[str, object]) -> list[bytes]:
    """Attributes as a span has them."""
    return [KeyValue(key=key, value=any_value(value)).SerializeToString() for key, value in values.items()]


def seen(found: Filled) -> tuple[object, ...]:
    """What a reader of spans takes from it."""
    rest = list(zip(*found.rest, strict=True))
    return repr(found.values), found.changes, rest, found.raw, found.plan.mapping, found.labels.columns


def outcome(read: object, raws: Sequence[bytes]) -> tuple[object, ...] | None:
    """What a way gives, with its warnings; None where it cannot read the attributes."""
    warnings: set[str] = set()
    try:
        return *seen(read(list(raws), (), warnings)), warnings  # type: ignore[operator]
    except UnreadableAttributeError:
        return None


EXPERIENCED = Front()


@given(st.lists(CALLS, min_size=1, max_size=4))
def test_both_ways_agree(calls: list[dict[str, object]]) -> None:
    """A reader that has met many spans, and one that has met none, read any span alike, also for the second time."""
    for values in calls:
        raws = raws_of(values)
        expected = outcome(Front().anew, raws)

        assert [expected] * 2 == [outcome(EXPERIENCED.read, raws), outcome(EXPERIENCED.read, raws)]


CALL: dict[str, object] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.id": "r",
    "gen_ai.usage.input_tokens": 1,
    "custom": "c",
}


def test_the_short_way_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A span that differs from one before in ids and counts alone is not read anew."""
    front = Front()
    front.read(raws_of(CALL), (), set())
    monkeypatch.setattr(Front, "anew", None)

    found = front.read(raws_of(CALL | {"gen_ai.response.id": "other", "gen_ai.usage.input_tokens": 70_000}), (), set())

    assert ("other", 70_000) == tuple(value for value in found.values if value in ("other", 70_000))


def test_memory_is_bounded() -> None:
    """Ever new names and ever new values of attributes without a field are read, and forgotten."""
    front = Front()

    for number in range(3_000):
        front.read(raws_of(CALL | {"custom": f"value {number}"}), (), set())
        front.read(raws_of(CALL | {f"name {number}": 1}), (), set())

    shapes = [shape for found in front._shapes.values() for shape in found]
    assert len(shapes) <= 256
    assert max(len(shape.known) for shape in shapes) <= 512


@given(st.integers(0, 200), st.integers(0, 255), st.integers(0, 4))
def test_broken_bytes(at: int, byte: int, which: int) -> None:
    """An attribute whose bytes were changed is read, or refused, as the long way does."""
    raws = raws_of(CALL)
    broken = bytearray(raws[which])
    broken[at % len(broken)] = byte
    raws[which] = bytes(broken)

    assert outcome(Front().anew, raws) == outcome(EXPERIENCED.read, raws)
