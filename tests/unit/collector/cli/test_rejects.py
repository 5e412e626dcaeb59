"""`spanwise rejects`: what is printed, asked and written."""

import io
from pathlib import Path

import pytest

from spanwise_collector.cli import main
from spanwise_collector.cli.datadir import DataDirectory, UpState
from spanwise_collector.cli.errors import EXIT_FAILED, EXIT_OK, CommandError, UsageError
from spanwise_collector.cli.rejects import ALL, connection, filter_of, run_list, run_show
from spanwise_collector.cli.rejects_replay import ReplayOptions, run_replay
from spanwise_collector.cli.terminal import Terminal
from spanwise_collector.ingest.settings import KafkaConnection
from spanwise_collector.rejects.scan import Filter
from tests.support.fake_reject_log import FakeRejectLog
from tests.support.otlp import NOW_MS, record, span, traces


def two_rejects() -> FakeRejectLog:
    """One of a service, one that nobody can read."""
    log = FakeRejectLog()
    value = traces(span())
    log.refuse(record(value, offset=5, headers=[("spanwise-producer", b"p1")]), "too_old", items=2, at_ms=NOW_MS)
    log.refuse(record(b"\x1b[2Jno", offset=6), "not_protobuf", detail="b'\x1b[2J' is no OTLP.", at_ms=NOW_MS + 1_000)
    return log


def listed(log: FakeRejectLog, wanted: Filter = ALL, limit: int = 10, *, each: bool = False) -> list[str]:
    """The lines of `list`."""
    out = io.StringIO()
    assert run_list(log, wanted, limit, Terminal(out), each=each) == EXIT_OK
    return out.getvalue().splitlines()


def replayed(log: FakeRejectLog, options: ReplayOptions, answer: str = "") -> tuple[int, list[str]]:
    """The exit code and lines of `replay`."""
    out = io.StringIO()
    return run_replay(log, options, Terminal(out), ask=lambda question: answer), out.getvalue().splitlines()


def test_groups_say_why_of_whom_how_many_and_when() -> None:
    """One line per reason and sender, then what each reason means."""
    found = [line.split() for line in listed(two_rejects())]

    day = "2026-11-22"
    assert found[1:3] == [
        [
            "too_old",
            "otlp_spans",
            "shop",
            "bot",
            "1",
            "1",
            "2",
            day,
            "12:00:00",
            day,
            "12:00:00",
            "spanwise_rejects:0:0",
        ],
        [
            "not_protobuf",
            "otlp_spans",
            "-",
            "-",
            "0",
            "1",
            "1",
            day,
            "12:00:01",
            day,
            "12:00:01",
            "spanwise_rejects:0:1",
        ],
    ]
    assert [line[0] for line in found[3:]] == ["not_protobuf:", "too_old:"]


def test_each_reject_is_a_line_with_its_place() -> None:
    """The newest first, bounded, and nothing of the data that a terminal would obey."""
    found = listed(two_rejects(), limit=1, each=True)

    assert found[1].split()[:1] + found[1].split()[3:] == [
        "spanwise_rejects:0:1",
        *("not_protobuf", "1", "6", "-", "-", "-", "otlp_spans:3:6", "b'\\x1b[2J'", "is", "no", "OTLP."),
    ]
    assert found[2:] == ["These are the newest 1; --limit N looks at more."]


def test_nothing_refused_is_said() -> None:
    """With a filter it is another sentence than without."""
    assert listed(FakeRejectLog()) == ["Nothing was refused."]
    assert listed(two_rejects(), Filter(reasons=("empty",))) == ["Nothing in the topic spanwise_rejects matches."]


def test_a_record_is_shown_with_headers_and_bytes(tmp_path: Path) -> None:
    """On the terminal escaped and cut; in the file as it was, never over a file that is there."""
    log, out, file = two_rejects(), io.StringIO(), tmp_path / "record.bin"

    run_show(log, "spanwise_rejects:0:1", 4, None, Terminal(out))
    run_show(log, "spanwise_rejects:0:1", 4, file, Terminal(io.StringIO()))

    lines = out.getvalue().splitlines()
    assert "header  spanwise-reject-detail = b'\\x1b[2J' is no OTLP." in lines
    assert lines[-3:] == [
        "6 bytes",
        "00000000  1b 5b 32 4a                                      .[2J",
        "… 2 bytes more",
    ]
    assert all(line.isprintable() for line in lines)
    assert file.read_bytes() == b"\x1b[2Jno"
    with pytest.raises(CommandError, match="--out"):
        run_show(log, "spanwise_rejects:0:1", 4, file, Terminal(out))


