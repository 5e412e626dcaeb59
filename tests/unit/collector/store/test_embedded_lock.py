"""Only one process may open a directory of the embedded engine; the second one is told what to do."""

import os
import subprocess
import sys
from pathlib import Path

from spanwise_collector.store.database import Database

OPEN = """
import sys
from spanwise_collector.store.database import Database
from spanwise_collector.store.errors import StoreError
try:
    Database.open(sys.argv[1], readers=0)
except StoreError as error:
    print(type(error).__name__, error)
"""


def test_a_directory_that_is_open_elsewhere_is_an_error_that_says_what_to_do(
    chdb_directory: Path, database: Database
) -> None:
    """The message names the directory, the process that has it, and the ways on."""
    answer = subprocess.run(
        [sys.executable, "-c", OPEN, f"chdb://{chdb_directory}"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert answer.stdout == (
        f"TransientStoreError {chdb_directory} is open in another process (PID: {os.getpid()}); only one may open it. "
        "Stop that one, or ask its HTTP API, or set SPANWISE_CLICKHOUSE to another directory.\n"
    )
