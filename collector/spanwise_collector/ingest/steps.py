"""The steps a batch takes, in their order: the order is the delivery guarantee."""

from collections.abc import Callable
from enum import StrEnum


class Step(StrEnum):
    """What has just been done, or is about to be."""

    BUILT = "built"
    """Rows are made; nothing is written yet."""
    PINNED = "pinned"
    """The range of offsets is pinned."""
    INSERTING = "inserting"
    """An insert is about to be sent, once per table."""
    INSERTED = "inserted"
    """An insert was answered, once per table."""
    RECORDED = "recorded"
    """The ledger has its row."""
    PUBLISHED = "published"
    """The refused records are acknowledged in the rejects topic."""
    RELEASED = "released"
    """The position has moved past the batch."""


OnStep = Callable[[Step], None]
"""Told of every step. Tests stop the process here; what it raises stops ingest."""


def no_step(step: Step) -> None:
    """Does nothing."""
