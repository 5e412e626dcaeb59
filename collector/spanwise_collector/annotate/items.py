"""Items of queues and what was said of them, in the store."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, Literal

import pyarrow as pa

from spanwise_collector.alerts.claims import Store
from spanwise_collector.annotate.choosing import Chosen
from spanwise_collector.query.values import hex_id, micros, time_of
from spanwise_collector.query.window import Window
from spanwise_schemas.api_annotations import Correction, Item, Review

ITEMS: Final = "annotation_items"
REVIEWS: Final = "annotation_reviews"
CORRECTIONS: Final = "corrections"
MOST_ITEMS: Final = 20_000
_MILLIS: Final = pa.timestamp("ms", "UTC")
_ITEM: Final = pa.schema(
    [
        ("project_id", pa.string()),
        ("queue_id", pa.string()),
        ("item_id", pa.binary(16)),
        ("trace_id", pa.binary(16)),
        ("span_id", pa.binary(8)),
        ("started", pa.timestamp("us", "UTC")),
        ("stratum", pa.string()),
        ("inclusion_p", pa.float64()),
        ("wanted", pa.uint8()),
        ("ts", _MILLIS),
        ("version", pa.uint64()),
    ]
)
_REVIEW: Final = pa.schema(
    [
        ("project_id", pa.string()),
        ("queue_id", pa.string()),
        ("item_id", pa.binary(16)),
        ("reviewer", pa.string()),
        ("outcome", pa.string()),
        ("answers", pa.string()),
        ("comment", pa.string()),
        ("ts", _MILLIS),
        ("version", pa.uint64()),
    ]
)
_CORRECTION: Final = pa.schema(
    [
        ("project_id", pa.string()),
        ("trace_id", pa.binary(16)),
        ("span_id", pa.binary(8)),
        ("by", pa.string()),
        ("queue_id", pa.string()),
        ("output", pa.string()),
        ("comment", pa.string()),
        ("ts", _MILLIS),
        ("version", pa.uint64()),
        ("is_deleted", pa.uint8()),
    ]
)


@dataclass(frozen=True, slots=True)
class Said:
    """What a reviewer said of an item.

    Attributes:
        reviewer: who.
        outcome: whether it was answered.
        answers: by name of the question.
        comment: why.
        correction: what the output should have been; empty for nothing.
    """

    reviewer: str
    outcome: Literal["done", "skipped"]
    answers: Mapping[str, bool | float | str]
    comment: str
    correction: str


def item_id(queue_id: str, trace_id: bytes, span_id: bytes) -> bytes:
    """The id of a target in a queue; 16 bytes."""
    return sha256(b"\0".join((queue_id.encode(), trace_id, span_id))).digest()[:16]


class Items:
    """Items in the store.

    Args:
        store: the database.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, project: str, queue_id: str, chosen: Sequence[Chosen], window: Window, now: datetime) -> None:
        """Store what was chosen out of a stretch of time; of two who do it one lands.

        Raises:
            StoreError: as the store says.
        """
        if not chosen:
            return
        rows = [
            {
                "project_id": project,
                "queue_id": queue_id,
                "item_id": item_id(queue_id, one.candidate.trace_id, one.candidate.span_id),
                "trace_id": one.candidate.trace_id,
                "span_id": one.candidate.span_id,
                "started": one.candidate.started,
                "stratum": one.stratum,
                "inclusion_p": one.inclusion_p,
                "wanted": one.wanted,
                "ts": now,
                "version": micros(now),
            }
            for one in chosen
        ]
        token = f"annotation-items:{queue_id}:{window.start}-{window.end}"
        self._store.insert(ITEMS, pa.RecordBatch.from_pylist(rows, schema=_ITEM), token=token)

    def of(self, project: str, queue_id: str) -> list[Item]:
        """All items of a queue, the oldest first, with what was said of them and no claims.

        Raises:
            StoreError: as the store says.
        """
        return self._read(project, queue_id, "1", {})

    def get(self, project: str, queue_id: str, item: str) -> Item | None:
        """One item; None where the queue has none of this id.

        Raises:
            StoreError: as the store says.
        """
        found = self._read(project, queue_id, "item_id = toFixedString(unhex({item:String}), 16)", {"item": item})
        return found[0] if found else None

    def say(self, project: str, item: Item, said: Said, now: datetime) -> None:
        """Store a review; of one reviewer and item the last one holds.

        Raises:
            StoreError: as the store says; saying it again is harmless.
        """
        at = {"project_id": project, "queue_id": item.queue_id, "ts": now, "version": micros(now)}
        target = {"trace_id": bytes.fromhex(item.trace_id), "span_id": bytes.fromhex(item.span_id or "0" * 16)}
        token = f"{item.item_id}:{sha256(said.reviewer.encode()).hexdigest()[:16]}:{micros(now)}"
        known = self._corrected(project, target["trace_id"], target["span_id"], said.reviewer)
        if said.correction != known:
            row = {
                **at,
                **target,
                "by": said.reviewer,
                "output": said.correction,
                "comment": said.comment,
                "is_deleted": int(not said.correction),
            }
            self._store.insert(
                CORRECTIONS, pa.RecordBatch.from_pylist([row], schema=_CORRECTION), token=f"correction:{token}"
            )
        row = {
            **at,
            "item_id": bytes.fromhex(item.item_id),
            "reviewer": said.reviewer,
            "outcome": said.outcome,
            "answers": json.dumps(dict(said.answers), ensure_ascii=False),
            "comment": said.comment,
        }
        self._store.insert(REVIEWS, pa.RecordBatch.from_pylist([row], schema=_REVIEW), token=f"review:{token}")

    def corrections(self, project: str, *, queue_id: str = "", limit: int = 1_000) -> list[Correction]:
        """What outputs should have been, newest first; of one queue, where it is named.

        Raises:
            StoreError: as the store says.
        """
        rows = self._store.query(
            "SELECT trace_id, span_id, queue_id, by, output, comment, toUnixTimestamp64Milli(ts) "
            f"FROM {CORRECTIONS} FINAL WHERE project_id = {{project:String}} AND is_deleted = 0 "
            "AND ({queue:String} = '' OR queue_id = {queue:String}) ORDER BY ts DESC, trace_id, by "
            "LIMIT {limit:UInt32}",
            {"project": project, "queue": queue_id, "limit": limit},
        ).rows
        return [
            Correction(
                trace_id=hex_id(trace_id),
                span_id=hex_id(span_id),
                queue_id=queue,
                by=by,
                output=output,
                comment=comment,
                time=time_of(int(ts) * 1000),
            )
            for trace_id, span_id, queue, by, output, comment, ts in rows
        ]

    def _corrected(self, project: str, trace_id: bytes, span_id: bytes, by: str) -> str:
        """What this reviewer said before that the output should have been."""
        rows = self._store.query(
            f"SELECT output FROM {CORRECTIONS} FINAL WHERE project_id = {{project:String}} AND is_deleted = 0 "
            "AND trace_id = toFixedString(unhex({trace:String}), 16) "
            "AND span_id = toFixedString(unhex({span:String}), 8) AND by = {by:String}",
            {"project": project, "trace": trace_id.hex(), "span": span_id.hex(), "by": by},
        ).rows
        return str(rows[0][0]) if rows else ""

    def _read(self, project: str, queue_id: str, condition: str, parameters: Mapping[str, object]) -> list[Item]:
        asked = {"project": project, "queue": queue_id, **parameters}
        of_queue = f"project_id = {{project:String}} AND queue_id = {{queue:String}} AND {condition}"
        rows = self._store.query(
            "SELECT item_id, trace_id, span_id, toUnixTimestamp64Micro(started), stratum, inclusion_p, wanted "
            f"FROM {ITEMS} FINAL WHERE {of_queue} ORDER BY started, item_id LIMIT {MOST_ITEMS}",
            asked,
        ).rows
        reviews = self._reviews(of_queue, asked)
        return [_item(queue_id, row, reviews.get(row[0], [])) for row in rows]

    def _reviews(self, of_queue: str, asked: Mapping[str, object]) -> dict[bytes, list[Review]]:
        rows = self._store.query(
            f"SELECT item_id, reviewer, toString(outcome), answers, comment, toUnixTimestamp64Milli(ts) FROM {REVIEWS} "
            f"FINAL WHERE {of_queue} ORDER BY ts, reviewer LIMIT {2 * MOST_ITEMS}",
            asked,
        ).rows
        found: dict[bytes, list[Review]] = {}
        for item, reviewer, outcome, answers, comment, ts in rows:
            found.setdefault(item, []).append(
                Review(
                    reviewer=reviewer,
                    outcome=outcome,
                    answers=json.loads(answers),
                    comment=comment,
                    time=time_of(int(ts) * 1000),
                )
            )
        return found


def _item(queue_id: str, row: Sequence[Any], reviews: list[Review]) -> Item:
    item, trace_id, span_id, started, stratum, inclusion_p, wanted = row
    state: Literal["open", "done", "skipped"] = "open"
    if len(reviews) >= wanted:
        state = "done" if any(one.outcome == "done" for one in reviews) else "skipped"
    return Item(
        item_id=item.hex(),
        queue_id=queue_id,
        trace_id=trace_id.hex(),
        span_id=hex_id(span_id),
        started=time_of(started),
        stratum=stratum,
        inclusion_probability=inclusion_p,
        wanted=wanted,
        state=state,
        reviews=reviews,
    )
