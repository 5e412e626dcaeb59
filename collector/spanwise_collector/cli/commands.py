"""Options and help of the `spanwise` command. Imports stay light: every command loads what it needs when it runs."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

from spanwise_collector.cli.alerting_options import (
    ALERTS_NOTE,
    RULES_NOTE,
    add_alerts,
    add_rules,
    run_alerts,
    run_rules,
)
from spanwise_collector.cli.audit import AUDIT_NOTE, add_audit, run_audit
from spanwise_collector.cli.erase import ERASE_NOTE, add_erase, run_erase
from spanwise_collector.cli.errors import EXIT_OK, CommandError
from spanwise_collector.cli.evals_options import EVALS_NOTE, add_evals, run_evals
from spanwise_collector.cli.evals_sql_options import EVALUATORS_NOTE, add_evaluators, run_evaluators
from spanwise_collector.cli.experiments_options import (
    CHECK_NOTE,
    DATASETS_NOTE,
    add_check,
    add_datasets,
    run_check,
    run_datasets,
)
from spanwise_collector.cli.exports import EXPORTS_NOTE, add_exports, run_exports
from spanwise_collector.cli.rejects_options import REJECTS_NOTE, add_rejects, run_rejects
from spanwise_collector.cli.replay import REPLAY_NOTE, add_replay, run_replay
from spanwise_collector.cli.retention import RETENTION_NOTE, add_retention, run_retention
from spanwise_collector.cli.sql import SQL_NOTE, add_sql, run_sql
from spanwise_collector.cli.terminal import Terminal

_OVERVIEW = """\
Streaming observability for applications built on language models.

On one machine:
  spanwise up                       broker, collector and dashboard; Ctrl-C stops them
  spanwise status                   how far behind it is, and what was refused
  spanwise audit                    whether everything that was sent is accounted for
  spanwise explain TRACE_ID         where every value of a trace comes from
  spanwise alerts list              what got worse, since when, for whom
  spanwise rules test FILE          when alert rules would have fired on your history
  spanwise datasets import NAME FILE    inputs with what is expected of them, in versions
  spanwise check --baseline A --candidate B    whether B is worse, for CI
  spanwise evals status             what judges did, what it cost, what went wrong
  spanwise evaluators preview EXPR  what an SQL expression gives on your spans

On a cluster, any number of each (settings come from SPANWISE_* variables):
  spanwise collector --role ingest  Kafka to ClickHouse
  spanwise collector --role api     the HTTP API
  spanwise collector --role otlp    OTLP receivers, HTTP and gRPC, to Kafka
  spanwise collector --role alerts  evaluates alert rules and delivers notifications
  spanwise collector --role evals   scores spans with evaluators and judges
  spanwise dashboard                the dashboard, which asks the API
  spanwise keys create --project P  an API key for applications or people
  spanwise reprice --from --to      costs of stored calls by another price list
  spanwise erase --user ID          everything of a user, a session or a trace, for good
  spanwise retention                how long what is kept
  spanwise rejects list             what was refused, why, of whom; `replay` after a fix
  spanwise sql "SELECT ..."         questions in SQL, read only
  spanwise replay --from --to       tables rebuilt from Kafka, compared, swapped in
"""

_EXIT_CODES = """\
exit codes:
  0  it did what was asked, or was stopped and stopped cleanly
  1  it failed while running; the message says which part and why
  2  an option or a setting is wrong; nothing was started
  3  packages are missing; the message says how to install them
"""

_UP_EXAMPLES = """\
examples:
  spanwise up                                     everything, data in ./.spanwise
  spanwise up --data-dir ~/spanwise --open        elsewhere, and open the browser
  spanwise up --kafka broker.example:9092         your Kafka, embedded ClickHouse engine
  spanwise up --kafka broker.example:9092 \\
      --clickhouse http://user:password@db.example:8123/spanwise --no-dashboard

The packaged broker keeps its log in memory; on Ctrl-C the collector stores what is in it before it stops.
Further settings come from SPANWISE_* variables: docs/configuration.md lists them all.

"""

_COLLECTOR_EXAMPLES = """\
examples:
  SPANWISE_KAFKA=broker:9092 SPANWISE_CLICKHOUSE=http://user:password@db:8123/spanwise spanwise collector
  spanwise collector --role ingest                run as many as the topic has partitions
  spanwise collector --role api --host 0.0.0.0    behind your own proxy: the API has no authentication yet

