"""Blocks that an embedded engine remembers and does not have: tokens of inserts that a kill cut short.

An insert into a MergeTree table without replicas notes its token in `deduplication_logs/`, and two system calls later
renames its part from `tmp_insert_…` to its own name. A process that is killed in between leaves a token without rows:
the same insert again would be taken for a repetition, and its rows would never be stored. Before the engine opens a
directory, such tokens are taken back by the engine's own record for that, so that the insert lands when it is repeated.

The format is that of `src/Storages/MergeTree/MergeTreeDeduplicationLog.cpp`: lines of `1` (noted) or `2` (dropped), the
part's name and the block's id, separated by tabs, in files that are numbered and read in order.
"""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

NOTED: Final = "1"
DROPPED: Final = "2"
IN_FLIGHT: Final = 1_000
"""Only so many of a table's latest blocks can have been cut short: one per writer, really. Older ones without a part
have expired, or were moved by an operator."""
_PART: Final = re.compile(r"([^_]+)_(\d+)_(\d+)_(\d+)(?:_\d+)?")


@dataclass(frozen=True, slots=True)
class Part:
    """The name of a part: the blocks of a partition that it holds, and how often they were merged."""

    partition: str
    first: int
    last: int
    level: int

    @classmethod
    def parse(cls, name: str) -> Self | None:
        """Read a name as `202611_1_5_2`; None for anything else, such as `tmp_insert_202611_6_6_0`."""
        found = _PART.fullmatch(name)
        return cls(found[1], int(found[2]), int(found[3]), int(found[4])) if found else None

    def holds(self, other: Self) -> bool:
        """Whether the other part is this one, or was merged into it."""
        return (
            self.partition == other.partition
            and self.first <= other.first
            and self.last >= other.last
            and self.level >= other.level
        )


def remembered(log: str) -> dict[str, str]:
    """Which blocks a log says are there: part names by block id. A last line that was cut short is left out."""
    blocks: dict[str, str] = {}
    for line in log.split("\n")[:-1]:
        operation, _, rest = line.partition("\t")
        name, _, block = rest.partition("\t")
        if operation == NOTED:
            blocks[block] = name
        elif operation == DROPPED:
            blocks.pop(block, None)
    return blocks


def lost(blocks: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Those of the blocks that no part holds.

    Args:
        blocks: part names by block id.
        names: of the entries of the table's directory.
    """
    there: dict[str, list[Part]] = {}
    for part in map(Part.parse, names):
        if part is not None:
            there.setdefault(part.partition, []).append(part)
    missing = {}
    for block, name in blocks.items():
        noted = Part.parse(name)
        if noted is not None and not any(part.holds(noted) for part in there.get(noted.partition, [])):
            missing[block] = name
    return missing


def forget_lost_blocks(directory: Path) -> int:
    """Take back the tokens of blocks that are not there, in all tables of a directory that no engine has open.

    Args:
        directory: of the embedded engine. One that is new, was closed in order (no `status` file), or is open in a
            process, is left as it is.

    Returns:
        How many blocks were forgotten.

    Raises:
        OSError: a log cannot be read or written.
    """
    import fcntl  # not on Windows, where the embedded engine does not exist either

    try:
        status = (directory / "status").open("r+b")
    except FileNotFoundError:
        return 0
    with status:
        try:
            # The engine's own lock: nobody opens the directory meanwhile.
            fcntl.flock(status, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 0
        return sum(_forget(logs) for logs in directory.glob("store/*/*/deduplication_logs"))


def _forget(logs: Path) -> int:
    files = sorted(logs.glob("deduplication_log_*.txt"), key=lambda path: int(path.stem.rpartition("_")[2]))
    if not files:
        return 0
    texts = [path.read_bytes().decode(errors="surrogateescape") for path in files]
    recent = dict(list(remembered("".join(texts)).items())[-IN_FLIGHT:])
    blocks = lost(recent, (entry.name for entry in logs.parent.iterdir()))
    if blocks:
        records = "".join(f"{DROPPED}\t{name}\t{block}\n" for block, name in blocks.items())
        whole = texts[-1][: texts[-1].rfind("\n") + 1]
        with files[-1].open("r+b") as file:
            # The engine stops reading a log at a line that it cannot parse, so a torn one must not stay in between.
            file.truncate(len(whole.encode(errors="surrogateescape")))
            file.seek(0, os.SEEK_END)
            file.write(records.encode(errors="surrogateescape"))
    return len(blocks)
