"""`spanwise datasets`: making, filling, listing, exporting."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from spanwise_collector.cli.asking import Collector, columns, shown_time
from spanwise_collector.cli.errors import EXIT_OK, CommandError, UsageError
from spanwise_collector.cli.http import get, post_bytes
from spanwise_collector.cli.terminal import Terminal

KINDS: Final[Mapping[str, str]] = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
ENDINGS: Final[Mapping[str, str]] = {"openai": "jsonl", "preferences": "jsonl"}
SHOWN_ITEMS: Final = 10


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What to import.

    Attributes:
        file: by its ending CSV, JSONL or Parquet; None with `from_traces` and `from_corrections`.
        from_traces: take traces instead.
        from_corrections: take what reviewers corrected instead.
        queue: only corrections of this annotation queue; "" for all.
        columns: field to column.
        metadata: further columns to keep.
        replace: remove what is not in the file.
        filters: of traces, `name=value`.
        take: traces at most.
        expect_output: what traces answered is expected.
        note: why.
        by: who.
    """

    file: Path | None = None
    from_traces: bool = False
    from_corrections: bool = False
    queue: str = ""
    columns: Mapping[str, str] | None = None
    metadata: Sequence[str] = ()
    replace: bool = False
    filters: Sequence[str] = ()
    take: int = 100
    expect_output: bool = False
    note: str = ""
    by: str = ""


def run_create(name: str, collector: Collector, terminal: Terminal, *, description: str, by: str) -> int:
    """Make a dataset.

    Raises:
        CommandError: the collector does not answer, or refuses the name.
    """
    collector.send("datasets", body={"name": name, "description": description, "by": by})
    terminal.line(f"The dataset {name} is there; `spanwise datasets import {name} FILE` adds items.")
    return EXIT_OK


def run_import(name: str, wanted: ImportOptions, collector: Collector, terminal: Terminal) -> int:
    """Add items from a file, from traces or from corrections.

    Raises:
        UsageError: none or several of them are given, or the file's ending is not known.
        CommandError: the collector does not answer, or a line of the file is wrong.
    """
    if (wanted.file is not None) + wanted.from_traces + wanted.from_corrections != 1:
        raise UsageError("give a FILE, or --from-traces with filters, or --from-corrections")
    if wanted.filters and not wanted.from_traces:
        raise UsageError("--filter is for --from-traces")
    if wanted.queue and not wanted.from_corrections:
        raise UsageError("--queue is for --from-corrections")
    sent = _file(wanted) if wanted.file is not None else _traces(wanted)
    collector.send("datasets", body={"name": name, "by": wanted.by})
    if wanted.from_corrections:
        told: dict[str, Any] = {"queue_id": wanted.queue, "note": wanted.note or "from corrections", "by": wanted.by}
        found = collector.send("datasets", name, "from-corrections", body={}, **told)
    elif wanted.file is None:
        found = collector.send("datasets", name, "from-traces", body={}, **sent[1])
    else:
        url = f"{collector.url}/api/v1/datasets/{quote(name, safe='')}/import?{_query(collector.project, sent[1])}"
        found = collector.good(post_bytes(url, sent[0], key=collector.key, timeout_s=120.0))
    terminal.line(changed_words(found))
    return EXIT_OK


def changed_words(found: Mapping[str, Any]) -> str:
    """What became of a change, in a line."""
    told = [f"{found[name]:,} {name}" for name in ("added", "changed", "unchanged", "removed") if found[name]]
    if found["repeated"]:
        told.append(f"{found['repeated']:,} inputs came more than once (the last counts)")
    if found["skipped"]:
        told.append(f"{found['skipped']:,} without a stored input")
    return f"{found['dataset']} v{found['version']}: {found['items']:,} items; {', '.join(told) or 'nothing changed'}."


def run_list(collector: Collector, terminal: Terminal, *, as_json: bool) -> int:
    """Print the datasets of a project."""
    items = collector.read("datasets")["items"]
    if as_json:
        terminal.line(json.dumps(items, indent=2, ensure_ascii=False))
    elif not items:
        terminal.line("No datasets. `spanwise datasets import NAME FILE` makes one.")
    else:
        rows = [("dataset", "version", "items", "changed, UTC", "description")]
        rows += [
            (one["name"], str(one["version"]), f"{one['items']:,}", shown_time(one["updated_at"]), one["description"])
            for one in items
        ]
        for line in columns(rows):
            terminal.line(line)
    return EXIT_OK


