"""Putting the days of the shadow database in the place of those in use.

Each statement replaces one partition of one table at once, and doing it again changes nothing. So once the shadow is
complete and the state says `swapping`, whoever finds that state does all of it again, before anything else is stored.
"""

from collections.abc import Sequence
from datetime import date

from spanwise_collector.replay.shadow import BY_DAY, BY_MONTH, SPANS_OUT, months_of
from spanwise_collector.store.database import Database, quoted


def put_in_place(live: Database, rebuilt: Database, shadow: Database, days: Sequence[date]) -> None:
    """Replace what is in use.

    Args:
        live: the store in use.
        rebuilt: rows made anew; its scores go in beside those in use, where the newest version of each holds.
        shadow: complete, as `Shadow.finish` leaves it.
        days: that it has.

    Raises:
        StoreError: as the store says; calling again does all of it.
    """
    for day in days:
        _replace(live, shadow, "spans", f"{day:%Y%m%d}", source=SPANS_OUT)
        for table in BY_DAY:
            _replace(live, shadow, table, f"{day:%Y%m%d}")
    for month in months_of(days):
        for table in BY_MONTH:
            _replace(live, shadow, table, str(month))
    live.command(
        f"INSERT INTO scores SELECT * FROM {quoted(rebuilt.address.database)}.scores SETTINGS insert_deduplicate = 0"
    )


def _replace(live: Database, shadow: Database, table: str, partition: str, *, source: str = "") -> None:
    source = source or table
    if shadow.query(f"SELECT 1 FROM {source} WHERE _partition_id = {{id:String}} LIMIT 1", {"id": partition}).rows:
        where = f"{quoted(shadow.address.database)}.{source}"
        live.command(f"ALTER TABLE {table} REPLACE PARTITION ID '{partition}' FROM {where}")
    else:
        # The engine refuses to replace a partition by nothing.
        live.command(f"ALTER TABLE {table} DROP PARTITION ID '{partition}'")
