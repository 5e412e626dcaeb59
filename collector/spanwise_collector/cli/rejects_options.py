"""Options of `spanwise rejects`."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from spanwise_collector.cli.terminal import Terminal

REJECTS_NOTE: Final = """\
examples:
  spanwise rejects list                                 what was refused, why, of whom, how often
  spanwise rejects list --each --reason too_old         one line per record, the newest first
  spanwise rejects show spanwise_rejects:0:17           one of them: headers, and its first bytes
  spanwise rejects show spanwise_rejects:0:17 --out record.bin
  spanwise rejects replay --reason too_old --dry-run    what a replay would write
  spanwise rejects replay --reason too_old              asks, then writes them to their topics once more

They are read from Kafka itself: SPANWISE_KAFKA and the settings beside it say how, else the `spanwise up` in the data
directory. Replay after what was wrong is put right: a longer retention, a fixed table, a newer version. Spans that
are stored already are not stored twice. docs/rejects.md has the reasons.

"""


def add_rejects(parser: argparse.ArgumentParser, add_data_dir: Callable[[argparse.ArgumentParser, str], None]) -> None:
    """The actions of `spanwise rejects`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="show what was refused, by reason and sender, or one by one")
    _add_filter(listing)
    listing.add_argument(
        "--limit", type=_positive, default=1_000, metavar="N", help="of the newest N records (default: 1000)"
    )
    listing.add_argument("--each", action="store_true", help="one line per record instead of groups")
    show = actions.add_parser("show", help="show one record: headers, and its first bytes")
    show.add_argument("position", metavar="TOPIC:PARTITION:OFFSET", help="as `spanwise rejects list` prints it")
    show.add_argument(
        "--bytes", type=_positive, default=512, metavar="N", dest="size", help="show so many (default: 512)"
    )
    show.add_argument(
        "--out", type=Path, metavar="FILE", help="write the original bytes to a file that is not there yet"
    )
    replay = actions.add_parser("replay", help="write records to their topics once more")
    replay.add_argument(
        "positions", nargs="*", metavar="TOPIC:PARTITION:OFFSET", help="these, as `spanwise rejects list` prints them"
    )
    _add_filter(replay)
    replay.add_argument("--all", action="store_true", help="everything that is in the rejects topic")
    how = replay.add_mutually_exclusive_group()
    how.add_argument("--dry-run", action="store_true", help="show what would be written and write nothing")
    how.add_argument("--yes", action="store_true", help="write without asking")
    for action in (listing, show, replay):
        add_data_dir(action, "of the `spanwise up` whose broker is read, where SPANWISE_KAFKA is not set")


def _add_filter(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--reason", action="append", default=[], metavar="CODE", help="refused for this reason; several times for more"
    )
    parser.add_argument("--since", default="", metavar="TIME", help="refused at this time or later, UTC")


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


def run_rejects(options: argparse.Namespace) -> int:
    """Do what `spanwise rejects` was asked."""
    from spanwise_collector.cli.extras import require

    require(f"spanwise rejects {options.action}", "collector")
    from spanwise_collector.cli import rejects, rejects_replay

    terminal = Terminal(sys.stdout)
    with rejects.opened(options.data_dir) as log:
        match options.action:
            case "list":
                return rejects.run_list(
                    log, rejects.filter_of(options.reason, options.since), options.limit, terminal, each=options.each
                )
            case "show":
                return rejects.run_show(log, options.position, options.size, options.out, terminal)
            case _:
                return rejects_replay.run_replay(
                    log,
                    rejects_replay.ReplayOptions(
                        positions=tuple(options.positions),
                        filter=rejects.filter_of(options.reason, options.since),
                        everything=options.all,
                        dry_run=options.dry_run,
                        yes=options.yes,
                    ),
                    terminal,
                    ask=input,
                )
