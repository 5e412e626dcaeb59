"""Options and help of `spanwise datasets` and `spanwise check`. Imports stay light, as in `commands`."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from spanwise_collector.cli.alerting_options import user_name
from spanwise_collector.cli.terminal import Terminal

AddDataDir = Callable[[argparse.ArgumentParser, str], None]
DATASETS_NOTE: Final = """\
examples:
  spanwise datasets create faq --description "What customers ask"
  spanwise datasets import faq questions.csv --input question --expected answer --metadata topic
  spanwise datasets import faq --from-traces --filter name=answer --filter environment=production --take 200
  spanwise datasets import faq --from-corrections             what reviewers wrote that answers should have been
  spanwise datasets list
  spanwise datasets show faq --version 2
  spanwise datasets export faq --format openai --out train.jsonl      for fine-tuning
  spanwise datasets pairs --baseline main --candidate pr-17 --metric helpful   better and worse answers, for DPO

Each change makes a version, which stays as it is for ever. An item is its input: the same input again replaces it.

"""
CHECK_NOTE: Final = """\
examples:
  spanwise check --baseline main --candidate pr-17                    two experiments, item by item
  spanwise check --baseline main --candidate pr-17 --metric exact --margin 0.03 --junit check.xml --markdown check.md
  spanwise check --baseline release:v1 --candidate release:v2         scores in production, not paired

An experiment is named by its id, or by its name, which means the newest of that name.

exit codes:
  0  no regression is proven (with --fail-on inconclusive: and every metric has a verdict)
  1  a regression is proven
  2  an option is wrong, there is no collector, or one side has no data

"""


def add_datasets(parser: argparse.ArgumentParser, add_data_dir: AddDataDir) -> None:
    """The actions of `spanwise datasets`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = actions.add_parser("create", help="make a dataset")
    imported = actions.add_parser(
        "import", help="add items from a file, traces or corrections; makes the dataset if need be"
    )
    listing = actions.add_parser("list", help="show the datasets of a project")
    show = actions.add_parser("show", help="show versions and first items")
    export = actions.add_parser("export", help="write a version to a file")
    pairs = actions.add_parser("pairs", help="write preference pairs out of two experiments to a file")
    for action in (create, imported, show, export):
        action.add_argument("name", metavar="NAME", help="of the dataset")
    create.add_argument("--description", default="", help="for others")
    imported.add_argument("file", nargs="?", type=Path, metavar="FILE", help="that ends in .csv, .jsonl or .parquet")
    imported.add_argument("--from-traces", action="store_true", help="take roots of traces instead of a file")
    imported.add_argument("--from-corrections", action="store_true", help="take what reviewers corrected instead")
    imported.add_argument("--queue", default="", metavar="ID", help="only corrections of this annotation queue")
    for field, what in (
        ("input", "what the task is given (default: input, question, prompt or query)"),
        ("expected", "a good output (default: expected, answer, output, reference or ideal)"),
        ("rejected", "a bad output"),
        ("group", "items of one group are not independent (default: group, conversation_id or session_id)"),
        ("id", "names the item (default: id; else made from the input)"),
    ):
        imported.add_argument(f"--{field}", default="", metavar="COLUMN", help=what)
    imported.add_argument(
        "--metadata", action="append", default=[], metavar="COLUMN", help="keep this column too; * for all; several"
    )
    imported.add_argument("--replace", action="store_true", help="remove items that are not in the file")
    imported.add_argument(
        "--filter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="of traces, as in the list of traces; several",
    )
    imported.add_argument("--take", type=int, default=100, metavar="N", help="newest traces at most (default: 100)")
    imported.add_argument("--expect-output", action="store_true", help="take what was answered for what is expected")
    imported.add_argument("--note", default="", help="for others: why")
    for action in (create, imported):
        action.add_argument("--by", default=user_name(), metavar="NAME", help="who you are (default: your user name)")
    for action in (show, export):
        action.add_argument("--version", type=int, metavar="N", help="default: the newest")
    export.add_argument(
        "--format", default="jsonl", choices=("jsonl", "csv", "parquet", "openai", "preferences"), help="default: jsonl"
    )
    export.add_argument("--out", type=Path, metavar="FILE", help="default: NAME-vN with an ending; - for the output")
    pairs.add_argument("--baseline", required=True, metavar="REF", help="experiment")
    pairs.add_argument("--candidate", required=True, metavar="REF", help="experiment over the same items")
    pairs.add_argument("--metric", required=True, metavar="NAME", help="score that says which answer is the better one")
    pairs.add_argument("--margin", type=float, default=0.0, metavar="X", help="so much better, at least (default: any)")
    pairs.add_argument("--lower-is-better", action="store_true", help="of this score less is better")
    pairs.add_argument(
        "--out", type=Path, default=Path("preferences.jsonl"), metavar="FILE", help="default: preferences.jsonl; or -"
    )
    for action in (listing, show):
        action.add_argument("--json", action="store_true", help="print what the API says, for programs")
    for action in (create, imported, listing, show, export, pairs):
        _add_where(action, add_data_dir)


