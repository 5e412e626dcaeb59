"""Masks: the parts of a message that differ each time it is said become placeholders like `<num>`."""

import re
from typing import Final

VERSION: Final = 1
"""Stored with what was computed from a masked message. It rises whenever the same text would be masked differently."""
MAX_CHARS: Final = 4_096
"""Of a message, which is cut there."""

_UNITS: Final = (
    r"(?: ?(?:ns|us|µs|ms|msecs?|milliseconds?|secs?|seconds?|mins?|minutes?|hours?|days?|[KMGT]?i?B|bytes?)\b"
    r"|[smhdxkKM%](?!\w)|(?!\w))"
)
_MONTH: Final = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_ZONES: Final = r"(?:com|org|net|edu|gov|io|ai|dev|app|local|internal|localdomain|[a-z]{2})"
_QUOTED: Final = r"[\w.-]{1,40}(?: [\w.-]{1,40}){1,3}"
_BEFORE_QUOTE: Final = r"(?<![^\s(\[{=:,>@])"
_BEFORE_KEY: Final = r"(?<![^\s(\[{,])"

# The order matters: at each place the first that matches wins. Every repetition has a bound or cannot give back what it
# took, so that the time grows with the length of the text and no further.
_PARTS: Final = {
    # Pydantic repeats the whole value in its message.
    "value": r"(?<=input_value=).{0,300}?(?=, input_type=)",
    # Keys of JSON or a dict, and what is said under those by which providers tell one error from another.
    "kept": _BEFORE_KEY
    + r"(?P<said>['\"])(?:message|msg|details?|error|title|description|cause|reason)(?P=said)\s{0,4}:\s{0,4}['\"]"
    + "|"
    + _BEFORE_KEY
    + r"(?P<named>['\"])(?:type|code|status|kind)(?P=named)\s{0,4}:\s{0,4}['\"][A-Za-z_.-]{1,64}['\"]"
    + "|"
    + _BEFORE_KEY
    + r"(?P<key>['\"])[A-Za-z_][A-Za-z_-]{0,63}(?P=key)(?=\s{0,4}:)",
    # Python's ways to show an object that has no better one.
    "obj": r"<(?:class|function|module|method|bound method|built-in \w{1,20}|coroutine|enum|generator|object)\b"
    r"[^<>\n]{0,200}>|<[\w.]{1,128}(?: object)? at 0x[0-9a-fA-F]{1,16}>",
    # Longer quotations are what someone said, and are read like the rest.
    "str": _BEFORE_QUOTE
    + rf"(?:'(?:[^\s'\"]{{1,200}}|{_QUOTED}|)'|\"(?:[^\s\"]{{1,200}}|{_QUOTED}|)\"|`[^`\n]{{1,200}}`)(?![\w'\"])",
    "url": r"\b[A-Za-z][A-Za-z0-9+]{1,15}://[^\s\"'<>)\]},]++|\bdata:[\w/+.-]{1,64};base64,[\w+/=-]*+",
    "email": r"\b[A-Za-z0-9_.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}",
    "uuid": r"\b[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}\b",
    "time": r"\b\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?(?!\w)"
    r"|\b\d{1,3}:\d\d(?::\d\d)?(?:[.,]\d{1,9})?\b(?!:)"
    rf"|\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? (?:{_MONTH} [ \d]?\d|[ \d]?\d {_MONTH})(?: \d{{4}})?"
    r"(?: \d\d:\d\d(?::\d\d)?)?(?: [A-Z]{3,4})?(?: \d{4})?\b",
    "host": r"/?\b\d{1,3}(?:\.\d{1,3}){3}(?:[:/]\d{1,5})?\b(?!\.\d)"
    r"|(?<![\w.-])(?:[0-9a-fA-F]{1,4}:){3,7}(?::?[0-9a-fA-F]{1,4}){1,5}(?![\w:])"
    rf"|(?<![\w./-])(?:[A-Za-z0-9_-]{{1,63}}\.){{1,8}}{_ZONES}(?![\w.(-])(?::\d{{1,5}})?"
    r"|(?<![\w./-])(?:[A-Za-z0-9_-]{1,63}\.){2,8}[a-z]{2,10}:\d{1,5}\b|\blocalhost(?::\d{1,5})?\b",
    "path": r"(?<![\w/.<])(?:[A-Za-z]:\\|~?/|\.{1,2}/)[\w.@+~%:$-]{1,255}(?:[/\\][\w.@+~%:=$-]{1,255}){0,32}[/\\]?"
    r"|(?<![\w/.<-])[\w.-]{1,255}(?:/[\w.$-]{1,255}){2,32}",
    "hex": r"\b0[xX][0-9a-fA-F]{1,64}\b"
    r"|(?<![\w.-])(?=[0-9]{0,64}[a-fA-F])(?=[a-fA-F]{0,64}[0-9])[0-9a-fA-F]{4,128}(?![\w.-])",
    "bool": r"\b(?:[Tt]rue|[Ff]alse|TRUE|FALSE|null|None|NULL|nil|undefined)\b"
    r"|(?<=[=:])(?:yes|no|on|off|YES|NO|ON|OFF)\b",
    "num": r"(?<!\w)[<>~]?[+-]?\.?\d{1,64}(?:[.,]\d{1,64}){0,16}(?:[eE][+-]?\d{1,3})?" + _UNITS,
    # Any other word with a digit in it: request ids, model names, tokens, hashes, numbered things.
    "id": r"(?<!\w)(?=[A-Za-z_-]{0,128}\d)[\w-]{1,256}(?:\.[\w-]{0,64}\d[\w-]{0,64}){0,8}(?<!-)",
}
_PATTERN: Final = re.compile("|".join(f"(?P<{name}>{part})" for name, part in _PARTS.items()))
_LIST: Final = re.compile(r"(<[a-z]{2,5}>)(?:[,;|]? ?\1)+")


def mask(text: str) -> str:
    """A message with placeholders for numbers, ids, addresses, paths, times, quoted values and the like.

    Pure; the time grows with the length only. What follows each other of the same kind becomes one placeholder, so that
    the length of a list does not matter. The result has no line breaks and no runs of spaces.

    Args:
        text: what the failing code said; only the first `MAX_CHARS` characters count.
    """
    return _LIST.sub(r"\1", " ".join(_PATTERN.sub(_placeholder, text[:MAX_CHARS]).split()))


def _placeholder(found: re.Match[str]) -> str:
    name = found.lastgroup
    return found.group() if name == "kept" else f"<{name}>"
