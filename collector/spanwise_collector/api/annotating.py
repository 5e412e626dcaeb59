"""What the endpoints about annotation work with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from spanwise_collector.alerts.claims import Store
from spanwise_collector.annotate.desk import Desk, progress_of
from spanwise_collector.annotate.filler import Filler
from spanwise_collector.annotate.items import Items
from spanwise_collector.annotate.queues import Queues, StoredQueue
from spanwise_collector.api.problems import NotFoundError
from spanwise_schemas.api_annotations import Item, QueueInfo


@dataclass(frozen=True, slots=True)
class Annotating:
    """Annotation in the API.

    Attributes:
        queues: of all projects.
        items: of all queues.
        desk: hands items out.
        filler: fills queues.
    """

    queues: Queues
    items: Items
    desk: Desk
    filler: Filler

    def queue(self, project: str, queue_id: str) -> StoredQueue:
        """One queue.

        Raises:
            NotFoundError: the project has none of this id.
        """
        found = self.queues.get(project, queue_id)
        if found is None:
            raise NotFoundError(f"The project {project!r} has no annotation queue {queue_id!r}.")
        return found

    def item(self, known: StoredQueue, item_id: str) -> Item:
        """One item.

        Raises:
            NotFoundError: the queue has none of this id.
        """
        found = self.items.get(known.project, known.queue_id, item_id)
        if found is None:
            raise NotFoundError(f"The annotation queue {known.queue.name!r} has no item {item_id}.")
        return found

    def info(self, known: StoredQueue) -> QueueInfo:
        """A queue for people."""
        return QueueInfo(
            queue_id=known.queue_id,
            project=known.project,
            queue=known.queue,
            by=known.by,
            time=known.time,
            filled_to=known.filled_to,
            note=known.note,
            progress=progress_of(known, self.desk.items(known)),
        )


def make_annotating(store: Store, *, now: Callable[[], datetime], new_id: Callable[[], str]) -> Annotating:
    """The parts over a store.

    Args:
        store: the database.
        now: the time of day, UTC.
        new_id: 16 hex digits that were never used before.
    """
    queues, items = Queues(store, now=now, new_id=new_id), Items(store)
    return Annotating(queues, items, Desk(store, items, now), Filler(store, queues, items, now))


def _annotating(request: Request) -> Annotating:
    annotating: Annotating = request.app.state.annotating
    return annotating


AnnotatingIn = Annotated[Annotating, Depends(_annotating)]
