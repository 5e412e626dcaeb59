"""Verdicts by the content that they are of, so that the same content is paid for once."""

import json
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

import pyarrow as pa

from spanwise_collector.alerts.claims import Store
from spanwise_collector.evals.verdicts import CriterionVerdict
from spanwise_collector.store.errors import StoreError

log = logging.getLogger(__name__)

TABLE: Final = "judge_cache"
_SCHEMA: Final = pa.schema(
    [
        ("cache_key", pa.binary(32)),
        ("project_id", pa.string()),
        ("judge", pa.string()),
        ("body", pa.string()),
        ("keep_days", pa.uint16()),
        ("ts", pa.timestamp("ms", "UTC")),
    ]
)


class Cache(Protocol):
    """Keeps verdicts. Used by several threads."""

    def get(self, key: bytes) -> tuple[CriterionVerdict, ...] | None:
        """The verdicts under a key of 32 bytes; None where there are none."""
        ...

    def put(self, key: bytes, project: str, judge: str, verdicts: Sequence[CriterionVerdict], keep_days: int) -> None:
        """Keep verdicts; the first under a key stay."""
        ...


class StoredCache:
    """`Cache` in ClickHouse. A store that is away is a cache without this entry: it costs a call, and no verdict.

    Args:
        store: the database.
        now: the time of day, UTC.
    """

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    def get(self, key: bytes) -> tuple[CriterionVerdict, ...] | None:
        """See `Cache.get`."""
        try:
            rows = self._store.query(
                f"SELECT body FROM {TABLE} WHERE cache_key = unhex({{key:String}}) "
                "AND toDateTime(ts) + toIntervalDay(keep_days) > {now:DateTime} ORDER BY ts LIMIT 1",
                {"key": key.hex(), "now": self._now()},
            ).rows
        except StoreError as error:
            log.warning("the cache of verdicts cannot be read: %s", error)
            return None
        if not rows:
            return None
        found: list[list[Any]] = json.loads(rows[0][0])
        return tuple(CriterionVerdict(key, verdict, reason) for key, verdict, reason in found)

    def put(self, key: bytes, project: str, judge: str, verdicts: Sequence[CriterionVerdict], keep_days: int) -> None:
        """See `Cache.put`."""
        body = json.dumps([[one.key, one.verdict, one.reason] for one in verdicts], ensure_ascii=False)
        now = self._now()
        row = {
            "cache_key": key,
            "project_id": project,
            "judge": judge,
            "body": body,
            "keep_days": keep_days,
            "ts": now,
        }
        try:
            self._store.insert(
                TABLE,
                pa.RecordBatch.from_pylist([row], schema=_SCHEMA),
                token=f"{TABLE}:{key.hex()}:{now.date().isoformat()}",
            )
        except StoreError as error:
            log.warning("a verdict could not be kept in the cache: %s", error)
