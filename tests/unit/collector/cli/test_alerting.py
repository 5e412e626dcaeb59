"""`spanwise rules` and `spanwise alerts` against a collector over HTTP and the real engine."""

import io
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from spanwise_collector.alerts.evaluate.ledger import write_events
from spanwise_collector.api.alerting import Alerting
from spanwise_collector.cli import alerts, main, rules
from spanwise_collector.cli.asking import Collector, time_option
from spanwise_collector.cli.errors import EXIT_FAILED, EXIT_OK, CommandError, UsageError
from spanwise_collector.cli.terminal import Terminal
from spanwise_collector.store.database import Database
from spanwise_schemas.api_changes import Exemplar, SliceChange, WhatChanged
from tests.support.alert_events import happened
from tests.support.alerting import alerting_app, make_alerting
from tests.support.notices import NOW, notice

FILE = """
[[rules]]
id = "errors"
project = "shop"
type = "anomaly"
signal = "error_rate"
channels = ["hook"]

[[rules]]
id = "quiet"
type = "absence"

[[channels]]
name = "hook"
type = "webhook"
url = "https://hooks.example/hush"
"""


@contextmanager
def served(database: Database, alerting: Alerting) -> Iterator[str]:
    """A collector's API on a real socket."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        config = uvicorn.Config(alerting_app(database, alerting), log_level="warning", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(30)


class World:
    """A collector, and commands that ask it."""

    def __init__(self, database: Database, url: str, file: Path, alerting: Alerting) -> None:
        self.database = database
        self.url = url
        self.file = file
        self.alerting = alerting

    def run(self, command: Any, *arguments: object, project: str = "shop", **options: object) -> tuple[int, list[str]]:
        """Exit code and lines of a command."""
        screen = io.StringIO()
        code = command(*arguments, Collector(self.url, project), Terminal(screen), **options)
        return code, screen.getvalue().splitlines()


@pytest.fixture
def world(database: Database, tmp_path: Path) -> Iterator[World]:
    """With a file of two rules and a channel."""
    path = tmp_path / "alerts.toml"
    path.write_text(FILE)
    alerting = make_alerting(database, path)
    with served(database, alerting) as url:
        yield World(database, url, path, alerting)


def test_rules_are_listed_with_what_they_watch_and_promise(world: World) -> None:
    """One line each; and who evaluates."""
    assert world.run(rules.run_list, as_json=False) == (
        EXIT_OK,
        [
            "rule    from  severity  series  firing  last fired, UTC  what it watches",
            "errors  file  ticket    0       -       -                Error rate rises beyond what is usual for the "
            "hour and the day. (expect one such false alarm in 30 days)",
            "evaluated by collector-1; up to - UTC",
        ],
    )
    code, lines = world.run(rules.run_list, project="nobody", as_json=False)
    assert (code, lines[0]) == (EXIT_OK, "No rules in this project.")
    code, lines = world.run(rules.run_list, as_json=True)
    assert [one["rule_id"] for one in json.loads("\n".join(lines))["items"]] == ["errors"]


def test_what_hinders_a_rule_stands_below_it() -> None:
    """With a mark."""
    one = {
        "rule_id": "r",
        "source": "built_in",
        "severity": "page",
        "enabled": False,
        "series": 1200,
        "firing": 2,
        "last_fired": "2026-11-24T12:00:00Z",
        "sentence": "It watches.",
        "promise": "",
        "problem": "too young",
    }
    assert rules.listing([one])[1:] == [
        "r     built in  off       1,200   2       2026-11-24 12:00  It watches.",
        "    ! too young",
    ]


def check(file: Path, *, as_json: bool = False) -> tuple[int, list[str]]:
    """Exit code and lines of `rules check`."""
    screen = io.StringIO()
    code = rules.run_check(file, Terminal(screen), as_json=as_json)
    return code, screen.getvalue().splitlines()


def test_a_file_is_checked_without_a_collector(tmp_path: Path) -> None:
    """Every mistake on a line with the file's name, and an exit code for CI."""
    file = tmp_path / "alerts.toml"
    file.write_text(FILE)
    assert check(file) == (EXIT_OK, [f"{file}: 2 rules, 1 channel, nothing wrong"])
    file.write_text(FILE.replace("error_rate", "eror_rate").replace("absence", "absense"))
    code, lines = check(file)
    assert (code, len(lines)) == (EXIT_FAILED, 2)
    assert lines[1] == f"{file}: quiet, type: there is no type 'absense'; did you mean `absence`?"
    code, lines = check(file, as_json=True)
    assert (code, [one["rule"] for one in json.loads("\n".join(lines))["problems"]]) == (
        EXIT_FAILED,
        ["errors", "quiet"],
    )
    with pytest.raises(UsageError, match="cannot be read"):
        check(tmp_path / "nowhere.toml")


