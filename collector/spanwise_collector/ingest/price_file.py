"""The user's own prices: a TOML file for self-hosted models, negotiated rates and models that no list has yet."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from pathlib import Path
from typing import Final

_PARTS: Final = ("cache_read", "cache_write", "reasoning", "cache_write_1h", "audio_input", "audio_output", "request")
_RATES: Final = ("input", "output", *_PARTS)
_KEYS: Final = {"provider", "model", "from", *_RATES}
_MAX_USD_PER_MILLION: Final = Decimal(1_000_000)


class PriceFileError(ValueError):
    """The price file cannot be used; the message names the file, the entry and the remedy."""


@dataclass(frozen=True, slots=True)
class FilePrice:
    """One entry. Prices are US dollars per million tokens.

    Attributes:
        provider: lower-case; "" for any.
        model: lower-case; with `*` at the end, every model whose name starts so.
        start: first day (UTC) on which it holds, or None.
        input: input tokens; cached ones too where they have no price of their own.
        output: output tokens; reasoning too where it has no price of its own.
        cache_read: input tokens read from the cache.
        cache_write: input tokens written to the cache.
        reasoning: reasoning tokens.
        cache_write_1h: input tokens written to the cache for an hour.
        audio_input: input tokens of audio.
        audio_output: output tokens of audio.
        request: US dollars per call, besides its tokens.
    """

    provider: str
    model: str
    start: date | None
    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    reasoning: Decimal | None = None
    cache_write_1h: Decimal | None = None
    audio_input: Decimal | None = None
    audio_output: Decimal | None = None
    request: Decimal = Decimal(0)

    def matches(self, provider: str, model: str, day: date) -> bool:
        """Whether it holds for a call; names in lower case."""
        if self.provider not in ("", provider) or (self.start is not None and day < self.start):
            return False
        return model.startswith(self.model[:-1]) if self.model.endswith("*") else model == self.model


@dataclass(frozen=True, slots=True)
class PriceFile:
    """All entries, the last match wins: later entries override earlier ones.

    Attributes:
        version: what a span's `price_version` says of it, e.g. `prices.toml 2026-11`.
        prices: in the file's order.
    """

    version: str
    prices: tuple[FilePrice, ...]

    def find(self, provider: str, model: str, day: date) -> FilePrice | None:
        """The entry for a call on a day (UTC)."""
        provider, model = provider.strip().lower(), model.strip().lower()
        return next((one for one in reversed(self.prices) if one.matches(provider, model, day)), None)


def load_price_file(path: Path) -> PriceFile:
    """Read a price file.

    Raises:
        PriceFileError: when it cannot be read or has a mistake.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PriceFileError(
            f"SPANWISE_PRICES_FILE: {path} cannot be read ({error}); give the path of a TOML file"
        ) from error
    return parse_price_file(text, name=path.name)


def parse_price_file(text: str, *, name: str = "prices.toml") -> PriceFile:
    """The entries of a price file's text.

    Args:
        text: TOML: an optional `version`, then tables `[[models]]` with `model`, `input`, `output` and, optional,
            `provider`, `from`, `cache_read`, `cache_write`, `cache_write_1h`, `reasoning`. Prices are strings or
            numbers, US dollars per million tokens.
        name: how to call it in messages and versions.

    Raises:
        PriceFileError: for anything else; a price that is silently not used would make every sum wrong.
    """
    try:
        # Decimal, not float: 0.1 in the file is 0.1 in the price.
        found = tomllib.loads(text, parse_float=Decimal)
    except (tomllib.TOMLDecodeError, InvalidOperation) as error:
        raise PriceFileError(f"SPANWISE_PRICES_FILE: {name} is not TOML: {error}") from error
    unknown = found.keys() - {"version", "models"}
    if unknown:
        raise PriceFileError(
            f"SPANWISE_PRICES_FILE: {name} has unknown keys {_listed(unknown)}; use version and [[models]]"
        )
    entries = found.get("models", [])
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise PriceFileError(f"SPANWISE_PRICES_FILE: {name}: write each model as a table [[models]]")
    version = found.get("version") or sha256(text.encode()).hexdigest()[:12]
    prices = tuple(_entry(one, f"{name}, model {number}") for number, one in enumerate(entries, 1))
    return PriceFile(f"{name} {version}", prices)


def _entry(found: dict[str, object], where: str) -> FilePrice:
    unknown = found.keys() - _KEYS
    if unknown:
        raise PriceFileError(
            f"SPANWISE_PRICES_FILE: {where} has unknown keys {_listed(unknown)}; known are {_listed(_KEYS)}"
        )
    model, provider, start = found.get("model"), found.get("provider", ""), found.get("from")
    if not isinstance(model, str) or not model.strip() or not isinstance(provider, str):
        raise PriceFileError(f"SPANWISE_PRICES_FILE: {where} needs `model` (and `provider`, if given) as text")
    # A TOML date-time is a date too in Python, so the exact type is asked for.
    if start is not None and type(start) is not date:
        raise PriceFileError(f"SPANWISE_PRICES_FILE: {where}: `from` is a date such as 2026-11-01")
    rates = {key: _usd(found[key], f"{where}: `{key}`") for key in _RATES if key in found}
    if "input" not in rates or "output" not in rates:
        raise PriceFileError(f"SPANWISE_PRICES_FILE: {where} needs `input` and `output`, US dollars per million tokens")
    return FilePrice(
        provider.strip().lower(),
        model.strip().lower(),
        start,
        rates["input"],
        rates["output"],
        **{key: rates[key] for key in _PARTS if key in rates},
    )


def _usd(value: object, where: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise PriceFileError(f"SPANWISE_PRICES_FILE: {where} is a number, US dollars per million tokens")
    try:
        price = Decimal(value)
    except InvalidOperation:
        raise PriceFileError(f"SPANWISE_PRICES_FILE: {where}: {value!r} is not a number") from None
    if not price.is_finite() or not 0 <= price <= _MAX_USD_PER_MILLION:
        raise PriceFileError(f"SPANWISE_PRICES_FILE: {where}: {value} must be from 0 to {_MAX_USD_PER_MILLION}")
    return price


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
