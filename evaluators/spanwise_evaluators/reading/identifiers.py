"""Personal data and secrets in texts: where they are and of which sort.

Forms are those of masking (`spanwise_schemas.masking_patterns`), which replaces them; here they are only found. Two are
added that masking leaves alone, since they need a look at the words around or are told by chance alone: social security
numbers of the United States, and keys without a known prefix.
"""

import re
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from math import log2
from typing import Final, NamedTuple

from spanwise_schemas.masking_patterns import BUILT_IN, Spans

MAX_TEXT: Final = 200_000
"""Characters of a text that are looked at."""
PERSONAL: Final = ("email", "phone", "credit_card", "iban", "us_ssn")
SECRET: Final = ("api_key", "private_key", "jwt", "bearer", "random_key")
KINDS: Final = (*PERSONAL, *SECRET, "ipv4")
"""All sorts. What can hold another comes first where they are looked for; `BUILT_IN` has that order."""

# The Social Security Administration gives out no area 000, 666 or 900 to 999, no group 00 and no serial number 0000.
# The digit in front makes the search a scan for digits.
_SSN: Final = re.compile(
    r"[0-8](?<![\w-][0-8])(?:(?<=0)(?!00)|(?<=6)(?!66)|(?<=[1-57-8]))[0-9]{2}"
    r"([- ])(?!00)[0-9]{2}\1(?!0000)[0-9]{4}(?![\w-])"
)
_SSN_PLAIN: Final = re.compile(
    r"(?i:\bssn\b|\bsocial[ -]security(?:[ -](?:number|no\.?))?)\W{0,3}(?:(?i:is|was|number)\W{1,3}){0,2}"
    r"((?!000|666|9)[0-9]{3}(?!00)[0-9]{2}(?!0000)[0-9]{4})(?![\w-])"
)
_TOKEN: Final = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/_-]{24,200}={0,2}(?![A-Za-z0-9+/=_-])")
_SIGNS: Final[Mapping[str, tuple[str, ...]]] = {
    "private_key": ("private key",),
    "jwt": ("eyj",),
    "bearer": ("bearer", "basic"),
    "email": ("@", "%40"),
    "us_ssn": ("ssn", "social"),
    "api_key": (
        *("sk-", "sw_", "k_live_", "k_test_", "-lf-", "lsv2_", "akia", "asia", "aiza", "github_pat_", "glpat-", "xox"),
        *("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "hf_", "gsk_", "npm_"),
    ),
}
"""What a text with a match has, in small letters: one look instead of a search. Of `us_ssn` in its plain form."""
_RUNS: Final = frozenset({"phone", "credit_card", "us_ssn", "ipv4"})
"""Sorts that are digits with marks between them, no letters."""
_MIN_RUN: Final = 7
"""Characters of the shortest of these, an address such as 1.1.1.1."""
_RUN: Final = re.compile(rf"[0-9 .()+/-]{{{_MIN_RUN}}}")
# How numbers of North America begin; others begin with a plus or a bracket.
_PHONE_BEGINS: Final = re.compile("[0-9]{3}[.-][0-9]{3}[.-]")
# Two letters and two digits, found from the first digit: there are fewer of these than of letters.
_IBAN_BEGINS: Final = re.compile(r"[0-9](?<=[A-Za-z]{2}[0-9])[0-9]")
_MIN_LENGTH: Final = 24
_MIN_OF_EACH: Final = 3
"""Capitals, small letters and digits that a random key of base 62 or 64 has at least."""
_MIN_BITS: Final = 4.0
"""Entropy per character. Random keys of 24 characters of base 62 have 4.0 to 4.6; hexadecimal ones under 4."""
_MIN_CHANGES: Final = 0.45
"""Share of neighbours of different classes (capital, small, digit): 0.62 in random keys, 0.4 in words run together."""


class Identifier(NamedTuple):
    """Something found.

    Attributes:
        kind: one of `KINDS`.
        start: of its first character.
        end: after its last.
    """

    kind: str
    start: int
    end: int


def identifiers(text: str, kinds: frozenset[str]) -> list[Identifier]:
    """Personal data and secrets of some sorts, in the order in which they stand; none overlaps another.

    Args:
        text: its first `MAX_TEXT` characters are looked at.
        kinds: out of `KINDS`.
    """
    text = text[:MAX_TEXT]
    lower, characters = text.lower(), set(text)
    has_run = _RUN.search(text) is not None
    found: list[Identifier] = []
    for name, pattern in BUILT_IN.items():
        if name not in kinds or (pattern.needs and characters.isdisjoint(pattern.needs)):
            continue
        if not _has_sign(name, lower) or (name in _RUNS and not has_run):
            continue
        if name == "iban" and _IBAN_BEGINS.search(text) is None:
            continue
        if name == "phone" and characters.isdisjoint("+(") and _PHONE_BEGINS.search(text) is None:
            continue
        for match in pattern.regex.finditer(text):
            inside: Spans = [(0, len(match[0]))] if pattern.within is None else pattern.within(match[0])
            found.extend(Identifier(name, match.start() + start, match.start() + end) for start, end in inside)
    if "us_ssn" in kinds and has_run:
        found.extend(Identifier("us_ssn", *match.span()) for match in _SSN.finditer(text))
        if _has_sign("us_ssn", lower):
            found.extend(Identifier("us_ssn", *match.span(1)) for match in _SSN_PLAIN.finditer(text))
    if "random_key" in kinds and max(map(len, text.split()), default=0) >= _MIN_LENGTH:
        found.extend(
            Identifier("random_key", *match.span())
            for match in _TOKEN.finditer(text)
            if _is_random(match[0]) and not _is_in_address(text, match.start())
        )
    return _apart(found)


def _has_sign(name: str, lower: str) -> bool:
    return any(sign in lower for sign in _SIGNS[name]) if name in _SIGNS else True


def _apart(found: list[Identifier]) -> list[Identifier]:
    """Without those that overlap one that was found before."""
    kept: list[Identifier] = []
    for one in found:
        if all(one.end <= other.start or one.start >= other.end for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda one: one.start)


def _is_random(token: str) -> bool:
    digits = sum(map(str.isdecimal, token))
    capitals = sum(map(str.isupper, token))
    small = sum(map(str.islower, token))
    if min(digits, capitals, small) < _MIN_OF_EACH:
        return False
    length = len(token)
    classes = [1 if one.isdecimal() else 2 if one.isupper() else 3 for one in token]
    if sum(one != other for one, other in pairwise(classes)) < _MIN_CHANGES * length:
        return False
    return -sum(count / length * log2(count / length) for count in Counter(token).values()) >= _MIN_BITS


def _is_in_address(text: str, start: int) -> bool:
    """Whether it is a part of a web address or of embedded data, which are full of such tokens and no keys."""
    before = text[max(0, start - 300) : start].rpartition(" ")[2].rpartition("\n")[2]
    return "://" in before or ";base64," in before
