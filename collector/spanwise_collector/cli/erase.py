"""`spanwise erase`: asks a collector to erase what is stored of a user, a session or a trace, and reports."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from spanwise_collector.cli.asking import Collector, columns, shown_time
from spanwise_collector.cli.errors import EXIT_OK, CommandError
from spanwise_collector.cli.terminal import Terminal

ERASE_NOTE: Final = """\
examples:
  spanwise erase --project shop --user u-17 --dry-run       counts what would go
  spanwise erase --project shop --user u-17                 shows it, then asks
  spanwise erase --project shop --session 9f2c --yes
  spanwise erase --project shop --trace 4bf92f3577b34da6a3ce929d0e0e4736
  spanwise erase --project shop --list                      what was erased, and how far it is

Whole traces go, with everything that is stored of them, and a replay does not bring them back. It cannot be undone.
What started before the command is meant; later spans of the user or session are stored as ever: docs/erasure.md.
The key needs the scope admin. After an interruption it goes on by itself; --list says how far it is.
"""
POLL_S: Final = 1.0
LOST_AFTER: Final = 30
"""So many questions without an answer in a row, and the collector is taken for gone."""


def add_erase(parser: argparse.ArgumentParser, add_data_dir: Callable[[argparse.ArgumentParser, str], None]) -> None:
    """The options of `spanwise erase`."""
    parser.add_argument("--project", default="default", metavar="P", help="whose (default: default)")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--user", default="", metavar="ID", help="all traces of this user")
    what.add_argument("--session", default="", metavar="ID", help="all traces of this session")
    what.add_argument("--trace", default="", metavar="ID", help="one trace, 32 hex digits")
    what.add_argument("--list", action="store_true", help="show what was erased")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--dry-run", action="store_true", help="only count what would go")
    how.add_argument("--yes", action="store_true", help="do not ask")
    add_data_dir(parser, "of the `spanwise up` to ask")
    parser.add_argument("--api", metavar="URL", help="ask this collector instead")


def run_erase(
    options: argparse.Namespace, *, ask: Callable[[str], str] = input, sleep: Callable[[float], None] = time.sleep
) -> int:
    """Count, ask, erase and report.

    Returns:
        `EXIT_OK`, also when there is nothing to do or the user says no.

    Raises:
        CommandError: an option is wrong, the collector does not answer, or it refused.
    """
    terminal = Terminal(sys.stdout)
    collector = Collector.of(options.api or "", options.data_dir, options.project)
    if options.list:
        for line in listed(collector.read("erasures")["items"]):
            terminal.line(line)
        return EXIT_OK
    wanted = {name: getattr(options, name) for name in ("user", "session", "trace") if getattr(options, name)}
    found = collector.send("erasures", body=wanted | {"dry_run": True}, timeout_s=150.0)
    for line in counted(found):
        terminal.line(line)
    if options.dry_run:
        return EXIT_OK
    if not options.yes and not _agreed(ask):
        terminal.line("Nothing was erased.")
        return EXIT_OK
    done = _finished(collector, collector.send("erasures", body=wanted), terminal, sleep)
    for line in report(done, collector.read("erasures")["not_reached"]):
        terminal.line(line)
    return EXIT_OK


def counted(found: Mapping[str, Any]) -> Iterator[str]:
    """What would go."""
    if not found["traces"]:
        yield "Nothing is stored of it now. Erasing keeps out what is still to arrive."
        return
    yield f"{found['traces']:,} traces"
    yield from columns([(f"  {table}", f"{rows:,} rows") for table, rows in found["rows"].items()])


def report(done: Mapping[str, Any], not_reached: list[str]) -> Iterator[str]:
    """What came of it, and what it does not reach."""
    yield f"Erased: {done['traces']:,} traces ({done['id']})."
    yield from columns([(f"  {table}", f"{rows:,} rows") for table, rows in done["rows"].items()])
    if done["rolled_up"]:
        made = ", ".join(f"{rows:,} of {table}" for table, rows in done["rolled_up"].items())
        yield f"Rows of roll-ups made anew: {made}, and the coarser ones."
    if done["kept_in_rollups"]:
        yield (
            f"{done['kept_in_rollups']:,} combinations in roll-ups keep their sums, since other spans of them have "
            "expired. They hold counts and no contents."
        )
    yield "Not reached:"
    for line in not_reached:
        yield f"  {line}"


def listed(items: list[dict[str, Any]]) -> list[str]:
    """A line for each erasure."""
    if not items:
        return ["Nothing was erased."]
    head = ("asked at (UTC)", "id", "of", "state", "traces", "rows", "kept out since", "by")
    rows = [
        (
            shown_time(one["asked_at"]),
            one["id"],
            f"trace {one['trace_id']}" if one["trace_id"] else f"a {one['kind']}",
            f"{one['state']} ({one['failure']})" if one["failure"] else one["state"],
            f"{one['traces']:,}",
            f"{sum(one['rows'].values()):,}",
            f"{one['kept_out']:,}",
            one["by"],
        )
        for one in items
    ]
    return columns([head, *rows])


def _finished(
    collector: Collector, erasure: dict[str, Any], terminal: Terminal, sleep: Callable[[float], None]
) -> dict[str, Any]:
    silent, said = 0, ""
    while erasure["state"] != "done":
        told = erasure["failure"] or (f"{erasure['days_left']:,} days left" if erasure["days_left"] else "at work")
        if told != said:
            terminal.line(f"{erasure['id']}: {told}")
            said = told
        sleep(POLL_S)
        try:
            erasure = collector.read("erasures", erasure["id"])
            silent = 0
        except CommandError:
            silent += 1
            if silent > LOST_AFTER:
                raise
    return erasure


def _agreed(ask: Callable[[str], str]) -> bool:
    try:
        return ask("Erase this for good? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False
