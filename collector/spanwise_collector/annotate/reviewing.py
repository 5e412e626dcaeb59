"""From what a reviewer says to scores. Pure."""

from datetime import datetime
from hashlib import sha256

from spanwise_schemas.api_annotations import Item, NewReview, Queue
from spanwise_schemas.api_scores import NewScore


class ReviewError(ValueError):
    """An answer does not fit its question; the message names both."""


def scores_of_review(project: str, queue: Queue, item: Item, review: NewReview, now: datetime) -> list[NewScore]:
    """A score for each answer, in the order of the questions.

    A reviewer's score of a target has one id, so that a second look replaces the first.

    Args:
        project: the queue's.
        queue: its questions.
        item: what was reviewed.
        review: what was said.
        now: time of the scores, UTC.

    Raises:
        ReviewError: an answer to no question, or one that does not fit.
    """
    questions = {question.name: question for question in queue.questions}
    for name, answer in review.answers.items():
        question = questions.get(name)
        if question is None:
            raise ReviewError(f"the queue asks nothing named {name!r}; it asks {', '.join(questions)}")
        if problem := question.problem_of(answer):
            raise ReviewError(f"{name}: {problem}")
    return [
        NewScore(
            name=name,
            value=review.answers[name],
            trace_id=item.trace_id,
            span_id=item.span_id,
            explanation=review.comment,
            source="human",
            evaluator=review.reviewer,
            score_id=score_id(project, item.trace_id, item.span_id, name, review.reviewer),
            time=now,
            inclusion_probability=item.inclusion_probability,
            stratum=item.stratum,
        )
        for name in questions
        if name in review.answers
    ]


def score_id(project: str, trace_id: str, span_id: str, name: str, reviewer: str) -> str:
    """The id of a reviewer's score, as docs/decisions/0012-evals.md has it for evaluators; 32 hex digits."""
    parts = (project, trace_id, span_id, "", name, reviewer, "")
    return sha256("\0".join(parts).encode()).hexdigest()[:32]
