"""Grouping fingerprints as a part of the service: new ones are put to the issue whose message has the same template."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import pyarrow as pa

from spanwise_collector.failures.classes import CLASSES
from spanwise_collector.failures.errors import Error, error_class, error_key
from spanwise_collector.failures.grouping import Grouper, Message, in_order
from spanwise_collector.failures.issue_book import GROUPS, Store
from spanwise_collector.failures.masks import mask
from spanwise_collector.failures.told import told
from spanwise_collector.periodic import MORE
from spanwise_collector.query.values import micros

COUNTS: Final = {"fingerprints": "New kinds of failures.", "grouped": "Of these, put to an issue that was there."}
MAX_NEW: Final = 2_000
"""New fingerprints in a round; more are left for the next."""
MAX_KNOWN: Final = 20_000
"""Of a project, the newest that still count for what is the same."""
_NEW: Final = (
    "SELECT project_id, fingerprint, argMin(failure_class, told), argMin(error_type, told), argMin(provider, told), "
    # Of the spans that one exception passed the model call knows most, and it is not the first to start.
    "argMin(message, told), argMin(title, told), min(toUnixTimestamp64Micro(time)) AS first FROM "
    "(SELECT *, (provider = '', time) AS told FROM failures) "
    "WHERE time >= fromUnixTimestamp64Micro({since:Int64}, 'UTC') AND (project_id, fingerprint) NOT IN "
    "(SELECT project_id, fingerprint FROM failure_groups) GROUP BY project_id, fingerprint "
    f"ORDER BY first, fingerprint LIMIT {MAX_NEW}"
)
_KNOWN: Final = (
    "SELECT fingerprint, argMax(group_id, version), argMax(how, version), argMax(grouping_key, version), "
    "argMax(title, version), argMax(added, version) AS since FROM failure_groups WHERE project_id = {project:String} "
    f"GROUP BY fingerprint ORDER BY since DESC, fingerprint LIMIT {MAX_KNOWN}"
)
_DECIDED: Final = ("merge", "split")
_KEY_END: Final = "\x1e"
LOOK_BACK_US: Final = 90 * 86_400_000_000


class GroupRound:
    """Groups what is new.

    Each fingerprint's key and masked message are kept with its group, so that the groups of a restarted collector go on
    from where they were, whatever has become of the failures.

    Args:
        store: the database.
        now: the time of day, UTC.
    """

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    def step(self) -> Mapping[str, int]:
        """One round; what it did.

        Raises:
            StoreError: as the store says; what was done stays.
        """
        now = self._now()
        rows = self._store.query(_NEW, {"since": micros(now) - LOOK_BACK_US}).rows
        by_project: dict[str, list[tuple[Any, ...]]] = {}
        for project, *row in rows:
            by_project.setdefault(project, []).append(tuple(row))
        grouped = sum(self._project(project, found, now) for project, found in sorted(by_project.items()))
        return {"fingerprints": len(rows), "grouped": grouped, MORE: len(rows) == MAX_NEW}

    def _project(self, project: str, rows: list[tuple[Any, ...]], now: datetime) -> int:
        known = self._store.query(_KNOWN, {"project": project}).rows
        stored = []
        decisions: dict[int, int] = {}
        texts: set[tuple[str, str]] = set()
        for fingerprint, group, how, kept, _title, since in sorted(known, key=lambda row: (row[5], row[0])):
            key, _, masked = kept.partition(_KEY_END)
            stored.append((Message(fingerprint, key, masked, since), group))
            texts.add((key, masked))
            if how in _DECIDED:
                decisions[fingerprint] = group
        grouper = Grouper.restore(stored, decisions)
        new = {}
        for fingerprint, cls, error_type, provider, message, title, first in rows:
            key, masked = keyed(cls, error_type, provider, message)
            if (key, masked) in texts:
                # The same words and another fingerprint: they come from other places in the code.
                masked = ""
            texts.add((key, masked))
            new[fingerprint] = (Message(fingerprint, key, masked, first // 1000), title)
        changed = grouper.add(message for message, _ in new.values())
        version = micros(now)
        # In the order in which they were added, which is what groups follow from.
        kept_of = {row[0]: (row[3], row[4], row[5]) for row in known}
        kept_of |= {
            one.fingerprint: (f"{one.key}{_KEY_END}{one.masked}", new[one.fingerprint][1], version + place)
            for place, one in enumerate(in_order(message for message, _ in new.values()))
        }
        batch = [
            {
                "project_id": project,
                "fingerprint": fingerprint,
                "group_id": group,
                "how": "own" if fingerprint == group else "drain",
                "grouping_key": kept_of[fingerprint][0],
                "title": kept_of[fingerprint][1],
                "added": kept_of[fingerprint][2],
                "by": "",
                "ts": now,
                "version": version,
            }
            for fingerprint, group in changed.items()
            if fingerprint not in decisions
        ]
        if batch:
            token = f"groups:{project}:{min(changed)}:{max(changed)}:{len(changed)}:{version}"
            self._store.insert("failure_groups", pa.RecordBatch.from_pylist(batch, schema=GROUPS), token=token)
        return sum(row["group_id"] != row["fingerprint"] for row in batch)


def keyed(failure_class: str, error_type: str, provider: str, message: str) -> tuple[str, str]:
    """Within what a failure's message is compared, and the masked message; "" where the class says it all."""
    known = CLASSES.get(failure_class)
    if known is None or known.level != "error" or not message:
        return failure_class, ""
    error = Error(error_type, message, 0, provider, ())
    said = told(error_type, message, 0)
    _, sub = error_class(error, said)
    return "|".join((failure_class, sub, *error_key(error, said, failure_class, ""))), mask(said.words)
