"""Options and help of `spanwise rules` and `spanwise alerts`. Imports stay light, as in `commands`."""

import argparse
import getpass
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from spanwise_collector.cli.terminal import Terminal

RULES_NOTE: Final = """\
examples:
  spanwise rules list                                         what is watched, and how often each alarm is false
  spanwise rules check alerts.toml                            what is wrong with a file; for CI, asks no collector
  spanwise rules test alerts.toml --from 2026-11-01           when its rules would have fired on your history
  spanwise rules test alerts.toml --rule errors --json

Rules and channels are a TOML file in your repository (SPANWISE_ALERTS_FILE); docs/alerts.md has an example of each.

"""
ALERTS_NOTE: Final = """\
examples:
  spanwise alerts list                                        what fires now
  spanwise alerts list --all --from 2026-11-01                what fired since
  spanwise alerts show 4bf92f3577b34da6                       evidence, what moved it, example traces, what was sent
  spanwise alerts ack 4bf92f3577b34da6 --note "looking"       no repeats any more
  spanwise alerts ack 4bf92f3577b34da6 --expected             the change is wanted: what is usual begins anew
  spanwise alerts silence --for 2h --rule errors --series model=gpt-4o --reason "moving"
  spanwise alerts test-channel ops                            sends a notification the way that alerts go

"""
_CHECK_CODES: Final = "The exit code is 0 when the file can be used and 1 when something is wrong.\n"
_TEST_CODES: Final = (
    "The exit code is 0, or 1 with --fail-if-fired where a rule would have fired. Nothing is stored, nobody is told.\n"
)
_CHANNEL_CODES: Final = "The exit code is 0 when it was delivered and 1 when not.\n"
_STATES: Final = ("pending", "firing", "recovering", "resolved", "no_data", "error", "inactive")


def add_rules(parser: argparse.ArgumentParser, add_data_dir: Callable[[argparse.ArgumentParser, str], None]) -> None:
    """The actions of `spanwise rules`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = _action(actions, "list", "show the rules of a project and how they stand")
    check = _action(actions, "check", "say what is wrong with an alerts file", _CHECK_CODES)
    check.add_argument("file", type=Path, metavar="FILE", help="an alerts file")
    test = _action(actions, "test", "say when the rules of a file would have fired", _TEST_CODES)
    test.add_argument("file", type=Path, metavar="FILE", help="an alerts file")
    test.add_argument("--from", dest="start", default="", metavar="TIME", help="default: 30 days before --to")
    test.add_argument("--to", dest="end", default="", metavar="TIME", help="default: now; at most 90 days after --from")
    test.add_argument("--rule", default="", metavar="ID", help="only this one (default: all of the file)")
    test.add_argument("--fail-if-fired", action="store_true", help="exit with 1 where one would have fired")
    for action in (listing, check, test):
        action.add_argument("--json", action="store_true", help="print what the API says, for programs")
    for action in (listing, test):
        _add_where(action, add_data_dir)


def add_alerts(parser: argparse.ArgumentParser, add_data_dir: Callable[[argparse.ArgumentParser, str], None]) -> None:
    """The actions of `spanwise alerts`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = _action(actions, "list", "show alerts, by default those that have not ended")
    listing.add_argument("--state", action="append", choices=_STATES, default=[], help="only this; several times")
    listing.add_argument("--all", action="store_true", help="those that have ended as well")
    listing.add_argument("--rule", default="", metavar="ID", help="only of this rule")
    listing.add_argument("--from", dest="start", default="", metavar="TIME", help="default: 30 days before --to")
    listing.add_argument("--to", dest="end", default="", metavar="TIME", help="default: now")
    show = _action(actions, "show", "show one alert with its evidence")
    ack = _action(actions, "ack", "take an alert, so that it is not repeated")
    for action in (show, ack):
        action.add_argument("id", metavar="ID", help="16 hex digits, as `spanwise alerts list` shows it")
    ack.add_argument("--note", default="", help="for others")
    ack.add_argument("--expected", action="store_true", help="the change is wanted: end it, learn anew what is usual")
    silence = _action(actions, "silence", "tell nobody for a while; without --for, list the silences")
    silence.add_argument("--for", dest="length", default="", metavar="LENGTH", help="from now on: 90m, 2h, 1d")
    silence.add_argument("--rule", default="", metavar="ID", help="only this rule (default: all of the project)")
    silence.add_argument(
        "--series", action="append", default=[], metavar="DIM=VALUE", help="only this series; several must all fit"
    )
    silence.add_argument("--reason", default="", help="for others")
    silence.add_argument("--end", default="", metavar="ID", help="end this silence instead")
    channel = _action(actions, "test-channel", "send a notification to a channel", _CHANNEL_CODES)
    channel.add_argument("name", metavar="NAME", help="of the channel in the alerts file")
    for action in (ack, silence):
        action.add_argument("--by", default=user_name(), metavar="NAME", help="who you are (default: your user name)")
    for action in (listing, show):
        action.add_argument("--json", action="store_true", help="print what the API says, for programs")
    for action in (listing, show, ack, silence, channel):
        _add_where(action, add_data_dir)


def run_rules(options: argparse.Namespace) -> int:
    """Do what `spanwise rules` was asked."""
    from spanwise_collector.cli import rules
    from spanwise_collector.cli.asking import Collector
    from spanwise_collector.cli.extras import require

    terminal = Terminal(sys.stdout)
    if options.action in ("check", "test"):
        require(f"spanwise rules {options.action}", "collector")
    if options.action == "check":
        return rules.run_check(options.file, terminal, as_json=options.json)
    collector = Collector.of(options.api or "", options.data_dir, options.project)
    if options.action == "list":
        return rules.run_list(collector, terminal, as_json=options.json)
    wanted = rules.BackTestOptions(
        options.file, options.start, options.end, options.rule, options.json, options.fail_if_fired
    )
    return rules.run_test(wanted, collector, terminal, now=datetime.now(UTC))


def run_alerts(options: argparse.Namespace) -> int:
    """Do what `spanwise alerts` was asked."""
    from spanwise_collector.cli import alerts
    from spanwise_collector.cli.asking import Collector

    terminal = Terminal(sys.stdout)
    collector = Collector.of(options.api or "", options.data_dir, options.project)
    match options.action:
        case "list":
            wanted = alerts.ListOptions(options.state, options.all, options.rule, options.start, options.end)
            return alerts.run_list(wanted, collector, terminal, as_json=options.json)
        case "show":
            return alerts.run_show(options.id, collector, terminal, as_json=options.json)
        case "ack":
            return alerts.run_ack(
                options.id, collector, terminal, by=options.by, note=options.note, expected=options.expected
            )
        case "silence":
            silence = alerts.SilenceOptions(
                options.length, options.rule, options.series, options.reason, options.by, options.end
            )
            return alerts.run_silence(silence, collector, terminal, now=datetime.now(UTC))
        case _:
            return alerts.run_test_channel(options.name, collector, terminal)


def _action(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, summary: str, epilog: str = ""
) -> argparse.ArgumentParser:
    about = f"{summary[0].upper()}{summary[1:]}."
    return actions.add_parser(
        name, help=summary, description=about, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def _add_where(parser: argparse.ArgumentParser, add_data_dir: Callable[[argparse.ArgumentParser, str], None]) -> None:
    parser.add_argument("--project", default="default", metavar="NAME", help="default: default")
    add_data_dir(parser, "of the `spanwise up` to ask")
    parser.add_argument("--api", metavar="URL", help="ask this collector instead")


def user_name() -> str:
    """Name of whoever runs the command; empty where the system does not know."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""
