"""Child processes of `spanwise up`."""

import os
import sys
from pathlib import Path

from spanwise_collector.cli.children import Child, last_lines


def _child(tmp_path: Path, program: str) -> Child:
    return Child("test", [sys.executable, "-c", program], environ=os.environ, log_path=tmp_path / "test.log")


def test_output_goes_to_the_log_and_the_exit_code_is_kept(tmp_path: Path) -> None:
    """Both streams of a child are in its log; its exit code can be read after its end."""
    child = _child(tmp_path, "import sys; print('out', flush=True); print('err', file=sys.stderr); sys.exit(3)")
    child.start()

    assert child.wait(60)
    assert (child.exit_code, last_lines(tmp_path / "test.log")) == (3, ["out", "err"])


def test_a_child_is_in_its_own_session(tmp_path: Path) -> None:
    """Ctrl-C on the terminal reaches only `spanwise up`: a child has a session of its own."""
    child = _child(tmp_path, "import os; print(os.getsid(0) == os.getpid())")
    child.start()

    assert child.wait(60)
    assert last_lines(tmp_path / "test.log") == ["True"]


def test_a_child_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    """Stopping is bounded: what does not end by itself is killed, and stopping again does nothing."""
    program = (
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('ready', flush=True)\n"
        "time.sleep(600)\n"
    )
    child = _child(tmp_path, program)
    child.start()
    while last_lines(tmp_path / "test.log") != ["ready"]:
        assert not child.wait(0.01)
    child.stop(timeout_s=0.1)
    child.stop(timeout_s=0.1)

    assert child.exit_code == -9


def test_a_child_that_never_started_can_be_stopped(tmp_path: Path) -> None:
    """Stopping before the start does nothing."""
    child = _child(tmp_path, "")
    child.stop(timeout_s=0.1)

    assert (child.pid, child.exit_code, child.wait(0.1)) == (0, None, True)


def test_last_lines_of_a_long_log_are_whole(tmp_path: Path) -> None:
    """The end of a log is read without reading all of it; blank lines do not count, and no file means no lines."""
    path = tmp_path / "long.log"
    path.write_text("".join(f"line {number}\n\n" for number in range(10_000)))

    assert last_lines(path, 2) == ["line 9998", "line 9999"]
    assert last_lines(tmp_path / "none.log") == []
