"""Decompression with a limit."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.receive.errors import NotTakenError, Reason
from spanwise_collector.receive.inflate import Encoding, encoding_by_content, encoding_of, inflate

LIMIT = 3_000_000
DATA = b"\x0a\x03abc" * 1_000


def raw_deflate(data: bytes) -> bytes:
    """A deflate stream without header."""
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


class Meter:
    """Counts what comes out."""

    def __init__(self) -> None:
        self.bytes = 0

    def grow(self, count: int) -> None:
        """Add it."""
        self.bytes += count


@given(st.binary())
def test_every_encoding_gives_back_what_went_in(data: bytes) -> None:
    """Gzip, several gzip members, zlib, raw deflate and plain bytes; what comes out is paid for."""
    half = len(data) // 2
    forms: list[tuple[Encoding, bytes]] = [
        ("gzip", gzip.compress(data, mtime=0)),
        ("gzip", gzip.compress(data[:half], mtime=0) + gzip.compress(data[half:])),
        ("deflate", zlib.compress(data)),
        ("deflate", raw_deflate(data)),
    ]
    for encoding, body in forms:
        meter = Meter()
        assert inflate(body, encoding, LIMIT, meter.grow) == data
        assert meter.bytes == len(data)
    assert inflate(data, "identity", LIMIT, Meter().grow) == data


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_bomb_is_left_when_it_passes_the_limit(encoding: Encoding) -> None:
    """A hundred times the limit in 300 kB: no more than the limit ever comes out."""
    stream = zlib.compressobj(level=1, wbits=31 if encoding == "gzip" else 15)
    bomb = stream.compress(bytes(100 * LIMIT)) + stream.flush()
    meter = Meter()

    with pytest.raises(NotTakenError, match="SPANWISE_OTLP_DECODED_BYTES") as caught:
        inflate(bomb, encoding, LIMIT, meter.grow)

    assert caught.value.reason is Reason.TOO_LARGE
    assert meter.bytes <= LIMIT


def test_a_plain_body_has_the_same_limit() -> None:
    """The limit is one on the request, however it came."""
    with pytest.raises(NotTakenError) as caught:
        inflate(bytes(LIMIT + 1), "identity", LIMIT, Meter().grow)
    assert caught.value.reason is Reason.TOO_LARGE


@pytest.mark.parametrize(
    ("encoding", "body", "says"),
    [
        ("gzip", b"", "ends too early"),
        ("gzip", b"no gzip at all", "is not gzip"),
        ("gzip", gzip.compress(DATA, mtime=0)[:-9], "ends too early"),
        ("gzip", gzip.compress(DATA, mtime=0) + b"tail", "is not gzip"),
        ("gzip", gzip.compress(DATA, mtime=0)[:-8] + bytes(8), "is not gzip"),
        ("deflate", b"", "ends too early"),
        ("deflate", zlib.compress(DATA)[:-1], "ends too early"),
        ("deflate", zlib.compress(DATA) + b"tail", "4 bytes after the end"),
        ("deflate", b"\xff\xff\xff", "is not deflate"),
    ],
)
def test_a_broken_body_says_what_is_wrong(encoding: Encoding, body: bytes, says: str) -> None:
    """Cut, damaged or followed by something else: refused with 400."""
    with pytest.raises(NotTakenError, match=says) as caught:
        inflate(body, encoding, LIMIT, Meter().grow)
    assert caught.value.reason is Reason.BAD_BODY


def test_encodings_by_their_header() -> None:
    """Names are not case sensitive; others are refused with 415."""
    assert [encoding_of(name) for name in ("", "identity", "GZIP", "x-gzip", " deflate ")] == [
        "identity",
        "identity",
        "gzip",
        "gzip",
        "deflate",
    ]
    for name in ("br", "gzip, gzip", "zstd"):
        with pytest.raises(NotTakenError) as caught:
            encoding_of(name)
        assert caught.value.reason is Reason.WRONG_TYPE


def test_encodings_of_grpc_messages_by_their_first_byte() -> None:
    """An export request begins with field 1, or is empty; compressed forms begin otherwise."""
    assert [encoding_by_content(form) for form in (b"", DATA, gzip.compress(DATA, mtime=0), zlib.compress(DATA))] == [
        "identity",
        "identity",
        "gzip",
        "deflate",
    ]
