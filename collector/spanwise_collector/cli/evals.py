"""`spanwise evals`: whether an evals file can be used, what judges did, and scoring once."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spanwise_collector.cli.asking import Collector, columns, shown_time
from spanwise_collector.cli.errors import EXIT_FAILED, EXIT_OK, UsageError
from spanwise_collector.cli.terminal import Terminal


def run_check(file: Path, terminal: Terminal) -> int:
    """Say whether an evals file can be used; asks no collector and no endpoint.

    Returns:
        `EXIT_OK` when it can, `EXIT_FAILED` when something is wrong.

    Raises:
        UsageError: the file, or a setting, cannot be read.
    """
    from spanwise_collector.evals.evals_file import check_evals
    from spanwise_collector.service import ConfigurationError, read_prices
    from spanwise_collector.settings import SettingsError, load

    try:
        text = file.read_text(encoding="utf-8")
        prices = read_prices(load())
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from None
    except (SettingsError, ConfigurationError) as error:
        raise UsageError(str(error)) from None
    config, problems = check_evals(text, file.parent, prices, time.time_ns() // 1000)
    for problem in problems:
        terminal.line(str(problem))
    if problems:
        return EXIT_FAILED
    for entry, evaluator in config.evaluators:
        terminal.line(f"{evaluator.name}: an evaluator of version {evaluator.version}, in the project {entry.project}")
    for judge in config.judges:
        entry_of = judge.entry
        terminal.line(
            f"{entry_of.name}: {entry_of.model} at {entry_of.endpoint}, {entry_of.sample:.4g} of the project "
            f"{entry_of.project}, {entry_of.usd_per_day} USD a day at most; its calls go to the project "
            f"{entry_of.traced_in}"
        )
    terminal.line("The file can be used.")
    return EXIT_OK


def run_status(collector: Collector, terminal: Terminal, *, as_json: bool) -> int:
    """Print what judges and evaluators did in the last day.

    Raises:
        CommandError: the collector does not answer, or refuses.
    """
    found = collector.read("evals", "judging")
    errors = collector.read("evals", "judges", "errors")
    if as_json:
        terminal.line(json.dumps({**found, "errors": errors["items"]}, indent=2, ensure_ascii=False))
        return EXIT_OK
    for line in [*listing(found["items"]), *error_lines(errors["items"]), process_line(found["process"])]:
        terminal.line(line)
    return EXIT_OK


def listing(items: Sequence[Mapping[str, Any]]) -> list[str]:
    """Judges and evaluators as a table."""
    if not items:
        return ["Nothing was scored in this project in the last day. SPANWISE_EVALS_FILE says what is; docs/judges.md."]
    rows = [("judge or evaluator", "scored", "cached", "skipped", "errors", "cost, USD", "spent today", "last, UTC")]
    for one in items:
        said, budget = one["outcomes"], one["budget"]
        rows.append(
            (
                one["judge"],
                f"{said.get('scored', 0):,}",
                f"{said.get('cached', 0):,}",
                f"{said.get('skipped_budget', 0):,}",
                f"{sum(n for outcome, n in said.items() if outcome.startswith('error:')):,}",
                f"{one['cost_nanousd'] / 1e9:.4f}",
                _spent(budget) if budget else "-",
                shown_time(one["last_at"]),
            )
        )
    return columns(rows)


def error_lines(items: Sequence[Mapping[str, Any]]) -> list[str]:
    """Errors, one per line."""
    return [f"  ! {one['judge']}: {one['count']:,} x {one['error']}: {one['last_message']}" for one in items]


def process_line(process: Mapping[str, Any] | None) -> str:
    """How the role stands in the collector that was asked."""
    if process is None:
        return "The collector that was asked does not have the role evals, or no SPANWISE_EVALS_FILE."
    lag = "unknown" if process["lag"] is None else f"{process['lag']:,} records"
    state = process["waiting"] or ("reading" if process["running"] else "not running")
    problem = f"; the evals file has a mistake and the one from before is used: {process['problem']}"
    return f"evals: {state}, lag {lag}{problem if process['problem'] else ''}"


def run_once(seconds: float, terminal: Terminal) -> int:
    """Score what is in Kafka now.

    Args:
        seconds: that it may take.
        terminal: where it is told.

    Returns:
        `EXIT_OK` when everything was scored, `EXIT_FAILED` when time was over before.

    Raises:
        UsageError: a setting is wrong.
    """
    from spanwise_collector.service import ConfigurationError, make_evals, open_database
    from spanwise_collector.settings import SettingsError, load

    try:
        settings = load(role=frozenset({"evals"}))
        if settings.evals_file is None:
            raise UsageError("SPANWISE_EVALS_FILE is not set: it says what to score, and how.")
        database = open_database(settings)
    except (SettingsError, ConfigurationError) as error:
        raise UsageError(str(error)) from None
    try:
        role = make_evals(settings, database)
        assert role is not None, "it has a file and the role"
        role.start()
        role.stop(seconds, drain=True)
        status = role.status()
    except ConfigurationError as error:
        raise UsageError(str(error)) from None
    finally:
        database.close()
    terminal.line(f"{status.counts.records:,} records read, {status.counts.scores:,} scores sent")
    if status.lag == 0 and not status.waiting:
        return EXIT_OK
    terminal.line(f"Not everything was scored: {status.waiting or 'the time was over'}")
    return EXIT_FAILED


def _spent(budget: Mapping[str, Any]) -> str:
    spent, limit = budget["spent_nanousd"] / 1e9, budget["limit_nanousd"] / 1e9
    return f"{spent:.4f} of {limit:.2f}{', exhausted' if budget['is_exhausted'] else ''}"
