"""Whether the embedded ClickHouse engine can run here."""

import sys
from importlib.util import find_spec


def engine_missing() -> str:
    """Why the embedded engine cannot run and the ways on; empty when it can."""
    if find_spec("chdb") is not None:
        return ""
    return (
        "The embedded ClickHouse engine is not installed: pip install 'spanwise[embedded]'. Its wheels are for "
        f"Linux and for Macs with Apple silicon; this is {sys.platform}.\nThe other ways on: `docker compose up` "
        "(compose.yaml brings a ClickHouse server), or name a server: "
        "`spanwise up --clickhouse http://USER:PASSWORD@HOST:8123/DATABASE`."
    )
