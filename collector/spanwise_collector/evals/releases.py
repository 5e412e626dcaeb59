"""When releases were first seen, for samples that look closer at new ones."""

from collections import OrderedDict
from threading import Lock
from typing import Final

from spanwise_collector.store.database import Reader

MAX_RELEASES: Final = 10_000


class Releases:
    """Remembers the first span of each release; asks the store once for each. Thread-safe.

    Args:
        reader: the store.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._lock = Lock()
        self._first: OrderedDict[tuple[str, str], int] = OrderedDict()

    def first_seen(self, project: str, release: str, start_us: int) -> int:
        """The start of its earliest span that is stored, or `start_us` where that is earlier.

        Raises:
            StoreError: as the store says.
        """
        key = (project, release)
        with self._lock:
            known = self._first.get(key)
        if known is None:
            found = self._reader.query(
                "SELECT count(), toUnixTimestamp64Micro(min(start_time)) FROM trace_agg "
                "WHERE project_id = {project:String} AND release = {release:String}",
                {"project": project, "release": release},
            ).rows
            known = int(found[0][1]) if found and found[0][0] else start_us
        first = min(known, start_us)
        with self._lock:
            self._first[key] = min(first, self._first.get(key, first))
            self._first.move_to_end(key)
            while len(self._first) > MAX_RELEASES:
                self._first.popitem(last=False)
        return first
