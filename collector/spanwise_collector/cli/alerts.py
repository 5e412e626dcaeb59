"""`spanwise alerts`: what fires, taking an alert, silencing, trying a channel."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from spanwise_collector.cli.asking import Collector, columns, series_text, shown_time, time_option
from spanwise_collector.cli.errors import EXIT_FAILED, EXIT_OK, UsageError
from spanwise_collector.cli.terminal import Terminal

OPEN: Final = ("firing", "recovering", "pending", "no_data", "error")
_LENGTH: Final = re.compile(r"(\d{1,4})([mhd])")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}
_ALERT_ID: Final = re.compile(r"[0-9a-fA-F]{16}")


@dataclass(frozen=True, slots=True)
class ListOptions:
    """Which alerts.

    Attributes:
        states: alternatives; empty for what has not ended.
        every: those that have ended as well.
        rule: id; empty for all.
        start: date or RFC 3339; empty for 30 days before the end.
        end: likewise; empty for now.
    """

    states: Sequence[str] = ()
    every: bool = False
    rule: str = ""
    start: str = ""
    end: str = ""


@dataclass(frozen=True, slots=True)
class SilenceOptions:
    """What to silence, or which silence to end.

    Attributes:
        length: such as `2h`.
        rule: id; empty for all rules.
        series: `dimension=value`, all of which must fit.
        reason: for others.
        by: who.
        end: id of a silence to end; empty to make one.
    """

    length: str = ""
    rule: str = ""
    series: Sequence[str] = ()
    reason: str = ""
    by: str = ""
    end: str = ""


def run_list(options: ListOptions, collector: Collector, terminal: Terminal, *, as_json: bool) -> int:
    """Print alerts, those that began last first.

    Returns:
        `EXIT_OK`.

    Raises:
        UsageError: a time cannot be read.
        CommandError: the collector does not answer, or refuses.
    """
    parameters = {
        "state": list(options.states) or ([] if options.every else list(OPEN)),
        "rule": options.rule,
        "from": time_option("--from", options.start) if options.start else "",
        "to": time_option("--to", options.end) if options.end else "",
    }
    items: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = collector.read("alerts", **parameters, cursor=cursor)
        items += page["items"]
        cursor = page["next_cursor"] or ""
        if not cursor:
            break
    if as_json:
        terminal.line(json.dumps(items, indent=2, ensure_ascii=False))
        return EXIT_OK
    for line in listing(items):
        terminal.line(line)
    return EXIT_OK


def listing(items: Sequence[Mapping[str, Any]]) -> list[str]:
    """Alerts as a table."""
    if not items:
        return ["No alerts."]
    rows = [("alert", "state", "severity", "began, UTC", "rule", "series", "what is wrong")]
    rows += [
        (
            one["alert_id"],
            _state(one),
            one["severity"],
            shown_time(one["began"]),
            one["rule_id"],
            series_text(one["series"]),
            one["sentence"],
        )
        for one in items
    ]
    return columns(rows)


def run_show(alert_id: str, collector: Collector, terminal: Terminal, *, as_json: bool) -> int:
    """Print one alert with its evidence.

    Raises:
        UsageError: the id is none.
        CommandError: the collector does not answer, or has no such alert.
    """
    found = collector.read("alerts", _alert_id(alert_id))
    if as_json:
        terminal.line(json.dumps(found, indent=2, ensure_ascii=False))
        return EXIT_OK
    for line in described(found):
        terminal.line(line)
    return EXIT_OK


def described(found: Mapping[str, Any]) -> Iterator[str]:
    """An alert in lines: what, since when, why, what happened, what was sent."""
    alert = found["alert"]
    yield f"{alert['rule_name']}  {series_text(alert['series'])}  [{_state(alert)}]"
    yield alert["sentence"]
    facts = {
        "began": f"{shown_time(alert['began'])} UTC",
        "fired": f"{shown_time(alert['fired_at'])} UTC" if alert["fired_at"] else "",
        "ended": f"{shown_time(alert['ended_at'])} UTC" if alert["ended_at"] else "",
        "moved most by": alert["top_cause"],
        "promise": alert["promise"],
        "taken by": alert["acknowledged_by"],
        "silenced until": f"{shown_time(alert['silenced_until'])} UTC" if alert["silenced_until"] else "",
        "runbook": found["runbook"],
        **{label.lower(): words for label, words in found["evidence"].items()},
    }
    yield from (f"  {line}" for line in columns([(name, words) for name, words in facts.items() if words]))
    changed = found.get("what_changed") or {}
    for title, key, words in (
        ("what moved it", "slices", lambda one: one["sentence"] or one["label"]),
        ("bad traces", "bad", lambda one: f"{one['trace_id']}  {one['preview'] or one['name']}"),
        ("good traces", "good", lambda one: f"{one['trace_id']}  {one['preview'] or one['name']}"),
    ):
        if changed.get(key):
            yield f"{title}:"
            yield from (f"  {words(one)}" for one in changed[key])
    yield "history:"
    yield from (
        f"  {line}"
        for line in columns(
            [
                (shown_time(one["time"]), one["to_state"], " ".join(filter(None, (one["by"], one["note"]))))
                for one in found["events"]
            ]
        )
    )
    if found["deliveries"]:
        yield "sent:"
        rows = [
            (shown_time(one["created_at"]), one["channel"], one["kind"], one["state"].replace("_", " "), one["error"])
            for one in found["deliveries"]
        ]
        yield from (f"  {line}" for line in columns(rows))


def run_ack(alert_id: str, collector: Collector, terminal: Terminal, *, by: str, note: str, expected: bool) -> int:
    """Take an alert, or call its change expected.

    Raises:
        UsageError: the id is none.
        CommandError: the collector does not answer, or has no such alert.
    """
    body = {"by": by, "note": note, "expected": expected}
    taken = collector.send("alerts", _alert_id(alert_id), "acknowledge", body=body)
    ends = "it ends at the next evaluation, and what is usual begins anew"
    then = ends if expected else "it is not repeated any more"
    terminal.line(f"{taken['rule_name']} ({taken['alert_id']}) is taken{f' by {by}' if by else ''}: {then}.")
    return EXIT_OK


def run_silence(options: SilenceOptions, collector: Collector, terminal: Terminal, *, now: datetime) -> int:
    """Make a silence from now on, end one, or list them where nothing is asked.

    Raises:
        UsageError: a length or a series cannot be read.
        CommandError: the collector does not answer, or refuses.
    """
    if options.end:
        collector.remove("silences", options.end)
        terminal.line(f"The silence {options.end} has ended.")
        return EXIT_OK
    if not options.length:
        for line in silence_listing(collector.read("silences")["items"]):
            terminal.line(line)
        return EXIT_OK
    body = {
        "rule_id": options.rule,
        "series": dict(map(_pair, options.series)),
        "starts_at": now.isoformat(),
        "ends_at": (now + _length(options.length)).isoformat(),
        "reason": options.reason,
        "by": options.by,
    }
    made = collector.send("silences", body=body)
    what = made["rule_id"] or "all rules"
    terminal.line(f"{what} of {made['project']} tell nobody until {shown_time(made['ends_at'])} UTC.")
    terminal.line(f"To end it before:  spanwise alerts silence --end {made['silence_id']} --project {made['project']}")
    return EXIT_OK


def silence_listing(items: Sequence[Mapping[str, Any]]) -> list[str]:
    """Silences as a table."""
    if not items:
        return ["No silences."]
    rows = [("silence", "from, UTC", "until, UTC", "rule", "series", "by", "reason")]
    rows += [
        (
            one["silence_id"],
            shown_time(one["starts_at"]),
            shown_time(one["ends_at"]),
            one["rule_id"] or "all",
            series_text(one["series"]),
            one["by"] or "-",
            one["reason"],
        )
        for one in items
    ]
    return columns(rows)


def run_test_channel(name: str, collector: Collector, terminal: Terminal) -> int:
    """Send a test notification.

    Returns:
        `EXIT_OK` when it was delivered, `EXIT_FAILED` when not.

    Raises:
        CommandError: the collector does not answer, or has no such channel.
    """
    found = collector.send("channels", name, "test", body={})
    if found["delivered"]:
        terminal.done(name, "delivered" + (f", but {found['detail']}" if found["detail"] else ""))
        return EXIT_OK
    terminal.failed(name, found["detail"] or "not delivered")
    return EXIT_FAILED


def _state(alert: Mapping[str, Any]) -> str:
    words = [alert["state"].replace("_", " ")]
    words += ["silenced"] if alert["silenced_until"] else []
    words += ["taken"] if alert["acknowledged_at"] else []
    return ", ".join(words)


def _alert_id(text: str) -> str:
    if _ALERT_ID.fullmatch(text) is None:
        raise UsageError(f"{text!r} is not an alert's id: 16 hex digits, as `spanwise alerts list` shows it.")
    return text


def _length(text: str) -> timedelta:
    match = _LENGTH.fullmatch(text)
    if match is None or not int(match[1]):
        raise UsageError(f"--for: {text!r} is no length of time; write a number and m, h or d, such as 90m, 2h or 1d.")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _pair(text: str) -> tuple[str, str]:
    name, is_there, value = text.partition("=")
    if not is_there or not name:
        raise UsageError(f"--series: {text!r} is not dimension=value, such as model=gpt-4o.")
    return name, value