def add_check(parser: argparse.ArgumentParser, add_data_dir: AddDataDir) -> None:
    """The options of `spanwise check`."""
    parser.add_argument("--baseline", required=True, metavar="REF", help="experiment, or release:NAME")
    parser.add_argument("--candidate", required=True, metavar="REF", help="experiment, or release:NAME")
    parser.add_argument(
        "--metric", action="append", default=[], metavar="NAME", help="only this; several (default: all scores, errors)"
    )
    parser.add_argument(
        "--margin", type=float, metavar="X", help="a smaller difference does not matter (default: 0.02)"
    )
    parser.add_argument(
        "--lower-is-better", action="append", default=[], metavar="NAME", help="a score of which less is better"
    )
    parser.add_argument("--fail-on", choices=("inconclusive",), help="fail too where a metric cannot be told")
    parser.add_argument("--from", dest="start", default="", metavar="TIME", help="of releases (default: 30 days ago)")
    parser.add_argument("--to", dest="end", default="", metavar="TIME", help="of releases (default: now)")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write JUnit XML for CI")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table as Markdown")
    _add_where(parser, add_data_dir)


def run_datasets(options: argparse.Namespace) -> int:
    """Do what `spanwise datasets` was asked."""
    from spanwise_collector.cli import datasets
    from spanwise_collector.cli.asking import Collector

    api = options.api or os.environ.get("SPANWISE_API_URL", "")
    collector = Collector.of(api, options.data_dir, options.project)
    terminal = Terminal(sys.stdout)
    match options.action:
        case "create":
            return datasets.run_create(
                options.name, collector, terminal, description=options.description, by=options.by
            )
        case "import":
            columns = {
                field: getattr(options, field)
                for field in ("input", "expected", "rejected", "group", "id")
                if getattr(options, field)
            }
            wanted = datasets.ImportOptions(
                file=options.file,
                from_traces=options.from_traces,
                from_corrections=options.from_corrections,
                queue=options.queue,
                columns=columns,
                metadata=options.metadata,
                replace=options.replace,
                filters=options.filter,
                take=options.take,
                expect_output=options.expect_output,
                note=options.note,
                by=options.by,
            )
            return datasets.run_import(options.name, wanted, collector, terminal)
        case "list":
            return datasets.run_list(collector, terminal, as_json=options.json)
        case "pairs":
            less = options.metric if options.lower_is_better else None
            asked = {name: getattr(options, name) for name in ("baseline", "candidate", "metric", "margin")}
            return datasets.run_pairs({**asked, "lower_is_better": less}, collector, terminal, out=options.out)
        case "show":
            return datasets.run_show(options.name, collector, terminal, version=options.version, as_json=options.json)
        case _:
            return datasets.run_export(
                options.name, collector, terminal, version=options.version, kind=options.format, out=options.out
            )


def run_check(options: argparse.Namespace) -> int:
    """Do what `spanwise check` was asked."""
    from spanwise_collector.cli import check

    wanted = check.CheckOptions(
        baseline=options.baseline,
        candidate=options.candidate,
        metrics=options.metric,
        margin=options.margin,
        lower_is_better=options.lower_is_better,
        fail_on_inconclusive=options.fail_on == "inconclusive",
        start=options.start,
        end=options.end,
        junit=options.junit,
        markdown=options.markdown,
    )
    return check.run_check(
        wanted, api=options.api or "", data_dir=options.data_dir, project=options.project, terminal=Terminal(sys.stdout)
    )


def _add_where(parser: argparse.ArgumentParser, add_data_dir: AddDataDir) -> None:
    parser.add_argument("--project", default="default", metavar="NAME", help="default: default")
    add_data_dir(parser, "of the `spanwise up` to ask")
    parser.add_argument("--api", metavar="URL", help="ask this collector instead (default: SPANWISE_API_URL)")
