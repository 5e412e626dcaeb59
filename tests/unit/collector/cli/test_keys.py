"""`spanwise keys` as a person types it."""

import re
from pathlib import Path

import pytest

from spanwise_collector.cli.commands import main
from spanwise_collector.cli.errors import EXIT_FAILED, EXIT_OK, EXIT_USAGE
from spanwise_collector.receive.key_file import load_keys
from spanwise_collector.receive.keys import KeyRing


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The key file that the environment names; it does not exist."""
    path = tmp_path / "etc" / "keys.toml"
    monkeypatch.setenv("SPANWISE_KEYS_FILE", str(path))
    return path


def test_a_key_is_made_shown_once_listed_and_revoked(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The secret is printed with the variable that exporters read, and is nowhere afterwards."""
    assert main(["keys", "create", "--project", "shop", "--project", "lab", "--note", "web shop"]) == EXIT_OK
    said = capsys.readouterr().out
    [secret] = set(re.findall(r"sw_[0-9a-f]{8}_[\w-]{43}", said))
    key = KeyRing(load_keys(file)).find(secret)
    assert key is not None
    assert (key.projects, key.scopes, key.note, key.expires) == (("shop", "lab"), ("ingest",), "web shop", None)
    assert f"OTEL_EXPORTER_OTLP_HEADERS=x-api-key={secret}\n" in said
    assert secret not in file.read_text()

    assert main(["keys", "list"]) == EXIT_OK
    assert capsys.readouterr().out == f"{key.id}  {key.created:%Y-%m-%d}  ingest  shop, lab  web shop\n"
    assert main(["keys", "revoke", key.id]) == EXIT_OK
    assert f"Key {key.id} for shop, lab is gone" in capsys.readouterr().out
    assert main(["keys", "list"]) == EXIT_OK
    assert capsys.readouterr().out == f"{file} has no keys: nobody may send.\n"


def test_scopes_and_expiry_are_kept(file: Path) -> None:
    """A key for every project, for a while."""
    arguments = ["keys", "create", "--project", "*", "--scope", "admin", "--scope", "ingest", "--days", "90"]
    assert main(arguments) == EXIT_OK

    [key] = load_keys(file)
    assert key.expires is not None
    assert (key.projects, key.scopes, (key.expires - key.created).days) == (("*",), ("ingest", "admin"), 90)


def test_without_a_variable_it_is_the_file_of_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`keys.toml` in the data directory; before the first key it says what holds without keys."""
    monkeypatch.delenv("SPANWISE_KEYS_FILE", raising=False)

    assert main(["keys", "list", "--data-dir", str(tmp_path)]) == EXIT_OK
    assert "Only this machine's loopback address is served" in capsys.readouterr().out
    assert main(["keys", "create", "--project", "shop", "--data-dir", str(tmp_path)]) == EXIT_OK
    assert len(load_keys(tmp_path / "keys.toml")) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["create", "--project", "a:b"], EXIT_USAGE, "--project: 'a:b' is no name of a project"),
        (["create", "--project", "*", "--project", "a"], EXIT_USAGE, "--project: give * alone, or names."),
        (["revoke", "00000000"], EXIT_FAILED, "keys.toml"),
    ],
)
def test_what_cannot_be_done_is_said(
    file: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, says: str
) -> None:
    """With the option or the file, and no file is made."""
    assert main(["keys", *arguments]) == code
    assert says in capsys.readouterr().err
    assert not file.exists()


def test_a_malformed_file_is_not_overwritten(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The message has its path and what is wrong; what was there stays."""
    file.parent.mkdir()
    file.write_text("[[keys")

    for arguments in (["create", "--project", "shop"], ["list"], ["revoke", "00000000"]):
        assert main(["keys", *arguments]) == EXIT_FAILED
        assert f"{file}: it is not TOML" in capsys.readouterr().err
    assert file.read_text() == "[[keys"
