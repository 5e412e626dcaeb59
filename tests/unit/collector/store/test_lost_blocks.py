"""Tokens of inserts that a kill cut short are taken back, and only those."""

import ctypes
import os
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.store.lost_blocks import Part, forget_lost_blocks, lost, remembered

PROGRAM = """
import sys
import pyarrow as pa
from spanwise_collector.store.database import Database
directory, *tokens = sys.argv[1:]
database = Database.open(f"chdb://{directory}", readers=1)
database.command(
    "CREATE TABLE IF NOT EXISTS t (n UInt64) ENGINE = MergeTree ORDER BY n "
    "SETTINGS non_replicated_deduplication_window = 100"
)
database.command("SYSTEM STOP MERGES t")
for token in tokens:
    database.insert("t", pa.RecordBatch.from_pydict({"n": pa.array([int(token)], pa.uint64())}), token=token)
print(sorted(row[0] for row in database.query("SELECT n FROM t").rows))
database.close()
"""
IN_MODIFY = 0x2
IN_MOVED_TO = 0x80


def stored(directory: Path, *tokens: int) -> list[int]:
    """Insert a row under each token in a process of its own; what the table holds then."""
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(directory), *map(str, tokens)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return [int(number) for number in answer.stdout.strip("[]\n").split(", ") if number]


def table_of(directory: Path) -> Path:
    """The directory of the one table that remembers tokens."""
    (logs,) = directory.glob("store/*/*/deduplication_logs")
    return logs.parent


def cut_short(table: Path, name: str) -> None:
    """As a kill between the engine's two steps leaves it: noted, not renamed, and the status file still there."""
    (table / name).rename(table / f"tmp_insert_{name}")
    (table.parents[2] / "status").touch()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory of the engine with three inserts."""
    assert stored(tmp_path, 1, 2, 3) == [1, 2, 3]
    return tmp_path


def test_an_insert_that_was_cut_short_lands_when_it_is_repeated(directory: Path) -> None:
    """The others are recognised as before."""
    cut_short(table_of(directory), "all_3_3_0")

    assert stored(directory) == [1, 2]
    assert stored(directory, 1, 2, 3) == [1, 2, 3]
    assert stored(directory, 1, 2, 3) == [1, 2, 3]


def test_without_the_repair_its_rows_would_be_missing_for_ever(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the module is for: the engine alone takes the insert for a repetition."""
    cut_short(table_of(directory), "all_3_3_0")
    monkeypatch.setitem(globals(), "PROGRAM", PROGRAM.replace("directory, *tokens", WITHOUT_REPAIR))

    assert stored(directory, 1, 2, 3) == [1, 2]


WITHOUT_REPAIR = """import spanwise_collector.store.database as module
module.forget_lost_blocks = lambda path: 0
directory, *tokens"""


def test_a_record_that_was_torn_does_not_hide_the_ones_after_it(directory: Path) -> None:
    """The engine would stop reading there."""
    table = table_of(directory)
    cut_short(table, "all_3_3_0")
    (log,) = (table / "deduplication_logs").iterdir()
    with log.open("ab") as file:
        file.write(b"1\tall_4_4_0\tall_12")

    assert forget_lost_blocks(directory) == 1
    assert stored(directory, 1, 2, 3) == [1, 2, 3]


def test_nothing_is_written_where_nothing_was_lost(directory: Path) -> None:
    """The second time as well."""
    (log,) = (table_of(directory) / "deduplication_logs").iterdir()
    before = log.read_bytes()

    (directory / "status").touch()
    assert (forget_lost_blocks(directory), log.read_bytes()) == (0, before)

    cut_short(table_of(directory), "all_2_2_0")

    assert [forget_lost_blocks(directory) for _ in range(2)] == [1, 0]


def test_a_directory_that_is_new_or_open_is_left_alone(tmp_path: Path, chdb_directory: Path) -> None:
    """Only an engine that is gone cannot be in the middle of an insert."""
    assert forget_lost_blocks(tmp_path / "missing") == 0
    assert forget_lost_blocks(tmp_path) == 0
    assert forget_lost_blocks(chdb_directory) == 0


@given(
    st.lists(
        st.tuples(st.sampled_from("12"), st.integers(1, 5), st.integers(1, 5)).map(
            lambda entry: f"{entry[0]}\tall_{entry[1]}_{entry[1]}_0\tall_{entry[2]}\n"
        )
    ),
    st.lists(st.tuples(st.integers(1, 5), st.integers(0, 4), st.integers(0, 2)), max_size=4),
)
def test_after_the_repair_every_remembered_block_has_a_part(
    records: list[str], parts: list[tuple[int, int, int]]
) -> None:
    """And what was remembered with a part still is."""
    names = [f"all_{first}_{first + more}_{level}" for first, more, level in parts] + [
        "tmp_insert_all_1_1_0",
        "detached",
    ]
    before = remembered("".join(records))
    missing = lost(before, names)

    after = remembered("".join(records) + "".join(f"2\t{name}\t{block}\n" for block, name in missing.items()))

    assert lost(after, names) == {}
    assert after == {block: name for block, name in before.items() if block not in missing}


def test_names_of_parts_are_read_as_the_engine_writes_them() -> None:
    """A merged and then mutated part holds the blocks it was made of; nothing that is on its way counts."""
    merged = Part.parse("20261126-3_1_5_2_7")

    assert merged == Part("20261126-3", 1, 5, 2)
    assert merged.holds(Part("20261126-3", 4, 4, 0))
    assert not merged.holds(Part("20261126-3", 6, 6, 0))
    assert not merged.holds(Part("20261127-3", 4, 4, 0))
    assert [Part.parse(name) for name in ("tmp_insert_all_1_1_0", "detached", "delete_tmp_all_1_1_0")] == [None] * 3


def test_the_engine_notes_a_block_before_its_part_appears(tmp_path: Path) -> None:
    """The order that makes the repair right.

    An engine that turns it round doubles rows after a kill: docs/decisions/0003-exactly-once.md needs another answer.
    """
    stored(tmp_path, 1)
    table = table_of(tmp_path)
    with watched({table: IN_MOVED_TO, table / "deduplication_logs": IN_MODIFY}) as events:
        assert stored(tmp_path, 2) == [1, 2]
        seen = names_of(os.read(events, 65536))

    assert [Part.parse(name) is not None for name in seen] == [False, True], seen
    assert seen[0].startswith("deduplication_log_")


@contextmanager
def watched(paths: Mapping[Path, int]) -> Iterator[int]:
    """Let the kernel tell, in order, what happens in directories: a file descriptor to read events from."""
    libc = ctypes.CDLL(None, use_errno=True)
    events = libc.inotify_init1(os.O_NONBLOCK)
    try:
        for path, mask in paths.items():
            assert libc.inotify_add_watch(events, os.fsencode(path), mask) >= 0, os.strerror(ctypes.get_errno())
        yield events
    finally:
        os.close(events)


def names_of(events: bytes) -> list[str]:
    """Names of the files that the events are about (inotify(7))."""
    names = []
    while events:
        *_, length = struct.unpack_from("iIII", events)
        names.append(events[16 : 16 + length].rstrip(b"\0").decode())
        events = events[16 + length :]
    return names
