"""API keys: the file that holds them, and finding the key that a request names. Pure.

A secret is `sw_<id>_<256 random bits>`. The file has only its SHA-256: a salt or a slow hash protects passwords that
people choose and that can be guessed; 256 random bits cannot.
"""

import hashlib
import hmac
import re
import secrets
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, get_args

from spanwise_collector.normalise.context import clean_project

Scope = Literal["ingest", "read", "admin"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
ANY_PROJECT: Final = "*"
_SECRET: Final = re.compile(r"sw_([0-9a-f]{8})_[A-Za-z0-9_-]{43}")
_ID: Final = re.compile(r"[0-9a-f]{8}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_FIELDS: Final = frozenset({"id", "sha256", "projects", "scopes", "created", "expires", "note"})
_NOBODY: Final = "0" * 64


class KeyFileError(ValueError):
    """The key file cannot be used; the message says where and what to write."""


@dataclass(frozen=True, slots=True)
class Key:
    """One API key.

    Attributes:
        id: 8 hex digits; it is no secret.
        sha256: of the whole secret, 64 hex digits.
        projects: that it is for, the first one is its own; `("*",)` for all.
        scopes: what it may do.
        created: when it was made, UTC.
        expires: from when on it is refused, UTC; None for never.
        note: for people.
    """

    id: str
    sha256: str
    projects: tuple[str, ...]
    scopes: tuple[Scope, ...]
    created: datetime
    expires: datetime | None = None
    note: str = ""


class KeyRing:
    """Some keys, by id."""

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self._keys = {key.id: key for key in keys}

    def __len__(self) -> int:
        """How many there are."""
        return len(self._keys)

    def find(self, secret: str) -> Key | None:
        """The key with this secret; the time that it takes says nothing about the hashes."""
        match = _SECRET.fullmatch(secret)
        key = self._keys.get(match.group(1)) if match else None
        known = hmac.compare_digest(digest(secret), key.sha256 if key else _NOBODY)
        return key if known else None


def digest(secret: str) -> str:
    """SHA-256 of a secret, in hex."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def same_secret(one: str, other: str) -> bool:
    """Whether two secrets are the same; the time that it takes says nothing about them."""
    return hmac.compare_digest(digest(one), digest(other))


def new_key(
    *, projects: Sequence[str], scopes: Sequence[Scope], created: datetime, expires: datetime | None, note: str
) -> tuple[Key, str]:
    """A key that did not exist before, and its secret, which cannot be read from it."""
    key_id = secrets.token_hex(4)
    created, expires = created.replace(microsecond=0), expires and expires.replace(microsecond=0)
    secret = f"sw_{key_id}_{secrets.token_urlsafe(32)}"
    return Key(key_id, digest(secret), tuple(projects), tuple(scopes), created, expires, note), secret


def read_keys(text: str) -> list[Key]:
    """The keys of a file.

    Raises:
        KeyFileError: it is not TOML, or not of this form.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise KeyFileError(f"it is not TOML: {error}") from error
    entries = document.pop("keys", [])
    if document or not isinstance(entries, list):
        raise KeyFileError("write one [[keys]] per key and nothing else; `spanwise keys create` does it")
    keys = [_key(at, entry) for at, entry in enumerate(entries, 1)]
    if len({key.id for key in keys}) < len(keys):
        raise KeyFileError("two keys have the same id; delete one of them")
    return keys


def _key(at: int, entry: Any) -> Key:
    if not isinstance(entry, dict):
        raise KeyFileError("write one [[keys]] per key and nothing else; `spanwise keys create` does it")
    if unknown := sorted(set(entry) - _FIELDS):
        raise KeyFileError(f"key {at}: {unknown[0]} is no field; there are {', '.join(sorted(_FIELDS))}")
    return Key(
        id=_matching(at, entry, "id", _ID, "8 hex digits"),
        sha256=_matching(at, entry, "sha256", _SHA256, "the SHA-256 of the secret, 64 hex digits"),
        projects=_projects(at, entry.get("projects")),
        scopes=_scopes(at, entry.get("scopes", ["ingest"])),
        created=_time(at, entry, "created") or datetime.fromtimestamp(0, UTC),
        expires=_time(at, entry, "expires"),
        note=_note(at, entry.get("note", "")),
    )


def _matching(at: int, entry: dict[str, Any], name: str, form: re.Pattern[str], words: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str) or not form.fullmatch(value):
        raise KeyFileError(f"key {at}: {name} is {words}")
    return value


def _projects(at: int, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
        raise KeyFileError(f'key {at}: projects is a list of names, or ["*"] for all')
    if ANY_PROJECT in value and len(value) > 1:
        raise KeyFileError(f'key {at}: projects is ["*"] alone, or names')
    for name in value:
        if name != ANY_PROJECT and not is_project(name):
            raise KeyFileError(f"key {at}: {project_rule(name)}")
    return tuple(value)


def _scopes(at: int, value: Any) -> tuple[Scope, ...]:
    if not isinstance(value, list) or not value or any(one not in SCOPES for one in value):
        raise KeyFileError(f"key {at}: scopes is a list of {', '.join(SCOPES)}")
    return tuple(value)


def _time(at: int, entry: dict[str, Any], name: str) -> datetime | None:
    value = entry.get(name)
    if value is None:
        return None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise KeyFileError(f"key {at}: {name} is a time with offset, like 2026-11-24T10:00:00Z")
    return value


def _note(at: int, value: Any) -> str:
    if not isinstance(value, str):
        raise KeyFileError(f"key {at}: note is text")
    return value


def is_project(name: str) -> bool:
    """Whether a project can have this name."""
    return bool(name) and clean_project(name) == name


def project_rule(name: str) -> str:
    """What a project's name is, for somebody who has written another one."""
    return f"{name[:80]!r} is no name of a project: letters, digits, spaces and _ . - / are, 64 at most"
