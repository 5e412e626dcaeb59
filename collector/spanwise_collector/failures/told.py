"""What an error says: HTTP status, the provider's code, and the words that are left without their wrapping.

Shapes are those of the packages openai, anthropic, google-genai, botocore, httpx, litellm, pydantic-ai, langchain and
openai-agents, which put the provider's answer into the message in their own ways.
"""

import re
from dataclasses import dataclass
from typing import Final

MAX_READ: Final = 4_000
"""Characters of a message that are looked at."""
_STATUS: Final = re.compile(
    r"(?:Error code|[Ss]tatus[_ ]?[Cc]ode|HTTP status|HTTP|[Ss]tatus|['\"]?code['\"]?|error|httpStatusCode['\"]?)"
    r"(?:/\d(?:\.\d)?)?[ :='\"(]{1,4}([45]\d\d)\b"
    r"|^\W{0,3}([45]\d\d) (?=[A-Z])"
)
_CODE: Final = re.compile(r"['\"]code['\"]\s{0,3}:\s{0,3}['\"]([A-Za-z_][\w.-]{2,63})['\"]")
_TYPE: Final = re.compile(r"['\"]type['\"]\s{0,3}:\s{0,3}['\"]([A-Za-z]{2,32}_[\w.-]{2,63})['\"]")
_GRPC: Final = re.compile(
    r"['\"]status['\"]\s{0,3}:\s{0,3}['\"]([A-Z][A-Z_]{2,63})['\"]|^\W{0,3}[45]\d\d ([A-Z][A-Z_]{4,63})\b"
)
_BOTO: Final = re.compile(r"An error occurred \((\w{3,64})\)")
_WORD_WITH_LINE: Final = re.compile(r"[a-z]{2,20}(?:_[a-z]{2,20}){1,5}")
_INNER: Final = re.compile(r"['\"](error|message)['\"]\s{0,3}:\s{0,3}(?:'((?:[^'\\]|\\.)*+)'|\"((?:[^\"\\]|\\.)*+)\")")
_WRAPPED: Final = re.compile(
    r"(?:\[[\w./:-]{1,80}\] )?"
    r"(?:(?:[\w.]{1,80}\.)?(?:[A-Z]\w{0,60})?(?:Error|Exception|Timeout|Exit|Interrupt|Exceeded)(?:: | - ))"
    r"|(?:Error code: \d{3} - )"
    r"|(?:[45]\d\d [A-Z][A-Z_]{4,63}\. )"
    r"|(?:An error occurred \(\w{3,64}\) when calling the \w{1,64} operation(?: \([^)]{1,60}\))?: )"
)
_REPR: Final = re.compile(r"[A-Z]\w{0,80}\((?:'((?:[^'\\]|\\.)*+)'|\"((?:[^\"\\]|\\.)*+)\"),?\)")
_TRACEBACK: Final = "Traceback (most recent call last)"
_MAX_LAYERS: Final = 6


@dataclass(frozen=True, slots=True)
class Told:
    """What an error says.

    Attributes:
        status: HTTP status from 400 to 599; 0 where none is said.
        code: the provider's own word, as it writes it; "" where none is said.
        words: the message without the layers that clients put around it.
    """

    status: int
    code: str
    words: str


def told(error_type: str, message: str, http_status: int) -> Told:
    """Read an error.

    Args:
        error_type: class of the exception, or the provider's word.
        message: in words.
        http_status: what an attribute says; 0 for nothing.
    """
    text = said_text(message)
    words = _words(text)
    if words.rstrip("(): ") == error_type.rpartition(".")[2]:
        words = ""
    return Told(_status(error_type, text, http_status), _code(error_type, text), words)


def said_text(message: str) -> str:
    """The part of a message that is looked at: without a traceback that a client put after it."""
    text = message[:MAX_READ]
    return text.split(_TRACEBACK, 1)[0] or text


def _status(error_type: str, text: str, http_status: int) -> int:
    if 400 <= http_status <= 599:
        return http_status
    if len(error_type) == 3 and error_type.isdecimal() and error_type[0] in "45":
        return int(error_type)
    found = _STATUS.search(text)
    return int(found[1] or found[2]) if found else 0


def _code(error_type: str, text: str) -> str:
    for pattern in (_CODE, _BOTO, _GRPC):
        found = pattern.search(text)
        if found:
            return next(one for one in found.groups() if one)
    found = _TYPE.search(text)
    if found:
        return found[1]
    return error_type if _WORD_WITH_LINE.fullmatch(error_type) else ""


def _words(text: str) -> str:
    for _ in range(_MAX_LAYERS):
        text = text.strip()
        wrapped = _WRAPPED.match(text)
        written = _REPR.fullmatch(text)
        if wrapped:
            text = text[wrapped.end() :]
        elif written:
            text = written[1] or written[2] or ""
        elif inner := _inner(text):
            text = inner
        else:
            break
    return text


def _inner(text: str) -> str:
    """The message inside an object; one that is called `error` goes before, since `message` may name the step."""
    found: dict[str, str] = {}
    for name, single, double in _INNER.findall(text):
        found.setdefault(name, single or double)
    return found.get("error") or found.get("message") or ""
