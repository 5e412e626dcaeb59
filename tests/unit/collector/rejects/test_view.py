"""Refused bytes for people's eyes."""

from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.rejects.view import dump, printable, printable_bytes


@given(st.text(), st.binary(max_size=100))
def test_nothing_reaches_the_terminal_that_it_would_obey(text: str, value: bytes) -> None:
    """Control characters, line ends and directions of writing of the data never come through."""
    assert printable(text).isprintable()
    assert printable_bytes(value).isprintable()
    assert all(line.isprintable() for line in dump(value, 64))


def test_a_dump_shows_the_first_bytes_and_how_many_are_left() -> None:
    """Sixteen bytes a line, and never more than asked for."""
    assert list(dump(b"\x1b[2Jred" + bytes(1_013), 20)) == [
        "00000000  1b 5b 32 4a 72 65 64 00 00 00 00 00 00 00 00 00  .[2Jred.........",
        "00000010  00 00 00 00                                      ....",
        "… 1,000 bytes more",
    ]


def test_escapes_tell_what_was_there() -> None:
    """An escape character, an override of the direction and a byte that is not UTF-8."""
    assert printable("a\x1b[0m\u202eb") == "a\\x1b[0m\\u202eb"
    assert printable_bytes(b"ok\xff") == "ok\\xff"