def test_rules_of_a_file_are_tried_on_history(world: World) -> None:
    """Each says when it would have fired; the last thirty days where no time is given."""
    options = rules.BackTestOptions(world.file)
    assert world.run(rules.run_test, options, now=NOW) == (
        EXIT_OK,
        [
            "errors: would have fired once, for 1.0 h in all, in 30.0 days (2 series, 48 evaluations)",
            "    expect one such false alarm in 30 days",
            "    would have fired, UTC  ended    series    what it would have said",
            "    2026-11-23 06:00       goes on  model=m1  Error rate is 8.1 % where 2 % is usual.",
            "quiet: would not have fired, in 30.0 days (2 series, 48 evaluations)",
            "    expect one such false alarm in 30 days",
        ],
    )
    asked = replace(options, start="2026-11-01", end="2026-11-03T00:00Z", rule="errors", as_json=True)
    code, lines = world.run(rules.run_test, asked, now=NOW)
    (answer,) = json.loads("\n".join(lines))
    assert (code, answer["start"], answer["end"]) == (EXIT_OK, "2026-11-01T00:00:00Z", "2026-11-03T00:00:00Z")


def test_the_exit_code_tells_of_firing_when_asked(world: World) -> None:
    """For scripts that guard a change of rules."""
    options = rules.BackTestOptions(world.file, fail_if_fired=True)
    assert world.run(rules.run_test, options, now=NOW)[0] == EXIT_FAILED
    assert world.run(rules.run_test, replace(options, rule="quiet"), now=NOW)[0] == EXIT_OK


def test_what_cannot_be_tried_is_said(world: World, tmp_path: Path) -> None:
    """A mistake in the file, a rule that is not there, a time range that is too long."""
    options = rules.BackTestOptions(world.file)
    with pytest.raises(UsageError, match="has no rule nothing; it has errors, quiet"):
        world.run(rules.run_test, replace(options, rule="nothing"), now=NOW)
    with pytest.raises(CommandError, match="90 days"):
        world.run(rules.run_test, replace(options, start="2026-01-01"), now=NOW)
    with pytest.raises(UsageError, match="--from: 'monday' is not a date"):
        world.run(rules.run_test, replace(options, start="monday"), now=NOW)
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[[rules]]")
    with pytest.raises(CommandError, match=r"wrong\.toml:\nrule 1, type: is missing"):
        world.run(rules.run_test, rules.BackTestOptions(wrong), now=NOW)


def test_alerts_are_listed_until_the_last_page(world: World) -> None:
    """Those that go on; all, where asked."""
    past = [happened(None, number, "firing", "resolved", minutes=-100) for number in range(1, 61)]
    write_events(world.database, [event for events in past for event in events])
    happened(world.database, 61, "firing", minutes=-60)
    code, lines = world.run(alerts.run_list, alerts.ListOptions(), as_json=False)

    assert (code, lines) == (
        EXIT_OK,
        [
            "alert             state   severity  began, UTC        rule    series     what is wrong",
            "000000000000003d  firing  page      2026-11-24 10:00  errors  model=m61  Error rate is 8.1 %, usual at "
            "this hour is 2.0 %.",
        ],
    )
    assert len(world.run(alerts.run_list, alerts.ListOptions(every=True), as_json=False)[1]) == 62
    code, lines = world.run(alerts.run_list, alerts.ListOptions(["resolved"], end="2026-11-24"), as_json=True)
    assert json.loads("\n".join(lines)) == []
    assert world.run(alerts.run_list, alerts.ListOptions(), project="x", as_json=False)[1] == ["No alerts."]


