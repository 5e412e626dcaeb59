"""What the fake of the API says of annotation queues; it hands items out and remembers reviews."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import unquote

from pydantic import BaseModel

from spanwise_collector.annotate.desk import progress_of
from spanwise_collector.annotate.queues import StoredQueue
from spanwise_schemas.api_annotations import (
    ClaimItem,
    Correction,
    CorrectionPage,
    Item,
    NewReview,
    Next,
    Queue,
    QueueDraft,
    QueueInfo,
    QueuePage,
    Review,
)
from spanwise_schemas.api_datasets import Dataset as MadeDataset
from spanwise_schemas.api_datasets import DatasetChanged, DatasetDraft
from tests.support.dashboard_data import HOSTILE, HOSTILE_TRACE_ID, OK_TRACE_ID, Dataset

Parameters = Mapping[str, Sequence[str]]
PATHS = ("annotations", "datasets")
ANSWERS, HOSTILE_QUEUE = "00000000000000a1", "00000000000000a2"
QUESTIONS = (
    {"name": "correct", "text": "Is the answer correct?"},
    {"name": "tone", "kind": "categories", "categories": ["warm", "neutral", "cold"], "text": "How does it sound?"},
    {"name": "helpful", "kind": "number", "minimum": 1, "maximum": 5, "text": "How much does it help, 1 to 5?"},
)
INSTRUCTIONS = (
    "An answer is correct when every statement in it follows from the retrieved articles. Prices and dates must be "
    "exact. An answer that sends the customer to support is correct only where the articles do not say more."
)


@dataclass
class FakeAnnotations:
    """Queues over a dataset: none with few traces, two with a lot.

    Attributes:
        data: what the collector holds.
        queues: by id, in order.
        items: of each queue.
        corrected: what outputs should have been.
        taken: datasets by name, with how many items each has.
    """

    data: Dataset
    queues: dict[str, StoredQueue] = field(default_factory=dict)
    items: dict[str, list[Item]] = field(default_factory=dict)
    corrected: list[Correction] = field(default_factory=list)
    taken: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.data.traces) > 2:
            answers = {"name": "Answers", "questions": QUESTIONS, "instructions": INSTRUCTIONS, "random_share": 0.05}
            self._add(ANSWERS, Queue.model_validate(answers), reviewed=12, of=80)
            hostile = {"name": HOSTILE[:100], "questions": [{"name": "a", "text": HOSTILE}], "instructions": HOSTILE}
            self._add(HOSTILE_QUEUE, Queue.model_validate(hostile), reviewed=0, of=2)

    def answer(self, method: str, path: Sequence[str], parameters: Parameters, body: bytes) -> BaseModel | None:
        """The answer to a request below /api/v1, None where there is nothing."""
        match method, *path:
            case "GET", "annotations", "queues":
                return QueuePage(items=[self._info(one) for one in self.queues.values()])
            case "POST", "annotations", "queues":
                draft = QueueDraft.model_validate_json(body)
                queue_id = f"{len(self.queues) + 0xB1:016x}"
                self._add(queue_id, draft.queue, reviewed=0, of=min(5, len(self.data.traces)))
                return self._info(self.queues[queue_id])
            case "POST", "annotations", "queues", queue_id, "fill":
                return self._info(self.queues[queue_id])
            case "POST", "annotations", "queues", queue_id, "next":
                return self._next(queue_id, ClaimItem.model_validate_json(body).reviewer)
            case "DELETE", "annotations", "queues", queue_id:
                return self._info(self.queues.pop(queue_id))
            case "POST", "annotations", "queues", queue_id, "items", item_id, "reviews":
                return self._review(queue_id, item_id, NewReview.model_validate_json(body))
            case "GET", "annotations", "corrections":
                return CorrectionPage(items=self._corrected(parameters)[: int(parameters["limit"][0])])
            case "POST", "datasets":
                name = DatasetDraft.model_validate_json(body).name
                self.taken.setdefault(name, 0)
                return MadeDataset(name=name, project="default", created_at=self.data.now, updated_at=self.data.now)
            case "POST", "datasets", name, "from-corrections" if unquote(name) in self.taken:
                return self._take(unquote(name), len(self._corrected(parameters)))
        return None

    def _corrected(self, parameters: Parameters) -> list[Correction]:
        return [one for one in self.corrected if one.queue_id == parameters["queue_id"][0]]

    def _take(self, name: str, count: int) -> DatasetChanged:
        had, self.taken[name] = self.taken[name], count
        return DatasetChanged(dataset=name, version=1, items=count, added=count - had, unchanged=had)

    def _add(self, queue_id: str, queue: Queue, *, reviewed: int, of: int) -> None:
        now = self.data.now
        self.queues[queue_id] = StoredQueue("default", queue_id, queue, "Grace", now, now - timedelta(minutes=5), "")
        ids = [trace.summary.trace_id for trace in self.data.traces]
        first = [HOSTILE_TRACE_ID] if queue_id == HOSTILE_QUEUE else [OK_TRACE_ID]
        chosen = [*(first if first[0] in ids else []), *(one for one in ids if one not in first)][:of]
        # What is reviewed already lies at the end, so that the first item that waits is a known one.
        self.items[queue_id] = [
            Item(
                item_id=f"{number:032x}",
                queue_id=queue_id,
                trace_id=trace_id,
                started=now - timedelta(hours=2),
                stratum="rule:failures" if number % 5 == 4 else "random",
                inclusion_probability=1.0 if number % 5 == 4 else 0.05,
                wanted=2 if number % 10 == 0 else 1,
                state="done" if number >= len(chosen) - reviewed else "open",
                reviews=self._made(number, len(chosen) - reviewed),
            )
            for number, trace_id in enumerate(chosen)
        ]

    def _made(self, number: int, first: int) -> list[Review]:
        if number < first:
            return []
        people = ["Grace", "Ada"] if number % 10 == 0 else [("Grace", "Ada", "Grace")[number % 3]]
        return [
            Review(
                reviewer=who,
                outcome="done",
                answers={"correct": number % 4 != 0 or who == "Ada", "tone": "warm"},
                time=self.data.now - timedelta(hours=1),
            )
            for who in people
        ]

    def _info(self, known: StoredQueue) -> QueueInfo:
        return QueueInfo(
            queue_id=known.queue_id,
            project=known.project,
            queue=known.queue,
            by=known.by,
            time=known.time,
            filled_to=known.filled_to,
            progress=progress_of(known, self.items[known.queue_id]),
        )

    def _next(self, queue_id: str, reviewer: str) -> Next:
        waiting = (
            item
            for item in self.items[queue_id]
            if len(item.reviews) < item.wanted and all(one.reviewer != reviewer for one in item.reviews)
        )
        found = next(waiting, None)
        return Next(item=found, progress=progress_of(self.queues[queue_id], self.items[queue_id]))

    def _review(self, queue_id: str, item_id: str, said: NewReview) -> Item | None:
        items = self.items.get(queue_id, [])
        found = next((item for item in items if item.item_id == item_id), None)
        if found is None:
            return None
        review = Review(
            reviewer=said.reviewer,
            outcome="done" if said.answers else "skipped",
            answers=said.answers,
            comment=said.comment,
            time=self.data.now,
        )
        if said.correction:
            self.corrected.append(
                Correction(
                    trace_id=found.trace_id,
                    queue_id=queue_id,
                    by=said.reviewer,
                    output=said.correction,
                    time=self.data.now,
                )
            )
        reviews = [*found.reviews, review]
        state = found.state
        if len(reviews) >= found.wanted:
            state = "done" if any(one.outcome == "done" for one in reviews) else "skipped"
        made = found.model_copy(update={"reviews": reviews, "state": state})
        items[items.index(found)] = made
        return made
