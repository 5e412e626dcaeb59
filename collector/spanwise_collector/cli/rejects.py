"""`spanwise rejects list` and `show`: what was refused."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final

from spanwise_collector.cli.asking import columns, time_option
from spanwise_collector.cli.datadir import DataDirectory
from spanwise_collector.cli.errors import EXIT_OK, CommandError, UsageError
from spanwise_collector.cli.terminal import Terminal
from spanwise_collector.ingest.records import Record
from spanwise_collector.ingest.settings import KafkaConnection
from spanwise_collector.ingest.source import SourceError
from spanwise_collector.normalise.problems import REFUSALS
from spanwise_collector.rejects.log import RejectLog
from spanwise_collector.rejects.model import Position, Refusal, read_refusal
from spanwise_collector.rejects.scan import Filter, Group, grouped, newest_first
from spanwise_collector.rejects.view import dump, printable, printable_bytes

ALL: Final = Filter()
_DASH: Final = "-"


@contextmanager
def opened(data_dir: Path) -> Iterator[RejectLog]:
    """The rejects topic, and its failures as a command's.

    Raises:
        UsageError: a setting is wrong, or there is none and no `spanwise up` runs in the directory.
        CommandError: Kafka does not answer, or refuses.
    """
    from spanwise_collector.rejects.kafka_log import KafkaRejectLog

    kafka = connection(data_dir, os.environ)
    try:
        log = KafkaRejectLog(kafka)
        try:
            yield log
        finally:
            log.close()
    except SourceError as error:
        raise CommandError(f"{error}\nKafka is {kafka.bootstrap}; SPANWISE_KAFKA names another.") from error


def connection(data_dir: Path, environ: Mapping[str, str]) -> KafkaConnection:
    """How to reach Kafka: as the environment says, else the broker of the `spanwise up` in a directory.

    Raises:
        UsageError: a setting is wrong, or neither is there.
    """
    from spanwise_collector.kafka_connection import kafka_connection
    from spanwise_collector.settings import SettingsError, load

    overrides: dict[str, str] = {}
    if not environ.get("SPANWISE_KAFKA"):
        state = DataDirectory(data_dir).read_state()
        if state is None:
            raise UsageError(
                f"No `spanwise up` runs in {data_dir}, and SPANWISE_KAFKA is not set. Set it to your brokers "
                "(host:port), or name the directory with --data-dir."
            )
        overrides["kafka"] = state.kafka
    try:
        return kafka_connection(load(**overrides))
    except SettingsError as error:
        raise UsageError(str(error)) from None


def filter_of(reasons: Sequence[str], since: str) -> Filter:
    """The filter that options ask for.

    Raises:
        UsageError: the time is none.
    """
    since_ms = None
    if since:
        since_ms = int(datetime.fromisoformat(time_option("--since", since)).timestamp() * 1000)
    return Filter(tuple(reasons), since_ms)


def run_list(log: RejectLog, wanted: Filter, limit: int, terminal: Terminal, *, each: bool) -> int:
    """Print groups of refusals, or one line per record.

    Args:
        log: the rejects topic.
        wanted: which.
        limit: of the newest so many.
        terminal: where the lines go.
        each: no groups.
    """
    found = list(islice((one for one in newest_first(log, wanted.since_ms) if wanted.takes(one)), limit))
    if not found:
        terminal.line(f"Nothing in the topic {log.topic} matches." if wanted != ALL else "Nothing was refused.")
        return EXIT_OK
    for line in columns(_each(found) if each else groups_table(grouped(found))):
        terminal.line(line)
    if not each:
        for reason in sorted({one.reason for one in found} & set(REFUSALS)):
            terminal.line(f"{reason}: {REFUSALS[reason]}")
    if len(found) == limit:
        terminal.line(f"These are the newest {limit:,}; --limit N looks at more.")
    return EXIT_OK


def _each(found: Sequence[Refusal]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [
        ("position", "refused, UTC", "reason", "items", "bytes", "project", "service", "producer", "lay at", "detail")
    ]
    rows += [
        (
            str(one.at),
            shown_ms(one.refused_ms),
            shown(one.reason),
            f"{one.items:,}",
            f"{one.size:,}",
            shown(one.project),
            shown(one.service),
            shown(one.producer),
            _DASH if one.origin is None else printable(str(one.origin.at)),
            printable(one.detail),
        )
        for one in found
    ]
    return rows


def groups_table(groups: Sequence[Group]) -> list[tuple[str, ...]]:
    """Rows of a table, the first of which is its head."""
    rows: list[tuple[str, ...]] = [
        ("reason", "topic", "project", "service", "producers", "records", "items", "oldest, UTC", "newest, UTC", "see")
    ]
    rows += [
        (
            shown(group.newest.reason),
            shown("" if group.newest.origin is None else group.newest.origin.at.topic),
            shown(group.newest.project),
            shown(group.newest.service),
            f"{len(set(group.producers) - {''}):,}",
            f"{group.records:,}",
            f"{group.items:,}",
            shown_ms(group.oldest_ms),
            shown_ms(group.newest.refused_ms),
            str(group.newest.at),
        )
        for group in groups
    ]
    return rows


def run_show(log: RejectLog, position: str, size: int, out: Path | None, terminal: Terminal) -> int:
    """Print one record's headers and first bytes, or write its bytes to a file.

    Args:
        log: the rejects topic.
        position: as `list` prints it.
        size: how many bytes to print.
        out: a new file for all of them; None to print.
        terminal: where the lines go.

    Raises:
        UsageError: the position is none.
        CommandError: there is no such record, or the file cannot be written.
    """
    record = record_at(log, position_of(position, log))
    one = read_refusal(record)
    if out is not None and not one.is_kept:
        raise CommandError(f"{one.at} has no bytes: {one.size:,} were too many for the rejects topic.")
    terminal.line(f"{one.at}, refused {shown_ms(one.refused_ms)} UTC")
    if one.reason in REFUSALS:
        terminal.line(f"{one.reason}: {REFUSALS[one.reason]}")
    terminal.line(f"project {shown(one.project)}, service {shown(one.service)}, producer {shown(one.producer)}")
    terminal.line(f"key     {_DASH if record.key is None else record.key[:64].hex()}")
    for key, value in record.headers:
        terminal.line(f"header  {printable(key)} = {_DASH if value is None else printable_bytes(value, 1_000)}")
    if out is not None:
        try:
            with out.open("xb") as file:
                file.write(record.value or b"")
        except OSError as error:
            raise CommandError(f"--out: {out} cannot be written ({error.strerror}).") from error
        terminal.line(f"{one.size:,} bytes written to {out}")
        return EXIT_OK
    terminal.line(f"{one.size:,} bytes{'' if one.is_kept else ', which were too many for the rejects topic'}")
    for line in dump(record.value or b"", size):
        terminal.line(line)
    return EXIT_OK


def position_of(text: str, log: RejectLog) -> Position:
    """A position in the rejects topic.

    Raises:
        UsageError: it is none, or one in another topic.
    """
    try:
        at = Position.read(text)
    except ValueError:
        at = None
    if at is None or at.topic != log.topic:
        raise UsageError(f"{text!r} is no position like {log.topic}:0:17; `spanwise rejects list --each` prints them.")
    return at


def record_at(log: RejectLog, at: Position) -> Record:
    """The record at a position.

    Raises:
        CommandError: there is none.
    """
    held = log.ranges().get(at.partition)
    found = None
    if held is not None and held.start <= at.offset < held.end:
        found = next(iter(log.read(at.partition, at.offset, at.offset + 1)), None)
    if found is None:
        raise CommandError(f"There is no record at {at}; Kafka may have deleted it since (retention of the topic).")
    return found


def shown_ms(milliseconds: int) -> str:
    """A time for people, UTC; a dash for none."""
    if not 0 <= milliseconds < 253_402_300_800_000:  # the year 10,000
        return _DASH
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def shown(text: str) -> str:
    """A short text of the data, printable; a dash for none."""
    return printable(text, 64) if text else _DASH
