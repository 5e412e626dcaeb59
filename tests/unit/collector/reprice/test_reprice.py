"""`spanwise reprice` against a collector over HTTP, down to what the pages say afterwards."""

import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvicorn

from spanwise_collector.api.app import create_app
from spanwise_collector.cli.errors import EXIT_OK, CommandError, UsageError
from spanwise_collector.cli.reprice import RepriceOptions, run_reprice
from spanwise_collector.cli.terminal import Terminal
from spanwise_collector.query.overview import get_overview
from spanwise_collector.query.rollups import MetricFilter
from spanwise_collector.query.window import DAY, Window
from spanwise_collector.reprice.jobs import RepriceJobs
from spanwise_collector.reprice.repricer import Repricer
from spanwise_collector.settings import Settings
from spanwise_collector.store.amend import Amender
from spanwise_collector.store.database import Database
from tests.support import otlp
from tests.unit.collector.store.test_amend import remade, summed

NOW = datetime.fromtimestamp(otlp.NOW_MS / 1000, UTC)
DAY_OF_IT = {"start": "2026-11-22", "end": "2026-11-23"}
FILE = """
version = "new"

[[models]]
model = "gpt-4o"
input = 10
output = 100

[[models]]
model = "rack"
input = 0
output = 0
"""


def store(database: Database) -> None:
    """Four calls: two of a model with a price, one of an unknown one, one that says itself what it cost."""
    calls: list[dict[str, object]] = [
        {"gen_ai.request.model": "gpt-4o"},
        {"gen_ai.request.model": "gpt-4o"},
        {"gen_ai.request.model": "rack"},
        {"gen_ai.request.model": "gpt-4o", "gen_ai.usage.cost": 0.5},
    ]
    same: dict[str, object] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 10,
    }
    spans = [
        otlp.span(
            values=same | values,
            trace_id=bytes([number]) * 16,
            start_ns=otlp.NOW_NS - number * 3_600_000_000_000 - 10**9,
            end_ns=otlp.NOW_NS - number * 3_600_000_000_000,
        )
        for number, values in enumerate(calls, 1)
    ]
    batch = otlp.transform(otlp.record(otlp.traces(*spans)))
    database.insert("spans", batch.tables["spans"], token="spans")


@contextmanager
def served(database: Database) -> Iterator[str]:
    """A collector's API on a real socket."""
    jobs = RepriceJobs(Repricer(database, Amender(database, owner="test", now=lambda: NOW)))
    app = create_app(database=database, settings=Settings(clickhouse="chdb:///unused"), reprice=jobs, clock=lambda: NOW)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(30)
            jobs.stop()


def reprice(url: str, answer: str = "", **options: object) -> tuple[int, list[str]]:
    """Exit code and lines of the command."""
    screen = io.StringIO()
    code = run_reprice(
        RepriceOptions(**{**DAY_OF_IT, **options}),  # type: ignore[arg-type]
        data_dir=Path("nowhere"),
        api=url,
        terminal=Terminal(screen),
        ask=lambda _: answer,
        sleep=lambda _: time.sleep(0.01),
    )
    return code, [line for line in screen.getvalue().splitlines() if not line.startswith(("computing", "writing"))]


def total(database: Database) -> tuple[int | None, int]:
    """Cost and unpriced calls as the overview says."""
    found = get_overview(
        database, MetricFilter("shop"), Window(otlp.NOW_MS * 1000 - 2 * DAY, otlp.NOW_MS * 1000)
    ).current
    return found.cost_nanousd, found.unpriced_calls


BEFORE = (2 * 350_000 + 500_000_000, 1)
AFTER = (2 * 2_000_000 + 500_000_000, 0)
TABLE = [
    "model   calls  before, USD  after, USD  newly priced  no longer priced  prices",
    "gpt-4o      3     0.500700    0.504000             0                 0  prices.toml new",
    "rack        1     0.000000    0.000000             1                 0  prices.toml new",
    "all         4     0.500700    0.504000             1                 0",
]


def test_shown_then_written(database: Database, tmp_path: Path) -> None:
    """It shows the difference and writes it only when told to; roll-ups, spans and what was reported then agree."""
    store(database)
    prices = tmp_path / "mine.toml"
    prices.write_text(FILE, encoding="utf-8")

    with served(database) as url:
        assert (EXIT_OK, TABLE) == reprice(url, prices=prices, dry_run=True)
        assert (EXIT_OK, [*TABLE, "Nothing was written."]) == reprice(url, "n", prices=prices)
        assert BEFORE == total(database)
        assert (EXIT_OK, [*TABLE, "Written."]) == reprice(url, "y", prices=prices)
        assert AFTER == total(database)
        # The same once more has nothing to do.
        assert TABLE[0] == reprice(url, prices=prices, yes=True)[1][0]
        assert AFTER == total(database)
        rows = database.query(
            "SELECT model_request, toString(cost_source), cost_total_n, cost_reported_n, cost_computed_n, "
            "price_version FROM spans ORDER BY start_time DESC"
        ).rows
        assert [
            ("gpt-4o", "computed", 2_000_000, -1, 2_000_000, "prices.toml new"),
            ("gpt-4o", "computed", 2_000_000, -1, 2_000_000, "prices.toml new"),
            ("rack", "computed", 0, -1, 0, "prices.toml new"),
            ("gpt-4o", "reported", 500_000_000, 500_000_000, 2_000_000, "reported"),
        ] == rows
        # And back to the collector's own list.
        assert "Written." == reprice(url, yes=True)[1][-1]
    assert BEFORE == total(database)
    assert summed(database) == remade(database)


def test_only_what_was_asked_for(database: Database, tmp_path: Path) -> None:
    """Another project, or another time, stays as it is."""
    store(database)
    prices = tmp_path / "mine.toml"
    prices.write_text(FILE, encoding="utf-8")

    with served(database) as url:
        none = ["No model calls in this time range."]
        assert (EXIT_OK, none) == reprice(url, prices=prices, yes=True, project="other")
        assert (EXIT_OK, none) == reprice(url, prices=prices, yes=True, end="2026-11-22T07:00Z")
        hour = reprice(url, prices=prices, yes=True, start="2026-11-22T10:30Z")
    assert ["gpt-4o      1     0.000350    0.002000             0                 0  prices.toml new", "Written."] == [
        hour[1][1],
        hour[1][-1],
    ]
    assert (350_000 + 2_000_000 + 500_000_000, 1) == total(database)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"start": "soon"}, UsageError, "'soon' is not a date"),
        ({"prices": Path("/nowhere")}, UsageError, "--prices: /nowhere cannot be read"),
        ({"start": "2026-11-23", "end": "2026-11-22"}, CommandError, "from"),
    ],
)
def test_mistakes(database: Database, options: dict[str, object], error: type[Exception], message: str) -> None:
    """What cannot be done is said, and nothing is written."""
    with served(database) as url, pytest.raises(error, match=message):
        reprice(url, **options)  # type: ignore[arg-type]


def test_a_wrong_price_file(database: Database, tmp_path: Path) -> None:
    """A mistake in the price file is named with its place."""
    prices = tmp_path / "mine.toml"
    prices.write_text("[[models]]\nmodel = 'm'\n", encoding="utf-8")

    with served(database) as url, pytest.raises(CommandError, match="model 1 needs `input` and `output`"):
        reprice(url, prices=prices)


def test_nobody_there() -> None:
    """Without a collector it says so."""
    with pytest.raises(CommandError, match="No collector answers"):
        reprice("http://127.0.0.1:1")
