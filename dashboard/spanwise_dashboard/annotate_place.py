"""Where one is on the page Annotate, as query parameters. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

NEW_QUEUE: Final = "~new"
"""Stands for a queue that does not exist yet; no id of a queue looks like this."""


@dataclass(frozen=True, slots=True)
class AnnotatePlace:
    """What is open.

    Attributes:
        queue_id: the queue; empty for the first, `NEW_QUEUE` for one that is being made.
        reviewer: who reviews. It stands in the address, so that it outlives a reload: there is no login.
    """

    queue_id: str = ""
    reviewer: str = ""


def parse_annotate(parameters: Mapping[str, Sequence[str]]) -> AnnotatePlace:
    """Reads query parameters."""
    queue, reviewer = ((parameters.get(key) or ("",))[-1] for key in ("queue", "reviewer"))
    return AnnotatePlace(queue, reviewer.strip()[:200])


def annotate_query(place: AnnotatePlace) -> dict[str, str]:
    """The query parameters of a place; defaults are empty. `parse_annotate` reads them back."""
    return {"queue": place.queue_id, "reviewer": place.reviewer}
