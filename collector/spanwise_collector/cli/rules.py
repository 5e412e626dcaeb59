"""`spanwise rules`: what is watched, whether a file can be used, and when its rules would have fired."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from spanwise_collector.cli.asking import Collector, columns, series_text, shown_time, time_option
from spanwise_collector.cli.errors import EXIT_FAILED, EXIT_OK, CommandError, UsageError
from spanwise_collector.cli.terminal import Terminal

BACK_TEST_S: Final = 300.0
DEFAULT_DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class BackTestOptions:
    """What to try.

    Attributes:
        file: an alerts file.
        start: date or RFC 3339; 30 days before the end where it is empty.
        end: likewise; now where it is empty.
        rule: id of the one rule to try; empty for all.
        as_json: print the API's answers and nothing else.
        fail_if_fired: the exit code tells whether one would have fired.
    """

    file: Path
    start: str = ""
    end: str = ""
    rule: str = ""
    as_json: bool = False
    fail_if_fired: bool = False


def run_list(collector: Collector, terminal: Terminal, *, as_json: bool) -> int:
    """Print the rules of a project.

    Raises:
        CommandError: the collector does not answer, or refuses.
    """
    found = collector.read("rules")
    if as_json:
        terminal.line(json.dumps(found, indent=2, ensure_ascii=False))
        return EXIT_OK
    for line in listing(found["items"]):
        terminal.line(line)
    who = found.get("evaluator") or "nobody: no collector with the role alerts runs"
    terminal.line(f"evaluated by {who}; up to {shown_time(found.get('last_round'))} UTC")
    return EXIT_OK


def listing(items: Sequence[Mapping[str, Any]]) -> list[str]:
    """The rules as a table; what hinders one stands below it."""
    if not items:
        return ["No rules in this project."]
    rows = [("rule", "from", "severity", "series", "firing", "last fired, UTC", "what it watches")]
    rows += [
        (
            one["rule_id"],
            one["source"].replace("_", " "),
            one["severity"] if one["enabled"] else "off",
            f"{one['series']:,}",
            str(one["firing"] or "-"),
            shown_time(one["last_fired"]),
            " ".join(filter(None, (one["sentence"], f"({one['promise']})" if one["promise"] else ""))),
        )
        for one in items
    ]
    head, *lines = columns(rows)
    found = [head]
    for line, one in zip(lines, items, strict=True):
        found += [line, *([f"    ! {one['problem']}"] if one["problem"] else [])]
    return found


def run_check(file: Path, terminal: Terminal, *, as_json: bool) -> int:
    """Say whether an alerts file can be used; asks no collector.

    Returns:
        `EXIT_OK` when it can, `EXIT_FAILED` when something is wrong.

    Raises:
        UsageError: the file cannot be read.
    """
    from spanwise_collector.alerts.alerts_file import check_alerts, sentence

    config, problems = check_alerts(_text(file))
    if as_json:
        answer = {
            "rules": len(config.rules),
            "channels": len(config.channels),
            "problems": [problem.model_dump() for problem in problems],
        }
        terminal.line(json.dumps(answer, indent=2, ensure_ascii=False))
        return EXIT_FAILED if problems else EXIT_OK
    for problem in problems:
        terminal.line(f"{file}: {sentence(problem)}")
    if not problems:
        found = f"{_counted(len(config.rules), 'rule')}, {_counted(len(config.channels), 'channel')}"
        terminal.line(f"{file}: {found}, nothing wrong")
    return EXIT_FAILED if problems else EXIT_OK


def run_test(options: BackTestOptions, collector: Collector, terminal: Terminal, *, now: datetime) -> int:
    """Say when rules of a file would have fired on stored history.

    Args:
        options: what to try.
        collector: has the history; its project is that of rules that name none.
        terminal: where the lines go.
        now: current time, UTC.

    Returns:
        `EXIT_OK`; `EXIT_FAILED` where one would have fired and that was asked.

    Raises:
        UsageError: the file or a time cannot be read, or the file has no such rule.
        CommandError: the file has a mistake, the collector does not answer, or a rule cannot be tried.
    """
    from spanwise_collector.alerts.alerts_file import AlertsFileError, read_alerts

    text = _text(options.file)
    try:
        config = read_alerts(text)
    except AlertsFileError as error:
        raise CommandError(f"{options.file}:\n{error}") from None
    wanted = [entry for (_, rule_id), entry in config.entries.items() if options.rule in ("", rule_id)]
    if not wanted:
        ids = ", ".join(rule.id for rule in config.rules) or "none"
        raise UsageError(f"{options.file} has no rule {options.rule}; it has {ids}.".replace("no rule ;", "no rules;"))
    end = time_option("--to", options.end) if options.end else now.isoformat()
    before = (datetime.fromisoformat(end).astimezone(UTC) - timedelta(days=DEFAULT_DAYS)).isoformat()
    start = time_option("--from", options.start) if options.start else before
    answers = []
    for number, entry in enumerate(wanted, 1):
        if not options.as_json:
            terminal.waiting(f"rule {number} of {len(wanted)}: {entry['id']}")
        rule = {name: value for name, value in entry.items() if name != "channels"}
        answer = collector.send(
            "rules", "back-test", body={"rule": rule}, timeout_s=BACK_TEST_S, **{"from": start, "to": end}
        )
        answers.append(answer)
        if not options.as_json:
            for line in tried(answer):
                terminal.line(line)
    if options.as_json:
        terminal.line(json.dumps(answers, indent=2, ensure_ascii=False))
    has_fired = any(answer["firings"] for answer in answers)
    return EXIT_FAILED if options.fail_if_fired and has_fired else EXIT_OK


def tried(answer: Mapping[str, Any]) -> Iterator[str]:
    """What became of a rule on history: a line, and a table of when it would have fired."""
    firings = answer["firings"]
    span = datetime.fromisoformat(answer["end"]) - datetime.fromisoformat(answer["start"])
    looked = f"{_counted(answer['series'], 'series', 'series')}, {_counted(answer['evaluations'], 'evaluation')}"
    times = "once" if len(firings) == 1 else f"{len(firings)} times"
    all_in_all = f"would have fired {times}, for {answer['firing_hours']:.1f} h in all"
    fired = all_in_all if firings else "would not have fired"
    yield f"{answer['rule_id']}: {fired}, in {span / timedelta(days=1):.1f} days ({looked})"
    if answer.get("promise"):
        yield f"    {answer['promise']}"
    if answer.get("note"):
        yield f"    ! {answer['note']}"
    if firings:
        rows = [("would have fired, UTC", "ended", "series", "what it would have said")]
        rows += [
            (
                shown_time(one["fired_at"]),
                shown_time(one["ended_at"]) if one["ended_at"] else "goes on",
                series_text(one["series"]),
                one["sentence"],
            )
            for one in firings
        ]
        yield from (f"    {line}" for line in columns(rows))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read ({error}).") from error


def _counted(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
