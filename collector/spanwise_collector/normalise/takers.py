"""Short ways from an attribute's bytes to a field's value, for the readings that most attributes have.

Each is made for attributes with a known head, reads the common form of its value, and leaves everything else to the
general way, so that both always give the same.
"""

from collections.abc import Callable, Mapping
from typing import Final

from spanwise_collector.normalise.readings import Read, read_body, read_count, read_string
from spanwise_collector.normalise.values import Value

Take = Callable[[bytes, set[str]], object]
"""From a serialised `KeyValue` message to the field's value, or None when it cannot be read; notes are added to the
set."""
ValueOf = Callable[[bytes, int, set[str]], Value]
_INT: Final = 0x18


def taker_of(read: Read, size: int, value_of: ValueOf, starts: Mapping[int, bytes]) -> Take:
    """The way for attributes with a head of so many bytes.

    Args:
        read: the field's reading.
        size: bytes of the head.
        value_of: the general way to an attribute's value, see `RawAttributes.value`.
        starts: how a text's value begins, by the bytes from the length of the value on.
    """

    def general(raw: bytes, notes: set[str]) -> object:
        return read(value_of(raw, size, notes))

    if read is read_string or read is read_body:
        return _text(size, starts, general)
    return _count(size, general) if read is read_count else general


def _text(size: int, starts: Mapping[int, bytes], general: Take) -> Take:
    def take(raw: bytes, notes: set[str]) -> object:
        start = starts.get(len(raw) - size)
        if start is not None and raw.startswith(start, size):
            text = raw[size + len(start) :].decode()
            if text and "\0" not in text:
                return text
        return general(raw, notes)

    return take


def _count(size: int, general: Take) -> Take:
    def take(raw: bytes, notes: set[str]) -> object:
        rest = len(raw) - size
        # Length of the value, tag, one to three bytes of varint: up to 2,097,151.
        if 3 <= rest <= 5 and raw[size] == rest - 1 and raw[size + 1] == _INT:
            first = raw[size + 2]
            if rest == 3:
                if first < 0x80:
                    return first
            elif first >= 0x80:
                second = raw[size + 3]
                if rest == 4:
                    if second < 0x80:
                        return first & 0x7F | second << 7
                elif second >= 0x80 > raw[size + 4]:
                    return first & 0x7F | (second & 0x7F) << 7 | raw[size + 4] << 14
        return general(raw, notes)

    return take