def run_show(name: str, collector: Collector, terminal: Terminal, *, version: int | None, as_json: bool) -> int:
    """Print a dataset's versions and the first items of one.

    Raises:
        CommandError: there is no such dataset or version.
    """
    detail = collector.read("datasets", name)
    page = collector.read("datasets", name, "items", version=version, limit=SHOWN_ITEMS)
    if as_json:
        terminal.line(json.dumps({**detail, "items": page}, indent=2, ensure_ascii=False))
        return EXIT_OK
    terminal.line(f"{name}: {detail['dataset']['description'] or 'no description'}")
    rows = [("version", "items", "added", "changed", "removed", "made, UTC", "by", "note")]
    rows += [
        (
            *(str(one[key]) for key in ("number", "items", "added", "changed", "removed")),
            shown_time(one["created_at"]),
            one["by"] or "-",
            one["note"],
        )
        for one in detail["versions"]
    ]
    for line in columns(rows):
        terminal.line(line)
    if page["items"]:
        terminal.line()
        terminal.line(f"Of {page['total']:,} items in version {page['version']}:")
        for one in page["items"]:
            terminal.line(f"  {one['item_id']}  {_short(one['input'])}  ->  {_short(one['expected'])}")
    return EXIT_OK


def run_export(
    name: str, collector: Collector, terminal: Terminal, *, version: int | None, kind: str, out: Path | None
) -> int:
    """Write a version to a file.

    Raises:
        CommandError: there is no such dataset or version, or the file cannot be written.
    """
    number = version or collector.read("datasets", name)["dataset"]["version"]
    query = _query(collector.project, {"version": number, "format": kind})
    url = f"{collector.url}/api/v1/datasets/{quote(name, safe='')}/export?{query}"
    path = out or Path(f"{name}-v{number}.{ENDINGS.get(kind, kind)}")
    return _saved(url, path, collector, terminal, "items", "have nothing for this format and are left out")


def run_pairs(wanted: Mapping[str, Any], collector: Collector, terminal: Terminal, *, out: Path) -> int:
    """Write the preference pairs of two experiments to a file.

    Args:
        wanted: parameters of the API: `baseline`, `candidate`, `metric`, `margin`, `lower_is_better`.
        collector: asked.
        terminal: told.
        out: the file; `-` for the output.

    Raises:
        CommandError: there is no such experiment, or the file cannot be written.
    """
    url = f"{collector.url}/api/v1/experiments/compare/preferences?{_query(collector.project, wanted)}"
    return _saved(url, out, collector, terminal, "pairs", "items have none: ties, errors, or only one side has them")


def _saved(url: str, path: Path, collector: Collector, terminal: Terminal, what: str, without: str) -> int:
    answer = get(url, key=collector.key, timeout_s=120.0)
    if answer is None or answer.status != 200:
        collector.good(answer)
        raise CommandError("the collector does not export this")
    if path == Path("-"):
        sys.stdout.buffer.write(answer.body)
        return EXIT_OK
    try:
        path.write_bytes(answer.body)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from None
    left_out = int(answer.headers.get("spanwise-left-out", "0"))
    told = f"; {left_out:,} {without}" if left_out else ""
    terminal.line(f"{int(answer.headers.get('spanwise-written', '0')):,} {what} in {path}{told}.")
    return EXIT_OK


def _file(wanted: ImportOptions) -> tuple[bytes, dict[str, Any]]:
    assert wanted.file is not None
    kind = KINDS.get(wanted.file.suffix.lower())
    if kind is None:
        raise UsageError(f"{wanted.file}: the name must end in {', '.join(KINDS)}")
    try:
        data = wanted.file.read_bytes()
    except OSError as error:
        raise UsageError(f"{wanted.file} cannot be read: {error.strerror}") from None
    return data, {
        "format": kind,
        "column": [f"{field}={column}" for field, column in (wanted.columns or {}).items()],
        "metadata": list(wanted.metadata),
        "replace": "true" if wanted.replace else "",
        "note": wanted.note or f"from {wanted.file.name}",
        "by": wanted.by,
    }


def _traces(wanted: ImportOptions) -> tuple[bytes, dict[str, Any]]:
    filters: dict[str, Any] = {}
    for one in wanted.filters:
        name, equals, value = one.partition("=")
        if not equals or not name or not value:
            raise UsageError(f"--filter {one}: write NAME=VALUE, such as environment=production")
        filters.setdefault(name, []).append(value)
    return b"", {
        **filters,
        "take": wanted.take,
        "expected": "output" if wanted.expect_output else "none",
        "note": wanted.note or "from traces",
        "by": wanted.by,
    }


def _query(project: str, parameters: Mapping[str, Any]) -> str:
    given = {name: value for name, value in parameters.items() if value not in ("", None, [])}
    return urlencode({"project": project, **given}, doseq=True)


def _short(value: Any, limit: int = 60) -> str:
    if value is None:
        return "-"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