@pytest.mark.parametrize("position", ["7", "otlp_spans:0:0", "spanwise_rejects:0:x"])
def test_a_wrong_position_is_refused(position: str) -> None:
    """With how it is written, and where it stands."""
    with pytest.raises(UsageError, match="like spanwise_rejects:0:17; `spanwise rejects list --each`"):
        run_show(two_rejects(), position, 4, None, Terminal(io.StringIO()))


@pytest.mark.parametrize("position", ["spanwise_rejects:0:2", "spanwise_rejects:1:0"])
def test_a_record_that_is_not_there_is_told(position: str) -> None:
    """Kafka deletes by age."""
    with pytest.raises(CommandError, match=f"There is no record at {position}"):
        run_show(two_rejects(), position, 4, None, Terminal(io.StringIO()))


@pytest.mark.parametrize(
    ("options", "offsets"),
    [
        (ReplayOptions(everything=True, yes=True), [5, 6]),
        (ReplayOptions(filter=Filter(reasons=("too_old",)), yes=True), [5]),
        (ReplayOptions(filter=Filter(since_ms=NOW_MS + 1), yes=True), [6]),
        (ReplayOptions(positions=("spanwise_rejects:0:1", "spanwise_rejects:0:1"), yes=True), [6]),
    ],
)
def test_what_is_chosen_is_written(options: ReplayOptions, offsets: list[int]) -> None:
    """By position, reason, time or all; each once."""
    log = two_rejects()
    values = {5: traces(span()).SerializeToString(), 6: b"\x1b[2Jno"}

    code, lines = replayed(log, options)

    assert (code, [one.value for one in log.written]) == (EXIT_OK, [values[offset] for offset in offsets])
    assert lines[-1] == f"{len(offsets)} of {len(offsets)} records written and acknowledged"


@pytest.mark.parametrize(
    ("options", "answer", "written"),
    [
        (ReplayOptions(everything=True, dry_run=True), "y", 0),
        (ReplayOptions(everything=True), "", 0),
        (ReplayOptions(everything=True), "y", 2),
    ],
)
def test_it_asks_before_it_writes(options: ReplayOptions, answer: str, written: int) -> None:
    """A dry run neither asks nor writes; no answer is a no."""
    log = two_rejects()

    code, lines = replayed(log, options, answer)

    assert (code, len(log.written)) == (EXIT_OK, written)
    assert any(line.startswith("2 records with ") and line.endswith(" bytes, to otlp_spans") for line in lines)


@pytest.mark.parametrize(
    "options",
    [
        ReplayOptions(),
        ReplayOptions(positions=("spanwise_rejects:0:1",), everything=True),
        ReplayOptions(filter=Filter(reasons=("a",)), everything=True),
    ],
)
def test_one_way_of_choosing_is_wanted(options: ReplayOptions) -> None:
    """Nothing is replayed by forgetting an option."""
    with pytest.raises(UsageError, match="one of the three"):
        replayed(two_rejects(), options)


def test_what_was_not_acknowledged_is_told_and_fails() -> None:
    """With its place, so that it can be replayed alone."""
    log = two_rejects()
    log.failing[b"\x1b[2Jno"] = "MessageSizeTooLargeError"

    code, lines = replayed(log, ReplayOptions(everything=True, yes=True))

    assert (code, lines[-2:]) == (
        EXIT_FAILED,
        ["1 of 2 records written and acknowledged", "not acknowledged: spanwise_rejects:0:1: MessageSizeTooLargeError"],
    )


def test_kafka_is_that_of_the_environment_or_of_the_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SPANWISE_KAFKA goes first; else the running `spanwise up`; else both ways are named."""
    monkeypatch.delenv("SPANWISE_KAFKA", raising=False)
    with pytest.raises(UsageError, match="SPANWISE_KAFKA is not set"):
        connection(tmp_path, {})
    DataDirectory(tmp_path).write_state(UpState(pid=1, kafka="here:1", collector="", dashboard="", pids={}))

    assert connection(tmp_path, {}) == KafkaConnection(bootstrap="here:1")
    monkeypatch.setenv("SPANWISE_KAFKA", "there:2")
    assert connection(tmp_path, {"SPANWISE_KAFKA": "there:2"}) == KafkaConnection(bootstrap="there:2")


def test_a_time_is_read_as_utc() -> None:
    """As the other commands read it."""
    assert filter_of(["a"], "2026-11-22T12:00") == Filter(("a",), NOW_MS)


def test_a_broker_that_is_away_is_told_with_its_setting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback, and what to set."""
    monkeypatch.setenv("SPANWISE_KAFKA", "127.0.0.1:1")

    assert main(["rejects", "list"]) == EXIT_FAILED
    assert "Kafka is 127.0.0.1:1; SPANWISE_KAFKA names another." in capsys.readouterr().err
