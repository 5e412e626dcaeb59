"""Where a page of traces ended: an opaque text that the next request brings back."""

import base64
import binascii
import struct
from dataclasses import dataclass
from typing import Final

_FORMAT: Final = struct.Struct(">Bq16s")
_VERSION: Final = 1


class CursorError(ValueError):
    """The text is not a cursor of ours."""


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """The key of the last trace on a page; the next page holds smaller keys.

    Attributes:
        start: microseconds since the epoch.
        trace_id: 16 bytes; orders traces that start in the same microsecond.
    """

    start: int
    trace_id: bytes

    def encode(self) -> str:
        """As text that can stand in a URL."""
        return base64.urlsafe_b64encode(_FORMAT.pack(_VERSION, self.start, self.trace_id)).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> "Cursor":
        """Back from text.

        Raises:
            CursorError: it was changed, cut or made up.
        """
        try:
            packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            version, start, trace_id = _FORMAT.unpack(packed)
        except (ValueError, binascii.Error, struct.error):
            version = None
        if version != _VERSION or cls(start, trace_id).encode() != text:
            raise CursorError("`cursor` is not one that this API gave out; start again without it")
        return cls(start, trace_id)
