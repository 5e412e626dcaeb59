"""The reviewers' desk: hands out items, one person at a time, and takes what is said of them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from spanwise_collector.alerts.claims import SKEW, Claim, Store, claim_once, last_claims, take
from spanwise_collector.annotate.agreement import agreements
from spanwise_collector.annotate.items import Items, Said
from spanwise_collector.annotate.queues import StoredQueue
from spanwise_collector.annotate.reviewing import scores_of_review
from spanwise_schemas.api_annotations import Item, NewReview, Progress, ReviewerCount
from spanwise_schemas.api_scores import NewScore

CLAIM_FOR: Final = timedelta(minutes=15)
"""Who takes longer over an item may lose it to another."""
LOOKED_AT: Final = 50
"""Items that are tried before a reviewer is told that nothing waits: so many others would have to be at work."""
_MAX_SLOTS: Final = 2

Write = Callable[[Sequence[NewScore]], object]
"""Writes scores to the log; returns once they are there."""


class TakenError(ValueError):
    """The item has all its reviews already, from others."""


@dataclass(frozen=True, slots=True)
class _Held:
    """Who has an item now.

    Attributes:
        slots: claim of each slot that is held.
    """

    slots: dict[int, Claim]


class Desk:
    """Hands out items and takes reviews.

    Args:
        store: the database.
        items: of all queues.
        now: the time of day, UTC.
    """

    def __init__(self, store: Store, items: Items, now: Callable[[], datetime]) -> None:
        self._store = store
        self._items = items
        self._now = now

    def items(self, known: StoredQueue) -> list[Item]:
        """All items of a queue with their claims.

        Raises:
            StoreError: as the store says.
        """
        items = self._items.of(known.project, known.queue_id)
        return _with_claims(items, self._held([item for item in items if item.state == "open"]))

    def next(self, known: StoredQueue, reviewer: str) -> tuple[Item | None, list[Item]]:
        """The item that is this reviewer's now: the one they have, else the next that nobody has.

        Returns:
            The item, None where nothing waits for this reviewer; and all items of the queue.

        Raises:
            StoreError: as the store says.
        """
        stored = self._items.of(known.project, known.queue_id)
        held = self._held([item for item in stored if item.state == "open"])
        items = _with_claims(stored, held)
        waiting = [item for item in items if _waits_for(item, reviewer)]
        mine = [item for item in waiting if any(one.owner == reviewer for one in held[item.item_id].slots.values())]
        # Second reviews first: they end an item that is half done.
        others = sorted((item for item in waiting if item not in mine), key=lambda item: not item.reviews)
        for item in [*mine, *others[:LOOKED_AT]]:
            until = self._claim(item, reviewer, held[item.item_id])
            if until is not None:
                claimed = item.model_copy(update={"state": "claimed", "claimed_by": reviewer, "claimed_until": until})
                return claimed, [claimed if one.item_id == item.item_id else one for one in items]
        return None, items

    def review(self, known: StoredQueue, item: Item, review: NewReview, write: Write) -> None:
        """Take what a reviewer says; without an answer the item is skipped.

        The scores are written first: whoever is told that something failed says it again, and the same ids replace.

        Args:
            known: the queue.
            item: what was reviewed.
            review: what is said of it.
            write: writes the scores.

        Raises:
            ReviewError: an answer does not fit.
            TakenError: others have reviewed the item meanwhile.
            StoreError: as the store says.
        """
        others = [one for one in item.reviews if one.reviewer != review.reviewer]
        if len(others) >= item.wanted:
            raise TakenError("Others have reviewed this item meanwhile; go on with the next one.")
        now = self._now()
        scores = scores_of_review(known.project, known.queue, item, review, now)
        if scores:
            write(scores)
        said = Said(
            review.reviewer, "done" if scores else "skipped", review.answers, review.comment, review.correction.strip()
        )
        self._items.say(known.project, item, said, now)
        self._release(item, review.reviewer)

    def _claim(self, item: Item, reviewer: str, held: _Held) -> datetime | None:
        """Claim a slot of an item; until when it is this reviewer's, None where others have it."""
        now = self._now()
        until = now + CLAIM_FOR
        for slot, claim in held.slots.items():
            if claim.owner == reviewer:
                # Renewed; should that fail, the old claim still holds for a while.
                renewed = take(self._store, _name(item, slot), claim.term + 1, reviewer, until=until, now=now)
                return until if renewed else claim.until
        free = item.wanted - len(item.reviews)
        if len(held.slots) >= free:
            return None
        for slot in range(free):
            if slot not in held.slots and claim_once(self._store, _name(item, slot), reviewer, until=until, now=now):
                return until
        return None

    def _release(self, item: Item, reviewer: str) -> None:
        now = self._now()
        for slot, claim in self._held([item])[item.item_id].slots.items():
            if claim.owner == reviewer:
                take(self._store, _name(item, slot), claim.term + 1, reviewer, until=now - SKEW, now=now)

    def _held(self, items: Sequence[Item]) -> dict[str, _Held]:
        slots = {_name(item, slot): (item.item_id, slot) for item in items for slot in range(_MAX_SLOTS)}
        found = {item.item_id: _Held({}) for item in items}
        now = self._now()
        for name, claim in last_claims(self._store, slots).items():
            item_id, slot = slots[name]
            if claim.until > now:
                found[item_id].slots[slot] = claim
        return found


def progress_of(known: StoredQueue, items: Sequence[Item]) -> Progress:
    """How far a queue is.

    Args:
        known: the queue.
        items: all of its items, with claims.
    """
    states = Counter(item.state for item in items)
    done = Counter(one.reviewer for item in items for one in item.reviews if one.outcome == "done")
    skipped = Counter(one.reviewer for item in items for one in item.reviews if one.outcome == "skipped")
    pairs = [
        (answered[0].answers, answered[1].answers)
        for item in items
        if len(answered := [one for one in item.reviews if one.outcome == "done"]) > 1
    ]
    names = sorted({*done, *skipped}, key=lambda name: (-done[name], name))
    return Progress(
        items=len(items),
        open=states["open"] + states["claimed"],
        claimed=states["claimed"],
        done=states["done"],
        skipped=states["skipped"],
        reviewers=[ReviewerCount(reviewer=name, done=done[name], skipped=skipped[name]) for name in names],
        agreement=agreements(known.queue.questions, pairs),
    )


def _waits_for(item: Item, reviewer: str) -> bool:
    return len(item.reviews) < item.wanted and all(one.reviewer != reviewer for one in item.reviews)


def _with_claims(items: Sequence[Item], held: Mapping[str, _Held]) -> list[Item]:
    shown = []
    for item in items:
        claims = held[item.item_id].slots.values() if item.item_id in held else ()
        last = max(claims, key=lambda claim: claim.until, default=None)
        change = {"state": "claimed", "claimed_by": last.owner, "claimed_until": last.until} if last else {}
        shown.append(item.model_copy(update=change))
    return shown


def _name(item: Item, slot: int) -> str:
    return f"annotate:{item.queue_id}:{item.item_id}:{slot}"