SIGTERM and Ctrl-C store what was read, then stop; a second one stops at once (nothing is lost, it is read again).

"""
_DASHBOARD_EXAMPLES = """\
examples:
  spanwise dashboard                                            asks the collector on this machine
  spanwise dashboard --api http://collector:4318 --host 0.0.0.0

"""

_STATUS_NOTE = """\
examples:
  spanwise status                                 of the `spanwise up` in this directory
  spanwise status --api http://collector:4318     of a collector elsewhere

The exit code is 0 when the collector is ready and 1 when it is not, so that scripts can ask.
"""

_REPRICE_NOTE = """\
examples:
  spanwise reprice --from 2026-11-01 --to 2026-11-08                 shows the difference, then asks
  spanwise reprice --from 2026-11-01 --to 2026-11-08 --dry-run       only shows it
  spanwise reprice --from 2026-11-01T08:00Z --to 2026-11-02 --project shop --prices negotiated.toml --yes

Days begin at 00:00 UTC. What spans reported as their cost stays what holds. After an interruption run the same
command again: what is done already has no difference any more.
"""

_KEYS_NOTE = """\
examples:
  spanwise keys create --project shop --note "web shop"      prints the secret, once
  spanwise keys create --project shop --project lab --days 90
  spanwise keys create --project shop --scope read           reads the API
  spanwise keys create --project '*' --scope read --scope ingest --scope admin
  spanwise keys list
  spanwise keys revoke 1a2b3c4d

They are in the file SPANWISE_KEYS_FILE, or in keys.toml in the data directory; running collectors read it again
when it changes. The file has only hashes of the secrets.
"""


_EXPLAIN_EXAMPLES = """\
examples:
  spanwise explain 4bf92f3577b34da6a3ce929d0e0e4736                      every span of the trace
  spanwise explain 4bf92f3577b34da6a3ce929d0e0e4736 --span 00f067aa0ba902b7
  spanwise explain 4bf92f3577b34da6a3ce929d0e0e4736 --json               for programs

