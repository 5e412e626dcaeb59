"""`spanwise reprice`: asks a collector what another price list would change, shows it, and has it written."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from spanwise_collector.cli.address import Address, address
from spanwise_collector.cli.errors import EXIT_OK, CommandError, UsageError
from spanwise_collector.cli.http import Answer, get, post
from spanwise_collector.cli.terminal import Terminal

POLL_S: Final = 0.5
LOST_AFTER: Final = 20
"""So many questions without an answer in a row, and the collector is taken for gone."""
_NANO: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class RepriceOptions:
    """What to compute anew.

    Attributes:
        start: date or RFC 3339; without a time zone it is UTC.
        end: likewise; not inside.
        project: empty for all.
        prices: a price file; None for the collector's own.
        dry_run: write nothing.
        yes: do not ask.
    """

    start: str
    end: str
    project: str = ""
    prices: Path | None = None
    dry_run: bool = False
    yes: bool = False


def run_reprice(
    options: RepriceOptions,
    *,
    data_dir: Path,
    api: str,
    terminal: Terminal,
    ask: Callable[[str], str],
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Show the difference, and write it when told to.

    Args:
        options: what to do.
        data_dir: of the `spanwise up` to ask; not used when `api` is given.
        api: base URL of a collector, or empty.
        terminal: where the lines go.
        ask: asks the user; an end of input is a no.
        sleep: waits, in seconds.

    Returns:
        `EXIT_OK`, also when there is nothing to do or the user says no.

    Raises:
        CommandError: an option is wrong, the collector does not answer, or it failed.
    """
    found = address(api, data_dir)
    where = Address(f"{found.url}/api/v1/reprice", found.key)
    body: dict[str, object] = {"from": _time(options.start), "to": _time(options.end), "project": options.project}
    if options.prices is not None:
        try:
            body["prices"] = options.prices.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"--prices: {options.prices} cannot be read ({error}).") from error
    shown = _finished(where, body | {"apply": False}, terminal, sleep, "computing")
    for line in table(shown):
        terminal.line(line)
    if options.dry_run or not any(_differs(one) for one in shown["models"]):
        return EXIT_OK
    if not options.yes and not _agreed(ask):
        terminal.line("Nothing was written.")
        return EXIT_OK
    _finished(where, body | {"apply": True}, terminal, sleep, "writing")
    terminal.line("Written.")
    return EXIT_OK


def table(answer: dict[str, Any]) -> list[str]:
    """The difference by model, and its sum."""
    models = answer["models"]
    if not models:
        return ["No model calls in this time range."]
    head = ("model", "calls", "before, USD", "after, USD", "newly priced", "no longer priced", "prices")
    rows = [
        (
            one["model"] or "(no model)",
            f"{one['calls']:,}",
            _usd(one["before_nanousd"]),
            _usd(one["after_nanousd"]),
            f"{one['newly_priced_calls']:,}",
            f"{one['no_longer_priced_calls']:,}",
            ", ".join(one["price_versions"]),
        )
        for one in models
    ]
    numbers = ("calls", "before_nanousd", "after_nanousd", "newly_priced_calls", "no_longer_priced_calls")
    calls, before, after, priced, unpriced = (sum(one[name] for one in models) for name in numbers)
    rows.append(("all", f"{calls:,}", _usd(before), _usd(after), f"{priced:,}", f"{unpriced:,}", ""))
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    return [
        "  ".join(
            text.ljust(width) if at in (0, 6) else text.rjust(width)
            for at, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (head, *rows)
    ]


def _finished(
    where: Address, body: dict[str, object], terminal: Terminal, sleep: Callable[[float], None], doing: str
) -> dict[str, Any]:
    """Start it and wait until it has ended; says how far it is."""
    answer = _good(post(where.url, body, key=where.key), where.url)
    silent, said = 0, -1
    while answer["state"] == "running":
        share = int(answer["progress"] * 100)
        if share >= said + 10:
            terminal.line(f"{doing}: {share} %")
            said = share
        sleep(POLL_S)
        got = get(f"{where.url}/{answer['id']}", key=where.key, timeout_s=10.0)
        silent = silent + 1 if got is None else 0
        if got is not None or silent > LOST_AFTER:
            answer = _good(got, where.url)
    if answer["state"] == "failed":
        raise CommandError(str(answer["failure"]))
    return answer


def _good(answer: Answer | None, url: str) -> dict[str, Any]:
    if answer is None:
        raise CommandError(f"No collector answers at {url}. Is it running? Name it with --api URL.")
    if answer.status not in (200, 202):
        detail = answer.json().get("detail") or f"HTTP {answer.status}"
        raise CommandError(str(detail))
    return answer.json()


def _time(text: str) -> str:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a date (2026-11-01) or a time (2026-11-01T08:00Z).") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).isoformat()


def _differs(model: dict[str, Any]) -> bool:
    return bool(
        model["before_nanousd"] != model["after_nanousd"]
        or model["newly_priced_calls"]
        or model["no_longer_priced_calls"]
    )


def _agreed(ask: Callable[[str], str]) -> bool:
    try:
        return ask("Write this? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


def _usd(nano: int) -> str:
    return f"{nano / _NANO:,.6f}"
