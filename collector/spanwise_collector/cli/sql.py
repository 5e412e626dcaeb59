"""`spanwise sql`: asks a collector in SQL."""

import argparse
import csv
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from spanwise_collector.cli.asking import Collector, columns
from spanwise_collector.cli.errors import EXIT_OK, UsageError
from spanwise_collector.cli.terminal import Terminal

TIMEOUT_S: Final = 630.0
"""Above the longest time that a query may be given."""
WIDEST: Final = 60

SQL_NOTE: Final = """\
examples:
  spanwise sql "SELECT name, count() FROM spans WHERE start_time > now() - INTERVAL 1 DAY GROUP BY name ORDER BY 2 DESC"
  spanwise sql "SELECT model_response, sum(cost_total_n) / 1e9 AS usd FROM spans WHERE counts_usage GROUP BY 1"
  spanwise sql --project shop --format csv "SELECT trace_id, cost_n FROM traces ORDER BY cost_n DESC LIMIT 100"
  spanwise sql -f question.sql            from a file; `-f -` reads what is piped in
  spanwise sql --tables                   what can be asked, column by column

One SELECT in ClickHouse's SQL, over the tables of one project, read only. docs/sql.md.

"""


def add_sql(parser: argparse.ArgumentParser, add_data_dir: Callable[[argparse.ArgumentParser, str], None]) -> None:
    """The options of `spanwise sql`."""
    parser.add_argument("query", nargs="?", default="", metavar="SQL", help="one SELECT")
    parser.add_argument("-f", "--file", metavar="FILE", help="read the SQL from a file; - is the standard input")
    parser.add_argument("--project", default="default", metavar="P", help="whose rows (default: default)")
    parser.add_argument("--limit", type=int, metavar="N", help="rows at most (default: what the collector allows)")
    parser.add_argument("--format", choices=("table", "csv", "json"), default="table", help="default: table")
    parser.add_argument("--tables", action="store_true", help="show what can be asked")
    add_data_dir(parser, "of the `spanwise up` to ask")
    parser.add_argument("--api", metavar="URL", help="ask this collector instead")


def run_sql(options: argparse.Namespace) -> int:
    """Ask, and print the answer.

    Raises:
        CommandError: there is no SQL, the collector does not answer, or refuses it.
    """
    terminal = Terminal(sys.stdout)
    collector = Collector.of(options.api or "", options.data_dir, options.project)
    if options.tables:
        _show_tables(collector.read("sql", "tables"), terminal)
        return EXIT_OK
    body: dict[str, object] = {"query": _query(options)}
    if options.limit is not None:
        body["limit"] = options.limit
    found = collector.send("sql", body=body, timeout_s=TIMEOUT_S)
    names = [column["name"] for column in found["columns"]]
    match options.format:
        case "json":
            for row in found["rows"]:
                terminal.line(json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False))
        case "csv":
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(names)
            writer.writerows([[_plain(value) for value in row] for row in found["rows"]])
        case _:
            rows = [tuple(names), *(tuple(_short(_plain(value)) for value in row) for row in found["rows"])]
            for line in columns(rows) if names else []:
                terminal.line(line)
    if not found["rows"]:
        sys.stderr.write(f"No rows in the project {options.project} (--project names another).\n")
    if found["is_cut"]:
        sys.stderr.write(f"There are more than these {len(found['rows']):,} rows: --limit, or SPANWISE_SQL_ROWS.\n")
    return EXIT_OK


def _query(options: argparse.Namespace) -> str:
    if options.query and options.file:
        raise UsageError("Give the SQL or -f, not both.")
    if options.file == "-":
        return sys.stdin.read()
    if options.file:
        try:
            return Path(options.file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"-f: {options.file} cannot be read ({error}).") from error
    if not options.query:
        raise UsageError("Give one SELECT, or -f FILE, or --tables.")
    return str(options.query)


def _show_tables(found: Mapping[str, Any], terminal: Terminal) -> None:
    for table in found["tables"]:
        terminal.line(f"{table['name']}: {table['about']}")
        for line in columns([(f"  {one['name']}", one["type"]) for one in table["columns"]]):
            terminal.line(line)
        terminal.line("")


def _plain(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"
