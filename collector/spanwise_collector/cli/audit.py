"""`spanwise audit`: whether everything that was sent is accounted for."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from spanwise_collector.cli.asking import Collector, columns, shown_time, time_option
from spanwise_collector.cli.errors import EXIT_FAILED, EXIT_OK
from spanwise_collector.cli.terminal import Terminal

AUDIT_NOTE: Final = """\
examples:
  spanwise audit                                   the last 24 hours
  spanwise audit --from 2026-11-01 --to 2026-11-08
  spanwise audit --json                            for programs

It reconciles what was read from Kafka with what is in the tables, and each producer's numbering with what arrived:
docs/delivery.md. Exit status: 0 everything is accounted for, 1 something is not, and what; 2 wrong usage.
"""


def add_audit(parser: argparse.ArgumentParser, add_data_dir: Callable[[argparse.ArgumentParser, str], None]) -> None:
    """The options of `spanwise audit`."""
    parser.add_argument("--from", dest="start", default="", metavar="TIME", help="default: 24 hours before the end")
    parser.add_argument("--to", dest="end", default="", metavar="TIME", help="default: now")
    parser.add_argument("--json", action="store_true", help="print what the API says")
    add_data_dir(parser, "of the `spanwise up` to ask")
    parser.add_argument("--api", metavar="URL", help="ask this collector instead")


def run_audit(options: argparse.Namespace) -> int:
    """Ask, and say what came of it.

    Returns:
        `EXIT_FAILED` when something is not accounted for.
    """
    terminal = Terminal(sys.stdout)
    collector = Collector.of(options.api or "", options.data_dir, "")
    times = {"from": ("--from", options.start), "to": ("--to", options.end)}
    asked = {name: time_option(option, text) for name, (option, text) in times.items() if text}
    found = collector.read("audit", **asked)
    if options.json:
        terminal.line(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        for line in told(found):
            terminal.line(line)
    return EXIT_FAILED if found["problems"] else EXIT_OK


def told(found: Mapping[str, Any]) -> Iterator[str]:
    """The lines to print of the API's answer."""
    yield f"stored from {shown_time(found['start'])} to {shown_time(found['end'])}, UTC"
    if not found["partitions"]:
        yield "Nothing was read from Kafka in this time."
        return
    yield ""
    rows: list[tuple[str, ...]] = [
        (
            *("partition", "offsets", "batches", "records", "spans", "scores"),
            *("duplicates", "rejected", "erased", "in Kafka"),
        )
    ]
    rows += [_row(one) for one in found["partitions"]]
    yield from columns(rows)
    yield ""
    yield (
        f"emitted {found['emitted']:,} = stored {found['stored']:,} + duplicates {found['duplicates']:,} + rejected "
        f"{found['rejected']:,} + erased {found['erased']:,}"
    )
    yield (
        f"{found['producers_total']:,} producers; they dropped {found['dropped']:,} themselves, and said so; "
        f"{'how many records wait in Kafka is not known here' if found['waiting'] is None else _waiting(found)}"
    )
    yield ""
    if not found["problems"]:
        yield "Everything is accounted for."
    for problem in found["problems"]:
        yield f"NOT ACCOUNTED FOR  {problem}"


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    ahead = "-" if one["end_offset"] is None else f"{max(0, one['end_offset'] - one['next_offset']):,} to read"
    return (
        f"{one['topic']}/{one['partition']}",
        f"{one['first_offset']:,} to {one['last_offset']:,}",
        *(f"{one[name]:,}" for name in ("batches", "records", "spans", "scores", "duplicates", "rejected", "erased")),
        ahead,
    )


def _waiting(found: Mapping[str, Any]) -> str:
    return f"{found['waiting']:,} records wait in Kafka"
