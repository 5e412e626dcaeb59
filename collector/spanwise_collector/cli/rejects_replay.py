"""`spanwise rejects replay`: shows what would be written, asks, writes it, and says what was acknowledged."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from spanwise_collector.cli.asking import columns
from spanwise_collector.cli.errors import EXIT_FAILED, EXIT_OK, UsageError
from spanwise_collector.cli.rejects import ALL, groups_table, position_of, record_at
from spanwise_collector.cli.terminal import Terminal
from spanwise_collector.rejects.log import RejectLog
from spanwise_collector.rejects.model import Refusal, read_refusal
from spanwise_collector.rejects.replay import Outcome, Plan, plan, replay
from spanwise_collector.rejects.scan import Filter, grouped, newest_first
from spanwise_collector.rejects.view import printable

SHOWN_FAILURES: Final = 10


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """What to write once more.

    Attributes:
        positions: these, as `list` prints them; a filter beside them is refused.
        filter: else those that it takes.
        everything: the filter may be empty.
        dry_run: write nothing.
        yes: do not ask.
    """

    positions: tuple[str, ...] = ()
    filter: Filter = ALL
    everything: bool = False
    dry_run: bool = False
    yes: bool = False


def run_replay(log: RejectLog, options: ReplayOptions, terminal: Terminal, *, ask: Callable[[str], str]) -> int:
    """Show what would be written, ask, and write it.

    Returns:
        `EXIT_FAILED` when a record was not acknowledged.

    Raises:
        UsageError: nothing was chosen, or in two ways.
        CommandError: there is no record at a position.
    """
    chosen = _plan(log, options, terminal)
    for why, count in chosen.skipped.items():
        terminal.line(f"{count:,} left out: {why}")
    if not chosen.chosen:
        terminal.line("There is nothing to replay.")
        return EXIT_OK
    for line in columns(groups_table(grouped(reversed(chosen.chosen)))):
        terminal.line(line)
    topics = ", ".join(sorted({printable(one.origin.at.topic) for one in chosen.chosen if one.origin is not None}))
    terminal.line(f"{len(chosen.chosen):,} records with {chosen.bytes:,} bytes, to {topics}")
    if options.dry_run:
        return EXIT_OK
    if not options.yes and not _agreed(ask):
        terminal.line("Nothing was written.")
        return EXIT_OK
    return _told(_written(log, chosen, terminal), len(chosen.chosen), terminal)


def _plan(log: RejectLog, options: ReplayOptions, terminal: Terminal) -> Plan:
    filtered = options.filter != ALL
    ways = bool(options.positions) + (filtered or options.everything)
    if ways != 1 or (filtered and options.everything):
        raise UsageError("Give positions, or --reason and --since, or --all; one of the three.")
    if options.positions:
        places = dict.fromkeys(position_of(text, log) for text in options.positions)
        return plan(read_refusal(record_at(log, at)) for at in places)
    taken: list[Refusal] = []
    before: set[str] = set()
    for count, one in enumerate(newest_first(log, options.filter.since_ms), 1):
        before.add(one.replayed_from)
        if options.filter.takes(one):
            taken.append(one)
        if count % 1_000 == 0:
            terminal.waiting(f"{count:,} rejects looked at, {len(taken):,} taken")
    return plan(taken, before)


def _written(log: RejectLog, chosen: Plan, terminal: Terminal) -> Outcome:
    total, said = len(chosen.chosen), 0

    def progress(outcome: Outcome) -> None:
        nonlocal said
        terminal.waiting(f"{outcome.acknowledged:,} of {total:,} acknowledged")
        share = 10 * outcome.acknowledged // total
        if not terminal.interactive and said < share < 10:
            said = share
            terminal.line(f"{10 * share} %")

    return replay(log, chosen.chosen, progress)


def _told(outcome: Outcome, total: int, terminal: Terminal) -> int:
    terminal.line(f"{outcome.acknowledged:,} of {total:,} records written and acknowledged")
    for at, why in outcome.failures[:SHOWN_FAILURES]:
        terminal.line(f"not acknowledged: {at}: {printable(why)}")
    if len(outcome.failures) > SHOWN_FAILURES:
        terminal.line(f"and {len(outcome.failures) - SHOWN_FAILURES:,} more")
    untried = total - outcome.acknowledged - len(outcome.failures)
    if untried:
        terminal.line(f"{untried:,} were not tried, since nothing was acknowledged any more. Run it again.")
    return EXIT_OK if outcome.acknowledged == total else EXIT_FAILED


def _agreed(ask: Callable[[str], str]) -> bool:
    try:
        return ask("Write them to these topics once more? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False
