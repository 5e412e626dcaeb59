"""Judges in the API and the command: outcomes, money, errors, of one project alone."""

import io
import itertools
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry, generate_latest

from spanwise_collector.api.app import create_app
from spanwise_collector.cli import evals, main
from spanwise_collector.cli.errors import UsageError
from spanwise_collector.cli.terminal import Terminal
from spanwise_collector.evals.budget import Purse
from spanwise_collector.evals.chat_http import retry_after
from spanwise_collector.evals.outcomes import Outcomes
from spanwise_collector.settings import Settings
from spanwise_collector.store.database import Database
from spanwise_collector.store.errors import TransientStoreError
from spanwise_schemas.api_judges import EvalsProcess
from tests.support.judging import NOON, PRICES
from tests.unit.collector.evals.test_evals_file import JUDGE

LATER = NOON + timedelta(minutes=1)
_ids = itertools.count()


def outcomes(database: Database) -> Outcomes:
    """Counts of a process of its own."""
    return Outcomes(database, now=lambda: NOON, new_id=lambda: f"outcomes-{next(_ids)}")


def client(database: Database, process: EvalsProcess | None = None) -> TestClient:
    """The API a minute after noon."""
    app = create_app(
        database=database,
        settings=Settings(),
        clock=lambda: LATER,
        evals=(lambda: process) if process is not None else None,
    )
    return TestClient(app)


def ask(database: Database, path: str, **parameters: object) -> dict[str, Any]:
    """What the API answers."""
    answer = client(database).get(f"/api/v1/evals/{path}", params=parameters)  # type: ignore[arg-type]  # plain values
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
def counted(database: Database) -> Database:
    """Two processes that counted, and money that was spent."""
    for number, one in enumerate((outcomes(database), outcomes(database))):
        one.count("shop", "helpful", "scored", 5, cost_n=700)
        one.count("shop", "helpful", "error:timeout", message=f"late {number}", cost_n=50)
        one.count("shop", "helpful", "anchor_error:timeout", message="late")
        one.count("shop", "length", "scored", 9)
        one.count("other", "secret", "error:refused", message="of another project")
        one.flush()
        one.flush()
    ids = itertools.count()
    purse = Purse(
        database,
        "shop",
        "helpful",
        lambda: 10_000,
        now=lambda: NOON,
        clock=lambda: 0.0,
        new_id=lambda: f"purse-{next(ids)}",
    )
    hold = purse.reserve(2_000)
    assert hold is not None
    purse.settle(hold, 1_500)
    purse.give_back()
    return database


def test_what_judges_did_is_added_up_over_processes(counted: Database) -> None:
    """Outcomes, cost, and today's money; errors of anchors and targets stand together under their class."""
    found = ask(counted, "judging", project="shop")
    assert found == {
        "items": [
            {
                "judge": "helpful",
                "outcomes": {"anchor_error:timeout": 2, "error:timeout": 2, "scored": 10},
                "cost_nanousd": 1500,
                "last_at": "2026-11-22T12:00:00Z",
                "budget": {
                    "day": "2026-11-22",
                    "limit_nanousd": 10_000,
                    "granted_nanousd": 1500,
                    "spent_nanousd": 1500,
                    "is_exhausted": False,
                },
            },
            {
                "judge": "length",
                "outcomes": {"scored": 18},
                "cost_nanousd": 0,
                "last_at": "2026-11-22T12:00:00Z",
                "budget": None,
            },
        ],
        "process": None,
    }
    [error] = ask(counted, "judges/errors", project="shop")["items"]
    assert (error["judge"], error["error"], error["count"], error["last_at"]) == (
        "helpful",
        "timeout",
        4,
        "2026-11-22T12:00:00Z",
    )
    assert error["last_message"].startswith("late")


def test_a_budget_that_is_spent_is_visible(counted: Database) -> None:
    """As soon as targets were skipped today."""
    one = outcomes(counted)
    one.count("shop", "helpful", "skipped_budget")
    one.flush()
    [helpful, _] = ask(counted, "judging", project="shop")["items"]
    assert helpful["budget"]["is_exhausted"] is True


@pytest.mark.parametrize("path", ["judging", "judges/errors", "anchors"])
def test_other_projects_are_never_seen(counted: Database, path: str) -> None:
    """A project without judges has none, whatever others do."""
    assert ask(counted, path, project="default")["items"] == []
    assert "secret" not in str(ask(counted, path, project="shop"))


