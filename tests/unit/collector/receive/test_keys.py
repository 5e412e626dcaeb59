"""API keys: the file, finding a key, and following changes."""

import hashlib
import logging
import re
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from spanwise_collector.receive.key_file import KeyFile, add_key, load_keys, remove_key
from spanwise_collector.receive.keys import Key, KeyFileError, KeyRing, Scope, new_key, read_keys

NOW = datetime(2026, 11, 24, 10, 0, 0, 123, UTC)
SHA = "ab" * 32


def make_key(*projects: str, note: str = "", scopes: tuple[Scope, ...] = ("ingest",)) -> tuple[Key, str]:
    """A new key."""
    return new_key(projects=projects or ("shop",), scopes=scopes, created=NOW, expires=None, note=note)


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def test_a_secret_finds_its_key_and_nothing_else_does() -> None:
    """256 random bits behind the id; only the hash is kept."""
    key, secret = make_key()
    other, _ = make_key()
    ring = KeyRing([key, other])

    assert re.fullmatch(rf"sw_{key.id}_[A-Za-z0-9_-]{{43}}", secret)
    assert key.sha256 == hashlib.sha256(secret.encode()).hexdigest()
    assert ring.find(secret) == key
    wrong = [secret[:-1] + ("A" if secret[-1] != "A" else "B"), secret.replace(key.id, other.id), secret + "x", "", "ü"]
    assert [ring.find(one) for one in wrong] == [None] * len(wrong)


def test_a_file_says_everything_of_its_keys(tmp_path: Path) -> None:
    """What is written is what is read, with any characters in names and notes."""
    path = tmp_path / "new" / "keys.toml"
    first, _ = make_key("shop", "läden/eu 1", note='"web" \\ shop\x7f ü \U0001f600')
    second, _ = new_key(
        projects=["*"], scopes=["ingest", "admin"], created=NOW, expires=NOW + timedelta(days=90), note=""
    )

    add_key(path, first)
    add_key(path, second)

    assert load_keys(path) == [first, second]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [other.name for other in path.parent.iterdir()] == ["keys.toml"]


def test_revoking_takes_out_one_key_and_leaves_the_rest_as_it_was(tmp_path: Path) -> None:
    """Comments and the order stay."""
    path = tmp_path / "keys.toml"
    keys = [make_key(note=str(n))[0] for n in range(3)]
    for key in keys:
        add_key(path, key)
    text = path.read_text().replace('note = "2"', 'note = "2"  # mine')
    path.write_text(text)

    assert remove_key(path, keys[1].id) == keys[1]

    assert load_keys(path) == [keys[0], keys[2]]
    assert path.read_text() == re.sub(rf'\[\[keys\]\]\nid = "{keys[1].id}"\n(.+\n)+\n', "", text)


def test_a_key_that_is_not_there_cannot_be_revoked(tmp_path: Path) -> None:
    """The message says how to see what is there."""
    path = tmp_path / "keys.toml"
    add_key(path, make_key()[0])

    with pytest.raises(KeyFileError, match="has no key 00000000; `spanwise keys list`"):
        remove_key(path, "00000000")


def test_a_file_in_an_unusual_form_is_not_edited(tmp_path: Path) -> None:
    """Written by hand in one line: revoking says so instead of taking out something else."""
    path = tmp_path / "keys.toml"
    text = f'keys = [{{id = "0a0a0a0a", sha256 = "{SHA}", projects = ["a"]}}]\n'
    path.write_text(text)

    with pytest.raises(KeyFileError, match="edit it by hand"):
        remove_key(path, "0a0a0a0a")
    with pytest.raises(KeyFileError, match="edit it by hand"):
        add_key(path, make_key()[0])
    assert path.read_text() == text


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("[[keys", "it is not TOML"),
        ("[[keyz]]", r"write one \[\[keys\]\] per key"),
        ("keys = 5", r"write one \[\[keys\]\] per key"),
        ("keys = [5]", r"write one \[\[keys\]\] per key"),
        ("[[keys]]", "key 1: id is 8 hex digits"),
        ('id = "0a0a0a0A"', "key 1: id is 8 hex digits"),
        ('sha256 = "5"', "key 1: sha256 is the SHA-256 of the secret, 64 hex digits"),
        ("projects = []", "key 1: projects is a list of names"),
        ('projects = "a"', "key 1: projects is a list of names"),
        ('projects = ["*", "a"]', r'key 1: projects is \["\*"\] alone'),
        ('projects = ["a:b"]', "key 1: 'a:b' is no name of a project"),
        ('scopes = ["write"]', "key 1: scopes is a list of ingest, read, admin"),
        ("created = 2026-11-24T10:00:00", "key 1: created is a time with offset"),
        ('expires = "never"', "key 1: expires is a time with offset"),
        ("note = 5", "key 1: note is text"),
        ('secret = "x"', "key 1: secret is no field"),
    ],
)
def test_a_malformed_file_says_where_and_what_to_write(lines: str, says: str) -> None:
    """Each rule of the form has its sentence."""
    if not lines.startswith(("[[", "keys")):
        name = lines.split(" ")[0]
        fields = {"id": '"0a0a0a0a"', "sha256": f'"{SHA}"', "projects": '["a"]'}
        fields.pop(name, None)
        lines = "\n".join(["[[keys]]", *(f"{key} = {value}" for key, value in fields.items()), lines])

    with pytest.raises(KeyFileError, match=says):
        read_keys(lines)


def test_two_keys_cannot_have_one_id() -> None:
    """One of them would never be found."""
    block = f'[[keys]]\nid = "0a0a0a0a"\nsha256 = "{SHA}"\nprojects = ["a"]\n'
    with pytest.raises(KeyFileError, match="same id"):
        read_keys(block * 2)


def test_without_a_file_there_are_no_keys_until_there_is_one(tmp_path: Path) -> None:
    """The first key counts a second later at most, without a restart; an empty file means that nobody may send."""
    path, clock = tmp_path / "keys.toml", Clock()
    file = KeyFile(path, clock)
    key, secret = make_key()

    assert (KeyFile(None, clock).ring(), file.ring()) == (None, None)
    add_key(path, key)
    clock.now = 0.9
    assert file.ring() is None
    clock.now = 1.0
    ring = file.ring()
    assert ring is not None
    assert ring.find(secret) == key
    remove_key(path, key.id)
    clock.now = 2.0
    ring = file.ring()
    assert ring is not None
    assert (len(ring), ring.find(secret)) == (0, None)


def test_a_malformed_file_stops_the_start_and_a_later_one_changes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A mistake in an edit, or a file that has gone, must not open the door nor close it; the log says it once."""
    path, clock = tmp_path / "keys.toml", Clock()
    path.write_text("[[keys")
    with pytest.raises(KeyFileError, match=r"keys\.toml: it is not TOML"):
        KeyFile(path, clock)
    path.unlink()
    key, secret = make_key()
    add_key(path, key)
    file = KeyFile(path, clock)

    with caplog.at_level(logging.INFO):
        for second, change in enumerate(("[[keys", None), 1):
            if change is None:
                path.unlink()
            else:
                path.write_text(change)
            clock.now = float(second)
            ring = file.ring()
            assert ring is not None
            assert ring.find(secret) == key

    said = [record.getMessage() for record in caplog.records]
    assert [line.startswith("SPANWISE_KEYS_FILE: ") and "keys from before stay" in line for line in said] == [True] * 2
