"""Numbers in texts: what values they may mean, and whether one is a rounding of another.

"1.234" is a thousand and some in one country and one and some in another; so a number in a text has all the values
that it may mean, and is found where any of them is.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from spanwise_evaluators.reading.words import MAX_TEXT, word_set

MAX_NUMBERS: Final = 10_000
"""Numbers of a text that are looked at."""
# The digit in front makes the search a scan for digits; the look-behinds see that no word, name or longer number goes
# before it.
_NUMBER: Final = re.compile(
    r"(?P<digits>[0-9](?<![\w.,/@#][0-9])(?<![\w.,/@#-]-[0-9])"
    r"(?:[0-9]{0,2}(?:[,.'\u2019\u00a0\u202f ][0-9]{3})+(?:[.,][0-9]{1,12})?|[0-9]{0,17}(?:[.,][0-9]{1,12})?))"
    r"(?P<scale>\s?(?:thousand|million|billion|trillion|mio|mrd|bn|tn|[kKM](?![\w/]))(?![^\W\d_]))?"
    r"(?P<percent>\s?(?:%|percent\b|per cent\b))?"
    r"(?![0-9])",
    re.IGNORECASE,
)
_DATE: Final = re.compile(r"[0-9](?<![\w-][0-9])[0-9]{3}-[0-9]{2}-[0-9]{2}(?![0-9])")
_TIME: Final = re.compile(r"[0-9](?<![\w.:][0-9])[0-9]?:[0-5][0-9](?![0-9])")
# What every date and every time has, from a mark that is rarer than digits.
_DATE_ENDS: Final = re.compile("-[0-9]{2}-[0-9]{2}")
_TIME_ENDS: Final = re.compile(":[0-5][0-9]")
_TIMES: Final = 1e15
"""Added to the minutes of a time of day, so that 9:30 is neither 9 nor 30."""
_NO_SPACES: Final = str.maketrans("", "", "'\u2019\u00a0\u202f ")
_LIST_MARK: Final = re.compile(r"^[ \t>*#]{0,8}\(?[0-9]{1,3}[.)](?=\s)", re.MULTILINE)
_CITATION: Final = re.compile(r"\[\^?[0-9]{1,3}(?:\s?[,\u2013-]\s?[0-9]{1,3}){0,20}\]|\u3010[^\u3011\n]{1,80}\u3011")
_SCALES: Final = {
    "k": 1e3,
    "thousand": 1e3,
    "m": 1e6,
    "mio": 1e6,
    "million": 1e6,
    "bn": 1e9,
    "mrd": 1e9,
    "billion": 1e9,
    "tn": 1e12,
    "trillion": 1e12,
}
_UNITS: Final = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS: Final = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_MONTHS: Final = (
    [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ],
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
)
_WORD_VALUES: Final = (
    {word: float(value) for value, word in enumerate(_UNITS)}
    | {word: 10.0 * value for value, word in enumerate(_TENS, 2)}
    | dict.fromkeys(("dozen",), 12.0)
    | {word: float(number) for names in _MONTHS for number, word in enumerate(names, 1)}
)
_SPOKEN: Final = frozenset(_WORD_VALUES)
_BEFORE: Final = frozenset(" \t\n$\u20ac\u00a3\u00a5(")
"""Characters after which a number that stands in a text begins there."""
_CONTINUES: Final = re.compile(
    r"[.,:/-]?[0-9]|[^\W\d_]|\s?(?:%|percent|per cent|thousand|million|billion|trillion|mio|mrd)"
)
_TENS_SET: Final = frozenset(_TENS)
_COMPOUND: Final = re.compile(rf"\b({'|'.join(_TENS)})[- ]({'|'.join(_UNITS[1:10])})\b")


class Number(NamedTuple):
    """A number as a text has it.

    Attributes:
        text: as written.
        values: that it may mean, each with the unit of its last digit: 1.2 million is within half of 0.1 million.
        is_percent: whether it is a percentage.
        whole: what it is a part of, such as a date; else as written.
    """

    text: str
    values: tuple[tuple[float, float], ...]
    is_percent: bool
    whole: str


def claimed(text: str) -> list[Number]:
    """Numbers that an answer states, each once; not those of lists, citations and names such as GPT-4."""
    text = _CITATION.sub(" ", _LIST_MARK.sub(" ", text[:MAX_TEXT]))
    found: dict[str, Number] = {}
    for one in _read(text):
        found.setdefault(one.text, one)
    return list(found.values())


@lru_cache(maxsize=64)
def known(text: str) -> tuple[float, ...]:
    """All values that numbers in a text may mean, sorted; number words and months of English included."""
    spoken = _SPOKEN & word_set(text)
    text = text[:MAX_TEXT]
    found = set[float]()
    parts, rest = _dates_and_times(text)
    for one in parts:
        found.update(value for value, _ in one.values)
    for digits, scale, _ in _NUMBER.findall(rest):
        if scale or not digits.isdecimal():
            found.update(value for value, _ in _scaled(digits, scale))
        else:
            found.add(float(digits))
    found.update(_WORD_VALUES[word] for word in spoken)
    if not _TENS_SET.isdisjoint(spoken):
        found.update(_WORD_VALUES[tens] + _WORD_VALUES[unit] for tens, unit in _COMPOUND.findall(text.lower()))
    return tuple(sorted(found))


def unknown(numbers: Sequence[Number], texts: Sequence[str]) -> list[Number]:
    """Numbers that none of some texts has, and none that rounds to them.

    A percentage is also found as a share: 12 % where the text has 0.12.
    """
    # Most numbers are quoted as they stand; only where one is not, all that the texts have are read.
    left = [one for one in numbers if not any(_is_quoted(one.whole, text) for text in texts)]
    if not left:
        return []
    values = [known(text) for text in texts]
    return [one for one in left if not _is_any(one, values)]


def _is_quoted(number: str, text: str) -> bool:
    at = text.find(number)
    while 0 <= at < MAX_TEXT:
        end = at + len(number)
        if not _CONTINUES.match(text, end) and (at == 0 or text[at - 1] in _BEFORE):
            return True
        at = text.find(number, at + 1)
    return False


def _is_any(number: Number, known_values: Iterable[tuple[float, ...]]) -> bool:
    wanted = [(value, unit / 2) for value, unit in number.values]
    if number.is_percent:
        wanted += [(value / 100, unit / 200) for value, unit in number.values]
    return any(_has(values, value, room) for values in known_values for value, room in wanted)


def _has(values: tuple[float, ...], value: float, room: float) -> bool:
    slack = room * (1 + 1e-9)
    at = bisect_left(values, value - slack)
    return at < len(values) and values[at] <= value + slack


def _read(text: str) -> list[Number]:
    found, rest = _dates_and_times(text)
    for match in _NUMBER.finditer(rest):
        digits, scale, percent = match.groups()
        found.append(Number(match[0], _scaled(digits, scale), percent is not None, match[0]))
        if len(found) >= MAX_NUMBERS:
            break
    return found


def _dates_and_times(text: str) -> tuple[list[Number], str]:
    """The parts of dates, times of day, and the text without them."""
    found: list[Number] = []
    if _DATE_ENDS.search(text) and (dates := _DATE.findall(text)):
        found.extend(Number(part, ((float(part), 0.0),), False, date) for date in dates for part in date.split("-"))
        text = _DATE.sub(" ", text)
    if _TIME_ENDS.search(text) and (times := _TIME.findall(text)):
        found.extend(Number(time, ((_minutes(time), 0.0),), False, time) for time in times)
        text = _TIME.sub(" ", text)
    return found, text


def _scaled(digits: str, scale: str | None) -> tuple[tuple[float, float], ...]:
    values = ((float(digits), 1.0),) if digits.isdecimal() else _values(digits)
    if not scale:
        return values
    factor = _SCALES[scale.strip().lower()]
    return tuple((value * factor, unit * factor) for value, unit in values)


def _minutes(time: str) -> float:
    hour, _, minute = time.partition(":")
    return _TIMES + 60 * int(hour) + int(minute)


def _values(digits: str) -> tuple[tuple[float, float], ...]:
    """What digits with separators may mean, each with the unit of its last digit."""
    plain = digits.translate(_NO_SPACES)
    at = max(plain.rfind("."), plain.rfind(","))
    if at < 0:
        return ((float(plain), 1.0),)
    head, mark, tail = plain[:at], plain[at], plain[at + 1 :]
    other = "," if mark == "." else "."
    as_fraction = float(f"{head.replace(other, '')}.{tail}") if mark not in head else 0.0, 10.0 ** -len(tail)
    if other in head:
        return (as_fraction,)  # 1,234.56
    as_thousands = float(plain.replace(mark, "")), 1.0
    if mark in head:
        return (as_thousands,)  # 1,234,567
    return (as_fraction, as_thousands) if len(tail) == 3 and head != "0" else (as_fraction,)
