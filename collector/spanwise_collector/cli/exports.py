"""`spanwise exports`: what scheduled exports wrote, and whether their file can be used."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from spanwise_collector.cli.asking import Collector, columns, shown_time
from spanwise_collector.cli.errors import EXIT_OK
from spanwise_collector.cli.terminal import Terminal

EXPORTS_NOTE: Final = """\
examples:
  spanwise exports check exports.toml        what is wrong with the file; for CI
  spanwise exports list --project shop       what was written, where, and what could not be

A collector with SPANWISE_EXPORTS_FILE writes new versions of datasets, and each day's scores, to a directory or a
bucket: docs/exports.md.

"""


def add_exports(parser: argparse.ArgumentParser, add_data_dir: Callable[[argparse.ArgumentParser, str], None]) -> None:
    """The actions of `spanwise exports`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    check = actions.add_parser("check", help="say what is wrong with an exports file")
    check.add_argument("file", type=Path, metavar="FILE", help="an exports file")
    listing = actions.add_parser("list", help="show files that were written, the newest first")
    listing.add_argument("--name", default="", metavar="NAME", help="of this export only")
    listing.add_argument("--json", action="store_true", help="print what the API says, for programs")
    listing.add_argument("--project", default="default", metavar="NAME", help="default: default")
    add_data_dir(listing, "of the `spanwise up` to ask")
    listing.add_argument("--api", metavar="URL", help="ask this collector instead")


def run_exports(options: argparse.Namespace) -> int:
    """Do what `spanwise exports` was asked.

    Returns:
        1 when the file cannot be used, or when a file could not be written.
    """
    terminal = Terminal(sys.stdout)
    if options.action == "check":
        return _check(options.file, terminal)
    collector = Collector.of(options.api or "", options.data_dir, options.project)
    items = collector.read("exports", name=options.name)["items"]
    if options.json:
        terminal.line(json.dumps(items, indent=2, ensure_ascii=False))
    elif not items:
        terminal.line("Nothing was exported. SPANWISE_EXPORTS_FILE names what is to be; see docs/exports.md.")
    else:
        rows = [("export", "of", "rows", "state", "at, UTC", "where")]
        rows += [
            (one["name"], one["part"], f"{one['rows']:,}", one["state"], shown_time(one["time"]), one["place"])
            for one in items
        ]
        for line in columns(rows):
            terminal.line(line)
        for one in items:
            if one["reason"]:
                terminal.line(f"{one['name']} {one['part']}: {one['reason']}")
    return 1 if any(one["state"] == "failed" for one in items) else EXIT_OK


def _check(file: Path, terminal: Terminal) -> int:
    from spanwise_collector.cli.extras import require

    require("spanwise exports check", "collector")
    from spanwise_collector.exports.plan import ExportsFileError, load

    try:
        exports = load(file)
    except ExportsFileError as error:
        terminal.line(str(error))
        return 1
    for one in exports:
        terminal.line(f"{one.name}: {one.dataset or one.what} of {one.project}, as {one.path('…')}")
    terminal.line(f"{file} can be used: {len(exports)} exports.")
    return EXIT_OK
