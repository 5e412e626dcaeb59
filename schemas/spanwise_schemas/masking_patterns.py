"""Patterns of secrets and personal data that have a name, with the checks that tell them from other numbers.

All run in time linear in the text: a repeated part cannot match the same characters in two ways, and where it could
start anywhere a look-behind lets it start only once.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

Spans = list[tuple[int, int]]
"""Parts of a text, each with its first character and the one after its last."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """What to look for.

    Attributes:
        name: stands in the replacement; "" for a pattern without a name.
        regex: compiled, never matches the empty text.
        within: the parts of what the regex found that are meant; None for all of it.
        needs: characters of which a text with a match has at least one; "" when nothing is known. It saves the search.
    """

    name: str
    regex: re.Pattern[str]
    within: Callable[[str], Spans] | None = None
    needs: str = ""


def luhn(digits: str) -> bool:
    """Whether digits are a card number: an issuer's first digits, and the check digit of ISO/IEC 7812-1.

    Times in milli- or nanoseconds begin with 1, which no issuer of payment cards has.
    """
    if not 13 <= len(digits) <= 19 or not (digits[0] in "3456" or "2221" <= digits[:4] <= "2720"):
        return False
    numbers = [int(one) for one in reversed(digits)]
    return (sum(numbers[::2]) + sum(2 * one - 9 if one > 4 else 2 * one for one in numbers[1::2])) % 10 == 0


def iban(text: str) -> bool:
    """Whether a text without spaces is an international bank account number: check digits by ISO 13616, modulo 97."""
    if not 15 <= len(text) <= 34:
        return False
    return int("".join(str(int(one, 36)) for one in text[4:] + text[:4])) % 97 == 1


def _cards(found: str) -> Spans:
    """Card numbers among groups of digits: at most five groups, like 4-4-4-4-3."""
    groups = [one.span() for one in re.finditer("[0-9]+", found)]
    cards: Spans = []
    at = 0
    while at < len(groups):
        for last in range(min(at + 5, len(groups)), at, -1):
            part = groups[at:last]
            if sum(end - start for start, end in part) < 20 and luhn("".join(found[a:b] for a, b in part)):
                cards.append((part[0][0], part[-1][1]))
                at = last - 1
                break
        at += 1
    return cards


def _beginning(found: str, holds: Callable[[str], bool]) -> Spans:
    """The longest beginning, up to the end of a word, that holds without its separators."""
    for end in sorted({one.end() for one in re.finditer(r"\w+", found, re.ASCII)}, reverse=True):
        if holds(re.sub(r"[^A-Za-z0-9]", "", found[:end])):
            return [(0, end)]
    return []


def _iban(found: str) -> Spans:
    return _beginning(found, iban)


def _phone(found: str) -> Spans:
    return _beginning(found, lambda digits: 7 <= len(digits) <= 15)  # E.164: at most 15


_D = "[0-9]"
_API_KEYS: Final = (
    r"sk-[A-Za-z0-9_-]{16,}",  # OpenAI, Anthropic, OpenRouter
    r"sw_[A-Za-z0-9_-]{16,}",  # Spanwise
    r"[sprw]k_(?:live|test)_[A-Za-z0-9]{16,}",  # Stripe
    r"(?:sk|pk)-lf-[A-Za-z0-9-]{16,}",  # Langfuse
    r"lsv2_[a-z]{2}_[A-Za-z0-9_]{16,}",  # LangSmith
    r"(?:AKIA|ASIA)[A-Z0-9]{16}",  # AWS
    r"AIza[A-Za-z0-9_-]{35}",  # Google
    r"gh[pousr]_[A-Za-z0-9]{20,}",  # GitHub
    r"github_pat_[A-Za-z0-9_]{20,}",
    r"glpat-[A-Za-z0-9_-]{16,}",  # GitLab
    r"xox[abeprs]-[A-Za-z0-9-]{10,}",  # Slack
    r"hf_[A-Za-z0-9]{20,}",  # Hugging Face
    r"gsk_[A-Za-z0-9]{20,}",  # Groq
    r"npm_[A-Za-z0-9]{30,}",
)

_ALL: Final = (
    Pattern(
        "private_key",
        re.compile(
            r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
            r"(?:(?!-----END )[\s\S])*(?:-----END [A-Z0-9 ]*-----)?"
        ),
        needs="-",
    ),
    Pattern("jwt", re.compile(r"(?<![\w-])eyJ[\w-]{4,}\.[\w-]{4,}\.[\w-]*"), needs="."),
    Pattern("bearer", re.compile(r"(?i:\bbearer|\bbasic)[ \t]{1,4}[A-Za-z0-9._~+/-]{8,}=*"), needs=" \t"),
    Pattern("api_key", re.compile(r"(?<![A-Za-z0-9])(?:" + "|".join(_API_KEYS) + ")"), needs="-_AI"),
    Pattern("email", re.compile(r"(?<![\w.%+-])[\w.%+-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+"), needs="@%"),
    Pattern(
        "iban",
        re.compile(
            r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]{4}){2,7}(?:[ -]?[A-Za-z0-9]{1,3})?"
            r"(?![A-Za-z0-9])"
        ),
        _iban,
        "0123456789",
    ),
    Pattern(
        "credit_card",
        # The digit in front makes the search a scan for digits.
        re.compile(rf"{_D}(?<![\w.-]{_D})(?:[ -]?{_D}){{12,}}(?!\w)"),
        _cards,
        "0123456789",
    ),
    Pattern(
        "phone",
        re.compile(
            rf"(?<![\w+.-])(?:\+{_D}{{1,3}}[ .-]?(?:\({_D}{{1,4}}\)[ .-]?)?{_D}{{1,4}}(?:[ ./-]?{_D}{{2,4}}){{1,4}}"
            rf"|\({_D}{{3}}\) ?{_D}{{3}}[ .-]{_D}{{4}}|{_D}{{3}}[.-]{_D}{{3}}[.-]{_D}{{4}})(?![\w])"
        ),
        _phone,
        "+(-.",
    ),
    Pattern(
        "ipv4",
        re.compile(
            r"(?<![\w.])(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(?![\w]|\.[0-9])"
        ),
        needs=".",
    ),
)

BUILT_IN: Final[Mapping[str, Pattern]] = {one.name: one for one in _ALL}
"""By name, in the order in which they are applied: what can hold another comes first."""