def test_an_alert_is_shown_with_its_evidence(world: World) -> None:
    """What, since when, why, what happened, what was sent."""
    happened(world.database, 1, "pending", "firing", minutes=-60)
    world.alerting.outbox.enqueue(notice(1))
    code, lines = world.run(alerts.run_show, f"{1:016x}", as_json=False)

    assert (code, lines) == (
        EXIT_OK,
        [
            "Errors  model=m1  [firing]",
            "Error rate is 8.1 %, usual at this hour is 2.0 %.",
            "  began          2026-11-24 10:00 UTC",
            "  fired          2026-11-24 11:10 UTC",
            "  moved most by  prompt ask@v2",
            "  promise        expect one such false alarm in 30 days",
            "  samples        1,200",
            "history:",
            "  2026-11-24 11:00  pending",
            "  2026-11-24 11:10  firing   why",
            "sent:",
            "  2026-11-24 12:00  hook  firing  queued",
        ],
    )
    code, lines = world.run(alerts.run_show, f"{1:016x}", as_json=True)
    assert json.loads("\n".join(lines))["alert"]["rule_id"] == "errors"
    with pytest.raises(CommandError, match="There is no alert 0000000000000009 in the project shop"):
        world.run(alerts.run_show, f"{9:016x}", as_json=False)
    with pytest.raises(UsageError, match="'9' is not an alert's id"):
        world.run(alerts.run_show, "9", as_json=False)


def test_what_moved_it_stands_with_its_traces(world: World) -> None:
    """Slices in words, traces to open."""
    happened(world.database, 1, "firing")
    found = world.alerting.alerts.detail("shop", 1, NOW)
    assert found is not None
    moved = SliceChange(
        dims={}, label="prompt ask@v2", n_before=1, n_after=1, before=0, after=1, contribution=1, share=1
    )
    changed = WhatChanged(
        project="shop",
        signal="error_rate",
        title="Error rate",
        unit="ratio",
        before_start=NOW,
        before_end=NOW,
        start=NOW,
        end=NOW,
        n_before=1,
        n_after=1,
        before=0,
        after=1,
        slices=[moved],
        bad=[Exemplar(trace_id="ab" * 16, time=NOW, preview="timeout")],
        good=[Exemplar(trace_id="cd" * 16, time=NOW, name="ask")],
    )
    lines = list(alerts.described(found.model_copy(update={"what_changed": changed}).model_dump(mode="json")))
    at = lines.index("what moved it:")

    assert lines[at : at + 6] == [
        "what moved it:",
        "  prompt ask@v2",
        "bad traces:",
        f"  {'ab' * 16}  timeout",
        "good traces:",
        f"  {'cd' * 16}  ask",
    ]


def test_an_alert_is_taken(world: World) -> None:
    """And listed as taken; expected says what follows."""
    happened(world.database, 1, "firing")
    code, lines = world.run(alerts.run_ack, f"{1:016x}", by="me", note="", expected=False)
    assert (code, lines) == (EXIT_OK, ["Errors (0000000000000001) is taken by me: it is not repeated any more."])
    code, lines = world.run(alerts.run_ack, f"{1:016x}", by="", note="", expected=True)
    assert lines == [
        "Errors (0000000000000001) is taken: it ends at the next evaluation, and what is usual begins anew."
    ]
    assert "  firing, taken  " in world.run(alerts.run_list, alerts.ListOptions(end="2026-11-25"), as_json=False)[1][1]


