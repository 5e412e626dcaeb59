"""Decompression that stops at a limit, whatever the compressed bytes would become."""

import zlib
from collections.abc import Callable
from typing import Final, Literal

from spanwise_collector.receive.errors import NotTakenError, Reason

Encoding = Literal["identity", "gzip", "deflate"]
_PIECE: Final = 1 << 20
_GZIP_WBITS: Final = 31
_ZLIB_WBITS: Final = 15
_RAW_WBITS: Final = -15
_ENCODINGS: Final[dict[str, Encoding]] = {
    "": "identity",
    "identity": "identity",
    "gzip": "gzip",
    "x-gzip": "gzip",
    "deflate": "deflate",
}


def encoding_of(header: str) -> Encoding:
    """What a Content-Encoding header says.

    Raises:
        NotTakenError: another encoding, or several.
    """
    found = _ENCODINGS.get(header.strip().lower())
    if found is None:
        raise NotTakenError(
            Reason.WRONG_TYPE, f"Content-Encoding {header[:40]!r} is not supported. Send gzip, deflate or identity."
        )
    return found


def encoding_by_content(body: bytes) -> Encoding:
    """How a gRPC message is compressed, which its first byte tells.

    An export request is empty or begins with field 1 (0x0a); a gzip file begins with 0x1f, a zlib stream with 0x78.
    """
    return {b"\x1f": "gzip", b"\x78": "deflate"}.get(body[:1], "identity")  # type: ignore[return-value]


def inflate(body: bytes, encoding: Encoding, limit: int, grow: Callable[[int], None]) -> bytes:
    """The body as it was before compression.

    Args:
        body: as it came.
        encoding: how it is compressed. `deflate` is a zlib stream (RFC 9110), or a raw one, as some senders understand
            the word.
        limit: bytes that come out at most.
        grow: told how many bytes come out, before they are kept.

    Raises:
        NotTakenError: larger than the limit, or broken; or what `grow` raises.
    """
    if encoding == "identity":
        if len(body) > limit:
            raise _too_large(limit)
        return body
    wbits = _GZIP_WBITS if encoding == "gzip" else _ZLIB_WBITS if _is_zlib(body) else _RAW_WBITS
    pieces: list[bytes] = []
    size = 0
    rest = body
    try:
        # A gzip file may consist of several members.
        while True:
            stream = zlib.decompressobj(wbits)
            while not stream.eof:
                piece = stream.decompress(rest, _PIECE)
                rest = stream.unconsumed_tail
                size += len(piece)
                if size > limit:
                    raise _too_large(limit)
                grow(len(piece))
                pieces.append(piece)
                if not piece and not rest and not stream.eof:
                    raise NotTakenError(Reason.BAD_BODY, f"The {encoding} body ends too early.")
            rest = stream.unused_data
            if not rest:
                return b"".join(pieces)
            if encoding != "gzip":
                raise NotTakenError(Reason.BAD_BODY, f"There are {len(rest)} bytes after the end of the deflate body.")
    except zlib.error as error:
        raise NotTakenError(Reason.BAD_BODY, f"The body is not {encoding}: {error}.") from error


def _is_zlib(body: bytes) -> bool:
    """Whether the first two bytes are a zlib header (RFC 1950, section 2.2)."""
    return len(body) > 1 and body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0


def _too_large(limit: int) -> NotTakenError:
    return NotTakenError(
        Reason.TOO_LARGE,
        f"The request has more than {limit:,} bytes after decompression (SPANWISE_OTLP_DECODED_BYTES). Let the "
        "exporter send smaller batches (OTEL_BSP_MAX_EXPORT_BATCH_SIZE).",
    )