For every value it says which attribute gave it, by whose convention, and what was there and not used; then what was
left over, how the tokens were counted, which price made the cost, and why the span bears the bill or not.
"""


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="spanwise", description=_OVERVIEW, epilog=_EXIT_CODES, formatter_class=raw)
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, summary: str, epilog: str) -> argparse.ArgumentParser:
        about = f"{summary[0].upper()}{summary[1:]}."
        return commands.add_parser(name, help=summary, description=about, epilog=epilog, formatter_class=raw)

    up = command("up", "start broker, collector and dashboard on this machine", _UP_EXAMPLES + _EXIT_CODES)
    _add_data_dir(up, "tables and logs")
    _add_port(up, "--port", "of the collector (default: 4318, or the next free one)")
    _add_port(up, "--dashboard-port", "of the dashboard (default: 8501, or the next free one)")
    _add_port(up, "--kafka-port", "of the packaged broker (default: 9092, or the next free one)")
    _add_port(up, "--grpc-port", "of its OTLP/gRPC receiver (default: 4317, or the next free one)")
    up.add_argument("--kafka", default="", metavar="HOST:PORT", help="use this broker instead of the packaged one")
    up.add_argument("--clickhouse", default="", metavar="DSN", help="use this server instead of the embedded engine")
    up.add_argument("--no-dashboard", action="store_true", help="do not start the dashboard")
    up.add_argument("--open", action="store_true", help="open the dashboard in a browser when it is ready")

    collector = command("collector", "run a collector in the foreground", _COLLECTOR_EXAMPLES + _EXIT_CODES)
    collector.add_argument(
        "--role",
        choices=("all", "ingest", "api", "otlp", "alerts", "evals"),
        help="what it does (default: SPANWISE_ROLE or all)",
    )
    collector.add_argument("--host", help="address to listen on (default: SPANWISE_HOST or 127.0.0.1)")
    _add_port(collector, "--port", "port to listen on (default: SPANWISE_PORT or 4318)")

    dashboard = command("dashboard", "run the dashboard in the foreground", _DASHBOARD_EXAMPLES + _EXIT_CODES)
    dashboard.add_argument(
        "--api", metavar="URL", help="the collector (default: SPANWISE_API_URL or http://127.0.0.1:4318)"
    )
    dashboard.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    _add_port(dashboard, "--port", "port to listen on (default: 8501)")

    status = command("status", "show what a running collector has stored and how far behind it is", _STATUS_NOTE)
    _add_data_dir(status, "of the `spanwise up` to ask")
    status.add_argument("--api", metavar="URL", help="ask this collector instead")

    _add_keys(command("keys", "make, list and revoke API keys", _KEYS_NOTE))

    explain = command("explain", "say where every value of a trace's spans comes from", _EXPLAIN_EXAMPLES)
    explain.add_argument("trace_id", metavar="TRACE_ID", help="32 hex digits, as the trace page shows it")
    explain.add_argument("--span", default="", metavar="ID", help="only this span, 16 hex digits")
    explain.add_argument("--project", default="default", metavar="NAME", help="of the trace (default: default)")
    explain.add_argument("--json", action="store_true", help="print the API's answer")
    _add_data_dir(explain, "of the `spanwise up` to ask")
    explain.add_argument("--api", metavar="URL", help="ask this collector instead")

    reprice = command("reprice", "compute the costs of stored calls anew", _REPRICE_NOTE + _EXIT_CODES)
    reprice.add_argument("--from", dest="start", required=True, metavar="TIME", help="calls that start here or later")
    reprice.add_argument("--to", dest="end", required=True, metavar="TIME", help="calls that start before this")
    reprice.add_argument("--project", default="", metavar="P", help="only this project (default: all)")
    reprice.add_argument(
        "--prices", type=Path, metavar="FILE", help="a price file (default: the collector's SPANWISE_PRICES_FILE)"
    )
    how = reprice.add_mutually_exclusive_group()
    how.add_argument("--dry-run", action="store_true", help="show the difference and write nothing")
    how.add_argument("--yes", action="store_true", help="write without asking")
    _add_data_dir(reprice, "of the `spanwise up` to ask")
    reprice.add_argument("--api", metavar="URL", help="ask this collector instead")

    add_rules(command("rules", "list, check and try alert rules", RULES_NOTE + _EXIT_CODES), _add_data_dir)
    add_alerts(command("alerts", "see what fires, take it, silence it", ALERTS_NOTE + _EXIT_CODES), _add_data_dir)

    add_datasets(
        command("datasets", "make, fill, list and export datasets", DATASETS_NOTE + _EXIT_CODES), _add_data_dir
    )
    add_check(command("check", "say whether a candidate is worse than a baseline", CHECK_NOTE), _add_data_dir)
    add_evals(command("evals", "check and watch evaluators and judges, score once", EVALS_NOTE), _add_data_dir)
    add_audit(command("audit", "say whether everything that was sent is accounted for", AUDIT_NOTE), _add_data_dir)
    add_erase(command("erase", "erase what is stored of a user, a session or a trace", ERASE_NOTE), _add_data_dir)
    add_retention(command("retention", "show how long what is kept of a project", RETENTION_NOTE), _add_data_dir)
    add_exports(
        command("exports", "check and watch files that are written on a schedule", EXPORTS_NOTE + _EXIT_CODES),
        _add_data_dir,
    )
    add_rejects(
        command("rejects", "see refused data, and write it to its topic once more", REJECTS_NOTE + _EXIT_CODES),
        _add_data_dir,
    )
    add_sql(command("sql", "ask in SQL, read only", SQL_NOTE + _EXIT_CODES), _add_data_dir)
    add_replay(
        command("replay", "rebuild tables from Kafka, compare, and swap them in", REPLAY_NOTE + _EXIT_CODES),
        _add_data_dir,
    )
    add_evaluators(
        command("evaluators", "score spans with SQL expressions", EVALUATORS_NOTE + _EXIT_CODES), _add_data_dir
    )

    command("version", "print the version", "")
    return parser


def _add_keys(keys: argparse.ArgumentParser) -> None:
    actions = keys.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = actions.add_parser("create", help="make a key and print its secret, once")
    create.add_argument(
        "--project",
        action="append",
        required=True,
        help="that it is for, the first is its own; several times, or * for all",
    )
    create.add_argument(
        "--scope",
        action="append",
        choices=("ingest", "read", "admin"),
        help="ingest: send spans, scores, reviews, datasets, experiments; read: the API; admin: change rules, queues, "
        "evaluators, issues; several times (default: ingest)",
    )
    create.add_argument("--days", type=_positive, metavar="N", help="after so many days it expires (default: never)")
    create.add_argument("--note", default="", help="a word for people: whose key it is")
    listing = actions.add_parser("list", help="show the keys, without secrets")
    revoke = actions.add_parser("revoke", help="delete a key")
    revoke.add_argument("id", metavar="ID", help="as `spanwise keys list` shows it")
    for action in (create, listing, revoke):
        _add_data_dir(action, "of the `spanwise up` whose keys they are, where SPANWISE_KEYS_FILE is not set")


def _add_data_dir(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument(
        "--data-dir", type=Path, default=Path(".spanwise"), metavar="DIR", help=f"{what} (default: .spanwise)"
    )


def _add_port(parser: argparse.ArgumentParser, option: str, what: str) -> None:
    parser.add_argument(option, type=_port, metavar="PORT", help=what)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: as typed after `spanwise`; None for the process's own.

    Returns:
        The exit code.
    """
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except BrokenPipeError:
        # Who read the output (`head`, say) has enough. Python writes out standard output once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except CommandError as error:
        print(f"spanwise {options.command}: {error}", file=sys.stderr)
        return error.exit_code