def test_only_the_asked_time_counts(counted: Database) -> None:
    """Nothing of before or after."""
    end = NOON.isoformat()
    assert ask(counted, "judging", project="shop", to=end)["items"] == []
    assert ask(counted, "judges/errors", project="shop", to=end)["items"] == []


def test_the_process_tells_how_it_stands(database: Database) -> None:
    """Where the process that answers has the role."""
    process = EvalsProcess(running=True, waiting="", lag=3, scores=7, problem="")
    answer = client(database, process).get("/api/v1/evals/judging")
    assert answer.json()["process"] == {"running": True, "waiting": "", "lag": 3, "scores": 7, "problem": ""}


def test_a_store_that_is_away_loses_no_count(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be stored is stored next time."""
    one = outcomes(database)
    one.count("shop", "helpful", "scored", 3)
    with monkeypatch.context() as broken:
        broken.setattr(Database, "insert", _away)
        with pytest.raises(TransientStoreError):
            one.flush()
    one.count("shop", "helpful", "scored", 1)
    one.flush()
    [helpful] = ask(database, "judging", project="shop")["items"]
    assert helpful["outcomes"] == {"scored": 4}


def _away(*_: object, **__: object) -> None:
    raise TransientStoreError("away")


def test_counts_are_metrics(database: Database) -> None:
    """By project, judge and outcome, and the cost in dollars."""
    one = outcomes(database)
    one.count("shop", "helpful", "scored", 2, cost_n=3_000_000_000)
    registry = CollectorRegistry()
    registry.register(one)
    text = generate_latest(registry).decode()
    assert 'spanwise_evals_targets_total{judge="helpful",outcome="scored",project="shop"} 2.0' in text
    assert 'spanwise_evals_cost_usd_total{judge="helpful",project="shop"} 3.0' in text


def test_status_for_people(counted: Database) -> None:
    """A line per judge, its errors below, and how the role stands."""
    items, errors = (
        ask(counted, "judging", project="shop")["items"],
        ask(counted, "judges/errors", project="shop")["items"],
    )
    head, helpful, length = evals.listing(items)
    assert head.split()[:3] == ["judge", "or", "evaluator"]
    assert helpful.split() == ["helpful", "10", "0", "0", "2", "0.0000", "0.0000", "of", "0.00", "2026-11-22", "12:00"]
    assert length.split()[:2] == ["length", "18"]
    assert evals.error_lines(errors)[0].startswith("  ! helpful: 4 x timeout: late")
    assert "SPANWISE_EVALS_FILE" in evals.listing([])[0]
    assert "does not have the role" in evals.process_line(None)
    told = {"running": True, "waiting": "", "lag": 1200, "scores": 1, "problem": ""}
    assert evals.process_line(told) == "evals: reading, lag 1,200 records"


def test_check_says_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit code tells whether the file can be used; the prices come from the settings."""
    (tmp_path / "rubric.md").write_text("Good?")
    (tmp_path / "prices.toml").write_text(PRICES)
    file = tmp_path / "evals.toml"
    file.write_text(JUDGE)
    monkeypatch.setenv("SPANWISE_PRICES_FILE", str(tmp_path / "prices.toml"))

    out = io.StringIO()
    assert evals.run_check(file, Terminal(out)) == 0
    assert "helpful: judge-1 at http://127.0.0.1:9/v1, 1 of the project shop, 1.5 USD a day at most" in out.getvalue()
    monkeypatch.delenv("SPANWISE_PRICES_FILE")
    assert main(["evals", "check", str(file)]) == 1
    with pytest.raises(UsageError, match="cannot be read"):
        evals.run_check(tmp_path / "none.toml", Terminal(out))


def test_scoring_once_needs_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the setting."""
    monkeypatch.delenv("SPANWISE_EVALS_FILE", raising=False)
    with pytest.raises(UsageError, match="SPANWISE_EVALS_FILE"):
        evals.run_once(1.0, Terminal(io.StringIO()))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        (" 0.5 ", 0.5),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 40.0),
        ("Thu, 01 Jan 1970 00:00:10 GMT", 0.0),
        ("soon", None),
        ("", None),
        ("-3", None),
    ],
)
def test_retry_after_is_read_in_both_forms(value: str, seconds: float | None) -> None:
    """Seconds, or a date; anything else says nothing."""
    assert retry_after(value, 60.0) == seconds
