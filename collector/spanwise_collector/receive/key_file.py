"""The key file on disk: read again when it changes, and edited by `spanwise keys`."""

import json
import logging
import os
import re
import tempfile
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from spanwise_collector.receive.keys import Key, KeyFileError, KeyRing, read_keys

CHECK_S: Final = 1.0
"""The file is looked at so often at most."""
_BLOCK: Final = re.compile(r"^(?=[ \t]*\[\[\s*keys\s*\]\])", re.MULTILINE)
_HEADER: Final = "# API keys of Spanwise. Written by `spanwise keys`; the secrets themselves are nowhere.\n"
log = logging.getLogger(__name__)


class KeyFile:
    """The keys of a file as they are now. Used by several threads.

    A file that is not there means that no keys are configured. Once it was there, a later version that cannot be read
    changes nothing and is logged.
    """

    def __init__(self, path: Path | None, clock: Callable[[], float]) -> None:
        """Read the file.

        Args:
            path: of the file; None for none.
            clock: seconds that never go back.

        Raises:
            KeyFileError: it is there and malformed.
        """
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._ring: KeyRing | None = None
        self._seen: tuple[int, int, int] | None = None
        self._checked = clock()
        if path is not None:
            self._seen = _signature(path)
            if self._seen is not None:
                self._ring = KeyRing(load_keys(path))

    @property
    def path(self) -> Path | None:
        """Where the file is, or would be."""
        return self._path

    def ring(self) -> KeyRing | None:
        """The keys; None when none are configured."""
        path = self._path
        if path is not None and self._clock() - self._checked >= CHECK_S and self._lock.acquire(blocking=False):
            try:
                self._look(path)
                self._checked = self._clock()
            finally:
                self._lock.release()
        return self._ring

    def _look(self, path: Path) -> None:
        found = _signature(path)
        if found == self._seen:
            return
        self._seen = found
        try:
            ring = KeyRing(load_keys(path))
        except KeyFileError as error:
            log.error("SPANWISE_KEYS_FILE: %s. The keys from before stay in use.", error)
        else:
            self._ring = ring
            log.info("%s was read again: %d keys", path, len(ring))


def load_keys(path: Path) -> list[Key]:
    """The keys of a file.

    Raises:
        KeyFileError: it cannot be read, or is malformed; the message has its path.
    """
    try:
        return read_keys(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(f"{path} cannot be read: {error}") from error
    except KeyFileError as error:
        raise KeyFileError(f"{path}: {error}") from error


def add_key(path: Path, key: Key) -> None:
    """Write a key behind those that are there; the file is made when it is missing.

    Raises:
        KeyFileError: what is there is malformed, or the file cannot be written.
    """
    before = load_keys(path) if path.exists() else []
    text = path.read_text(encoding="utf-8") if path.exists() else _HEADER
    _write(path, f"{text.rstrip()}\n\n{_block(key)}", [*before, key])


def remove_key(path: Path, key_id: str) -> Key:
    """Take a key out; everything else in the file stays as it is.

    Returns:
        The key that is gone.

    Raises:
        KeyFileError: there is no such key, or the file is malformed or cannot be written.
    """
    before = load_keys(path)
    gone = next((key for key in before if key.id == key_id), None)
    if gone is None:
        raise KeyFileError(f"{path} has no key {key_id}; `spanwise keys list` shows what it has")
    parts = _BLOCK.split(path.read_text(encoding="utf-8"))
    kept = [part for part in parts if not re.search(rf"^\s*id\s*=\s*[\"']{key_id}[\"']", part, re.MULTILINE)]
    _write(path, "".join(kept), [key for key in before if key is not gone])
    return gone


def _block(key: Key) -> str:
    lines = [
        "[[keys]]",
        f"id = {_quoted(key.id)}",
        f"sha256 = {_quoted(key.sha256)}",
        f"projects = [{', '.join(map(_quoted, key.projects))}]",
        f"scopes = [{', '.join(map(_quoted, key.scopes))}]",
        f"created = {_stamp(key.created)}",
        *([f"expires = {_stamp(key.expires)}"] if key.expires else []),
        *([f"note = {_quoted(key.note)}"] if key.note else []),
    ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    # A JSON string is a TOML basic string, but for DEL, which TOML wants escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _stamp(time: datetime) -> str:
    return time.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _write(path: Path, text: str, expected: list[Key]) -> None:
    """Replace the file in one step, readable by its owner alone, after making sure that it says what it should."""
    try:
        if read_keys(text) != expected:
            raise KeyFileError("its form is unusual")
    except KeyFileError as error:
        raise KeyFileError(f"{path} cannot be edited safely ({error}); edit it by hand") from error
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mkstemp makes it with mode 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise KeyFileError(f"{path} cannot be written: {error}") from error


def _signature(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