_RUN: Final = {
    "rules": run_rules,
    "alerts": run_alerts,
    "datasets": run_datasets,
    "check": run_check,
    "evals": run_evals,
    "evaluators": run_evaluators,
    "exports": run_exports,
    "audit": run_audit,
    "erase": run_erase,
    "retention": run_retention,
    "rejects": run_rejects,
    "replay": run_replay,
    "sql": run_sql,
}
"""Commands whose options are told in a file of their own."""


def _run(options: argparse.Namespace) -> int:
    if options.command in _RUN:
        return _RUN[options.command](options)
    match options.command:
        case "up":
            from spanwise_collector.cli.plan import UpOptions
            from spanwise_collector.cli.up import run_up

            return run_up(
                UpOptions(
                    data_dir=options.data_dir,
                    port=options.port,
                    grpc_port=options.grpc_port,
                    dashboard_port=options.dashboard_port,
                    kafka_port=options.kafka_port,
                    kafka=options.kafka,
                    clickhouse=options.clickhouse,
                    dashboard=not options.no_dashboard,
                    open_browser=options.open,
                ),
                Terminal(sys.stdout),
            )
        case "collector":
            from spanwise_collector.cli.servers import run_collector

            overrides = {"SPANWISE_ROLE": options.role, "SPANWISE_HOST": options.host, "SPANWISE_PORT": options.port}
            return run_collector(_given(overrides))
        case "dashboard":
            from spanwise_collector.cli.servers import run_dashboard

            return run_dashboard(api=options.api or "", host=options.host or "", port=options.port)
        case "status":
            from spanwise_collector.cli.status import run_status

            return run_status(data_dir=options.data_dir, api=options.api or "", terminal=Terminal(sys.stdout))
        case "keys":
            return _run_keys(options)
        case "reprice":
            from spanwise_collector.cli.reprice import RepriceOptions, run_reprice

            return run_reprice(
                RepriceOptions(
                    start=options.start,
                    end=options.end,
                    project=options.project,
                    prices=options.prices,
                    dry_run=options.dry_run,
                    yes=options.yes,
                ),
                data_dir=options.data_dir,
                api=options.api or "",
                terminal=Terminal(sys.stdout),
                ask=input,
            )
        case "explain":
            from spanwise_collector.cli.explain import run_explain

            return run_explain(
                trace_id=options.trace_id,
                span_id=options.span,
                project=options.project,
                data_dir=options.data_dir,
                api=options.api or "",
                as_json=options.json,
                terminal=Terminal(sys.stdout),
            )
        case _:
            print(_version())
            return EXIT_OK


def _run_keys(options: argparse.Namespace) -> int:
    from spanwise_collector.cli import keys
    from spanwise_collector.cli.extras import require

    require("spanwise keys", "collector")
    file, terminal = keys.keys_file(options.data_dir), Terminal(sys.stdout)
    match options.action:
        case "create":
            return keys.create(
                file,
                projects=options.project,
                scopes=options.scope or ["ingest"],
                days=options.days,
                note=options.note,
                terminal=terminal,
            )
        case "list":
            return keys.list_keys(file, terminal)
        case _:
            return keys.revoke(file, options.id, terminal)


def _given(values: dict[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items() if value is not None}


def _port(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not 1 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port number between 1 and 65535")
    return number


def _positive(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 36_500:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 36,500")
    return int(text)


def _version() -> str:
    return f"spanwise {version('spanwise')}"
