"""`spanwise evaluators`: SQL expressions that score spans; tried, stored, compared, and run over history."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from spanwise_collector.cli.asking import Collector, columns, shown_time, time_option
from spanwise_collector.cli.errors import EXIT_OK, CommandError
from spanwise_collector.cli.terminal import Terminal

POLL_S: Final = 0.5
UNTOUCHED_S: Final = 30.0
"""A job on which nobody has begun after so long is left alone: no collector with the role `evals` runs."""
_PREVIEW_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Draft:
    """An evaluator as it was typed.

    Attributes:
        expression: gives the score.
        filter: which spans it is for.
        description: for people.
        by: who makes it.
    """

    expression: str
    filter: str = ""
    description: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Between:
    """A time range as it was typed; "" for the API's default."""

    start: str = ""
    end: str = ""

    @property
    def parameters(self) -> dict[str, str]:
        """For the API.

        Raises:
            UsageError: a time cannot be read.
        """
        found = {"from": ("--from", self.start), "to": ("--to", self.end)}
        return {name: time_option(option, text) for name, (option, text) in found.items() if text}


def run_list(collector: Collector, terminal: Terminal, *, as_json: bool) -> int:
    """Print the evaluators of a project.

    Raises:
        CommandError: the collector does not answer, or refuses.
    """
    found = collector.read("evals", "sql")
    if as_json:
        return _json(found, terminal)
    items = found["items"]
    if not items:
        terminal.line("No SQL evaluators in this project. Make one with `spanwise evaluators add NAME EXPRESSION`.")
        return EXIT_OK
    rows = [("evaluator", "version", "state", "gives", "scored live", "mean", "expression")]
    rows += [
        (
            one["name"],
            str(one["newest"]["version"]),
            one["state"],
            one["newest"]["kind"],
            f"{one['live']['scored']:,}",
            _number(one["live"]["mean"]),
            _said(one["newest"]),
        )
        for one in items
    ]
    head, *lines = columns(rows)
    terminal.line(head)
    for line, one in zip(lines, items, strict=True):
        terminal.line(line)
        if one["reason"]:
            terminal.line(f"    ! {one['reason']}")
    terminal.line(f"scored by {found['worker'] or 'nobody: no collector with the role evals runs'}")
    return EXIT_OK


def run_reference(collector: Collector, terminal: Terminal, *, as_json: bool) -> int:
    """Print what expressions are made of.

    Raises:
        CommandError: the collector does not answer, or refuses.
    """
    found = collector.read("evals", "sql-reference")
    if as_json:
        return _json(found, terminal)
    for line in columns(
        [("column", "type", "what it is"), *((c["name"], c["type"], c["help"]) for c in found["columns"])]
    ):
        terminal.line(line)
    for group, functions in found["functions"].items():
        terminal.line(f"{group}: {', '.join(functions)}")
    for one in found["examples"]:
        terminal.line(f"example: {_said(one)}")
    return EXIT_OK


def run_show(name: str, collector: Collector, terminal: Terminal, *, as_json: bool) -> int:
    """Print one evaluator.

    Raises:
        CommandError: there is none, or the collector does not answer.
    """
    found = collector.read("evals", "sql", name)
    if as_json:
        return _json(found, terminal)
    info = found["info"]
    terminal.line(f"{name}: {info['state']}" + (f" ({info['reason']})" if info["reason"] else ""))
    terminal.line(f"new spans: {outcome(info['live'])}")
    rows = [("version", "made, UTC", "by", "gives", "expression")]
    rows += [
        (str(one["version"]), shown_time(one["created"]), one["by"] or "-", one["kind"], _said(one))
        for one in found["versions"]
    ]
    for line in columns(rows):
        terminal.line(line)
    if found["backfills"]:
        jobs = [("job", "version", "state", "done", "seconds", "what became of the spans")]
        jobs += [
            (
                one["id"],
                str(one["version"]),
                one["state"],
                f"{one['progress']:.0%}",
                f"{one['seconds']:.1f}",
                one["reason"] or outcome(one["outcome"]),
            )
            for one in found["backfills"]
        ]
        for line in columns(jobs):
            terminal.line(line)
    return EXIT_OK


def run_preview(draft: Draft, between: Between, collector: Collector, terminal: Terminal, *, as_json: bool) -> int:
    """Print what an expression gives.

    Raises:
        CommandError: it is refused, or the collector does not answer.
    """
    body = {"expression": draft.expression, "filter": draft.filter}
    found = collector.send("evals", "sql-preview", body=body, timeout_s=_PREVIEW_S, **between.parameters)
    if as_json:
        return _json(found, terminal)
    terminal.line(f"gives {found['kind']} ({found['type']}); {outcome(found['outcome'])}")
    if found["quantiles"]:
        terminal.line("  ".join(f"{name} {_number(value)}" for name, value in found["quantiles"].items()))
    for label, count in found["labels"].items():
        terminal.line(f"{count:>9,}  {label}")
    rows = [("time, UTC", "trace", "span", "name", "score")]
    rows += [(*_place(one), _given(one["given"])) for one in found["examples"]]
    for line in columns(rows) if found["examples"] else ["No span got a score."]:
        terminal.line(line)
    return EXIT_OK


