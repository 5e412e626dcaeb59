"""`spanwise erase` against a collector over HTTP: counts, asks, erases, reports."""

import argparse
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
import uvicorn

from spanwise_collector.api.app import create_app
from spanwise_collector.api.routes.erasures import NOT_REACHED
from spanwise_collector.cli.erase import add_erase, run_erase
from spanwise_collector.cli.errors import EXIT_OK, CommandError
from spanwise_collector.erasing import make_erasing
from spanwise_collector.settings import Settings
from spanwise_collector.store.amend import Amender
from spanwise_collector.store.database import Database
from tests.support.erasing import AT_MS, NOW
from tests.support.rows import insert, llm, trace_id

ROWS: Final = ["  span_io    1 rows", "  spans      1 rows", "  trace_agg  1 rows"]


@contextmanager
def served(database: Database) -> Iterator[str]:
    """A collector's API on a real socket, and the thread that erases."""
    amender = Amender(database, owner="test", now=lambda: NOW)
    erasing = make_erasing(database, amender, owner="test", now=lambda: NOW, new_id=iter(("e1", "e2")).__next__)
    app = create_app(
        database=database,
        settings=Settings(clickhouse="chdb:///unused"),
        erasing=erasing.for_api,
        clock=lambda: NOW,
    )
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        erasing.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(30)
            erasing.stop()


def options(url: str, *words: str) -> argparse.Namespace:
    """As they are typed."""
    parser = argparse.ArgumentParser()

    def add_data_dir(added: argparse.ArgumentParser, _what: str) -> None:
        added.add_argument("--data-dir", type=Path, default=Path("nowhere"))

    add_erase(parser, add_data_dir)
    return parser.parse_args([*words, "--api", url])


def test_counted_asked_erased_reported(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    """A dry run and a no change nothing; a yes erases, and says what it could not reach."""
    insert(database, [llm(trace=1, span=1, user="ann", at_ms=AT_MS, input="my name is Ann")])

    def lines(*words: str, answer: str = "") -> list[str]:
        assert run_erase(options(url, *words), ask=lambda _: answer) == EXIT_OK
        return capsys.readouterr().out.splitlines()

    with served(database) as url:
        assert lines("--user", "ann", "--dry-run") == ["1 traces", *ROWS]
        assert lines("--user", "ann", answer="n") == ["1 traces", *ROWS, "Nothing was erased."]
        assert database.query("SELECT count() FROM spans").rows == [(1,)]
        assert lines("--list") == ["Nothing was erased."]
        done = lines("--user", "ann", answer="y")
        assert [line for line in done if not line.startswith("e1: ")] == [
            "1 traces",
            *ROWS,
            "Erased: 1 traces (e1).",
            *ROWS,
            "Rows of roll-ups made anew: 0 of metrics_1m, 0 of signals_5m, and the coarser ones.",
            "Not reached:",
            *(f"  {line}" for line in NOT_REACHED),
        ]
        head, one = lines("--list")
        again = lines("--trace", trace_id(5).hex(), "--yes")

    assert [database.query(f"SELECT count() FROM {table}").rows for table in ("spans", "span_io", "metrics_1d")] == [
        [(0,)],
        [(0,)],
        [(0,)],
    ]
    assert head.split()[:2] == ["asked", "at"]
    assert one.split()[2:9] == ["e1", "a", "user", "done", "1", "3", "0"]
    assert again[0] == "Nothing is stored of it now. Erasing keeps out what is still to arrive."
    # Of the user nothing is left to be read.
    assert "ann" not in str(database.query("SELECT * FROM erasures").rows)
    assert "ann" not in str(database.query("SELECT * FROM erasure_marks").rows)


def test_what_is_no_trace_id_is_refused(database: Database) -> None:
    """The message says which."""
    with served(database) as url, pytest.raises(CommandError):
        run_erase(options(url, "--trace", "xyz", "--yes"))
