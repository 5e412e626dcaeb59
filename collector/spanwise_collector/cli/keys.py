"""`spanwise keys`: make, list and revoke API keys."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from spanwise_collector.cli.datadir import DataDirectory, claimed_file
from spanwise_collector.cli.errors import EXIT_OK, CommandError, UsageError
from spanwise_collector.cli.terminal import Terminal


def keys_file(data_dir: Path) -> Path:
    """The file to work on: SPANWISE_KEYS_FILE, or the one that `spanwise up` uses."""
    named = os.environ.get("SPANWISE_KEYS_FILE", "")
    return Path(named) if named else DataDirectory(data_dir).keys


def create(
    file: Path, *, projects: Sequence[str], scopes: Sequence[str], days: int | None, note: str, terminal: Terminal
) -> int:
    """Make a key and print its secret, which is kept nowhere.

    Args:
        file: the key file; made when it is missing.
        projects: that the key may write to, or `*`.
        scopes: what it may do.
        days: after so many it expires; None for never.
        note: for people.
        terminal: where the lines go.

    Raises:
        UsageError: a project cannot have this name.
        CommandError: the file cannot be used.
    """
    from spanwise_collector.receive.key_file import add_key
    from spanwise_collector.receive.keys import ANY_PROJECT, SCOPES, is_project, new_key, project_rule

    if wrong := next((name for name in projects if name != ANY_PROJECT and not is_project(name)), None):
        raise UsageError(f"--project: {project_rule(wrong)}, or * for all.")
    if ANY_PROJECT in projects and len(projects) > 1:
        raise UsageError("--project: give * alone, or names.")
    now = datetime.now(UTC)
    key, secret = new_key(
        projects=projects,
        scopes=[scope for scope in SCOPES if scope in scopes],
        created=now,
        expires=None if days is None else now + timedelta(days=days),
        note=note,
    )
    with _editing(file):
        add_key(file, key)
    terminal.line(f"Key {key.id} for {_names(key.projects)} is in {file}. Its secret is shown only now:")
    terminal.line()
    terminal.line(f"    {secret}")
    terminal.line()
    if "ingest" in key.scopes:
        terminal.line("Applications send it with the standard variables of OpenTelemetry:")
        terminal.line()
        terminal.line(f"    OTEL_EXPORTER_OTLP_HEADERS=x-api-key={secret}")
    if set(key.scopes) != {"ingest"}:
        terminal.line("The dashboard and the commands send it to the API with:")
        terminal.line()
        terminal.line(f"    SPANWISE_API_KEY={secret}")
    return EXIT_OK


def list_keys(file: Path, terminal: Terminal) -> int:
    """Print the keys, without secrets.

    Raises:
        CommandError: the file cannot be used.
    """
    from spanwise_collector.receive.key_file import load_keys
    from spanwise_collector.receive.keys import KeyFileError

    if not file.exists():
        terminal.line(f"No keys: there is no {file}. Only this machine's loopback address is served.")
        return EXIT_OK
    try:
        keys = load_keys(file)
    except KeyFileError as error:
        raise CommandError(str(error)) from error
    now = datetime.now(UTC)
    for key in keys:
        until = "" if key.expires is None else f"expire{'d' if key.expires <= now else 's'} {key.expires:%Y-%m-%d}"
        parts = [key.id, f"{key.created:%Y-%m-%d}", "+".join(key.scopes), _names(key.projects), until, key.note]
        terminal.line("  ".join(part for part in parts if part))
    if not keys:
        terminal.line(f"{file} has no keys: nobody may send.")
    return EXIT_OK


def revoke(file: Path, key_id: str, terminal: Terminal) -> int:
    """Delete a key; running collectors refuse it within a second.

    Raises:
        CommandError: there is no such key, or the file cannot be used.
    """
    from spanwise_collector.receive.key_file import remove_key

    with _editing(file):
        key = remove_key(file, key_id)
    terminal.line(f"Key {key.id} for {_names(key.projects)} is gone; collectors refuse it within a second.")
    return EXIT_OK


@contextmanager
def _editing(file: Path) -> Iterator[None]:
    """One editor at a time; errors of the file end the command."""
    from spanwise_collector.receive.keys import KeyFileError

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with claimed_file(file.with_name(file.name + ".lock")):
            yield
    except (KeyFileError, OSError) as error:
        raise CommandError(str(error)) from error


def _names(projects: Sequence[str]) -> str:
    return "all projects" if tuple(projects) == ("*",) else ", ".join(projects)