def run_add(
    name: str,
    draft: Draft,
    collector: Collector,
    terminal: Terminal,
    *,
    backfill: bool,
    wait: bool,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Store an evaluator, and wait until history is scored.

    Raises:
        CommandError: it is refused, or the collector does not answer.
    """
    body = {
        "name": name,
        "expression": draft.expression,
        "filter": draft.filter,
        "description": draft.description,
        "by": draft.by,
        "backfill": backfill,
    }
    added = collector.send("evals", "sql", body=body, timeout_s=_PREVIEW_S)
    newest = added["info"]["newest"]
    terminal.line(
        f"{name} version {newest['version']}, gives {newest['kind']}. Newest spans: {outcome(added['tried'])}"
    )
    job = added["backfill"]
    if job is not None:
        _watched(job, collector, terminal, sleep, wait=wait)
    return EXIT_OK


def run_backfill(
    name: str,
    version: int | None,
    between: Between,
    collector: Collector,
    terminal: Terminal,
    *,
    by: str,
    wait: bool,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Score what is stored.

    Raises:
        CommandError: there is no such version, it is under way already, or it failed.
    """
    body: dict[str, object] = {"version": version, "by": by, **between.parameters}
    _watched(collector.send("evals", "sql", name, "backfill", body=body), collector, terminal, sleep, wait=wait)
    return EXIT_OK


def run_cancel(job: str, collector: Collector, terminal: Terminal) -> int:
    """Stop scoring history.

    Raises:
        CommandError: there is no such job, or the collector does not answer.
    """
    collector.remove("evals", "sql-backfills", job)
    found = collector.read("evals", "sql-backfills", job)
    terminal.line(f"{found['state']}; {outcome(found['outcome'])}")
    return EXIT_OK


def run_diff(
    name: str,
    versions: tuple[int | None, int | None],
    between: Between,
    collector: Collector,
    terminal: Terminal,
    *,
    as_json: bool,
) -> int:
    """Print how two versions differ.

    Raises:
        CommandError: there is no such version, or the collector does not answer.
    """
    chosen = dict(zip(("before", "after"), versions, strict=True))
    found = collector.read("evals", "sql", name, "diff", **chosen, **between.parameters)
    if as_json:
        return _json(found, terminal)
    for line in difference(found):
        terminal.line(line)
    return EXIT_OK


def difference(found: Mapping[str, Any]) -> Iterator[str]:
    """Two versions beside each other: what they are, how many spans changed, their means, examples."""
    before, after = found["before"], found["after"]
    yield f"version {before['version']}: {_said(before)}"
    yield f"version {after['version']}: {_said(after)}"
    share = found["changed"] / found["both"] if found["both"] else 0.0
    yield (
        f"{found['spans']:,} spans{', the newest' if found['is_cut'] else ''}: {found['both']:,} scored by both, of "
        f"these {found['changed']:,} changed ({share:.1%}); {found['only_before']:,} only by version "
        f"{before['version']}, {found['only_after']:,} only by version {after['version']}"
    )
    yield f"mean {_number(found['mean_before'])} before, {_number(found['mean_after'])} after"
    if found["examples"]:
        rows = [("time, UTC", "trace", "span", "name", "before", "after")]
        rows += [(*_place(one), _given(one["given"]), _given(one["after"])) for one in found["examples"]]
        yield from columns(rows)


def run_switch(name: str, collector: Collector, terminal: Terminal, *, on: bool, by: str) -> int:
    """Turn one on or off.

    Raises:
        CommandError: there is none, or the collector does not answer.
    """
    found = collector.send("evals", "sql", name, "state", body={"on": on, "by": by})
    terminal.line(f"{name}: {found['state']}")
    return EXIT_OK


def run_remove(name: str, collector: Collector, terminal: Terminal) -> int:
    """End one.

    Raises:
        CommandError: there is none, or the collector does not answer.
    """
    collector.remove("evals", "sql", name)
    terminal.line(f"{name} was removed; its scores stay.")
    return EXIT_OK


def outcome(found: Mapping[str, Any]) -> str:
    """What became of spans, in a line."""
    none = {
        "without an answer (NULL)": found["null"],
        "infinite or no number": found["not_finite"],
        "whose text is not stored": found["without_text"],
    }
    parts = [f"{found['scored']:,} of {found['spans']:,} spans scored"]
    parts += [f"{count:,} {what}" for what, count in none.items() if count]
    if found["mean"] is not None:
        parts.append(f"mean {_number(found['mean'])}")
    return ", ".join(parts)


def _watched(
    job: dict[str, Any], collector: Collector, terminal: Terminal, sleep: Callable[[float], None], *, wait: bool
) -> None:
    """Wait until a job has ended, and say how far it is."""
    if not wait:
        terminal.line(f"History is scored in the background as job {job['id']}.")
        return
    waited = 0.0
    while job["state"] in ("waiting", "running"):
        if job["state"] == "waiting" and waited >= UNTOUCHED_S:
            raise CommandError(
                f"Nobody has begun with job {job['id']}: run a collector with the role `evals`; it will take it up."
            )
        terminal.waiting(f"{job['progress']:.0%} of history, {job['spans_done']:,} spans")
        sleep(POLL_S)
        waited += POLL_S
        job = collector.read("evals", "sql-backfills", job["id"])
    if job["state"] == "failed":
        raise CommandError(f"Scoring history failed: {job['reason']}")
    terminal.line(f"history, {job['state']} in {job['seconds']:.1f} s: {outcome(job['outcome'])}")


def _json(found: object, terminal: Terminal) -> int:
    terminal.line(json.dumps(found, indent=2, ensure_ascii=False))
    return EXIT_OK


def _said(version: Mapping[str, Any]) -> str:
    where = f"  where {version['filter']}" if version["filter"] else ""
    return f"{version['expression']}{where}"


def _place(one: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return shown_time(one["time"]), one["trace_id"], one["span_id"], one["name"]


def _given(given: Mapping[str, Any] | None) -> str:
    if given is None:
        return "-"
    return str(given["label"]) or (_number(given["value"]) if given["value"] is not None else "-")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.6g}"
