"""Attributes from the bytes of their `KeyValue` messages.

Most attributes of most spans have been seen before, byte for byte, so the values of short ones are remembered whole. Of
the others the common forms, strings and numbers, are read here without making a message of them; all else goes through
protobuf. Field numbers are those of `KeyValue` and `AnyValue` in opentelemetry-proto 1.x.
"""

from collections.abc import Iterable
from struct import unpack_from
from typing import Final, cast

from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from spanwise_collector.normalise.arrays import Array
from spanwise_collector.normalise.readings import Read
from spanwise_collector.normalise.takers import Take, taker_of
from spanwise_collector.normalise.values import Value, clean, read_value

_MAX_NAMES: Final = 4_096
_MAX_VALUES: Final = 64
"""Remembered values of one name: an attribute with more of them (a user, a response id) is rarely met again, and a
small memory stays in the processor's cache."""
_MAX_BYTES: Final = 96
"""Longer attributes are texts, hardly two of them alike."""
_MAX_STARTS: Final = 16_384
_KEY, _VALUE = 0x0A, 0x12
_STRING, _INT, _DOUBLE = 0x0A, 0x18, 0x21


class UnreadableAttributeError(ValueError):
    """Bytes that are no attribute: the record has to be read the patient way."""


class RawAttributes:
    """Reads attributes; remembers those it has seen. The same bytes always give the same values.

    Values are shared by all spans that have them, so nobody changes one.
    """

    def __init__(self) -> None:
        self._remembered: dict[bytes, tuple[str, Value]] = {}
        self._counts: dict[bytes, int] = {}
        self._varied: dict[bytes, str] = {}
        self._starts: dict[int, bytes] = {}

    def read(self, attributes: Iterable[bytes], warnings: set[str]) -> dict[str, Value]:
        """Attributes by name, in order; of a name that comes twice the last value holds, with a warning.

        Args:
            attributes: serialised `KeyValue` messages.
            warnings: receives the codes of what was repaired.

        Raises:
            UnreadableAttributeError: one of them is broken or not UTF-8.
        """
        raws = list(attributes)
        pairs = list(map(self._remembered.get, raws))
        if None in pairs:
            try:
                self._fill_in(pairs, raws, warnings)
            except (UnicodeDecodeError, DecodeError) as error:
                raise UnreadableAttributeError(str(error)) from None
        found = dict(cast("list[tuple[str, Value]]", pairs))
        if len(found) != len(raws):
            warnings.add("duplicate_attribute")
        return found

    def _fill_in(self, pairs: list[tuple[str, Value] | None], raws: list[bytes], warnings: set[str]) -> None:
        """Read the attributes that are not remembered."""
        varied = self._varied
        for position, pair in enumerate(pairs):
            if pair is not None:
                continue
            raw = raws[position]
            end = raw[1] + 3 if len(raw) > 1 else 0
            head = raw[:end]
            key = varied.get(head)
            if key is None:
                pairs[position] = self._new(raw, head, warnings)
                continue
            pairs[position] = (key, self._value(raw, end, warnings))

    def value(self, raw: bytes, at: int, warnings: set[str]) -> Value:
        """The value of one attribute.

        Args:
            raw: a serialised `KeyValue` message.
            at: length of its head, which is known, see `head`.
            warnings: receives the codes of what was repaired.

        Raises:
            UnreadableAttributeError: it is broken or not UTF-8.
        """
        pair = self._remembered.get(raw)
        if pair is not None:
            return pair[1]
        try:
            return self._value(raw, at, warnings)
        except (UnicodeDecodeError, DecodeError) as error:
            raise UnreadableAttributeError(str(error)) from None

    def taker(self, read: Read, size: int) -> Take:
        """The shortest way to a field's value from attributes with a known head of so many bytes."""
        return taker_of(read, size, self.value, self._starts)

    def head(self, name: str, raw: bytes) -> bytes:
        """The bytes of an attribute before those of its value; b"" where they are not in the usual order."""
        size = raw[1] + 3 if len(raw) > 1 else 0
        head = raw[:size]
        usual = len(head) == size and size and head[0] == _KEY and head[-1] == _VALUE and head[1] < 0x80
        return head if usual and head[2:-1] == name.encode() else b""

    def _value(self, raw: bytes, at: int, warnings: set[str]) -> Value:
        """The value of an attribute from the length of its value on."""
        rest = len(raw) - at
        start = self._starts.get(rest) or self._start(rest)
        if raw.startswith(start, at):
            text = raw[at + len(start) :].decode()
            return clean(text, warnings) if "\0" in text else text
        return _value(raw, at, warnings)

    def _start(self, rest: int) -> bytes:
        """How the value of a text begins that has so many bytes from the length of the value on."""
        start = _text_start(rest)
        if len(self._starts) < _MAX_STARTS:
            self._starts[rest] = start
        return start

    def _new(self, raw: bytes, head: bytes, warnings: set[str]) -> tuple[str, Value]:
        """An attribute that is not remembered, under a name that is not known to vary."""
        notes: set[str] = set()
        message = KeyValue.FromString(raw)
        value = read_value(message.value, notes)
        pair = (message.key, Array(value) if type(value) is list else value)
        if notes:
            warnings |= notes
        elif head and head[0] == _KEY and head[-1] == _VALUE and head[1] < 0x80:
            values = self._counts.get(head, 0)
            if values < _MAX_VALUES and len(raw) <= _MAX_BYTES:
                if values or len(self._counts) < _MAX_NAMES:
                    self._counts[head] = values + 1
                    self._remembered[raw] = pair
            elif len(self._varied) < _MAX_NAMES:
                self._varied[head] = message.key
        return pair


def _text_start(rest: int) -> bytes:
    """The bytes before the text in a value: its length, the tag of a text, the length of the text.

    Args:
        rest: bytes of all three and the text. Some sizes cannot be: then no value begins with what is returned.
    """
    for outer in range(1, 6):
        for inner in range(1, 6):
            value, length = rest - outer, rest - outer - 1 - inner
            if length >= 0 and len(_varint(value)) == outer and len(_varint(length)) == inner:
                return _varint(value) + bytes((_STRING,)) + _varint(length)
    return b"\xff" * 11


def _varint(number: int) -> bytes:
    made = bytearray()
    while number >= 0x80:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    made.append(number)
    return bytes(made)


def _value(raw: bytes, at: int, warnings: set[str]) -> Value:
    """The value of an attribute, which is not a text, whose message has the length of its value at a position."""
    start = at + 1
    if start < len(raw) < start + 0x80 and raw[at] == len(raw) - start:
        number = _number(raw, start)
        if number is not None:
            return number
    found = read_value(KeyValue.FromString(raw).value, warnings)
    return Array(found) if type(found) is list else found


def _number(raw: bytes, at: int) -> int | float | None:
    """An integer up to 2,097,151 or a double that fills the rest; None for every other value."""
    tag, size = raw[at], len(raw) - at
    if tag == _INT and 2 <= size <= 4 and raw[-1] < 0x80:
        first = raw[at + 1]
        if size == 2:
            return first
        second = raw[at + 2]
        if size == 3:
            return first & 0x7F | second << 7 if first >= 0x80 else None
        return first & 0x7F | (second & 0x7F) << 7 | raw[at + 3] << 14 if first >= 0x80 <= second else None
    if tag == _DOUBLE and size == 9:
        return float(unpack_from("<d", raw, at + 1)[0])
    return None
