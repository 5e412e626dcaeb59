"""`spanwise evaluators` against a collector over HTTP and the real engine."""

import io
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn

from spanwise_collector.cli import main
from spanwise_collector.cli.asking import Collector
from spanwise_collector.cli.errors import EXIT_OK, CommandError
from spanwise_collector.cli.evals_sql import Between, Draft, run_add, run_backfill
from spanwise_collector.cli.terminal import Terminal
from spanwise_collector.store.database import Database
from tests.support.rows import insert, llm
from tests.support.sql_evals import Parts, sql_app, stored_rows

WORDS = "length(splitByWhitespace(output))"


@contextmanager
def served(parts: Parts) -> Iterator[str]:
    """The API on a real socket."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        server = uvicorn.Server(uvicorn.Config(sql_app(parts), log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(30)


@pytest.fixture
def parts(database: Database) -> Parts:
    """Three spans."""
    insert(
        database,
        [llm(trace=number, span=number, at_ms=number, output="word " * number, name="chat") for number in (1, 2, 3)],
    )
    return Parts(database)


@pytest.fixture
def url(parts: Parts) -> Iterator[str]:
    """A collector's address."""
    with served(parts) as url:
        yield url


def run(url: str, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str]]:
    """Exit code and lines of a command, errors included."""
    code = main(["evaluators", *arguments, "--api", url])
    shown = capsys.readouterr()
    return code, (shown.out + shown.err).splitlines()


def test_from_a_try_to_the_removal(parts: Parts, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Preview, add, list, show, another version, what differs, off, on, remove."""
    assert run(url, capsys, "list") == (
        EXIT_OK,
        ["No SQL evaluators in this project. Make one with `spanwise evaluators add NAME EXPRESSION`."],
    )
    code, lines = run(url, capsys, "preview", WORDS, "--filter", "kind = 'llm'")
    assert (code, lines[0]) == (EXIT_OK, "gives numeric (UInt64); 3 of 3 spans scored, mean 2")
    assert lines[-1].split() == ["2026-03-10", "12:00", f"{1:032x}", f"{1:016x}", "chat", "1"]

    assert run(url, capsys, "add", "words", WORDS, "--no-backfill") == (
        EXIT_OK,
        ["words version 1, gives numeric. Newest spans: 3 of 3 spans scored, mean 2"],
    )
    code, lines = run(url, capsys, "add", "words", f"{WORDS} * 2", "--filter", "kind = 'llm'", "--no-wait")
    assert lines[1].startswith("History is scored in the background as job ")
    code, lines = run(url, capsys, "list")
    assert [line.split() for line in lines[1:]] == [
        ["words", "2", "on", "numeric", "0", "-", *f"{WORDS} * 2  where kind = 'llm'".split()],
        ["scored", "by", "collector-1"],
    ]
    code, lines = run(url, capsys, "diff", "words")
    assert lines[:4] == [
        f"version 1: {WORDS}",
        f"version 2: {WORDS} * 2  where kind = 'llm'",
        "3 spans: 3 scored by both, of these 3 changed (100.0%); 0 only by version 1, 0 only by version 2",
        "mean 2 before, 4 after",
    ]
    assert lines[5].split()[-3:] == ["chat", "3", "6"]
    parts.backfiller().step()
    code, lines = run(url, capsys, "show", "words")
    assert lines[0] == "words: on"
    assert lines[-1].endswith("3 of 3 spans scored, mean 4")
    assert [run(url, capsys, word, "words")[1] for word in ("off", "on", "remove")] == [
        ["words: off"],
        ["words: on"],
        ["words was removed; its scores stay."],
    ]
    assert run(url, capsys, "show", "words") == (
        1,
        ["spanwise evaluators: There is no SQL evaluator words in the project default."],
    )


def test_programs_get_the_api_s_answer(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With --json."""
    for arguments in (["list"], ["reference"], ["preview", "duration_ms"]):
        code, lines = run(url, capsys, *arguments, "--json")
        assert code == EXIT_OK
        assert json.loads("\n".join(lines))


def test_the_reference_is_readable(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Columns, functions, examples."""
    _, lines = run(url, capsys, "reference")

    assert lines[1].split()[:2] == ["input", "String"]
    assert any(line.startswith("texts: length, lengthUTF8") for line in lines)
    assert f"example: {WORDS}  where kind = 'llm'" in lines


def test_a_refusal_is_told_with_its_place(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In the engine's words; the exit code is 1."""
    code, lines = run(url, capsys, "add", "bad", "length(output")

    assert code == 1
    assert lines[0].startswith("spanwise evaluators: expression: Syntax error: failed at position 14 (end of query)")


def shown_by(command: object, *arguments: object, **options: object) -> list[str]:
    """Lines of a command."""
    stream = io.StringIO()
    command(*arguments, Terminal(stream), **options)  # type: ignore[operator]
    return stream.getvalue().splitlines()


def test_history_is_waited_for(parts: Parts, url: str) -> None:
    """Until the job has ended, however many looks that takes."""
    worker = parts.backfiller()
    looks: list[float] = []

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) > 2:
            worker.step()

    lines = shown_by(run_add, "words", Draft(WORDS), Collector(url, "default"), backfill=True, wait=True, sleep=sleep)

    assert lines[1] == "history, done in 0.0 s: 3 of 3 spans scored, mean 2"
    assert (len(looks), stored_rows(parts.database)) == (3, 3)


def test_a_job_that_nobody_takes_up_is_not_waited_for_for_ever(parts: Parts, url: str) -> None:
    """The message says which collector is missing; the job stays."""
    parts.add("words", WORDS)
    with pytest.raises(CommandError, match="run a collector with the role `evals`"):
        shown_by(
            run_backfill,
            "words",
            None,
            Between(),
            Collector(url, "default"),
            by="",
            wait=True,
            sleep=lambda _: None,
        )
    (job,) = parts.jobs.open()
    lines = main(["evaluators", "cancel", job.id, "--api", url])

    assert (lines, parts.jobs.open()) == (EXIT_OK, [])
