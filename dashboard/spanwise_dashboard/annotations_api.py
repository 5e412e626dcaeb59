"""Annotation queues in the collector's API."""

from dataclasses import dataclass

from spanwise_dashboard.client import Client, segment
from spanwise_schemas.api_annotations import (
    ClaimItem,
    CorrectionPage,
    Item,
    NewReview,
    Next,
    Queue,
    QueueDraft,
    QueueInfo,
    QueuePage,
)

_QUEUES = "/api/v1/annotations/queues"


@dataclass(frozen=True, slots=True)
class AnnotationsApi:
    """Asks one collector about one project. Every method raises an `ApiError` and nothing else."""

    client: Client
    project: str

    def queues(self) -> QueuePage:
        """All queues, by name."""
        return self.client.get(_QUEUES, QueuePage, self._here)

    def make(self, queue: Queue, by: str) -> QueueInfo:
        """Makes a queue, and fills it with what came before."""
        return self.client.send("POST", _QUEUES, QueueInfo, self._here, QueueDraft(queue=queue, by=by))

    def delete(self, queue_id: str) -> None:
        """Deletes a queue; the scores that were given stay."""
        self.client.change("DELETE", f"{_QUEUES}/{segment(queue_id)}", self._here)

    def fill(self, queue_id: str) -> QueueInfo:
        """Looks for items now."""
        return self.client.send("POST", f"{_QUEUES}/{segment(queue_id)}/fill", QueueInfo, self._here)

    def next(self, queue_id: str, reviewer: str) -> Next:
        """The item that is this reviewer's now."""
        asked = ClaimItem(reviewer=reviewer)
        return self.client.send("POST", f"{_QUEUES}/{segment(queue_id)}/next", Next, self._here, asked)

    def review(self, item: Item, said: NewReview) -> None:
        """Says what an item is worth; without an answer it is skipped."""
        path = f"{_QUEUES}/{segment(item.queue_id)}/items/{segment(item.item_id)}/reviews"
        self.client.change("POST", path, self._here, said)

    def corrections(self, queue_id: str, *, limit: int) -> CorrectionPage:
        """What reviewers of a queue wrote that outputs should have been, the newest first."""
        return self.client.get(
            "/api/v1/annotations/corrections",
            CorrectionPage,
            {"project": self.project, "queue_id": queue_id, "limit": limit},
        )

    @property
    def _here(self) -> dict[str, str]:
        return {"project": self.project}
