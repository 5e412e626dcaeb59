"""Short ways from an attribute's bytes to a field's value, for the readings that most attributes have.

Each is made for attributes with a known head, reads the common form of its value, and leaves everything else to the
general way, so that both always give the same.
"""

from collections.abc import Callable
from typing import Final

from spanwise_collector.normalise.readings import Read, read_body, read_count, read_string
from spanwise_collector.normalise.values import Value

ValueOf = Callable[[bytes, int, set[str]], Value]
_INT: Final = 0x18


class Take:
    """The general way.

    Args:
        read: the field's reading.
        size: bytes of the head.
        value_of: to an attribute's value, see `RawAttributes.value`.
    """

    def __init__(self, read: Read, size: int, value_of: ValueOf) -> None:
        self._read = read
        self._size = size
        self._value_of = value_of

    def take(self, raw: bytes, notes: set[str]) -> object:
        """The field's value, or None when it cannot be read.

        Args:
            raw: a serialised `KeyValue` message.
            notes: receives the codes of what was repaired.
        """
        return self._read(self._value_of(raw, self._size, notes))


class TakeText(Take):
    """The way to texts.

    Args:
        read: as in `Take`.
        size: as in `Take`.
        value_of: as in `Take`.
        starts: how a text's value begins, by the bytes from the length of the value on.
    """

    def __init__(self, read: Read, size: int, value_of: ValueOf, starts: dict[int, bytes]) -> None:
        super().__init__(read, size, value_of)
        self._starts = starts

    def take(self, raw: bytes, notes: set[str]) -> object:
        """As in `Take`."""
        size = self._size
        start = self._starts.get(len(raw) - size)
        if start is not None and raw.startswith(start, size):
            text = raw[size + len(start) :].decode()
            if text and "\0" not in text:
                return text
        return super().take(raw, notes)


class TakeCount(Take):
    """The way to counts."""

    def take(self, raw: bytes, notes: set[str]) -> object:
        """As in `Take`."""
        size = self._size
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
        return super().take(raw, notes)


def taker_of(read: Read, size: int, value_of: ValueOf, starts: dict[int, bytes]) -> Take:
    """The shortest way for a reading; arguments as in `TakeText`."""
    if read is read_string or read is read_body:
        return TakeText(read, size, value_of, starts)
    return TakeCount(read, size, value_of) if read is read_count else Take(read, size, value_of)
