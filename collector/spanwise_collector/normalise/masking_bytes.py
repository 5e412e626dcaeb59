"""Masking of bytes that may be a broken message: texts are overwritten where they are, and nothing moves.

The bytes are walked by the message type's field numbers. Where they stop making sense, all that is left counts as one
text. In the end the whole is searched once more as a text: hiding goes before framing.
"""

from collections.abc import Iterator
from typing import Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from spanwise_schemas.masking import Masks

_KEY_VALUE: Final = "opentelemetry.proto.common.v1.KeyValue"
_VARINT, _EIGHT, _LENGTH, _FOUR = 0, 1, 2, 5
_STRING: Final = FieldDescriptor.TYPE_STRING
_MAX_DEPTH: Final = 200
_FORM: Final = "utf-8", "surrogateescape"
Part = tuple[int, int]
"""First byte, and the one after the last."""


def star_message(data: bytes, kind: Descriptor, masks: Masks) -> bytes:
    """The bytes with what is to be masked overwritten by `*`.

    Args:
        data: what should be a message, broken or not.
        kind: which one.
        masks: patterns and names.

    Returns:
        As many bytes.
    """
    found = bytearray(data)
    for start, end, whole in _texts(data, kind, (0, len(data)), masks):
        found[start:end] = b"*" * (end - start) if whole else _starred(data[start:end], masks)
    return _searched(bytes(found), masks)


def _starred(text: bytes, masks: Masks) -> bytes:
    return masks.starred(text.decode(*_FORM)).encode(*_FORM)


def _searched(data: bytes, masks: Masks) -> bytes:
    """The last look, at all bytes as one text. Names stay out: JSON that is cut off would reach into what follows."""
    text = data.decode("ascii", "surrogateescape")
    return masks.starred_parts(text, names=False).encode("ascii", "surrogateescape")


def _texts(
    data: bytes, kind: Descriptor, part: Part, masks: Masks, depth: int = 0, *, hidden: bool = False
) -> Iterator[tuple[int, int, bool]]:
    """Texts in a message: where each is, and whether a name asks for all of it."""
    at, end = part
    is_pair = kind.full_name == _KEY_VALUE
    name = ""
    while at < end:
        field = _field(data, at, end)
        if field is None:
            yield at, end, hidden
            return
        number, wire, start, stop = field
        one = kind.fields_by_number.get(number)
        if one is None and depth == 0:  # it is no such message at all
            yield at, end, hidden
            return
        at = stop
        if wire != _LENGTH:
            continue
        if is_pair and number == 1:
            name = data[start:stop].decode(*_FORM)
        inside = hidden or (is_pair and number == 2 and masks.hides(name))
        if one is not None and one.message_type is not None and depth < _MAX_DEPTH:
            yield from _texts(data, one.message_type, (start, stop), masks, depth + 1, hidden=inside)
        elif one is None or one.message_type is not None or one.type == _STRING or one.name == "bytes_value":
            yield start, stop, inside


def _field(data: bytes, at: int, end: int) -> tuple[int, int, int, int] | None:
    """Number, wire type, and where the content is, of the field at a position; None when there is none.

    A length beyond the end is cut: the message was.
    """
    tag, at = _varint(data, at, end)
    number, wire = tag >> 3, tag & 7
    if tag <= 0 or number == 0:
        return None
    if wire == _LENGTH:
        length, start = _varint(data, at, end)
        return None if length < 0 else (number, wire, start, min(end, start + length))
    if wire == _VARINT:
        value, stop = _varint(data, at, end)
        return None if value < 0 else (number, wire, at, stop)
    size = {_EIGHT: 8, _FOUR: 4}.get(wire)
    return None if size is None or at + size > end else (number, wire, at, at + size)


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """A number and the position behind it; -1 where there is none."""
    value = 0
    for place in range(10):
        if at + place >= end:
            break
        byte = data[at + place]
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, at + place + 1
    return -1, at
