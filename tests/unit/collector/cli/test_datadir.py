"""The data directory of `spanwise up`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from spanwise_collector.cli.datadir import DataDirectory, UpState, claimed
from spanwise_collector.cli.errors import CommandError, UsageError

STATE = UpState(pid=1, kafka="k:1", collector="http://c", dashboard="", pids={"broker": 2})


def test_a_second_claim_is_refused_and_names_the_holder(tmp_path: Path) -> None:
    """One directory belongs to one `spanwise up`; the error names the process that has it and the remedy."""
    with claimed(tmp_path), pytest.raises(UsageError) as caught, claimed(tmp_path):
        pass

    assert str(caught.value) == (
        f"{tmp_path} is in use by another `spanwise up` (process {os.getpid()}). Stop that one, or give this one "
        "its own directory with --data-dir."
    )


def test_a_claim_ends_with_its_block(tmp_path: Path) -> None:
    """After a clean end the directory can be claimed again."""
    with claimed(tmp_path):
        pass
    with claimed(tmp_path) as data:
        assert data == DataDirectory(tmp_path)


def test_a_claim_ends_with_its_process(tmp_path: Path) -> None:
    """A `spanwise up` that was killed leaves a directory that can be claimed, and the ids of what it started."""
    program = (
        "import os, sys, pathlib\n"
        "from spanwise_collector.cli.datadir import UpState, claimed\n"
        "with claimed(pathlib.Path(sys.argv[1])) as data:\n"
        "    data.write_state(UpState(pid=1, kafka='', collector='', dashboard='', pids={'broker': 7}))\n"
        "    os._exit(9)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False, timeout=60)

    with claimed(tmp_path) as data:
        assert data.read_state() == UpState(pid=1, kafka="", collector="", dashboard="", pids={"broker": 7})


def test_a_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """A file in the way is named, with the option."""
    (tmp_path / "file").write_text("")

    with (
        pytest.raises(UsageError, match=r"file cannot be used: .*Choose another with --data-dir\."),
        claimed(tmp_path / "file"),
    ):
        pass


def test_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    """What `spanwise up` publishes is what `spanwise status` reads."""
    data = DataDirectory(tmp_path)
    data.write_state(STATE)

    assert data.read_state() == STATE


def test_a_state_of_another_version_is_refused_with_the_remedy(tmp_path: Path) -> None:
    """A file that does not fit says which file and what to do."""
    data = DataDirectory(tmp_path)
    data.state.write_text('{"pid": 1}')

    with pytest.raises(CommandError, match=r"up\.json was not written by this version of Spanwise"):
        data.read_state()


def test_a_fresh_log_keeps_the_run_before(tmp_path: Path) -> None:
    """A new run starts with an empty log; the last one stays beside it."""
    data = DataDirectory(tmp_path)
    (tmp_path / "logs").mkdir()
    data.fresh_log("collector").write_text("first")
    second = data.fresh_log("collector")

    assert (second.read_text(), (tmp_path / "logs" / "collector.log.1").read_text()) == ("", "first")
