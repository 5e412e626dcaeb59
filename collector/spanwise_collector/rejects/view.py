"""Refused bytes for people's eyes: bounded, and never a character that a terminal would obey."""

from collections.abc import Iterator
from typing import Final

_ROW: Final = 16


def printable(text: str, limit: int = 300) -> str:
    """Text on one line, cut at `limit`; what is not printable (control characters, writing directions) as an escape."""
    shown = "".join(char if char.isprintable() else _escape(char) for char in text[:limit])
    return shown if len(text) <= limit else f"{shown}…"


def _escape(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")


def printable_bytes(value: bytes, limit: int = 300) -> str:
    """Bytes that are perhaps UTF-8, as `printable` has it; other bytes as escapes."""
    shown = printable(value[:limit].decode("utf-8", "backslashreplace"), 4 * limit)
    return shown if len(value) <= limit else f"{shown}…"


def dump(value: bytes, limit: int) -> Iterator[str]:
    """The first `limit` bytes, sixteen a line: offset, hexadecimal, ASCII with a dot for what is not printable."""
    for start in range(0, min(len(value), limit), _ROW):
        row = value[start : min(start + _ROW, limit)]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        yield f"{start:08x}  {row.hex(' '):<47}  {text}"
    if len(value) > limit:
        yield f"… {len(value) - limit:,} bytes more"
