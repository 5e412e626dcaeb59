"""Options and help of `spanwise evaluators`. Imports stay light, as in `commands`."""

import argparse
import getpass
import sys
from collections.abc import Callable
from typing import Final

from spanwise_collector.cli.terminal import Terminal

EVALUATORS_NOTE: Final = """\
examples:
  spanwise evaluators reference                               columns, functions and examples
  spanwise evaluators preview "length(splitByWhitespace(output))" --filter "kind = 'llm'"
  spanwise evaluators add answer_words "length(splitByWhitespace(output))" --filter "kind = 'llm'"
  spanwise evaluators list                                    what there is, and how each stands
  spanwise evaluators add answer_words "lengthUTF8(output)" --no-backfill      another version
  spanwise evaluators diff answer_words                       what the last two versions say of the same spans
  spanwise evaluators backfill answer_words                   score everything that is stored
  spanwise evaluators on answer_words                         try one again that failed

An expression sees one span; docs/sql_evaluators.md tells what it may read and call. It is refused with ClickHouse's own
message. Scores of history and of new spans are made by a collector with the role `evals`.

"""


def add_evaluators(
    parser: argparse.ArgumentParser, add_data_dir: Callable[[argparse.ArgumentParser, str], None]
) -> None:
    """The actions of `spanwise evaluators`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(name: str, summary: str) -> argparse.ArgumentParser:
        return actions.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")

    listing = action("list", "show the evaluators of a project and how they stand")
    reference = action("reference", "show columns, functions and examples")
    show = action("show", "show one with its versions and what was done about history")
    preview = action("preview", "show what an expression gives on the newest spans; stores nothing")
    add = action("add", "store an evaluator, or another version of one, and score history with it")
    backfill = action("backfill", "score what is stored, and wait for it")
    cancel = action("cancel", "stop scoring history; what was scored stays")
    diff = action("diff", "show what two versions say of the same spans")
    on = action("on", "turn one on, or try one again that failed")
    off = action("off", "turn one off; its scores stay")
    remove = action("remove", "end one; its scores and versions stay")
    for one in (show, add, backfill, diff, on, off, remove):
        one.add_argument("name", metavar="NAME", help="of the evaluator and of its scores")
    for one in (preview, add):
        one.add_argument(
            "expression", metavar="EXPRESSION", help="a number, yes or no, or a word; - reads it from input"
        )
        one.add_argument("--filter", default="", metavar="EXPRESSION", help="which spans it is for (default: all)")
    add.add_argument("--description", default="", help="for people")
    add.add_argument("--no-backfill", action="store_true", help="score new spans only")
    add.add_argument("--no-wait", action="store_true", help="do not wait until history is scored")
    for one in (add, backfill):
        one.add_argument("--by", default=_user(), metavar="NAME", help="who you are (default: your user name)")
    backfill.add_argument("--version", type=int, metavar="N", help="default: the newest")
    backfill.add_argument("--no-wait", action="store_true", help="do not wait until it has ended")
    cancel.add_argument("job", metavar="JOB", help="as `spanwise evaluators show` tells it")
    diff.add_argument("--before", type=int, metavar="N", help="version; default: the one before --after")
    diff.add_argument("--after", type=int, metavar="N", help="version; default: the newest")
    for one in (preview, backfill, diff):
        default = "all" if one is backfill else "14 days before --to"
        one.add_argument("--from", dest="start", default="", metavar="TIME", help=f"default: {default}")
        one.add_argument("--to", dest="end", default="", metavar="TIME", help="default: now")
    for one in (listing, reference, show, preview, diff):
        one.add_argument("--json", action="store_true", help="print what the API says, for programs")
    for one in (listing, reference, show, preview, add, backfill, cancel, diff, on, off, remove):
        one.add_argument("--project", default="default", metavar="NAME", help="default: default")
        add_data_dir(one, "of the `spanwise up` to ask")
        one.add_argument("--api", metavar="URL", help="ask this collector instead")


def run_evaluators(options: argparse.Namespace) -> int:
    """Do what `spanwise evaluators` was asked."""
    from spanwise_collector.cli import evals_sql
    from spanwise_collector.cli.asking import Collector

    terminal = Terminal(sys.stdout)
    collector = Collector.of(options.api or "", options.data_dir, options.project)
    match options.action:
        case "list":
            return evals_sql.run_list(collector, terminal, as_json=options.json)
        case "reference":
            return evals_sql.run_reference(collector, terminal, as_json=options.json)
        case "show":
            return evals_sql.run_show(options.name, collector, terminal, as_json=options.json)
        case "preview":
            draft = evals_sql.Draft(_expression(options), options.filter)
            between = evals_sql.Between(options.start, options.end)
            return evals_sql.run_preview(draft, between, collector, terminal, as_json=options.json)
        case "add":
            draft = evals_sql.Draft(_expression(options), options.filter, options.description, options.by)
            return evals_sql.run_add(
                options.name, draft, collector, terminal, backfill=not options.no_backfill, wait=not options.no_wait
            )
        case "backfill":
            wanted = evals_sql.Between(options.start, options.end)
            return evals_sql.run_backfill(
                options.name, options.version, wanted, collector, terminal, by=options.by, wait=not options.no_wait
            )
        case "cancel":
            return evals_sql.run_cancel(options.job, collector, terminal)
        case "diff":
            between = evals_sql.Between(options.start, options.end)
            versions = (options.before, options.after)
            return evals_sql.run_diff(options.name, versions, between, collector, terminal, as_json=options.json)
        case "remove":
            return evals_sql.run_remove(options.name, collector, terminal)
        case _:
            return evals_sql.run_switch(options.name, collector, terminal, on=options.action == "on", by=_user())


def _expression(options: argparse.Namespace) -> str:
    text = sys.stdin.read() if options.expression == "-" else options.expression
    return str(text).strip()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""
