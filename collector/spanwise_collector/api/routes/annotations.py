"""Annotation queues: what people review, one item at a time."""

from collections.abc import Sequence
from typing import Annotated, Final

from anyio import from_thread
from fastapi import Path, Query, Request, Response

from spanwise_collector.annotate.desk import TakenError, Write, progress_of
from spanwise_collector.annotate.reviewing import ReviewError
from spanwise_collector.api.annotating import AnnotatingIn
from spanwise_collector.api.answers import json_answer
from spanwise_collector.api.guard import guarded_router, needs
from spanwise_collector.api.parameters import Project, problems
from spanwise_collector.api.problems import problem
from spanwise_collector.api.routes.scores import sender_of
from spanwise_collector.receive.access import Access
from spanwise_collector.receive.score_sender import ScoreSender
from spanwise_schemas.api_annotations import (
    ClaimItem,
    CorrectionPage,
    Item,
    ItemPage,
    ItemState,
    NewReview,
    Next,
    QueueDraft,
    QueueInfo,
    QueuePage,
)
from spanwise_schemas.api_scores import NewScore

router = guarded_router(prefix="/api/v1/annotations", tags=["Annotations"])
MAX_LIMIT: Final = 1_000


QueueId = Annotated[str, Path(description="Id of the queue.", pattern="^[0-9a-f]{16}$")]
ItemId = Annotated[str, Path(description="Id of the item, 32 hex digits.", pattern="^[0-9a-f]{32}$")]


@router.get("/queues", response_model=QueuePage, responses=problems(422, 503, 504), summary="List queues")
def queues(annotating: AnnotatingIn, project: Project = "default") -> Response:
    """The queues of a project, by name, with how far each is."""
    return json_answer(QueuePage(items=[annotating.info(one) for one in annotating.queues.of(project)]))


@router.post(
    "/queues", response_model=QueueInfo, status_code=201, responses=problems(422, 503, 504), summary="Make a queue"
)
def add(annotating: AnnotatingIn, draft: QueueDraft, project: Project = "default") -> Response:
    """Make a queue, and fill it with what came before; from then on it fills itself."""
    made = annotating.queues.add(project, draft.queue, draft.by)
    annotating.filler.fill(made)
    return json_answer(annotating.info(annotating.queue(project, made.queue_id)), 201)


@router.get(
    "/queues/{queue_id}", response_model=QueueInfo, responses=problems(404, 422, 503, 504), summary="Read a queue"
)
def queue(annotating: AnnotatingIn, queue_id: QueueId, project: Project = "default") -> Response:
    """One queue, how far it is, and how far its reviewers agree."""
    return json_answer(annotating.info(annotating.queue(project, queue_id)))


@router.put(
    "/queues/{queue_id}", response_model=QueueInfo, responses=problems(404, 422, 503, 504), summary="Change a queue"
)
def change(annotating: AnnotatingIn, queue_id: QueueId, draft: QueueDraft, project: Project = "default") -> Response:
    """Change a queue. What is in it stays as it was chosen; what comes later is chosen by the new rules."""
    annotating.queues.replace(annotating.queue(project, queue_id), draft.queue, draft.by)
    return json_answer(annotating.info(annotating.queue(project, queue_id)))


@router.delete("/queues/{queue_id}", status_code=204, responses=problems(404, 422, 503, 504), summary="Delete a queue")
def delete(annotating: AnnotatingIn, queue_id: QueueId, project: Project = "default") -> Response:
    """Delete a queue. The scores and corrections that were given stay."""
    annotating.queues.delete(annotating.queue(project, queue_id))
    return Response(status_code=204)


@router.post(
    "/queues/{queue_id}/fill", response_model=QueueInfo, responses=problems(404, 422, 503, 504), summary="Fill a queue"
)
def fill(annotating: AnnotatingIn, queue_id: QueueId, project: Project = "default") -> Response:
    """Look for items now, and not only within the next half minute."""
    annotating.filler.fill(annotating.queue(project, queue_id))
    return json_answer(annotating.info(annotating.queue(project, queue_id)))


@router.get(
    "/queues/{queue_id}/items", response_model=ItemPage, responses=problems(404, 422, 503, 504), summary="List items"
)
def items(
    annotating: AnnotatingIn,
    queue_id: QueueId,
    project: Project = "default",
    state: Annotated[tuple[ItemState, ...], Query(description="State; repeat for alternatives.")] = (),
    limit: Annotated[int, Query(description="Items at most, the oldest first.", ge=1, le=MAX_LIMIT)] = 200,
) -> Response:
    """Items of a queue with all reviews: what waits, who has it, what was said."""
    found = annotating.desk.items(annotating.queue(project, queue_id))
    return json_answer(ItemPage(items=[item for item in found if not state or item.state in state][:limit]))


@router.post(
    "/queues/{queue_id}/next", response_model=Next, responses=problems(404, 422, 503, 504), summary="Claim an item"
)
@needs("ingest")
def claim(annotating: AnnotatingIn, queue_id: QueueId, asked: ClaimItem, project: Project = "default") -> Response:
    """The item that is this reviewer's now: the one they have, else the next that nobody has.

    It is theirs for 15 minutes, so that two people do not do the same; asking again renews that. An item that two
    people are to review goes to two, never twice to one.
    """
    known = annotating.queue(project, queue_id)
    item, all_items = annotating.desk.next(known, asked.reviewer)
    return json_answer(Next(item=item, progress=progress_of(known, all_items)))


@router.post(
    "/queues/{queue_id}/items/{item_id}/reviews",
    response_model=Item,
    responses=problems(400, 404, 409, 413, 422, 429, 501, 503, 504),
    summary="Review an item",
)
@needs("ingest")
def review(
    request: Request,
    annotating: AnnotatingIn,
    queue_id: QueueId,
    item_id: ItemId,
    said: NewReview,
    project: Project = "default",
) -> Response:
    """Say what an item is worth; without an answer it is skipped.

    Each answer becomes a score of the item's trace or span, with source `human`, the reviewer as evaluator, the comment
    as explanation, and the probability and stratum with which it was chosen. It travels through Kafka like any score,
    so the collector needs the role `otlp`. A second review of the same person replaces the first.
    """
    known = annotating.queue(project, queue_id)
    item = annotating.item(known, item_id)
    write = _through(sender_of(request), project)
    try:
        annotating.desk.review(known, item, said, write)
    except ReviewError as error:
        return problem(request, 400, "bad-request", str(error))
    except TakenError as error:
        return problem(request, 409, "taken", str(error))
    return json_answer(annotating.item(known, item_id))


@router.get(
    "/corrections", response_model=CorrectionPage, responses=problems(422, 503, 504), summary="List corrections"
)
def corrections(
    annotating: AnnotatingIn,
    project: Project = "default",
    queue_id: Annotated[str, Query(description="Of this queue only.", max_length=16)] = "",
    limit: Annotated[int, Query(description="At most so many, the newest first.", ge=1, le=MAX_LIMIT)] = 200,
) -> Response:
    """What outputs should have been, as reviewers wrote them: for datasets and fine-tuning."""
    return json_answer(CorrectionPage(items=annotating.items.corrections(project, queue_id=queue_id, limit=limit)))


def _through(sender: ScoreSender, project: str) -> Write:
    """Writes scores from a worker thread, through the event loop on which the receiver runs."""

    def write(scores: Sequence[NewScore]) -> None:
        async def send() -> None:
            with sender.request() as lease:
                await sender.send(scores, Access((project,), project), lease, project=project)

        from_thread.run(send)

    return write
