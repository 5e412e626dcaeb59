"""The words of an expression. What has no place in one ends the reading here: comments, quoted identifiers, braces."""

import re
from dataclasses import dataclass
from typing import Final, Literal

TokenKind = Literal["name", "number", "text", "sign", "end"]

_SPACE: Final = re.compile(r"[ \t\r\n]+")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER: Final = re.compile(r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_SIGN: Final = re.compile(r"->|::|\|\||<=|>=|<>|!=|==|[-+*/%<>=(),\[\]?:]")
_TEXT: Final = re.compile(r"'(?:[^'\\]|\\.|'')*'", re.DOTALL)
# \N is what ClickHouse writes for NULL, and reads as nothing.
_ESCAPES: Final = {
    "N": "",
    "b": "\b",
    "f": "\f",
    "r": "\r",
    "n": "\n",
    "t": "\t",
    "0": "\0",
    "a": "\a",
    "v": "\v",
    "e": "\x1b",
}
_KEPT: Final = frozenset("\\'\"`/=")
"""Behind a backslash these, and control characters, stand for themselves; before others it stays, as in ClickHouse."""
_BYTE: Final = re.compile(r"[0-9a-fA-F]{2}")
_COMMENTS: Final = ("--", "/*", "#")


class ExpressionError(ValueError):
    """The expression cannot be used.

    Attributes:
        position: of the character where the reason is, from 1; 0 where it has no place.
    """

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.position = position

    def __str__(self) -> str:
        place = f"At position {self.position}: " if self.position else ""
        return f"{place}{self.args[0]}"


@dataclass(frozen=True, slots=True)
class Token:
    """A word.

    Attributes:
        kind: what sort.
        text: as it was written; of a `text` what it stands for.
        position: of its first character, from 1.
    """

    kind: TokenKind
    text: str
    position: int


def tokens(source: str) -> list[Token]:
    """The words of an expression, the last one of kind `end`.

    Raises:
        ExpressionError: at the first character that cannot be part of one.
    """
    found: list[Token] = []
    at = 0
    while at < len(source):
        if space := _SPACE.match(source, at):
            at = space.end()
            continue
        if source.startswith(_COMMENTS, at):
            raise ExpressionError("Comments have no place in an expression; write `description` instead.", at + 1)
        kind, end = _word(source, at)
        text = source[at:end]
        try:
            found.append(Token(kind, unquoted(text) if kind == "text" else text, at + 1))
        except ValueError as error:
            told = "This text is not UTF-8." if isinstance(error, UnicodeError) else str(error)
            raise ExpressionError(told, at + 1) from None
        at = end
    return [*found, Token("end", "", len(source) + 1)]


def _word(source: str, at: int) -> tuple[TokenKind, int]:
    if match := _NAME.match(source, at):
        return "name", match.end()
    if match := _NUMBER.match(source, at):
        if _NAME.match(source, match.end()):
            raise ExpressionError(f"{source[at : match.end() + 1]!r} is no number; write decimal digits.", at + 1)
        return "number", match.end()
    if source[at] == "'":
        text = _TEXT.match(source, at)
        if text is None:
            raise ExpressionError("The quote ' is opened here and never closed.", at + 1)
        return "text", text.end()
    if match := _SIGN.match(source, at):
        return "sign", match.end()
    shown = source[at]
    raise ExpressionError(
        f"{shown!r} has no place in an expression. It is made of columns, functions, numbers, texts in "
        "single quotes, brackets and operators.",
        at + 1,
    )


def unquoted(text: str) -> str:
    r"""What a text in single quotes stands for, by ClickHouse's rules.

    Raises:
        UnicodeError: it is not UTF-8.
        ValueError: \x without two digits.
    """
    body, at = text[1:-1], 0
    raw = bytearray()
    while at < len(body):
        one, after = body[at], body[at + 1 : at + 2]
        if one == "'":
            raw += b"'"
            at += 2
        elif one != "\\":
            raw += one.encode()
            at += 1
        elif after == "x":
            if _BYTE.match(body, at + 2) is None:
                raise ValueError("\\x in this text is not followed by two hexadecimal digits.")
            raw.append(int(body[at + 2 : at + 4], 16))
            at += 4
        else:
            stands_alone = after in _KEPT or after < " "
            raw += _ESCAPES.get(after, after if stands_alone else f"\\{after}").encode()
            at += 2
    return raw.decode()


def quoted_text(text: str) -> str:
    r"""A text as SQL in which every character but letters, digits, space and a few signs is written as \xHH.

    Nothing in it can end the text, begin a comment or a parameter, or be taken for a place holder.
    """
    safe = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _.,"
    return "'" + "".join(chr(one) if one in safe else f"\\x{one:02x}" for one in text.encode()) + "'"
