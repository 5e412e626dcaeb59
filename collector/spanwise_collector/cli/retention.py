"""`spanwise retention`: how long what is kept of a project."""

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from spanwise_collector.cli.asking import Collector, columns, shown_time
from spanwise_collector.cli.errors import EXIT_OK
from spanwise_collector.cli.terminal import Terminal

RETENTION_NOTE: Final = """\
examples:
  spanwise retention                       of the project `default`
  spanwise retention --project shop

It is set by SPANWISE_RETENTION_DAYS and, by project and part, in the file SPANWISE_RETENTION_FILE: docs/erasure.md.
"""
_PARTS: Final = {
    "spans": "spans, sums of traces, failures",
    "contents": "full inputs and outputs",
    "scores": "scores, reviews, corrections",
    "rollups": "figures of the charts",
}
_SET_BY: Final = {"file": "SPANWISE_RETENTION_FILE", "setting": "SPANWISE_RETENTION_DAYS", "tables": "the tables"}


def add_retention(
    parser: argparse.ArgumentParser, add_data_dir: Callable[[argparse.ArgumentParser, str], None]
) -> None:
    """The options of `spanwise retention`."""
    parser.add_argument("--project", default="default", metavar="P", help="whose (default: default)")
    add_data_dir(parser, "of the `spanwise up` to ask")
    parser.add_argument("--api", metavar="URL", help="ask this collector instead")


def run_retention(options: argparse.Namespace) -> int:
    """Ask, and print."""
    terminal = Terminal(sys.stdout)
    for line in told(Collector.of(options.api or "", options.data_dir, options.project).read("retention")):
        terminal.line(line)
    return EXIT_OK


def told(found: Mapping[str, Any]) -> list[str]:
    """The lines to print of the API's answer."""
    head = ("what", "kept for", "set by", "oldest (UTC)")
    rows = [
        (
            _PARTS[one["what"]],
            f"{one['days']:,} days" if one["days"] else "until deleted",
            _SET_BY[one["set_by"]],
            shown_time(one["oldest"]),
        )
        for one in found["items"]
    ]
    return columns([head, *rows])
