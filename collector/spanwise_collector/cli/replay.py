"""`spanwise replay`: has a collector rebuild tables from Kafka, shows the difference, and has it swapped in."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from spanwise_collector.cli.asking import Collector, columns, shown_time, time_option
from spanwise_collector.cli.errors import EXIT_OK, CommandError, UsageError
from spanwise_collector.cli.terminal import Terminal

POLL_S: Final = 0.5
LOST_AFTER: Final = 20
"""So many questions without an answer in a row, and the collector is taken for gone."""
MOST_COLUMNS: Final = 8
_NANO: Final = 1_000_000_000

REPLAY_NOTE: Final = """\
examples:
  spanwise replay --from 2026-11-20 --to 2026-11-25            rebuilds, shows the difference, then asks
  spanwise replay --from 2026-11-20 --to 2026-11-25 --dry-run  only shows it; `--discard` drops what was rebuilt
  spanwise replay --from 2026-11-20 --to 2026-11-25 --prices negotiated.toml --yes
  spanwise replay --from 2026-11-20 --to 2026-11-25 --mask-patterns email,credit_card
  spanwise replay --status

What Kafka still holds of that time (the records' times) is read once more by the installed version, with its mapping of
conventions and, where no options say otherwise, the collector's prices and masks. Everything is made beside the tables
in use: nothing changes before the swap, and after an interruption the same command goes on. docs/replay.md.

"""


def add_replay(parser: argparse.ArgumentParser, add_data_dir: Callable[[argparse.ArgumentParser, str], None]) -> None:
    """The options of `spanwise replay`."""
    parser.add_argument("--from", dest="start", default="", metavar="TIME", help="records from here on")
    parser.add_argument("--to", dest="end", default="", metavar="TIME", help="and before this")
    parser.add_argument(
        "--prices", type=Path, metavar="FILE", help="a price file (default: the collector's SPANWISE_PRICES_FILE)"
    )
    parser.add_argument(
        "--mask-patterns", metavar="P", help="what to mask by its form (default: SPANWISE_MASK_PATTERNS)"
    )
    parser.add_argument("--mask-keys", metavar="K", help="what to mask by its name (default: SPANWISE_MASK_KEYS)")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--dry-run", action="store_true", help="show the difference and do not ask to swap")
    how.add_argument("--yes", action="store_true", help="swap without asking")
    how.add_argument("--status", action="store_true", help="show the replay that is there, and what it would change")
    how.add_argument("--discard", action="store_true", help="drop what was rebuilt; nothing in use changes")
    add_data_dir(parser, "of the `spanwise up` to ask")
    parser.add_argument("--api", metavar="URL", help="ask this collector instead")


def run_replay(
    options: argparse.Namespace,
    *,
    ask: Callable[[str], str] = input,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Do what the options say.

    Args:
        options: of the command line.
        ask: asks the user; an end of input is a no.
        sleep: waits, in seconds.

    Raises:
        CommandError: an option is wrong, the collector does not answer, or the replay failed.
    """
    terminal = Terminal(sys.stdout)
    collector = Collector.of(options.api or "", options.data_dir, "")
    if options.discard:
        collector.remove("replay")
        terminal.line("Discarded. The tables in use are as they were.")
        return EXIT_OK
    if options.status:
        _tell(collector.read("replay"), terminal)
        return EXIT_OK
    found = _finished(collector, collector.send("replay", body=_body(options)), terminal, sleep)
    _tell(found, terminal)
    if options.dry_run or not any(_differs(one) for one in found["projects"]):
        if not options.dry_run:
            collector.remove("replay")
        return EXIT_OK
    if not options.yes and not _agreed(ask):
        terminal.line("Nothing was changed. What was rebuilt stays until `spanwise replay --discard`.")
        return EXIT_OK
    _finished(collector, collector.send("replay", "swap", body={}), terminal, sleep)
    collector.remove("replay")
    terminal.line("Swapped in.")
    return EXIT_OK


def told(found: Mapping[str, Any]) -> Iterator[str]:
    """The lines to print of a replay's difference."""
    projects = found["projects"]
    if not any(_differs(one) for one in projects):
        spans = sum(one["after"] for one in projects)
        yield f"{spans:,} spans were rebuilt, and nothing differs from what is in use."
        return
    rows: list[tuple[str, ...]] = [
        ("project", "spans", "rebuilt", "new", "gone", "changed", "bodies changed", "cost, USD", "rebuilt, USD")
    ]
    rows += [
        (
            one["project"],
            *(f"{one[name]:,}" for name in ("before", "after", "added", "removed", "changed", "bodies")),
            *(f"{one[name] / _NANO:,.6f}" for name in ("cost_before_nanousd", "cost_after_nanousd")),
        )
        for one in projects
    ]
    yield from columns(rows)
    for one in projects:
        if one["columns"]:
            shown = [f"{name} {count:,}" for name, count in list(one["columns"].items())[:MOST_COLUMNS]]
            more = len(one["columns"]) - len(shown)
            yield f"{one['project']}: changed in {', '.join(shown)}{f' and {more} more columns' if more else ''}"
        if one["examples"]:
            yield f"{one['project']}: for example the traces {', '.join(one['examples'])}"


def _tell(found: Mapping[str, Any], terminal: Terminal) -> None:
    terminal.line(f"records from {shown_time(found['start'])} to {shown_time(found['end'])}, UTC: {found['phase']}")
    if found["failure"]:
        terminal.line(found["failure"])
    if found["phase"] == "ready":
        for line in told(found):
            terminal.line(line)


def _body(options: argparse.Namespace) -> dict[str, object]:
    if not options.start or not options.end:
        raise UsageError("Say which records: --from TIME --to TIME (or --status, or --discard).")
    body: dict[str, object] = {
        "from": time_option("--from", options.start),
        "to": time_option("--to", options.end),
        "mask_patterns": options.mask_patterns,
        "mask_keys": options.mask_keys,
    }
    if options.prices is not None:
        try:
            body["prices"] = options.prices.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"--prices: {options.prices} cannot be read ({error}).") from error
    return body


def _finished(
    collector: Collector, found: dict[str, Any], terminal: Terminal, sleep: Callable[[float], None]
) -> dict[str, Any]:
    """Wait until it stands still; says how far it is."""
    silent, said = 0, ""
    while found["state"] == "running":
        share = 10 * (10 * found["done"] // found["total"]) if found["total"] else 0
        line = f"{found['phase']}: {share} %"
        if line != said:
            terminal.line(line)
            said = line
        sleep(POLL_S)
        try:
            found, silent = collector.read("replay"), 0
        except CommandError:
            silent += 1
            if silent > LOST_AFTER:
                raise
    if found["state"] == "failed":
        raise CommandError(str(found["failure"]))
    return found


def _differs(project: Mapping[str, Any]) -> bool:
    return any(project[name] for name in ("added", "removed", "changed", "bodies"))


def _agreed(ask: Callable[[str], str]) -> bool:
    try:
        return ask("Swap this in? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False
