"""Attributes read from bytes are those that protobuf reads."""

from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from spanwise_collector.normalise.raw_attributes import RawAttributes, UnreadableAttributeError
from spanwise_collector.normalise.values import Value, read_attributes
from tests.support.otlp import any_value

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(0, 2**22),
    st.floats(allow_nan=False),
    st.text(st.characters(codec="utf-8"), max_size=20),
    st.sampled_from([20, 100, 125, 126, 127, 128, 129, 130, 300, 16_383, 16_384, 70_000]).map(lambda size: "x" * size),
    st.binary(max_size=10),
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner))
KEYS = st.one_of(st.sampled_from(["a", "gen_ai.usage.input_tokens", "k" * 127, "k" * 128]), st.text(max_size=5))
KEY_VALUES = st.builds(lambda key, value: KeyValue(key=key, value=any_value(value)), KEYS, VALUES)


def official(attributes: list[bytes]) -> tuple[dict[str, Value], set[str]] | None:
    """What protobuf reads; None where it cannot."""
    warnings: set[str] = set()
    try:
        return read_attributes([KeyValue.FromString(raw) for raw in attributes], warnings), warnings
    except DecodeError:
        return None


def ours(reader: RawAttributes, attributes: list[bytes]) -> tuple[dict[str, Value], set[str]] | None:
    """What the reader reads; None where it cannot."""
    warnings: set[str] = set()
    try:
        return reader.read(attributes, warnings), warnings
    except UnreadableAttributeError:
        return None


def experienced() -> RawAttributes:
    """A reader that knows some names to vary, and remembers values of others."""
    reader = RawAttributes()
    for number in range(80):
        for key in ("a", "gen_ai.usage.input_tokens", "k" * 127, "k" * 128):
            reader.read([KeyValue(key=key, value=any_value(str(number))).SerializeToString()], set())
    return reader


EXPERIENCED = experienced()


@given(st.lists(KEY_VALUES, max_size=6))
def test_every_value(found: list[KeyValue]) -> None:
    """Any attributes have the values and warnings that protobuf's own reading gives, also for the second time."""
    raws = [one.SerializeToString() for one in found]
    fresh = RawAttributes()

    assert [official(raws)] * 3 == [ours(fresh, raws), ours(fresh, raws), ours(EXPERIENCED, raws)]


@given(KEY_VALUES, st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=3), st.integers(0, 400))
def test_broken_bytes(found: KeyValue, changes: list[tuple[int, int]], end: int) -> None:
    """Bytes that were changed or cut short are read as protobuf reads them, or refused as protobuf refuses them."""
    raw = bytearray(found.SerializeToString())
    for at, byte in changes:
        if at < len(raw):
            raw[at] = byte
    del raw[end:]

    assert official([bytes(raw)]) == ours(EXPERIENCED, [bytes(raw)])


def test_memory_is_bounded() -> None:
    """Ever new names and values are read, but only the first ones are remembered."""
    reader = RawAttributes()

    for number in range(10_000):
        one = KeyValue(key=f"name-{number}", value=any_value(number)).SerializeToString()
        same = KeyValue(key="same", value=any_value(f"value-{number}")).SerializeToString()
        assert {f"name-{number}": number, "same": f"value-{number}"} == reader.read([one, same], set())

    assert len(reader._remembered) <= 4_096 + 64
