"""Options of `spanwise evals`."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from spanwise_collector.cli.terminal import Terminal

EVALS_NOTE: Final = """\
examples:
  spanwise evals check evals.toml            what is wrong with evaluators, judges, rubrics, anchors; for CI
  spanwise evals status --project shop       what judges did in the last day, what it cost, what went wrong
  spanwise evals run-once                    score what is in Kafka now, then stop; for cron

The file is docs/judges.md; a collector with SPANWISE_EVALS_FILE reads it and scores spans as they come.

"""
_CHECK_CODES: Final = "The exit code is 0 when the file can be used and 1 when something is wrong.\n"
_ONCE_CODES: Final = (
    "Settings come from SPANWISE_* variables, as for `spanwise collector`. The exit code is 0 when everything was "
    "scored and 1 when the time was over before.\n"
)


def add_evals(parser: argparse.ArgumentParser, add_data_dir: Callable[[argparse.ArgumentParser, str], None]) -> None:
    """The actions of `spanwise evals`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    check = actions.add_parser("check", help="say what is wrong with an evals file", epilog=_CHECK_CODES)
    check.add_argument("file", type=Path, metavar="FILE", help="an evals file")
    status = actions.add_parser("status", help="show what judges and evaluators did in the last day")
    status.add_argument("--json", action="store_true", help="print what the API says, for programs")
    status.add_argument("--project", default="default", metavar="NAME", help="default: default")
    add_data_dir(status, "of the `spanwise up` to ask")
    status.add_argument("--api", metavar="URL", help="ask this collector instead")
    once = actions.add_parser("run-once", help="score what is in Kafka now, then stop", epilog=_ONCE_CODES)
    once.add_argument(
        "--seconds", type=float, default=600.0, metavar="S", help="that it may take at most (default: 600)"
    )


def run_evals(options: argparse.Namespace) -> int:
    """Do what `spanwise evals` was asked."""
    from spanwise_collector.cli import evals
    from spanwise_collector.cli.asking import Collector
    from spanwise_collector.cli.extras import require

    terminal = Terminal(sys.stdout)
    if options.action == "status":
        return evals.run_status(
            Collector.of(options.api or "", options.data_dir, options.project), terminal, as_json=options.json
        )
    require(f"spanwise evals {options.action}", "collector")
    if options.action == "check":
        return evals.run_check(options.file, terminal)
    return evals.run_once(options.seconds, terminal)
