"""Where a command finds a collector and its key."""

import stat
from pathlib import Path

import pytest

from spanwise_collector.cli.address import Address, address
from spanwise_collector.cli.datadir import DataDirectory, UpState
from spanwise_collector.cli.errors import CommandError, UsageError


def test_a_running_up_tells_its_address_and_key(tmp_path: Path) -> None:
    """The file with the key is for its owner alone, also where one with other rights was left behind."""
    (tmp_path / "up.tmp").touch(0o644)
    data = DataDirectory(tmp_path)
    data.write_state(UpState(pid=1, kafka="", collector="http://127.0.0.1:1", dashboard="", pids={}, key="secret"))

    assert stat.S_IMODE(data.state.stat().st_mode) == 0o600
    assert address("", tmp_path, {}) == Address("http://127.0.0.1:1", "secret")
    assert address("", tmp_path, {"SPANWISE_API_KEY": "mine"}) == Address("http://127.0.0.1:1", "mine")


def test_another_collector_never_gets_the_key_of_a_running_up(tmp_path: Path) -> None:
    """It is asked with the user's own key, of the environment or of a file."""
    DataDirectory(tmp_path).write_state(UpState(1, "", "http://127.0.0.1:1", "", {}, key="secret"))
    (tmp_path / "key").write_text("of a file\n")

    assert address("https://other/", tmp_path, {}) == Address("https://other", "")
    named = {"SPANWISE_API_KEY_FILE": str(tmp_path / "key")}
    assert address("https://other", tmp_path, named) == Address("https://other", "of a file")


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    """No collector, or a file that is not there."""
    with pytest.raises(CommandError, match=r"No `spanwise up` runs in .*--api URL"):
        address("", tmp_path, {})
    with pytest.raises(UsageError, match=r"SPANWISE_API_KEY_FILE: /nowhere cannot be read"):
        address("https://other", tmp_path, {"SPANWISE_API_KEY_FILE": "/nowhere"})