def test_a_silence_is_made_listed_and_ended(world: World) -> None:
    """It says how to end it."""
    wanted = alerts.SilenceOptions("2h", "errors", ["model=m1", "route=a=b"], "moving", "me")
    code, lines = world.run(alerts.run_silence, wanted, now=NOW)
    (made,) = world.alerting.silences.shown("shop")

    assert (code, lines) == (
        EXIT_OK,
        [
            "errors of shop tell nobody until 2026-11-24 14:00 UTC.",
            f"To end it before:  spanwise alerts silence --end {made.silence_id} --project shop",
        ],
    )
    assert (made.series, made.ends_at - made.starts_at) == ({"model": "m1", "route": "a=b"}, timedelta(hours=2))
    assert world.run(alerts.run_silence, alerts.SilenceOptions(), now=NOW)[1] == [
        "silence           from, UTC         until, UTC        rule    series              by  reason",
        f"{made.silence_id}  2026-11-24 12:00  2026-11-24 14:00  errors  model=m1,route=a=b  me  moving",
    ]
    ending = alerts.SilenceOptions(end=made.silence_id)
    assert world.run(alerts.run_silence, ending, now=NOW) == (EXIT_OK, [f"The silence {made.silence_id} has ended."])
    assert world.run(alerts.run_silence, alerts.SilenceOptions(), now=NOW)[1] == ["No silences."]
    for wrong, says in (
        (alerts.SilenceOptions("2w"), "--for"),
        (alerts.SilenceOptions("2h", series=["x"]), "--series"),
    ):
        with pytest.raises(UsageError, match=says):
            world.run(alerts.run_silence, wrong, now=NOW)


def test_a_channel_is_tried(world: World) -> None:
    """Not delivered is a failure, for scripts."""
    assert world.run(alerts.run_test_channel, "hook") == (
        EXIT_FAILED,
        ["  ! hook       not sent within 12 s: no collector with the role alerts runs"],
    )
    with pytest.raises(CommandError, match="There is no channel nowhere; there are hook"):
        world.run(alerts.run_test_channel, "nowhere")


def test_a_collector_that_is_away_is_said() -> None:
    """With the remedy."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        away = Collector(f"http://127.0.0.1:{unused.getsockname()[1]}", "p")
        with pytest.raises(CommandError, match="No collector answers at http"):
            away.read("rules")


def test_a_time_without_a_zone_is_utc() -> None:
    """As everywhere."""
    assert time_option("--from", "2026-11-01") == "2026-11-01T00:00:00+00:00"
    assert time_option("--from", "2026-11-01T08:00+01:00") == "2026-11-01T08:00:00+01:00"


def test_the_commands_are_wired(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """From the command line to the API and back."""
    happened(world.database, 1, "firing")
    where = ["--api", world.url, "--project", "shop"]
    codes = [
        main(arguments)
        for arguments in (
            ["rules", "check", str(world.file)],
            ["rules", "test", str(world.file), "--rule", "quiet", "--to", "2026-11-24", *where],
            ["rules", "list", *where],
            ["alerts", "list", "--to", "2026-11-25", *where],
            ["alerts", "show", f"{1:016x}", *where],
            ["alerts", "ack", f"{1:016x}", "--by", "me", *where],
            ["alerts", "silence", "--for", "1000d", *where],
            ["alerts", "silence", *where],
        )
    ]
    captured = capsys.readouterr()

    assert codes == [0, 0, 0, 0, 0, 0, 1, 0]
    assert "a silence may last a year" in captured.err
    for words in ("nothing wrong", "would not have fired", "evaluated by", "what is wrong", "history:", "taken by me"):
        assert words in captured.out


@pytest.mark.parametrize("command", ["rules", "alerts"])
def test_help_teaches(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Lines that can be copied, each action with what it does."""
    with pytest.raises(SystemExit):
        main([command, "--help"])
    shown = capsys.readouterr().out
    assert f"  spanwise {command} list" in shown
    assert "exit codes:" in shown
    with pytest.raises(SystemExit) as caught:
        main([command])
    assert caught.value.code == 2
