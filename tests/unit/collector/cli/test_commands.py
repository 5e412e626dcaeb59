"""The `spanwise` command line."""

import subprocess
import sys
from importlib.metadata import version

import pytest

from spanwise_collector.cli import main

COMMANDS = ("up", "collector", "dashboard", "status", "explain", "rejects")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_examples_and_exit_codes(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The help of each command has at least one line that can be copied, or says what its exit code means."""
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])

    assert caught.value.code == 0
    assert f"spanwise {command}" in capsys.readouterr().out.partition("options:")[2]


def test_help_needs_only_the_sdk() -> None:
    """`spanwise --help` works where only the SDK is installed: it imports nothing of the server."""
    program = (
        "import sys\n"
        "from spanwise_collector.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'fastapi', 'uvicorn', 'streamlit', 'clickhouse_connect', 'pyarrow', 'pydantic', 'kafka'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)

    assert done.stderr == "[]\n"


def test_version_is_the_installed_one(capsys: pytest.CaptureFixture[str]) -> None:
    """`spanwise version` prints the version of the distribution."""
    assert main(["version"]) == 0
    assert capsys.readouterr().out == f"spanwise {version('spanwise')}\n"


@pytest.mark.parametrize("arguments", [["up", "--port", "0"], ["up", "--kafka-port", "abc"], ["fly"], []])
def test_wrong_usage_ends_with_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be understood is refused with the usage and exit code 2."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)

    assert (caught.value.code, capsys.readouterr().err.startswith("usage: spanwise")) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--kafka", "broker:9092", "--kafka-port", "9093"],
            "--kafka-port is the port of the packaged broker, which --kafka leaves out. Give one of the two.",
        ),
        (
            ["--no-dashboard", "--dashboard-port", "8502"],
            "--dashboard-port has no use with --no-dashboard. Give one of the two.",
        ),
    ],
)
def test_options_that_would_be_ignored_are_refused(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody is left to wonder why an option did nothing."""
    assert (main(["up", *arguments]), capsys.readouterr().err) == (2, f"spanwise up: {said}\n")


def test_an_error_is_one_message_without_a_traceback(capsys: pytest.CaptureFixture[str], tmp_path: object) -> None:
    """`spanwise status` where nothing runs says so, names the remedy and fails."""
    code = main(["status", "--data-dir", str(tmp_path)])

    assert (code, capsys.readouterr().err) == (
        1,
        f"spanwise status: No `spanwise up` runs in {tmp_path}. Start it, or name a collector with --api URL.\n",
    )
